#include "policy/ca/cert_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/unit.h"

static void test_everything(void) {
    struct pki_cert *ca = pki_ca("Facts CA", NULL);
    struct pki_cert *cert = pki_make((struct pki_options){
        .cn = "www.a.test",
        .o = "A, Inc.",
        .issuer = ca,
        .san = "DNS:www.a.test,DNS:*.a.test,IP:192.0.2.1,IP:2001:db8::1,email:x@a.test",
        .basic_constraints = "critical,CA:FALSE",
        .key_usage = "critical,digitalSignature,keyAgreement",
        .ext_key_usage = "serverAuth,1.2.3.4",
        .info_access = "OCSP;URI:http://ocsp.a.test,caIssuers;URI:http://ca.a.test/ca.cer",
        .crl_points = "URI:http://crl.a.test/1.crl,URI:http://crl.a.test/2.crl",
        .policies = "2.23.140.1.2.1,1.2.3",
        .unknown_critical = true,
    });
    struct arena arena = {0};
    struct cert_facts f;
    CU_ASSERT_TRUE(cert_facts_parse(&f, &arena, cert->der, cert->der_len));
    CU_ASSERT_PTR_NULL(f.problem);
    CU_ASSERT_EQUAL(f.version, 3);
    CU_ASSERT_STRING_EQUAL(f.subject, "CN=www.a.test, O=A\\, Inc.");
    CU_ASSERT_STRING_EQUAL(f.subject_cn, "www.a.test");
    CU_ASSERT_STRING_EQUAL(f.subject_o, "A, Inc.");
    CU_ASSERT_STRING_EQUAL(f.issuer, "CN=Facts CA");
    CU_ASSERT_PTR_NULL(f.issuer_o);
    CU_ASSERT_TRUE(f.has_not_before && f.has_not_after);
    CU_ASSERT_EQUAL(f.not_before, PKI_NOW - 30 * PKI_DAY);
    CU_ASSERT_EQUAL(f.not_after, PKI_NOW + 30 * PKI_DAY);
    CU_ASSERT_STRING_EQUAL(f.key_type, "EC");
    CU_ASSERT_STRING_EQUAL(f.curve, "P-256");
    CU_ASSERT_EQUAL(f.key_bits, 256);
    CU_ASSERT_STRING_EQUAL(f.signature_algorithm, "ecdsa-with-SHA256");
    CU_ASSERT_FALSE(f.signature_weak);
    CU_ASSERT_EQUAL_FATAL(f.dns.num, 2);
    CU_ASSERT_STRING_EQUAL(f.dns.items[1], "*.a.test");
    CU_ASSERT_EQUAL_FATAL(f.ip.num, 2);
    CU_ASSERT_STRING_EQUAL(f.ip.items[0], "192.0.2.1");
    CU_ASSERT_STRING_EQUAL(f.ip.items[1], "2001:db8::1");
    CU_ASSERT_TRUE(f.has_basic_constraints && f.basic_constraints_critical && !f.ca);
    CU_ASSERT_EQUAL(f.path_len, -1);
    CU_ASSERT_EQUAL_FATAL(f.key_usages.num, 2);
    CU_ASSERT_STRING_EQUAL(f.key_usages.items[1], "keyAgreement");
    CU_ASSERT_EQUAL_FATAL(f.ext_key_usages.num, 2);
    CU_ASSERT_STRING_EQUAL(f.ext_key_usages.items[0], "serverAuth");
    CU_ASSERT_STRING_EQUAL(f.ext_key_usages.items[1], "1.2.3.4");
    CU_ASSERT_TRUE(f.server_auth);
    CU_ASSERT_EQUAL(strlen(f.ski), 40);
    CU_ASSERT_EQUAL(strlen(f.aki), 40);
    CU_ASSERT_STRING_EQUAL(f.ocsp.items[0], "http://ocsp.a.test");
    CU_ASSERT_STRING_EQUAL(f.ca_issuers.items[0], "http://ca.a.test/ca.cer");
    CU_ASSERT_EQUAL_FATAL(f.crl_points.num, 2);
    CU_ASSERT_STRING_EQUAL(f.crl_points.items[1], "http://crl.a.test/2.crl");
    CU_ASSERT_EQUAL_FATAL(f.policies.num, 2);
    CU_ASSERT_STRING_EQUAL(f.policies.items[0], "2.23.140.1.2.1");
    CU_ASSERT_EQUAL_FATAL(f.unknown_critical.num, 1);
    CU_ASSERT_STRING_EQUAL(f.unknown_critical.items[0], "1.2.3.4.5");
    uint8_t hash[32];
    unsigned hash_len;
    CU_ASSERT_TRUE(X509_digest(cert->x509, EVP_sha256(), hash, &hash_len));
    CU_ASSERT_EQUAL(memcmp(hash, f.sha256, 32), 0);
    uint8_t *spki = NULL;
    int spki_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert->x509), &spki);
    SHA256(spki, (size_t)spki_len, hash);
    OPENSSL_free(spki);
    CU_ASSERT_EQUAL(memcmp(hash, f.spki_sha256, 32), 0);
    CU_ASSERT_FALSE(f.self_issued || cert_facts_self_signed(&f));
    CU_ASSERT_TRUE(cert_facts_parse(&f, &arena, ca->der, ca->der_len));
    CU_ASSERT_TRUE(f.ca && f.self_issued && cert_facts_self_signed(&f));
    arena_cleanup(&arena);
    pki_free(cert);
    pki_free(ca);
}

