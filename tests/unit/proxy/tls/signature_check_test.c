#include "proxy/tls/signature_check.h"

#include <string.h>

#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/unit.h"

static const uint8_t message[] = "what is signed";

static CBS sign(uint8_t *out, size_t out_max, EVP_PKEY *key, const EVP_MD *digest, bool pss) {
    EVP_MD_CTX ctx;
    EVP_PKEY_CTX *pctx;
    CBS signature;
    size_t len = out_max;
    EVP_MD_CTX_init(&ctx);
    CHECK(EVP_DigestSignInit(&ctx, &pctx, digest, NULL, key));
    CHECK(!pss || (EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) &&
                   EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, -1)));
    CHECK(EVP_DigestSign(&ctx, out, &len, message, sizeof(message)));
    EVP_MD_CTX_cleanup(&ctx);
    CBS_init(&signature, out, len);
    return signature;
}

static EVP_PKEY *ec_key(int curve) {
    EC_KEY *ec = EC_KEY_new_by_curve_name(curve);
    EVP_PKEY *key = EVP_PKEY_new();
    CHECK(ec != NULL && EC_KEY_generate_key(ec) && EVP_PKEY_assign_EC_KEY(key, ec));
    return key;
}

static EVP_PKEY *ed25519_key(void) {
    uint8_t public_key[32], private_key[64];
    ED25519_keypair(public_key, private_key);
    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, private_key, 32);
}

// The signature is good over the message, and bad over another and when it is changed.
static void check_all(EVP_PKEY *key, uint16_t scheme, const EVP_MD *digest, bool pss) {
    uint8_t bytes[1024];
    CBS signature = sign(bytes, sizeof(bytes), key, digest, pss);
    CU_ASSERT_EQUAL(signature_check(key, scheme, &signature, message, sizeof(message)),
                    SIGNATURE_GOOD);
    CU_ASSERT_EQUAL(signature_check(key, scheme, &signature, message, sizeof(message) - 1),
                    SIGNATURE_BAD);
    bytes[CBS_len(&signature) / 2] ^= 1;
    CU_ASSERT_EQUAL(signature_check(key, scheme, &signature, message, sizeof(message)),
                    SIGNATURE_BAD);
    CBS_init(&signature, NULL, 0);
    CU_ASSERT_EQUAL(signature_check(key, scheme, &signature, message, sizeof(message)),
                    SIGNATURE_BAD);
}

static void test_rsa(void) {
    EVP_PKEY *key = pki_rsa_key(2048);
    check_all(key, 0x0201, EVP_sha1(), false);
    check_all(key, 0x0401, EVP_sha256(), false);
    check_all(key, 0x0601, EVP_sha512(), false);
    check_all(key, 0x0804, EVP_sha256(), true);
    check_all(key, 0x0806, EVP_sha512(), true);
    check_all(key, 0x0809, EVP_sha256(), true);
    check_all(key, 0, EVP_md5_sha1(), false);
    EVP_PKEY_free(key);
}

static void test_ecdsa(void) {
    EVP_PKEY *p256 = ec_key(NID_X9_62_prime256v1), *p384 = ec_key(NID_secp384r1);
    check_all(p256, 0x0403, EVP_sha256(), false);
    check_all(p384, 0x0503, EVP_sha384(), false);
    check_all(p256, 0x0203, EVP_sha1(), false);
    check_all(p256, 0, EVP_sha1(), false);
    EVP_PKEY_free(p256);
    EVP_PKEY_free(p384);
}

static void test_ed25519(void) {
    EVP_PKEY *key = ed25519_key();
    check_all(key, 0x0807, NULL, false);
    EVP_PKEY_free(key);
}

static void test_others(void) {
    EVP_PKEY *key = pki_rsa_key(2048);
    CBS signature;
    CBS_init(&signature, message, sizeof(message));
    CU_ASSERT_EQUAL(signature_check(key, 0x0808, &signature, message, 1), SIGNATURE_UNCHECKED);
    CU_ASSERT_EQUAL(signature_check(key, 0x0905, &signature, message, 1), SIGNATURE_UNCHECKED);
    CU_ASSERT_EQUAL(signature_check(NULL, 0x0804, &signature, message, 1), SIGNATURE_UNCHECKED);
    CU_ASSERT_EQUAL(signature_check(key, 0x0403, &signature, message, 1), SIGNATURE_BAD);
    EVP_PKEY_free(key);
}

