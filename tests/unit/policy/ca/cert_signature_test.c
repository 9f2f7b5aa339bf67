#include "policy/ca/cert_signature.h"

#include "policy/ca/cert_facts.h"
#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/unit.h"

static bool verify(const struct pki_cert *cert, const struct pki_cert *issuer, bool remembered) {
    struct arena arena = {0};
    struct cert_facts subject, signer;
    CHECK(cert_facts_parse(&subject, &arena, cert->der, cert->der_len));
    CHECK(cert_facts_parse(&signer, &arena, issuer->der, issuer->der_len));
    bool ok = (remembered ? cert_signature_remembered : cert_signature_verify)(
        signer.raw.spki, subject.raw.algorithm, subject.raw.tbs, subject.raw.signature);
    arena_cleanup(&arena);
    return ok;
}

static void test_kinds(void) {
    EVP_PKEY *rsa = pki_rsa_key(2048);
    struct pki_cert *ec = pki_ca("EC", NULL);
    struct pki_cert *root = pki_make((struct pki_options){.cn = "RSA", .key = rsa});
    struct pki_cert *by_ec = pki_leaf("a.test", ec), *by_rsa = pki_leaf("a.test", root);
    CU_ASSERT_TRUE(verify(by_ec, ec, false));
    CU_ASSERT_TRUE(verify(by_rsa, root, false));
    CU_ASSERT_TRUE(verify(root, root, false));
    CU_ASSERT_FALSE(verify(by_ec, root, false));
    CU_ASSERT_FALSE(verify(by_rsa, ec, false));
    pki_free(by_ec);
    pki_free(by_rsa);
    pki_free(ec);
    pki_free(root);
    EVP_PKEY_free(rsa);
}

// What is remembered is the answer to that very question.
static void test_remembered(void) {
    struct pki_cert *root = pki_ca("Root", NULL), *other = pki_ca("Root", NULL);
    struct pki_cert *leaf = pki_leaf("a.test", root);
    struct pki_cert *broken =
        pki_make((struct pki_options){.cn = "a.test", .issuer = root, .break_signature = true});
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_TRUE(verify(leaf, root, true));
        CU_ASSERT_FALSE(verify(leaf, other, true));
        CU_ASSERT_FALSE(verify(broken, root, true));
    }
    pki_free(broken);
    pki_free(leaf);
    pki_free(other);
    pki_free(root);
}

// A good link is remembered by both hashes: with others, the same question is asked anew.
static void test_link(void) {
    struct pki_cert *root = pki_ca("Root", NULL), *other = pki_ca("Root", NULL);
    struct pki_cert *inter = pki_ca("Intermediate", root);
    uint8_t hashes[3][SHA256_DIGEST_LENGTH];
    const struct pki_cert *certs[] = {inter, root, other};
    for (size_t i = 0; i < 3; i++) {
        SHA256(certs[i]->der, certs[i]->der_len, hashes[i]);
    }
    for (int round = 0; round < 2; round++) {
        CU_ASSERT_TRUE(cert_signature_link(inter->x509, hashes[0], root->key, hashes[1]));
        CU_ASSERT_FALSE(cert_signature_link(inter->x509, hashes[0], other->key, hashes[2]));
    }
    // Nobody looks at the key of a link that is known to be good; a bad one is looked at again.
    CU_ASSERT_TRUE(cert_signature_link(inter->x509, hashes[0], other->key, hashes[1]));
    CU_ASSERT_TRUE(cert_signature_link(inter->x509, hashes[0], root->key, hashes[2]));
    pki_free(inter);
    pki_free(other);
    pki_free(root);
}

static void test_rubbish(void) {
    static const uint8_t bytes[] = {0x30, 0x03, 0x02, 0x01, 0x01};
    CBS empty, some;
    CBS_init(&empty, NULL, 0);
    CBS_init(&some, bytes, sizeof(bytes));
    CU_ASSERT_FALSE(cert_signature_verify(empty, empty, empty, empty));
    CU_ASSERT_FALSE(cert_signature_verify(some, some, some, some));
    CU_ASSERT_FALSE(cert_signature_remembered(empty, some, some, some));
}

const struct unit_case unit_cases[] = {
    {"kinds of keys", test_kinds},
    {"remembered", test_remembered},
    {"links", test_link},
    {"rubbish", test_rubbish},
    {NULL, NULL},
};
