#include "policy/ca/ocsp_build.h"

#include "policy/ca/cert_time.h"

#define CONTEXT(n) (CBS_ASN1_CONTEXT_SPECIFIC | (n))
#define CONTEXT_OF(n) (CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | (n))

static bool add_bytes(CBB *cbb, unsigned tag, const void *p, size_t p_len) {
    CBB child;
    return CBB_add_asn1(cbb, &child, tag) && CBB_add_bytes(&child, p, p_len) && CBB_flush(cbb);
}

// RFC 6960 knows GeneralizedTime only, whatever the year.
static bool add_time(CBB *cbb, int64_t when) {
    char text[CERT_TIME_TEXT], out[16];
    cert_time_format(when, text); // 2026-11-20T21:19:03Z
    const uint8_t digits[] = {0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18};
    for (size_t i = 0; i < sizeof(digits); i++) {
        out[i] = text[digits[i]];
    }
    out[sizeof(digits)] = 'Z';
    return add_bytes(cbb, CBS_ASN1_GENERALIZEDTIME, out, sizeof(digits) + 1);
}

static bool add_enumerated(CBB *cbb, int code) {
    uint8_t byte = (uint8_t)code;
    return add_bytes(cbb, CBS_ASN1_ENUMERATED, &byte, 1);
}

// CertID with SHA-1, which is the one that every client knows.
static bool add_certid(CBB *cbb, const struct cert_facts *cert, const struct authority *authority) {
    static const uint8_t sha1[] = {0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e,
                                   0x03, 0x02, 0x1a, 0x05, 0x00};
    uint8_t name[SHA_DIGEST_LENGTH], key[SHA_DIGEST_LENGTH], unused_bits;
    CBS spki, sequence, bits;
    CBB certid;
    CBS_init(&spki, authority->key->spki, authority->key->spki_len);
    if (!CBS_get_asn1(&spki, &sequence, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&sequence, NULL, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&sequence, &bits, CBS_ASN1_BITSTRING) || !CBS_get_u8(&bits, &unused_bits)) {
        return false;
    }
    SHA1(CBS_data(&authority->subject), CBS_len(&authority->subject), name);
    SHA1(CBS_data(&bits), CBS_len(&bits), key);
    return CBB_add_asn1(cbb, &certid, CBS_ASN1_SEQUENCE) &&
           CBB_add_bytes(&certid, sha1, sizeof(sha1)) &&
           add_bytes(&certid, CBS_ASN1_OCTETSTRING, name, sizeof(name)) &&
           add_bytes(&certid, CBS_ASN1_OCTETSTRING, key, sizeof(key)) &&
           add_bytes(&certid, CBS_ASN1_INTEGER, CBS_data(&cert->raw.serial),
                     CBS_len(&cert->raw.serial)) &&
           CBB_flush(cbb);
}

static bool add_status(CBB *cbb, const struct ocsp_template *t) {
    CBB info, wrapped;
    if (t->result != OCSP_REVOKED) {
        return add_bytes(cbb, t->result == OCSP_GOOD ? CONTEXT(0) : CONTEXT(2), "", 0);
    }
    return CBB_add_asn1(cbb, &info, CONTEXT_OF(1)) && add_time(&info, t->revoked_at) &&
           (t->reason < 0 || (CBB_add_asn1(&info, &wrapped, CONTEXT_OF(0)) &&
                              add_enumerated(&wrapped, t->reason))) &&
           CBB_flush(cbb);
}

