// One run of libcrypto over a chain: the path it built and every complaint, not only the first.
#ifndef POLICY_CA_TRUST_ATTEMPT_H_
#define POLICY_CA_TRUST_ATTEMPT_H_

#include "policy/ca/trust.h"
#include "policy/ca/trust_checks.h"

enum { TRUST_ATTEMPT_MAX_ERRORS = 48 };

struct trust_attempt {
    const struct trust_chain *chain;
    int64_t now; // unix seconds
    struct {
        int code, depth; // X509_V_ERR_*, and the place in the path
    } errors[TRUST_ATTEMPT_MAX_ERRORS];
    size_t num_errors;
    STACK_OF(X509) * path; // leaf first; NULL: none was built
};

// trust_attempt_prepare makes `store` one for trust_attempt_run, before any other thread knows it.
void trust_attempt_prepare(X509_STORE *store);

// trust_attempt_run asks libcrypto for a path from the first certificate of `chain`, which it
// reads, to a root of `trust`, without those that `skip` names, and for all that is wrong with it
// at `now`. `chain` must outlive the attempt, which the caller ends with trust_attempt_cleanup.
void trust_attempt_run(struct trust_attempt *attempt, const struct trust *trust,
                       const struct trust_chain *chain, const bool *skip, int64_t now);
void trust_attempt_cleanup(struct trust_attempt *attempt);

// trust_attempt_index is the place in `chain` of a certificate of a path, or -1 for one of ours.
int trust_attempt_index(const struct trust_chain *chain, X509 *cert);

// trust_attempt_hash takes the SHA-256 of a certificate of a path, which is known already.
void trust_attempt_hash(const struct trust_chain *chain, X509 *cert,
                        uint8_t out[SHA256_DIGEST_LENGTH]);

#endif // POLICY_CA_TRUST_ATTEMPT_H_