static void test_key_of_a_certificate(void) {
    struct pki_cert *cert = pki_leaf("host.example", NULL);
    CBS der = pki_cbs(cert);
    EVP_PKEY *key = signature_key(&der, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(key);
    CU_ASSERT_EQUAL(EVP_PKEY_cmp(key, cert->key), 1);
    EVP_PKEY_free(key);
    for (size_t len = 0; len < CBS_len(&der); len += 7) {
        CBS cut;
        CBS_init(&cut, CBS_data(&der), len);
        EVP_PKEY_free(signature_key(&cut, NULL));
    }
    pki_free(cert);
}

// RFC 9345, section 4: the key of the credential signs, not that of the certificate.
static void test_key_of_a_credential(void) {
    EVP_PKEY *key = ec_key(NID_X9_62_prime256v1);
    CBB cbb, spki;
    uint8_t *bytes;
    size_t len;
    CHECK(CBB_init(&cbb, 128) && CBB_add_u32(&cbb, 3600) && CBB_add_u16(&cbb, 0x0403) &&
          CBB_add_u24_length_prefixed(&cbb, &spki) && EVP_marshal_public_key(&spki, key) &&
          CBB_flush(&cbb) && CBB_add_u16(&cbb, 0x0804) && CBB_add_u16(&cbb, 0) &&
          CBB_finish(&cbb, &bytes, &len));
    CBS credential, nothing;
    CBS_init(&credential, bytes, len);
    CBS_init(&nothing, NULL, 0);
    EVP_PKEY *found = signature_key(&nothing, &credential);
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    CU_ASSERT_EQUAL(EVP_PKEY_cmp(found, key), 1);
    EVP_PKEY_free(found);
    CBS_init(&credential, bytes, 8);
    CU_ASSERT_PTR_NULL(signature_key(&nothing, &credential));
    OPENSSL_free(bytes);
    EVP_PKEY_free(key);
}

// A key of id-RSASSA-PSS in a certificate of nothing else.
static void test_pss_key(void) {
    static const uint8_t oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a};
    EVP_PKEY *rsa = pki_rsa_key(2048);
    CBB cbb, spki, algorithm, id, bits;
    uint8_t *bytes;
    size_t len;
    CHECK(CBB_init(&cbb, 512) && CBB_add_u32(&cbb, 0) && CBB_add_u16(&cbb, 0x0809) &&
          CBB_add_u24_length_prefixed(&cbb, &spki) &&
          CBB_add_asn1(&spki, &algorithm, CBS_ASN1_SEQUENCE));
    CBB key;
    CHECK(CBB_add_asn1(&algorithm, &key, CBS_ASN1_SEQUENCE) &&
          CBB_add_asn1(&key, &id, CBS_ASN1_OBJECT) && CBB_add_bytes(&id, oid, sizeof(oid)) &&
          CBB_add_asn1(&algorithm, &bits, CBS_ASN1_BITSTRING) && CBB_add_u8(&bits, 0) &&
          RSA_marshal_public_key(&bits, EVP_PKEY_get0_RSA(rsa)) && CBB_finish(&cbb, &bytes, &len));
    CBS credential;
    CBS_init(&credential, bytes, len);
    EVP_PKEY *found = signature_key(NULL, &credential);
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    CU_ASSERT_EQUAL(EVP_PKEY_cmp(found, rsa), 1);
    EVP_PKEY_free(found);
    OPENSSL_free(bytes);
    EVP_PKEY_free(rsa);
}

static void test_content(void) {
    uint8_t content[SIGNATURE_CONTENT_MAX];
    CU_ASSERT_EQUAL(signature_content13(content, (const uint8_t *)"hash", 4), 64 + 34 + 4);
    CU_ASSERT(content[0] == ' ' && content[63] == ' ');
    CU_ASSERT(memcmp(content + 64, "TLS 1.3, server CertificateVerify\0hash", 38) == 0);
}

const struct unit_case unit_cases[] = {
    {"RSA, PKCS #1 v1.5 and PSS", test_rsa},
    {"ECDSA", test_ecdsa},
    {"Ed25519", test_ed25519},
    {"what is not checked, and a key of another kind", test_others},
    {"the key of a certificate", test_key_of_a_certificate},
    {"the key of a delegated credential", test_key_of_a_credential},
    {"a key for RSA-PSS alone", test_pss_key},
    {"what TLS 1.3 signs", test_content},
    {NULL, NULL},
};
