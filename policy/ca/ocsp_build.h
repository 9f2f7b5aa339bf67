// OCSP responses of our own, so that a client which asks for a staple meets what the server showed.
#ifndef POLICY_CA_OCSP_BUILD_H_
#define POLICY_CA_OCSP_BUILD_H_

#include "policy/ca/authority.h"
#include "policy/ca/ocsp.h"

// struct ocsp_template is what a response says of one certificate of the authority.
struct ocsp_template {
    const uint8_t *cert; // DER
    size_t cert_len;
    enum ocsp_result
        result; // GOOD, REVOKED or UNKNOWN, or a refusal: then the rest is not looked at
    int64_t produced_at, this_update, next_update, revoked_at; // unix seconds
    bool has_next_update;
    int reason;           // of a revocation; below 0: none is given
    bool break_signature; // on purpose
};

// ocsp_build returns the response, signed with the key of `authority`, which the caller frees with
// CRYPTO_BUFFER_free. It aborts only when libcrypto cannot allocate or sign.
CRYPTO_BUFFER *ocsp_build(const struct ocsp_template *template, const struct authority *authority);

#endif // POLICY_CA_OCSP_BUILD_H_