static bool add_data(CBB *cbb, const struct ocsp_template *t, const struct cert_facts *cert,
                     const struct authority *authority) {
    CBB data, id, responses, single, wrapped;
    return CBB_add_asn1(cbb, &data, CBS_ASN1_SEQUENCE) && CBB_add_asn1(&data, &id, CONTEXT_OF(1)) &&
           CBB_add_bytes(&id, CBS_data(&authority->subject), CBS_len(&authority->subject)) &&
           CBB_flush(&data) && add_time(&data, t->produced_at) &&
           CBB_add_asn1(&data, &responses, CBS_ASN1_SEQUENCE) &&
           CBB_add_asn1(&responses, &single, CBS_ASN1_SEQUENCE) &&
           add_certid(&single, cert, authority) && add_status(&single, t) &&
           add_time(&single, t->this_update) &&
           (!t->has_next_update || (CBB_add_asn1(&single, &wrapped, CONTEXT_OF(0)) &&
                                    add_time(&wrapped, t->next_update))) &&
           CBB_flush(cbb);
}

// Adds responseBytes: a BasicOCSPResponse with the signature over its data. The CA's certificate
// goes along, for OpenSSL looks for the signer there and among what was sent, but not in its store.
static bool add_basic(CBB *cbb, const struct ocsp_template *t, const struct authority *authority) {
    static const uint8_t basic_oid[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01};
    struct arena arena = {0};
    struct cert_facts cert;
    CBB data, wrapped, bytes, octets, basic, certs, list;
    CBS ca = authority_der(authority);
    (void)cert_facts_parse(&cert, &arena, t->cert, t->cert_len);
    bool ok = CBB_init(&data, 256) && add_data(&data, t, &cert, authority);
    // A signature over less than all is a bad one.
    size_t signed_len = ok && t->break_signature ? CBB_len(&data) - 1 : CBB_len(&data);
    ok = ok && CBB_add_asn1(cbb, &wrapped, CONTEXT_OF(0)) &&
         CBB_add_asn1(&wrapped, &bytes, CBS_ASN1_SEQUENCE) &&
         add_bytes(&bytes, CBS_ASN1_OBJECT, basic_oid, sizeof(basic_oid)) &&
         CBB_add_asn1(&bytes, &octets, CBS_ASN1_OCTETSTRING) &&
         CBB_add_asn1(&octets, &basic, CBS_ASN1_SEQUENCE) &&
         CBB_add_bytes(&basic, CBB_data(&data), CBB_len(&data)) &&
         cert_build_signature(&basic, CBB_data(&data), signed_len, authority->key->key) &&
         CBB_add_asn1(&basic, &certs, CONTEXT_OF(0)) &&
         CBB_add_asn1(&certs, &list, CBS_ASN1_SEQUENCE) &&
         CBB_add_bytes(&list, CBS_data(&ca), CBS_len(&ca)) && CBB_flush(cbb);
    CBB_cleanup(&data);
    arena_cleanup(&arena);
    return ok;
}

static int response_status(enum ocsp_result result) {
    static const struct {
        enum ocsp_result result;
        int status;
    } rows[] = {
        {OCSP_MALFORMED_REQUEST, 1}, {OCSP_INTERNAL_ERROR, 2}, {OCSP_TRY_LATER, 3},
        {OCSP_SIG_REQUIRED, 5},      {OCSP_UNAUTHORIZED, 6},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].result == result) {
            return rows[i].status;
        }
    }
    CHECK(result == OCSP_GOOD || result == OCSP_REVOKED || result == OCSP_UNKNOWN);
    return 0;
}

CRYPTO_BUFFER *ocsp_build(const struct ocsp_template *template, const struct authority *authority) {
    CBB cbb, response;
    uint8_t *der;
    size_t der_len;
    int status = response_status(template->result);
    CHECK(CBB_init(&cbb, 512) && CBB_add_asn1(&cbb, &response, CBS_ASN1_SEQUENCE) &&
          add_enumerated(&response, status) &&
          (status != 0 || add_basic(&response, template, authority)) &&
          CBB_finish(&cbb, &der, &der_len));
    CRYPTO_BUFFER *built = CRYPTO_BUFFER_new(der, der_len, NULL);
    CHECK(built != NULL);
    OPENSSL_free(der);
    return built;
}