static void test_keys_and_signatures(void) {
    struct arena arena = {0};
    struct cert_facts f;
    EVP_PKEY *rsa = pki_rsa_key(1024);
    struct pki_cert *cert = pki_make((struct pki_options){.cn = "r", .key = rsa});
    CU_ASSERT_TRUE(cert_facts_parse(&f, &arena, cert->der, cert->der_len));
    CU_ASSERT_STRING_EQUAL(f.key_type, "RSA");
    CU_ASSERT_EQUAL(f.key_bits, 1024);
    CU_ASSERT_PTR_NULL(f.curve);
    CU_ASSERT_STRING_EQUAL(f.signature_algorithm, "sha256WithRSAEncryption");
    CU_ASSERT_TRUE(cert_facts_self_signed(&f));
    pki_free(cert);
    cert = pki_make((struct pki_options){.cn = "r", .key = rsa, .digest = EVP_sha1()});
    CU_ASSERT_TRUE(cert_facts_parse(&f, &arena, cert->der, cert->der_len));
    CU_ASSERT_TRUE(f.signature_weak && cert_facts_self_signed(&f));
    pki_free(cert);
    EVP_PKEY_free(rsa);
    // The name is its own, the signature another's.
    cert = pki_make((struct pki_options){.cn = "s", .break_signature = true});
    CU_ASSERT_TRUE(cert_facts_parse(&f, &arena, cert->der, cert->der_len));
    CU_ASSERT_TRUE(f.self_issued);
    CU_ASSERT_FALSE(cert_facts_self_signed(&f));
    pki_free(cert);
    cert = pki_make((struct pki_options){.cn = "n", .negative_serial = true});
    CU_ASSERT_TRUE(cert_facts_parse(&f, &arena, cert->der, cert->der_len));
    CU_ASSERT_TRUE(f.serial_negative);
    CU_ASSERT_STRING_EQUAL(f.serial, "fb");
    pki_free(cert);
    arena_cleanup(&arena);
}

// A fixed certificate with what libcrypto's X509 functions do not write, spliced from parts.
static void test_scts_and_must_staple(void) {
    static const uint8_t extensions[] = {
        0x30, 0x11, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x18, 0x04, 0x05, 0x30,
        0x03, 0x02, 0x01, 0x05, // tlsFeature {5}
        0x30, 0x1a, 0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02, 0x04,
        0x0c, 0x04, 0x0a, 0x00, 0x08, 0x00, 0x02, 0xaa, 0xaa, 0x00, 0x02, 0xbb, 0xbb, // two SCTs
    };
    struct pki_cert *cert = pki_make((struct pki_options){.cn = "x", .no_key_ids = true});
    struct arena arena = {0};
    struct cert_facts f;
    CBS der, certificate, tbs;
    CBS_init(&der, cert->der, cert->der_len);
    CU_ASSERT_TRUE(CBS_get_asn1(&der, &certificate, CBS_ASN1_SEQUENCE) &&
                   CBS_get_asn1(&certificate, &tbs, CBS_ASN1_SEQUENCE));
    CBB cbb, outer, inner, wrapped, list;
    uint8_t *made = NULL;
    size_t made_len = 0;
    CU_ASSERT_TRUE(
        CBB_init(&cbb, 1024) && CBB_add_asn1(&cbb, &outer, CBS_ASN1_SEQUENCE) &&
        CBB_add_asn1(&outer, &inner, CBS_ASN1_SEQUENCE) &&
        CBB_add_bytes(&inner, CBS_data(&tbs), CBS_len(&tbs)) &&
        CBB_add_asn1(&inner, &wrapped, CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 3) &&
        CBB_add_asn1(&wrapped, &list, CBS_ASN1_SEQUENCE) &&
        CBB_add_bytes(&list, extensions, sizeof(extensions)) && CBB_flush(&outer) &&
        CBB_add_bytes(&outer, CBS_data(&certificate), CBS_len(&certificate)) &&
        CBB_finish(&cbb, &made, &made_len));
    CU_ASSERT_TRUE(cert_facts_parse(&f, &arena, made, made_len));
    CU_ASSERT_TRUE(f.must_staple && f.has_scts);
    CU_ASSERT_EQUAL(f.num_scts, 2);
    OPENSSL_free(made);
    pki_free(cert);
    arena_cleanup(&arena);
}

