#include "policy/ca/ocsp.h"

#include <string.h>

#include "policy/ca/cert_oid.h"
#include "policy/ca/cert_signature.h"
#include "policy/ca/cert_text.h"
#include "policy/ca/cert_time.h"
#include "policy/ca/sct.h"

#define CONTEXT(n) (CBS_ASN1_CONTEXT_SPECIFIC | (n))
#define CONTEXT_OF(n) (CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | (n))

static const struct {
    const char *id, *says;
} results[] = {
#define OCSP_RESULT(name, id, says) {id, says},
#include "policy/ca/ocsp_results.inc"
#undef OCSP_RESULT
};

const char *ocsp_result_id(enum ocsp_result result) {
    CHECK((size_t)result < ARRAY_LEN(results));
    return results[result].id;
}

const char *ocsp_reason_name(uint64_t reason) {
    static const char *const names[] = {
        "unspecified",   "keyCompromise",        "cACompromise",    "affiliationChanged",
        "superseded",    "cessationOfOperation", "certificateHold", NULL,
        "removeFromCRL", "privilegeWithdrawn",   "aACompromise",
    };
    return reason < ARRAY_LEN(names) ? names[reason] : NULL;
}

// struct response is the views into a response that its check needs.
struct response {
    CBS tbs, algorithm, signature; // the first two with header
    CBS certs;                     // one after the other
    CBS responder_name, responder_key;
    CBS responses;
};

static bool read_time(CBS *in, bool *out_present, int64_t *out) {
    CBS text;
    bool der;
    *out_present = CBS_get_asn1(in, &text, CBS_ASN1_GENERALIZEDTIME) &&
                   cert_time_parse(text, CBS_ASN1_GENERALIZEDTIME, out, &der);
    return *out_present;
}

static bool read_responder(struct response *r, struct ocsp_facts *out, struct arena *arena,
                           CBS *tbs) {
    CBS choice, name;
    if (CBS_peek_asn1_tag(tbs, CONTEXT_OF(1))) {
        if (!CBS_get_asn1(tbs, &choice, CONTEXT_OF(1)) ||
            !CBS_get_asn1_element(&choice, &r->responder_name, CBS_ASN1_SEQUENCE)) {
            return false;
        }
        CBS element = r->responder_name;
        return CBS_get_asn1(&element, &name, CBS_ASN1_SEQUENCE) &&
               cert_text_name(name, arena, &out->responder);
    }
    if (!CBS_get_asn1(tbs, &choice, CONTEXT_OF(2)) ||
        !CBS_get_asn1(&choice, &r->responder_key, CBS_ASN1_OCTETSTRING)) {
        return false;
    }
    size_t shown = CBS_len(&r->responder_key) < 32 ? CBS_len(&r->responder_key) : 32;
    out->responder =
        arena_printf(arena, "key %s", cert_text_hex(CBS_data(&r->responder_key), shown, arena));
    return true;
}

static bool read_data(struct response *r, struct ocsp_facts *out, struct arena *arena) {
    CBS element = r->tbs, tbs;
    uint64_t version;
    return CBS_get_asn1(&element, &tbs, CBS_ASN1_SEQUENCE) &&
           CBS_get_optional_asn1_uint64(&tbs, &version, CONTEXT_OF(0), 0) && version == 0 &&
           read_responder(r, out, arena, &tbs) &&
           read_time(&tbs, &out->has_produced_at, &out->produced_at) &&
           CBS_get_asn1(&tbs, &r->responses, CBS_ASN1_SEQUENCE);
}

