#include "policy/ca/crl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/ca/ocsp.h"
#include "tests/unit/policy/ca/test_ocsp.h"
#include "tests/unit/unit.h"

static struct pki_cert *root, *leaf, *other, *namesake;

static void make_certs(void) {
    if (root == NULL) {
        root = pki_ca("List Root", NULL);
        namesake = pki_ca("List Root", NULL);
        leaf = pki_leaf("a.test", root);
        other = pki_leaf("b.test", root);
    }
}

static bool add(struct crl_set *set, struct crl_options options, struct err *err) {
    size_t len;
    uint8_t *der = crl_make(&options, &len);
    bool ok = crl_set_add(set, der, len, "list", err);
    OPENSSL_free(der);
    return ok;
}

static struct crl_answer ask(struct crl_set *set, const struct pki_cert *cert, int64_t now) {
    struct arena arena = {0};
    struct cert_facts facts, issuer;
    struct crl_answer answer;
    CHECK(cert_facts_parse(&facts, &arena, cert->der, cert->der_len));
    CHECK(cert_facts_parse(&issuer, &arena, root->der, root->der_len));
    crl_set_ask(set, &answer, &facts, &issuer, now);
    arena_cleanup(&arena);
    return answer;
}

static void test_revoked(void) {
    struct err err;
    make_certs();
    struct crl_set *set = crl_set_new();
    CU_ASSERT_EQUAL(ask(set, leaf, PKI_NOW).status, CRL_NONE);
    CU_ASSERT_EQUAL(ask(NULL, leaf, PKI_NOW).status, CRL_NONE);
    CU_ASSERT_TRUE(
        add(set, (struct crl_options){.issuer = root, .revoked = {leaf}, .reason = 1}, &err));
    CU_ASSERT_EQUAL(crl_set_num(set), 1);
    struct crl_answer answer = ask(set, leaf, PKI_NOW);
    CU_ASSERT_EQUAL(answer.status, CRL_REVOKED);
    CU_ASSERT_EQUAL(answer.revoked_at, PKI_NOW - 5 * PKI_DAY);
    CU_ASSERT_STRING_EQUAL(answer.reason, "keyCompromise");
    CU_ASSERT_EQUAL(answer.this_update, PKI_NOW - 3600);
    CU_ASSERT_EQUAL(ask(set, other, PKI_NOW).status, CRL_GOOD);
    // A list that is past its time still revokes, but clears nobody.
    CU_ASSERT_EQUAL(ask(set, leaf, PKI_NOW + 9 * PKI_DAY).status, CRL_REVOKED);
    CU_ASSERT_EQUAL(ask(set, other, PKI_NOW + PKI_DAY).status, CRL_GOOD);
    CU_ASSERT_EQUAL(ask(set, other, PKI_NOW + PKI_DAY + 1).status, CRL_STALE);
    crl_set_free(set);
}

static void test_signature(void) {
    struct err err;
    make_certs();
    struct crl_set *set = crl_set_new();
    struct crl_options options = {.issuer = root, .revoked = {leaf}, .break_signature = true};
    CU_ASSERT_TRUE(add(set, options, &err));
    CU_ASSERT_EQUAL(ask(set, leaf, PKI_NOW).status, CRL_BAD_SIGNATURE);
    CU_ASSERT_EQUAL(ask(set, leaf, PKI_NOW).status, CRL_BAD_SIGNATURE);
    // That of another CA of the same name is not ours.
    CU_ASSERT_TRUE(add(set, (struct crl_options){.issuer = namesake, .revoked = {leaf}}, &err));
    CU_ASSERT_EQUAL(ask(set, leaf, PKI_NOW).status, CRL_BAD_SIGNATURE);
    CU_ASSERT_TRUE(add(set, (struct crl_options){.issuer = root}, &err));
    CU_ASSERT_EQUAL(ask(set, leaf, PKI_NOW).status, CRL_GOOD);
    crl_set_free(set);
}

