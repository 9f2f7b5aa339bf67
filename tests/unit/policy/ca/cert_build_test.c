#include "policy/ca/cert_build.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/unit.h"

static CBS bytes(const void *p, size_t p_len) {
    CBS cbs;
    CBS_init(&cbs, p, p_len);
    return cbs;
}

// Builds a certificate with the subject CN=s (or none) and reads it with libcrypto.
static X509 *build(const struct cert_key *subject_key, const struct cert_key *issuer_key,
                   bool empty_subject, const char *san, size_t san_len, bool ca) {
    static const uint8_t name[] = {0x30, 0x0c, 0x31, 0x0a, 0x30, 0x08, 0x06,
                                   0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, 's'};
    static const uint8_t none[] = {0x30, 0x00};
    struct cert_template t = {
        .issuer = bytes(name, sizeof(name)),
        .subject = empty_subject ? bytes(none, sizeof(none)) : bytes(name, sizeof(name)),
        .san = bytes(san, san_len),
        .subject_key = subject_key,
        .issuer_key = issuer_key,
        .not_before = PKI_NOW,
        .not_after = PKI_NOW + PKI_DAY,
        .ca = ca,
    };
    CRYPTO_BUFFER *der = cert_build(&t);
    X509 *x509 = X509_parse_from_buffer(der);
    CRYPTO_BUFFER_free(der);
    CU_ASSERT_PTR_NOT_NULL_FATAL(x509);
    return x509;
}

static void test_signatures(void) {
    static const int curves[] = {NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1};
    static const int signatures[] = {NID_ecdsa_with_SHA256, NID_ecdsa_with_SHA384,
                                     NID_ecdsa_with_SHA512};
    struct cert_key *leaf_key = cert_key_new(CERT_KEY_P256);
    for (size_t i = 0; i < 3; i++) {
        EVP_PKEY *key = EVP_PKEY_new();
        EC_KEY *ec = EC_KEY_new_by_curve_name(curves[i]);
        CU_ASSERT_TRUE(EC_KEY_generate_key(ec) && EVP_PKEY_assign_EC_KEY(key, ec));
        struct cert_key *issuer = cert_key_wrap(key);
        CU_ASSERT_TRUE(cert_build_can_sign(key));
        X509 *x509 = build(leaf_key, issuer, false, "\x82\x01x", 3, false);
        CU_ASSERT_EQUAL(X509_get_signature_nid(x509), signatures[i]);
        CU_ASSERT_EQUAL(X509_verify(x509, key), 1);
        CU_ASSERT_NOT_EQUAL(X509_verify(x509, leaf_key->key), 1);
        X509_free(x509);
        cert_key_free(issuer);
    }
    struct cert_key *rsa = cert_key_new(CERT_KEY_RSA_2048);
    X509 *x509 = build(rsa, rsa, false, "\x82\x01x", 3, false);
    CU_ASSERT_EQUAL(X509_get_signature_nid(x509), NID_sha256WithRSAEncryption);
    CU_ASSERT_EQUAL(X509_verify(x509, rsa->key), 1);
    // What signed itself says of no usage: one without keyCertSign would forbid that.
    CU_ASSERT_EQUAL(X509_get_key_usage(x509), UINT32_MAX);
    X509_free(x509);
    x509 = build(rsa, leaf_key, false, "\x82\x01x", 3, false);
    CU_ASSERT_EQUAL(X509_get_key_usage(x509),
                    X509v3_KU_DIGITAL_SIGNATURE | X509v3_KU_KEY_ENCIPHERMENT);
    X509_free(x509);
    cert_key_free(rsa);
    cert_key_free(leaf_key);
    cert_key_free(NULL);
}

static void test_extensions(void) {
    struct cert_key *key = cert_key_new(CERT_KEY_P256);
    X509 *x509 = build(key, key, false, "\x82\x01x", 3, false);
    int critical;
    int at = X509_get_ext_by_NID(x509, NID_subject_alt_name, -1);
    CU_ASSERT_FALSE(X509_EXTENSION_get_critical(X509_get_ext(x509, at)));
    CU_ASSERT_EQUAL(X509_check_ca(x509), 0);
    CU_ASSERT_EQUAL(X509_get_extended_key_usage(x509), XKU_SSL_SERVER);
    CU_ASSERT_EQUAL(X509_check_host(x509, "x", 1, 0, NULL), 1);
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(x509);
    CU_ASSERT_EQUAL(ASN1_STRING_length(id), 20);
    CU_ASSERT_EQUAL(ASN1_STRING_cmp(id, X509_get0_authority_key_id(x509)), 0);
    X509_free(x509);
    // RFC 5280 section 4.1.2.6: without a subject the names are critical.
    x509 = build(key, key, true, "\x82\x01x", 3, false);
    at = X509_get_ext_by_NID(x509, NID_subject_alt_name, -1);
    CU_ASSERT_TRUE(X509_EXTENSION_get_critical(X509_get_ext(x509, at)));
    X509_free(x509);
    x509 = build(key, key, false, NULL, 0, true);
    CU_ASSERT_EQUAL(X509_get_ext_by_NID(x509, NID_subject_alt_name, -1), -1);
    BASIC_CONSTRAINTS *bc = X509_get_ext_d2i(x509, NID_basic_constraints, &critical, NULL);
    CU_ASSERT_TRUE(bc != NULL && bc->ca && critical && ASN1_INTEGER_get(bc->pathlen) == 0);
    BASIC_CONSTRAINTS_free(bc);
    X509_free(x509);
    cert_key_free(key);
}

static void test_serials(void) {
    struct cert_key *key = cert_key_new(CERT_KEY_P256);
    for (int i = 0; i < 64; i++) {
        X509 *x509 = build(key, key, false, NULL, 0, true);
        const ASN1_INTEGER *serial = X509_get0_serialNumber(x509);
        CU_ASSERT_EQUAL(ASN1_STRING_type(serial), V_ASN1_INTEGER);
        CU_ASSERT_EQUAL(ASN1_STRING_length(serial), 16);
        X509_free(x509);
    }
    cert_key_free(key);
}

const struct unit_case unit_cases[] = {
    {"every kind of issuer's key", test_signatures},
    {"extensions", test_extensions},
    {"serial numbers are positive and 16 bytes", test_serials},
    {NULL, NULL},
};
