#include "proxy/tls/signature_check.h"

#include <string.h>

enum { BEFORE_TLS12_RSA = 1, BEFORE_TLS12_ECDSA = 2 }; // no registry has these

// clang-format off
static const struct row {
    uint16_t scheme;
    int key;
    bool pss;
    const EVP_MD *(*digest)(void);
} rows[] = {
    {0x0101, EVP_PKEY_RSA,     false, EVP_md5},
    {0x0201, EVP_PKEY_RSA,     false, EVP_sha1},
    {0x0301, EVP_PKEY_RSA,     false, EVP_sha224},
    {0x0401, EVP_PKEY_RSA,     false, EVP_sha256},
    {0x0501, EVP_PKEY_RSA,     false, EVP_sha384},
    {0x0601, EVP_PKEY_RSA,     false, EVP_sha512},
    {0x0203, EVP_PKEY_EC,      false, EVP_sha1},
    {0x0303, EVP_PKEY_EC,      false, EVP_sha224},
    {0x0403, EVP_PKEY_EC,      false, EVP_sha256},
    {0x0503, EVP_PKEY_EC,      false, EVP_sha384},
    {0x0603, EVP_PKEY_EC,      false, EVP_sha512},
    {0x0804, EVP_PKEY_RSA,     true,  EVP_sha256}, // rsa_pss_rsae
    {0x0805, EVP_PKEY_RSA,     true,  EVP_sha384},
    {0x0806, EVP_PKEY_RSA,     true,  EVP_sha512},
    {0x0807, EVP_PKEY_ED25519, false, NULL},
    {0x0809, EVP_PKEY_RSA,     true,  EVP_sha256}, // rsa_pss_pss
    {0x080a, EVP_PKEY_RSA,     true,  EVP_sha384},
    {0x080b, EVP_PKEY_RSA,     true,  EVP_sha512},
    {BEFORE_TLS12_RSA,   EVP_PKEY_RSA, false, EVP_md5_sha1},
    {BEFORE_TLS12_ECDSA, EVP_PKEY_EC,  false, EVP_sha1},
};
// clang-format on

// A key of id-RSASSA-PSS, which BoringSSL does not read, has the shape of one of rsaEncryption.
static EVP_PKEY *pss_key(CBS spki) {
    static const uint8_t oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a};
    CBS outer, algorithm, id, bits;
    uint8_t unused;
    if (!CBS_get_asn1(&spki, &outer, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&outer, &algorithm, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&algorithm, &id, CBS_ASN1_OBJECT) || !CBS_mem_equal(&id, oid, sizeof(oid)) ||
        !CBS_get_asn1(&outer, &bits, CBS_ASN1_BITSTRING) || !CBS_get_u8(&bits, &unused)) {
        return NULL;
    }
    RSA *rsa = RSA_parse_public_key(&bits);
    EVP_PKEY *key = rsa != NULL ? EVP_PKEY_new() : NULL;
    CHECK(key == NULL || EVP_PKEY_set1_RSA(key, rsa));
    RSA_free(rsa);
    return key;
}

// The SubjectPublicKeyInfo of a certificate (RFC 5280, section 4.1).
static bool certificate_spki(CBS *out, CBS der) {
    CBS certificate, tbs;
    return CBS_get_asn1(&der, &certificate, CBS_ASN1_SEQUENCE) &&
           CBS_get_asn1(&certificate, &tbs, CBS_ASN1_SEQUENCE) &&
           CBS_get_optional_asn1(&tbs, NULL, NULL,
                                 CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0) &&
           CBS_get_asn1(&tbs, NULL, CBS_ASN1_INTEGER) &&  // serialNumber
           CBS_get_asn1(&tbs, NULL, CBS_ASN1_SEQUENCE) && // signature
           CBS_get_asn1(&tbs, NULL, CBS_ASN1_SEQUENCE) && // issuer
           CBS_get_asn1(&tbs, NULL, CBS_ASN1_SEQUENCE) && // validity
           CBS_get_asn1(&tbs, NULL, CBS_ASN1_SEQUENCE) && // subject
           CBS_get_asn1_element(&tbs, out, CBS_ASN1_SEQUENCE);
}

// That of a delegated credential (RFC 9345, section 4).
static bool credential_spki(CBS *out, CBS credential) {
    uint32_t valid_time;
    uint16_t algorithm;
    return CBS_get_u32(&credential, &valid_time) && CBS_get_u16(&credential, &algorithm) &&
           CBS_get_u24_length_prefixed(&credential, out);
}

EVP_PKEY *signature_key(const CBS *certificate, const CBS *delegated_credential) {
    CBS spki, rest;
    bool found = delegated_credential != NULL ? credential_spki(&spki, *delegated_credential)
                                              : certificate_spki(&spki, *certificate);
    if (!found) {
        return NULL;
    }
    rest = spki;
    EVP_PKEY *key = EVP_parse_public_key(&rest);
    if (key == NULL) {
        key = pss_key(spki);
    }
    ERR_clear_error();
    return key;
}

static const struct row *row_find(const EVP_PKEY *key, uint16_t scheme) {
    if (scheme == 0) {
        scheme = EVP_PKEY_id(key) == EVP_PKEY_RSA ? BEFORE_TLS12_RSA : BEFORE_TLS12_ECDSA;
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].scheme == scheme) {
            return &rows[i];
        }
    }
    return NULL;
}

enum signature_check signature_check(EVP_PKEY *key, uint16_t scheme, const CBS *signature,
                                     const uint8_t *p, size_t p_len) {
    const struct row *row = key != NULL ? row_find(key, scheme) : NULL;
    EVP_MD_CTX ctx;
    EVP_PKEY_CTX *pctx;
    if (row == NULL) {
        return SIGNATURE_UNCHECKED;
    }
    if (row->key != EVP_PKEY_id(key)) {
        return SIGNATURE_BAD;
    }
    EVP_MD_CTX_init(&ctx);
    CHECK(EVP_DigestVerifyInit(&ctx, &pctx, row->digest != NULL ? row->digest() : NULL, NULL, key));
    CHECK(!row->pss || (EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) &&
                        EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, -1)));
    bool ok = EVP_DigestVerify(&ctx, CBS_data(signature), CBS_len(signature), p, p_len);
    EVP_MD_CTX_cleanup(&ctx);
    ERR_clear_error();
    return ok ? SIGNATURE_GOOD : SIGNATURE_BAD;
}

size_t signature_content13(uint8_t out[SIGNATURE_CONTENT_MAX], const uint8_t *hash,
                           size_t hash_len) {
    static const char context[] = "TLS 1.3, server CertificateVerify"; // and its NUL
    CHECK(hash_len <= EVP_MAX_MD_SIZE);
    memset(out, ' ', 64);
    memcpy(out + 64, context, sizeof(context));
    memcpy(out + 64 + sizeof(context), hash, hash_len);
    return 64 + sizeof(context) + hash_len;
}
