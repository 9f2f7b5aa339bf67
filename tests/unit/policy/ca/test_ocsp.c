#include "tests/unit/policy/ca/test_ocsp.h"

#include <string.h>
#include <time.h>

#include "logs/base/check.h"

#define CONTEXT(n) (CBS_ASN1_CONTEXT_SPECIFIC | (n))
#define CONTEXT_OF(n) (CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | (n))

static const uint8_t SHA1_OID[] = {0x2b, 0x0e, 0x03, 0x02, 0x1a};
static const uint8_t SHA256_OID[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
static const uint8_t ECDSA_OID[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
static const uint8_t BASIC_OID[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01};
static const uint8_t SCT_OID[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x05};
static const uint8_t DELTA_OID[] = {0x55, 0x1d, 0x1b};
static const uint8_t REASON_OID[] = {0x55, 0x1d, 0x15};

static void add_bytes(CBB *cbb, unsigned tag, const void *p, size_t p_len) {
    CBB child;
    CHECK(CBB_add_asn1(cbb, &child, tag) && CBB_add_bytes(&child, p, p_len) && CBB_flush(cbb));
}

static void add_time(CBB *cbb, int64_t when) {
    char text[32];
    struct tm tm;
    time_t seconds = (time_t)when;
    gmtime_r(&seconds, &tm);
    strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &tm);
    add_bytes(cbb, CBS_ASN1_GENERALIZEDTIME, text, 15);
}

static void add_name(CBB *cbb, const X509_NAME *name) {
    const uint8_t *der;
    size_t der_len;
    CHECK(X509_NAME_get0_der((X509_NAME *)name, &der, &der_len) &&
          CBB_add_bytes(cbb, der, der_len) && CBB_flush(cbb));
}

static void add_serial(CBB *cbb, const struct pki_cert *cert) {
    uint8_t *der = NULL;
    int len = i2d_ASN1_INTEGER(X509_get_serialNumber(cert->x509), &der);
    CHECK(len > 0 && CBB_add_bytes(cbb, der, (size_t)len) && CBB_flush(cbb));
    OPENSSL_free(der);
}

static void add_algorithm(CBB *cbb) {
    CBB algorithm;
    CHECK(CBB_add_asn1(cbb, &algorithm, CBS_ASN1_SEQUENCE));
    add_bytes(&algorithm, CBS_ASN1_OBJECT, ECDSA_OID, sizeof(ECDSA_OID));
    CHECK(CBB_flush(cbb));
}

// Adds the signature over `tbs` and its algorithm.
static void add_signature(CBB *cbb, EVP_PKEY *key, const uint8_t *tbs, size_t tbs_len,
                          bool broken) {
    CBB bits;
    uint8_t signature[256];
    size_t len = sizeof(signature);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    add_algorithm(cbb);
    CHECK(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) &&
          EVP_DigestSign(ctx, signature, &len, tbs, tbs_len));
    EVP_MD_CTX_free(ctx);
    signature[len - 1] ^= broken;
    CHECK(CBB_add_asn1(cbb, &bits, CBS_ASN1_BITSTRING) && CBB_add_u8(&bits, 0) &&
          CBB_add_bytes(&bits, signature, len) && CBB_flush(cbb));
}

static void add_certid(CBB *cbb, const struct ocsp_options *options) {
    CBB certid, algorithm;
    uint8_t name[EVP_MAX_MD_SIZE], key[EVP_MAX_MD_SIZE];
    unsigned len;
    const EVP_MD *md = options->sha256 ? EVP_sha256() : EVP_sha1();
    CHECK(X509_NAME_digest(X509_get_subject_name(options->issuer->x509), md, name, &len) &&
          X509_pubkey_digest(options->issuer->x509, md, key, &len) &&
          CBB_add_asn1(cbb, &certid, CBS_ASN1_SEQUENCE) &&
          CBB_add_asn1(&certid, &algorithm, CBS_ASN1_SEQUENCE));
    if (options->sha256) {
        add_bytes(&algorithm, CBS_ASN1_OBJECT, SHA256_OID, sizeof(SHA256_OID));
    } else {
        add_bytes(&algorithm, CBS_ASN1_OBJECT, SHA1_OID, sizeof(SHA1_OID));
    }
    CHECK(CBB_flush(&certid));
    add_bytes(&certid, CBS_ASN1_OCTETSTRING, name, len);
    add_bytes(&certid, CBS_ASN1_OCTETSTRING, key, len);
    add_serial(&certid, options->cert);
    CHECK(CBB_flush(cbb));
}