// Opens a BasicOCSPResponse.
static bool read_basic(struct response *r, struct ocsp_facts *out, struct arena *arena, CBS basic) {
    CBS sequence, wrapped, algorithm, oid;
    uint8_t unused_bits;
    int present;
    if (!CBS_get_asn1(&basic, &sequence, CBS_ASN1_SEQUENCE) || CBS_len(&basic) != 0 ||
        !CBS_get_asn1_element(&sequence, &r->tbs, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1_element(&sequence, &r->algorithm, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&sequence, &r->signature, CBS_ASN1_BITSTRING) ||
        !CBS_get_u8(&r->signature, &unused_bits) || unused_bits != 0 ||
        !CBS_get_optional_asn1(&sequence, &wrapped, &present, CONTEXT_OF(0)) ||
        (present && !CBS_get_asn1(&wrapped, &r->certs, CBS_ASN1_SEQUENCE))) {
        return false;
    }
    CBS element = r->algorithm;
    if (!CBS_get_asn1(&element, &algorithm, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&algorithm, &oid, CBS_ASN1_OBJECT)) {
        return false;
    }
    out->signature_algorithm = cert_oid_name(cert_oid_signatures, oid, arena);
    return read_data(r, out, arena);
}

// Opens an OCSPResponse. `*out_result` is GOOD where there is something inside.
static bool read_response(struct response *r, struct ocsp_facts *out, struct arena *arena,
                          CBS response, enum ocsp_result *out_result) {
    static const uint8_t basic_oid[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01};
    static const enum ocsp_result refusals[] = {
        OCSP_GOOD,       OCSP_MALFORMED_REQUEST, OCSP_INTERNAL_ERROR, OCSP_TRY_LATER,
        OCSP_UNREADABLE, OCSP_SIG_REQUIRED,      OCSP_UNAUTHORIZED,
    };
    CBS sequence, status, wrapped, bytes, oid, basic;
    uint8_t code;
    *out_result = OCSP_UNREADABLE;
    if (!CBS_get_asn1(&response, &sequence, CBS_ASN1_SEQUENCE) || CBS_len(&response) != 0 ||
        !CBS_get_asn1(&sequence, &status, CBS_ASN1_ENUMERATED) || !CBS_get_u8(&status, &code) ||
        CBS_len(&status) != 0 || code >= ARRAY_LEN(refusals)) {
        return false;
    }
    *out_result = refusals[code];
    if (code != 0) {
        return false;
    }
    *out_result = OCSP_UNREADABLE;
    if (!CBS_get_asn1(&sequence, &wrapped, CONTEXT_OF(0)) ||
        !CBS_get_asn1(&wrapped, &bytes, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&bytes, &oid, CBS_ASN1_OBJECT) ||
        !CBS_mem_equal(&oid, basic_oid, sizeof(basic_oid)) ||
        !CBS_get_asn1(&bytes, &basic, CBS_ASN1_OCTETSTRING) || !read_basic(r, out, arena, basic)) {
        return false;
    }
    *out_result = OCSP_GOOD;
    return true;
}

// The digest of a CertID's hashAlgorithm, or NULL.
static const EVP_MD *certid_digest(CBS algorithm) {
    CBS oid;
    const EVP_MD *md = NULL;
    if (CBS_get_asn1(&algorithm, &oid, CBS_ASN1_OBJECT)) {
        static const struct cert_oid digests[] = {
            {5, {0x2b, 0x0e, 0x03, 0x02, 0x1a}, "SHA-1", NID_sha1},
            {9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01}, "SHA-256", NID_sha256},
            {9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02}, "SHA-384", NID_sha384},
            {9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03}, "SHA-512", NID_sha512},
            {0, {0}, NULL, 0},
        };
        const struct cert_oid *row = cert_oid_find(digests, oid);
        md = row != NULL ? EVP_get_digestbynid(row->value) : NULL;
    }
    return md;
}

static bool hash_is(const EVP_MD *md, CBS data, CBS hash) {
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned digest_len;
    CHECK(EVP_Digest(CBS_data(&data), CBS_len(&data), digest, &digest_len, md, NULL));
    return CBS_mem_equal(&hash, digest, digest_len);
}

