#include "policy/ca/cert_bundle.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/unit.h"

static struct pki_cert *root, *inter;
static struct arena arena;
static CBS found[CERT_BUNDLE_CERTS];

static size_t parse(const void *p, size_t p_len) {
    CBS in;
    CBS_init(&in, p, p_len);
    arena_cleanup(&arena);
    return cert_bundle_parse(found, &arena, in);
}

static bool is(size_t i, const struct pki_cert *cert) {
    return CBS_mem_equal(&found[i], cert->der, cert->der_len);
}

static void test_der(void) {
    root = pki_ca("Root", NULL);
    inter = pki_ca("Intermediate", root);
    CU_ASSERT_EQUAL_FATAL(parse(inter->der, inter->der_len), 1);
    CU_ASSERT_TRUE(is(0, inter));
    CU_ASSERT_EQUAL(parse(inter->der, inter->der_len - 1), 0);
    CU_ASSERT_EQUAL(parse("", 0), 0);
    CU_ASSERT_EQUAL(parse("<html>not here</html>", 21), 0);
}

static void test_pem(void) {
    BIO *bio = BIO_new(BIO_s_mem());
    const uint8_t *text = NULL;
    size_t text_len = 0;
    CU_ASSERT(BIO_puts(bio, "subject=x\n") > 0 && PEM_write_bio_X509(bio, inter->x509) &&
              PEM_write_bio_X509(bio, root->x509) && BIO_mem_contents(bio, &text, &text_len));
    CU_ASSERT_EQUAL_FATAL(parse(text, text_len), 2);
    CU_ASSERT_TRUE(is(0, inter) && is(1, root));
    BIO_free(bio);
}

static void test_pkcs7(void) {
    CBB cbb;
    uint8_t *der = NULL, text[8192];
    size_t der_len = 0;
    STACK_OF(X509) *certs = sk_X509_new_null();
    CU_ASSERT(sk_X509_push(certs, inter->x509) && sk_X509_push(certs, root->x509));
    CU_ASSERT(CBB_init(&cbb, 1024) && PKCS7_bundle_certificates(&cbb, certs) &&
              CBB_finish(&cbb, &der, &der_len));
    CU_ASSERT_EQUAL(parse(der, der_len), 2);
    CU_ASSERT_TRUE((is(0, inter) && is(1, root)) || (is(0, root) && is(1, inter)));
    for (size_t i = 0; i < der_len; i++) {
        CU_ASSERT_EQUAL(parse(der, i), 0);
    }
    // The same in PEM.
    int head = sprintf((char *)text, "-----BEGIN PKCS7-----\n");
    size_t len = (size_t)head + EVP_EncodeBlock(text + head, der, der_len);
    len += (size_t)sprintf((char *)text + len, "\n-----END PKCS7-----\n");
    CU_ASSERT_EQUAL(parse(text, len), 2);
    OPENSSL_free(der);
    sk_X509_free(certs);
}

// Past the ceilings nothing more is taken.
static void test_ceilings(void) {
    BIO *bio = BIO_new(BIO_s_mem());
    const uint8_t *text = NULL;
    size_t text_len = 0;
    static uint8_t large[CERT_BUNDLE_MAX + 1];
    for (int i = 0; i < CERT_BUNDLE_CERTS + 3; i++) {
        CU_ASSERT(PEM_write_bio_X509(bio, root->x509));
    }
    CU_ASSERT(BIO_mem_contents(bio, &text, &text_len));
    CU_ASSERT_EQUAL(parse(text, text_len), CERT_BUNDLE_CERTS);
    memset(large, '\n', sizeof(large));
    CU_ASSERT(text_len < sizeof(large));
    memcpy(large, text, text_len);
    CU_ASSERT_EQUAL(parse(large, sizeof(large) - 1), CERT_BUNDLE_CERTS);
    CU_ASSERT_EQUAL(parse(large, sizeof(large)), 0);
    BIO_free(bio);
    arena_cleanup(&arena);
    pki_free(root);
    pki_free(inter);
}

const struct unit_case unit_cases[] = {
    {"der", test_der},           {"pem", test_pem}, {"pkcs7", test_pkcs7},
    {"ceilings", test_ceilings}, {NULL, NULL},
};