static void test_many_names(void) {
    char *san = malloc(12 * 2000);
    size_t len = 0;
    for (int i = 0; i < 2000; i++) {
        len += (size_t)sprintf(san + len, "%sDNS:n%d.t", i != 0 ? "," : "", i);
    }
    struct pki_cert *cert = pki_make((struct pki_options){.cn = "x", .san = san});
    struct arena arena = {0};
    struct cert_facts f;
    CU_ASSERT_TRUE(cert_facts_parse(&f, &arena, cert->der, cert->der_len));
    CU_ASSERT_EQUAL(f.dns.total, 2000);
    CU_ASSERT_EQUAL(f.dns.num, CERT_FACTS_MAX_ITEMS);
    CU_ASSERT_STRING_EQUAL(f.dns.items[255], "n255.t");
    arena_cleanup(&arena);
    pki_free(cert);
    free(san);
}

// Cut at every byte: never good, never a crash, and what came before the cut is there.
static void test_cut(void) {
    struct pki_cert *cert = pki_leaf("cut.test", NULL);
    for (size_t len = 0; len < cert->der_len; len++) {
        struct arena arena = {0};
        struct cert_facts f;
        uint8_t *cut = malloc(len + 1);
        memcpy(cut, cert->der, len);
        CU_ASSERT_FALSE(cert_facts_parse(&f, &arena, cut, len));
        CU_ASSERT_PTR_NOT_NULL(f.problem);
        if (len > 200) {
            CU_ASSERT_TRUE(f.subject_cn != NULL && strcmp(f.subject_cn, "cut.test") == 0);
            CU_ASSERT_TRUE(f.has_not_after);
        }
        free(cut);
        arena_cleanup(&arena);
    }
    pki_free(cert);
}

static void test_flipped(void) {
    struct pki_cert *ca = pki_ca("Flip CA", NULL);
    uint8_t *copy = malloc(ca->der_len);
    for (size_t i = 0; i < ca->der_len * 8; i++) {
        struct arena arena = {0};
        struct cert_facts f;
        memcpy(copy, ca->der, ca->der_len);
        copy[i / 8] ^= (uint8_t)(1u << (i % 8));
        bool ok = cert_facts_parse(&f, &arena, copy, ca->der_len);
        CU_ASSERT_EQUAL(ok, f.problem == NULL);
        CU_ASSERT_NOT_EQUAL(CBS_len(&f.raw.der), 0);
        arena_cleanup(&arena);
    }
    free(copy);
    pki_free(ca);
}

static void test_garbage(void) {
    static const char *const texts[] = {"", "0", "\x30\x80", "\x30\x84\xff\xff\xff\xff",
                                        "HTTP/1.1 400 Bad Request\r\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct arena arena = {0};
        struct cert_facts f;
        CU_ASSERT_FALSE(cert_facts_parse(&f, &arena, (const uint8_t *)texts[i], strlen(texts[i])));
        CU_ASSERT_PTR_NOT_NULL(f.problem);
        CU_ASSERT_FALSE(cert_facts_self_signed(&f));
        arena_cleanup(&arena);
    }
}

const struct unit_case unit_cases[] = {
    {"every fact", test_everything},
    {"keys, signatures, serials", test_keys_and_signatures},
    {"SCTs and must-staple", test_scts_and_must_staple},
    {"two thousand names", test_many_names},
    {"cut at every byte", test_cut},
    {"every bit flipped", test_flipped},
    {"no certificate at all", test_garbage},
    {NULL, NULL},
};