// key_bits sets `*out` to the contents of the key's BIT STRING, which is what key hashes are over.
static bool key_bits(CBS spki, CBS *out) {
    CBS sequence;
    uint8_t unused_bits;
    return CBS_get_asn1(&spki, &sequence, CBS_ASN1_SEQUENCE) &&
           CBS_get_asn1(&sequence, NULL, CBS_ASN1_SEQUENCE) &&
           CBS_get_asn1(&sequence, out, CBS_ASN1_BITSTRING) && CBS_get_u8(out, &unused_bits);
}

// struct single is one SingleResponse, opened as far as its CertID.
struct single {
    CBS serial, name_hash, key_hash, rest;
    const EVP_MD *md; // of the hashes; NULL: none that we know
};

static bool read_single(struct single *out, CBS *responses) {
    CBS sequence, certid, algorithm;
    if (!CBS_get_asn1(responses, &sequence, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&sequence, &certid, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&certid, &algorithm, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&certid, &out->name_hash, CBS_ASN1_OCTETSTRING) ||
        !CBS_get_asn1(&certid, &out->key_hash, CBS_ASN1_OCTETSTRING) ||
        !CBS_get_asn1(&certid, &out->serial, CBS_ASN1_INTEGER)) {
        return false;
    }
    out->md = certid_digest(algorithm);
    out->rest = sequence;
    return true;
}

static bool single_is_for(const struct single *single, const struct cert_facts *leaf,
                          const struct cert_facts *issuer) {
    CBS bits, serial = single->serial;
    return CBS_len(&leaf->raw.serial) != 0 &&
           CBS_mem_equal(&serial, CBS_data(&leaf->raw.serial), CBS_len(&leaf->raw.serial)) &&
           single->md != NULL && hash_is(single->md, leaf->raw.issuer, single->name_hash) &&
           (issuer == NULL || !key_bits(issuer->raw.spki, &bits) ||
            hash_is(single->md, bits, single->key_hash));
}

static bool read_revoked(struct ocsp_facts *out, CBS info) {
    uint64_t reason;
    CBS wrapped, code;
    int present;
    if (!read_time(&info, &out->has_revoked_at, &out->revoked_at) ||
        !CBS_get_optional_asn1(&info, &wrapped, &present, CONTEXT_OF(0))) {
        return false;
    }
    if (present) {
        uint8_t byte;
        if (!CBS_get_asn1(&wrapped, &code, CBS_ASN1_ENUMERATED) || !CBS_get_u8(&code, &byte)) {
            return false;
        }
        reason = byte;
        out->reason = ocsp_reason_name(reason);
    }
    return true;
}

static void read_scts(struct ocsp_facts *out, CBS extensions) {
    static const uint8_t oid_scts[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x05};
    CBS extension, oid, value, list;
    while (CBS_get_asn1(&extensions, &extension, CBS_ASN1_SEQUENCE)) {
        int critical;
        if (CBS_get_asn1(&extension, &oid, CBS_ASN1_OBJECT) &&
            CBS_mem_equal(&oid, oid_scts, sizeof(oid_scts)) &&
            (!CBS_peek_asn1_tag(&extension, CBS_ASN1_BOOLEAN) ||
             CBS_get_asn1_bool(&extension, &critical)) &&
            CBS_get_asn1(&extension, &value, CBS_ASN1_OCTETSTRING) &&
            CBS_get_asn1(&value, &list, CBS_ASN1_OCTETSTRING)) {
            (void)sct_list_open(&out->scts, list);
        }
    }
}

// Reads what a SingleResponse says behind its CertID.
static bool read_status(struct ocsp_facts *out, CBS rest) {
    CBS info, wrapped, extensions;
    unsigned tag;
    int present;
    if (!CBS_get_any_asn1(&rest, &info, &tag)) {
        return false;
    }
    if (tag == CONTEXT_OF(1)) {
        out->status = OCSP_REVOKED;
        if (!read_revoked(out, info)) {
            return false;
        }
    } else if (tag == CONTEXT(0) || tag == CONTEXT(2)) {
        out->status = tag == CONTEXT(0) ? OCSP_GOOD : OCSP_UNKNOWN;
    } else {
        return false;
    }
    if (!read_time(&rest, &out->has_this_update, &out->this_update) ||
        !CBS_get_optional_asn1(&rest, &wrapped, &present, CONTEXT_OF(0)) ||
        (present && !read_time(&wrapped, &out->has_next_update, &out->next_update)) ||
        !CBS_get_optional_asn1(&rest, &wrapped, &present, CONTEXT_OF(1))) {
        return false;
    }
    if (present && CBS_get_asn1(&wrapped, &extensions, CBS_ASN1_SEQUENCE)) {
        read_scts(out, extensions);
    }
    out->has_status = true;
    return true;
}