// Of several lists the one that revokes counts, else the newest.
static void test_several(void) {
    struct err err;
    make_certs();
    struct crl_set *set = crl_set_new();
    CU_ASSERT_TRUE(add(set,
                       (struct crl_options){.issuer = root,
                                            .this_update = PKI_NOW - 9 * PKI_DAY,
                                            .next_update = PKI_NOW - 8 * PKI_DAY},
                       &err));
    CU_ASSERT_EQUAL(ask(set, leaf, PKI_NOW).status, CRL_STALE);
    CU_ASSERT_TRUE(add(set, (struct crl_options){.issuer = root, .next_update = -1}, &err));
    CU_ASSERT_EQUAL(ask(set, leaf, PKI_NOW).status, CRL_GOOD);
    CU_ASSERT_FALSE(ask(set, leaf, PKI_NOW).has_next_update);
    CU_ASSERT_TRUE(add(set,
                       (struct crl_options){.issuer = root,
                                            .revoked = {other, leaf},
                                            .reason = -1,
                                            .this_update = PKI_NOW - 5 * PKI_DAY},
                       &err));
    CU_ASSERT_EQUAL(ask(set, leaf, PKI_NOW).status, CRL_REVOKED);
    CU_ASSERT_PTR_NULL(ask(set, leaf, PKI_NOW).reason);
    crl_set_free(set);
}

static void test_refused(void) {
    struct err err = {0};
    size_t len;
    make_certs();
    struct crl_set *set = crl_set_new();
    CU_ASSERT_FALSE(add(set, (struct crl_options){.issuer = root, .delta = true}, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "delta"));
    uint8_t *der = crl_make(&(struct crl_options){.issuer = root, .revoked = {leaf}}, &len);
    for (size_t i = 0; i < len; i++) {
        CU_ASSERT_FALSE(crl_set_add(set, der, i, "list", &err));
    }
    CU_ASSERT_EQUAL(crl_set_num(set), 0);
    OPENSSL_free(der);
    crl_set_free(set);
}

static void write_file(const char *path, const void *p, size_t p_len) {
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(p, 1, p_len, file), p_len);
    fclose(file);
}

static void test_files(void) {
    struct err err = {0};
    char path[512], *folder = pki_folder();
    size_t len, text_len = 0;
    make_certs();
    struct crl_set *set = crl_set_new();
    snprintf(path, sizeof(path), "%s/list", folder);
    CU_ASSERT_FALSE(crl_set_load(set, path, &err));
    uint8_t *der = crl_make(&(struct crl_options){.issuer = root, .revoked = {leaf}}, &len);
    write_file(path, der, len);
    CU_ASSERT_TRUE(crl_set_load(set, path, &err));
    CU_ASSERT_EQUAL(crl_set_num(set), 1);
    // Two of them as PEM, with text between.
    const uint8_t *p = der;
    X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(crl);
    BIO *bio = BIO_new(BIO_s_mem());
    const uint8_t *text = NULL;
    CU_ASSERT(PEM_write_bio_X509_CRL(bio, crl) && BIO_puts(bio, "# next\n") > 0 &&
              PEM_write_bio_X509_CRL(bio, crl) && BIO_mem_contents(bio, &text, &text_len));
    write_file(path, text, text_len);
    CU_ASSERT_TRUE(crl_set_load(set, path, &err));
    CU_ASSERT_EQUAL(crl_set_num(set), 3);
    CU_ASSERT_EQUAL(ask(set, leaf, PKI_NOW).status, CRL_REVOKED);
    write_file(path, "nothing", 7);
    CU_ASSERT_FALSE(crl_set_load(set, path, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "no revocation list in it"));
    X509_CRL_free(crl);
    BIO_free(bio);
    OPENSSL_free(der);
    crl_set_free(set);
    pki_remove(folder);
}

static void free_all(void) {
    pki_free(root);
    pki_free(leaf);
    pki_free(other);
    pki_free(namesake);
}

const struct unit_case unit_cases[] = {
    {"revoked", test_revoked},
    {"signature", test_signature},
    {"several lists", test_several},
    {"refused", test_refused},
    {"files", test_files},
    {"end", free_all},
    {NULL, NULL},
};