static void add_sct_extension(CBB *cbb) {
    static const uint8_t sct[] = {0,    49,   0,    47,   0, // list, item, v1
                                  0x0e, 0x57, 0x94, 0xbc, 0xf3, 0xae, 0xa9, 0x3e, 0x33, 0x1b,
                                  0x2c, 0x99, 0x07, 0xb3, 0xf7, 0x90, 0xdf, 0x9b, 0xc2, 0x3d,
                                  0x71, 0x32, 0x25, 0xdd, 0x21, 0xa9, 0x25, 0xac, 0x61, 0xc5,
                                  0x4e, 0x21, 0,    0,    0x01, 0x9a, 0,    0,    0,    0,
                                  0,    0,    4,    3,    0,    0};
    CBB outer, list, extension, value;
    CHECK(CBB_add_asn1(cbb, &outer, CONTEXT_OF(1)) &&
          CBB_add_asn1(&outer, &list, CBS_ASN1_SEQUENCE) &&
          CBB_add_asn1(&list, &extension, CBS_ASN1_SEQUENCE));
    add_bytes(&extension, CBS_ASN1_OBJECT, SCT_OID, sizeof(SCT_OID));
    CHECK(CBB_add_asn1(&extension, &value, CBS_ASN1_OCTETSTRING));
    add_bytes(&value, CBS_ASN1_OCTETSTRING, sct, sizeof(sct));
    CHECK(CBB_flush(cbb));
}

static void add_single(CBB *cbb, const struct ocsp_options *options) {
    CBB single, info, wrapped;
    CHECK(CBB_add_asn1(cbb, &single, CBS_ASN1_SEQUENCE));
    add_certid(&single, options);
    if (options->kind == OCSP_KIND_REVOKED) {
        CHECK(CBB_add_asn1(&single, &info, CONTEXT_OF(1)));
        add_time(&info, PKI_NOW - 5 * PKI_DAY);
        if (options->reason >= 0) {
            uint8_t reason = (uint8_t)options->reason;
            CHECK(CBB_add_asn1(&info, &wrapped, CONTEXT_OF(0)));
            add_bytes(&wrapped, CBS_ASN1_ENUMERATED, &reason, 1);
        }
        CHECK(CBB_flush(&single));
    } else {
        add_bytes(&single, options->kind == OCSP_KIND_GOOD ? CONTEXT(0) : CONTEXT(2), "", 0);
    }
    add_time(&single, options->this_update != 0 ? options->this_update : PKI_NOW - 3600);
    if (options->next_update >= 0) {
        CHECK(CBB_add_asn1(&single, &wrapped, CONTEXT_OF(0)));
        add_time(&wrapped, options->next_update != 0 ? options->next_update : PKI_NOW + PKI_DAY);
        CHECK(CBB_flush(&single));
    }
    if (options->with_sct) {
        add_sct_extension(&single);
    }
    CHECK(CBB_flush(cbb));
}

static uint8_t *make_data(const struct ocsp_options *options, size_t *out_len) {
    const struct pki_cert *responder = options->claimed != NULL  ? options->claimed
                                       : options->signer != NULL ? options->signer
                                                                 : options->issuer;
    CBB cbb, data, id, responses;
    uint8_t *out, key[EVP_MAX_MD_SIZE];
    unsigned key_len;
    CHECK(CBB_init(&cbb, 512) && CBB_add_asn1(&cbb, &data, CBS_ASN1_SEQUENCE));
    if (options->by_key) {
        CHECK(X509_pubkey_digest(responder->x509, EVP_sha1(), key, &key_len) &&
              CBB_add_asn1(&data, &id, CONTEXT_OF(2)));
        add_bytes(&id, CBS_ASN1_OCTETSTRING, key, key_len);
    } else {
        CHECK(CBB_add_asn1(&data, &id, CONTEXT_OF(1)));
        add_name(&id, X509_get_subject_name(responder->x509));
    }
    CHECK(CBB_flush(&data));
    add_time(&data, PKI_NOW - 3600);
    CHECK(CBB_add_asn1(&data, &responses, CBS_ASN1_SEQUENCE));
    add_single(&responses, options);
    CHECK(CBB_finish(&cbb, &out, out_len));
    return out;
}