static void keep_serial(struct ocsp_facts *out, struct arena *arena, CBS serial) {
    size_t shown = CBS_len(&serial) < 64 ? CBS_len(&serial) : 64;
    out->serial = cert_text_hex(CBS_data(&serial), shown, arena);
}

// Looks for the leaf among the responses. Returns GOOD where it is, else what is wrong.
static enum ocsp_result find_single(struct ocsp_facts *out, struct arena *arena, CBS responses,
                                    const struct cert_facts *leaf,
                                    const struct cert_facts *issuer) {
    while (CBS_len(&responses) != 0 && out->num_responses < OCSP_MAX_RESPONSES) {
        struct single single;
        if (!read_single(&single, &responses)) {
            return OCSP_UNREADABLE;
        }
        if (out->num_responses++ == 0) {
            keep_serial(out, arena, single.serial);
        }
        if (!out->has_status && single_is_for(&single, leaf, issuer)) {
            keep_serial(out, arena, single.serial);
            if (!read_status(out, single.rest)) {
                return OCSP_UNREADABLE;
            }
        }
    }
    return out->has_status ? OCSP_GOOD : OCSP_WRONG_CERTIFICATE;
}

static bool is_responder(const struct response *r, const struct cert_facts *cert) {
    CBS bits, name = r->responder_name;
    if (CBS_data(&r->responder_name) != NULL) {
        return CBS_mem_equal(&name, CBS_data(&cert->raw.subject), CBS_len(&cert->raw.subject));
    }
    return key_bits(cert->raw.spki, &bits) && hash_is(EVP_sha1(), bits, r->responder_key);
}

static bool signed_by(const struct response *r, const struct cert_facts *cert) {
    return cert_signature_remembered(cert->raw.spki, r->algorithm, r->tbs, r->signature);
}

static bool may_sign_ocsp(const struct cert_facts *cert) {
    for (size_t i = 0; i < cert->ext_key_usages.num; i++) {
        if (strcmp(cert->ext_key_usages.items[i], "OCSPSigning") == 0) {
            return true;
        }
    }
    return false;
}

// Says why `cert` may not answer for `issuer` (RFC 6960 section 4.2.2.2), or returns NULL.
static const char *delegate_problem(const struct cert_facts *cert, const struct cert_facts *issuer,
                                    int64_t now) {
    if (!CBS_mem_equal(&cert->raw.issuer, CBS_data(&issuer->raw.subject),
                       CBS_len(&issuer->raw.subject)) ||
        !cert_signature_remembered(issuer->raw.spki, cert->raw.algorithm, cert->raw.tbs,
                                   cert->raw.signature)) {
        return "the certificate of the responder is not the issuer's";
    }
    if (!may_sign_ocsp(cert)) {
        return "the certificate of the responder is not for signing OCSP responses";
    }
    if (!cert->has_not_after || !cert->has_not_before || now > cert->not_after + OCSP_TOLERANCE ||
        now < cert->not_before - OCSP_TOLERANCE) {
        return "the certificate of the responder is out of its time";
    }
    return NULL;
}

// Finds the responder among the certificates of the response.
static bool find_delegate(const struct response *r, struct cert_facts *out, struct arena *arena) {
    CBS certs = r->certs, der;
    for (int i = 0; i < OCSP_MAX_CERTS && CBS_get_asn1_element(&certs, &der, CBS_ASN1_SEQUENCE);
         i++) {
        (void)cert_facts_parse(out, arena, CBS_data(&der), CBS_len(&der));
        if (CBS_len(&out->raw.spki) != 0 && is_responder(r, out)) {
            return true;
        }
    }
    return false;
}

