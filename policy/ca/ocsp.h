// OCSP responses (RFC 6960), as servers staple them: what one says of a certificate, and whether it
// may be believed.
#ifndef POLICY_CA_OCSP_H_
#define POLICY_CA_OCSP_H_

#include "policy/ca/cert_facts.h"

enum {
    OCSP_MAX_CERTS = 8,       // of the response that are looked at
    OCSP_MAX_RESPONSES = 256, // likewise; more are not read
    OCSP_TOLERANCE = 5 * 60,  // seconds that clocks may differ, as for curl
};

enum ocsp_result {
#define OCSP_RESULT(name, id, says) OCSP_##name,
#include "policy/ca/ocsp_results.inc"
#undef OCSP_RESULT
    OCSP_NUM_RESULTS
};

enum ocsp_signature {
    OCSP_SIGNATURE_UNCHECKED, // the issuer's key is not at hand
    OCSP_SIGNATURE_GOOD,
    OCSP_SIGNATURE_BAD,
};

// struct ocsp_facts holds NULL, 0 or false for what is not there. Strings live in the arena.
struct ocsp_facts {
    enum ocsp_result result; // the first thing that is wrong with it, else what it says
    const char *says;        // a sentence without a subject: "is past its nextUpdate, ..."
    bool has_status;         // it speaks of the certificate asked for
    enum ocsp_result status; // then GOOD, REVOKED or UNKNOWN, whether or not it may be believed
    enum ocsp_signature signature;
    const char *responder; // a Name, or the hash of its key as "key 0a1b…"
    bool delegated;        // signed by a certificate of its own, not by the issuer
    const char *signature_algorithm;
    const char *serial; // of the certificate it speaks of, hexadecimal
    const char *reason; // why it was revoked: "keyCompromise"
    bool has_produced_at, has_this_update, has_next_update, has_revoked_at;
    int64_t produced_at, this_update, next_update, revoked_at; // unix seconds
    size_t num_responses;                                      // certificates it speaks of
    CBS scts; // contents of the list, inside the response; for sct_next
};

// ocsp_check reads `response` about the certificate `leaf`. `issuer` is the certificate of the key
// that signed the leaf, or NULL: then the response's signature stays unchecked. Times are held
// against `now` (unix seconds).
void ocsp_check(struct ocsp_facts *out, struct arena *arena, CBS response,
                const struct cert_facts *leaf, const struct cert_facts *issuer, int64_t now);

// ocsp_result_id is the name of `result` in records.
const char *ocsp_result_id(enum ocsp_result result);

// ocsp_reason_name returns the name of a CRLReason (RFC 5280 section 5.3.1), or NULL.
const char *ocsp_reason_name(uint64_t reason);

#endif // POLICY_CA_OCSP_H_