uint8_t *ocsp_make(const struct ocsp_options *options, size_t *out_len) {
    CBB cbb, response, wrapped, bytes, octets, basic, certs, list;
    uint8_t *out, status = (uint8_t)options->refusal;
    CHECK(CBB_init(&cbb, 1024) && CBB_add_asn1(&cbb, &response, CBS_ASN1_SEQUENCE));
    add_bytes(&response, CBS_ASN1_ENUMERATED, &status, 1);
    if (options->refusal != 0) {
        CHECK(CBB_finish(&cbb, &out, out_len));
        return out;
    }
    size_t data_len;
    uint8_t *data = make_data(options, &data_len);
    const struct pki_cert *signer = options->signer != NULL ? options->signer : options->issuer;
    CHECK(CBB_add_asn1(&response, &wrapped, CONTEXT_OF(0)) &&
          CBB_add_asn1(&wrapped, &bytes, CBS_ASN1_SEQUENCE));
    add_bytes(&bytes, CBS_ASN1_OBJECT, BASIC_OID, sizeof(BASIC_OID));
    CHECK(CBB_add_asn1(&bytes, &octets, CBS_ASN1_OCTETSTRING) &&
          CBB_add_asn1(&octets, &basic, CBS_ASN1_SEQUENCE) &&
          CBB_add_bytes(&basic, data, data_len));
    add_signature(&basic, signer->key, data, data_len, options->break_signature);
    if (options->signer != NULL) {
        CHECK(CBB_add_asn1(&basic, &certs, CONTEXT_OF(0)) &&
              CBB_add_asn1(&certs, &list, CBS_ASN1_SEQUENCE) &&
              CBB_add_bytes(&list, signer->der, signer->der_len));
    }
    CHECK(CBB_finish(&cbb, &out, out_len));
    OPENSSL_free(data);
    return out;
}

static void add_entry(CBB *cbb, const struct pki_cert *cert, int reason) {
    CBB entry, extensions, extension, value;
    uint8_t code = (uint8_t)reason;
    CHECK(CBB_add_asn1(cbb, &entry, CBS_ASN1_SEQUENCE));
    add_serial(&entry, cert);
    add_time(&entry, PKI_NOW - 5 * PKI_DAY);
    if (reason >= 0) {
        CHECK(CBB_add_asn1(&entry, &extensions, CBS_ASN1_SEQUENCE) &&
              CBB_add_asn1(&extensions, &extension, CBS_ASN1_SEQUENCE));
        add_bytes(&extension, CBS_ASN1_OBJECT, REASON_OID, sizeof(REASON_OID));
        CHECK(CBB_add_asn1(&extension, &value, CBS_ASN1_OCTETSTRING));
        add_bytes(&value, CBS_ASN1_ENUMERATED, &code, 1);
    }
    CHECK(CBB_flush(cbb));
}

static void add_delta(CBB *tbs) {
    static const uint8_t one[] = {2, 1, 1};
    CBB outer, list, extension;
    CHECK(CBB_add_asn1(tbs, &outer, CONTEXT_OF(0)) &&
          CBB_add_asn1(&outer, &list, CBS_ASN1_SEQUENCE) &&
          CBB_add_asn1(&list, &extension, CBS_ASN1_SEQUENCE));
    add_bytes(&extension, CBS_ASN1_OBJECT, DELTA_OID, sizeof(DELTA_OID));
    CHECK(CBB_add_asn1_bool(&extension, 1));
    add_bytes(&extension, CBS_ASN1_OCTETSTRING, one, sizeof(one));
    CHECK(CBB_flush(tbs));
}

uint8_t *crl_make(const struct crl_options *options, size_t *out_len) {
    CBB cbb, tbs, list;
    uint8_t *data, *out;
    size_t data_len;
    const struct pki_cert *signer = options->signer != NULL ? options->signer : options->issuer;
    CHECK(CBB_init(&cbb, 512) && CBB_add_asn1(&cbb, &tbs, CBS_ASN1_SEQUENCE) &&
          CBB_add_asn1_uint64(&tbs, 1));
    add_algorithm(&tbs);
    add_name(&tbs, X509_get_subject_name(options->issuer->x509));
    add_time(&tbs, options->this_update != 0 ? options->this_update : PKI_NOW - 3600);
    if (options->next_update >= 0) {
        add_time(&tbs, options->next_update != 0 ? options->next_update : PKI_NOW + PKI_DAY);
    }
    if (options->revoked[0] != NULL) {
        CHECK(CBB_add_asn1(&tbs, &list, CBS_ASN1_SEQUENCE));
        for (size_t i = 0; i < ARRAY_LEN(options->revoked) && options->revoked[i] != NULL; i++) {
            add_entry(&list, options->revoked[i], options->reason);
        }
        CHECK(CBB_flush(&tbs));
    }
    if (options->delta) {
        add_delta(&tbs);
    }
    CHECK(CBB_finish(&cbb, &data, &data_len));
    CHECK(CBB_init(&cbb, 1024) && CBB_add_asn1(&cbb, &tbs, CBS_ASN1_SEQUENCE) &&
          CBB_add_bytes(&tbs, data, data_len));
    add_signature(&tbs, signer->key, data, data_len, options->break_signature);
    CHECK(CBB_finish(&cbb, &out, out_len));
    OPENSSL_free(data);
    return out;
}