// Returns GOOD, or what is wrong with the signature and `*out_why`.
static enum ocsp_result check_signature(struct ocsp_facts *out, struct arena *arena,
                                        const struct response *r, const struct cert_facts *issuer,
                                        int64_t now, const char **out_why) {
    struct cert_facts delegate;
    if (issuer == NULL) {
        return OCSP_GOOD;
    }
    bool by_issuer = is_responder(r, issuer);
    out->delegated = !by_issuer && find_delegate(r, &delegate, arena);
    if (!by_issuer && !out->delegated) {
        *out_why = "it is neither the issuer nor a certificate that came with the response";
        return OCSP_WRONG_RESPONDER;
    }
    if (!signed_by(r, by_issuer ? issuer : &delegate)) {
        out->signature = OCSP_SIGNATURE_BAD;
        return OCSP_BAD_SIGNATURE;
    }
    out->signature = OCSP_SIGNATURE_GOOD;
    *out_why = by_issuer ? NULL : delegate_problem(&delegate, issuer, now);
    return *out_why == NULL ? OCSP_GOOD : OCSP_WRONG_RESPONDER;
}

static enum ocsp_result check_times(const struct ocsp_facts *facts, int64_t now) {
    if (facts->this_update > now + OCSP_TOLERANCE) {
        return OCSP_FUTURE;
    }
    bool stale = facts->has_next_update && facts->next_update < now - OCSP_TOLERANCE;
    return stale ? OCSP_STALE : OCSP_GOOD;
}

static void tell(struct ocsp_facts *out, struct arena *arena, const char *why) {
    char when[CERT_TIME_TEXT];
    const char *says = results[out->result].says;
    if (out->result == OCSP_REVOKED) {
        cert_time_format(out->revoked_at, when);
        out->says =
            arena_printf(arena, "%s, since %s%s%s%s", says, when, out->reason != NULL ? " (" : "",
                         out->reason != NULL ? out->reason : "", out->reason != NULL ? ")" : "");
    } else if (out->result == OCSP_STALE || out->result == OCSP_FUTURE) {
        bool stale = out->result == OCSP_STALE;
        cert_time_format(stale ? out->next_update : out->this_update, when);
        out->says =
            arena_printf(arena, "%s: %s was %s", says, stale ? "nextUpdate" : "thisUpdate", when);
    } else if (out->result == OCSP_WRONG_CERTIFICATE && out->serial != NULL) {
        out->says = arena_printf(arena, "%s: serial number %s", says, out->serial);
    } else {
        out->says = why == NULL ? says : arena_printf(arena, "%s: %s", says, why);
    }
}

static enum ocsp_result check(struct ocsp_facts *out, struct arena *arena, CBS bytes,
                              const struct cert_facts *leaf, const struct cert_facts *issuer,
                              int64_t now, const char **out_why) {
    struct response r = {0};
    enum ocsp_result result;
    if (!read_response(&r, out, arena, bytes, &result)) {
        return result;
    }
    result = find_single(out, arena, r.responses, leaf, issuer);
    if (result != OCSP_GOOD) {
        return result;
    }
    result = check_signature(out, arena, &r, issuer, now, out_why);
    if (result == OCSP_GOOD) {
        result = check_times(out, now);
    }
    return result == OCSP_GOOD ? out->status : result;
}

void ocsp_check(struct ocsp_facts *out, struct arena *arena, CBS response,
                const struct cert_facts *leaf, const struct cert_facts *issuer, int64_t now) {
    const char *why = NULL;
    *out = (struct ocsp_facts){.result = OCSP_UNREADABLE};
    out->result = check(out, arena, response, leaf, issuer, now, &why);
    tell(out, arena, why);
}
