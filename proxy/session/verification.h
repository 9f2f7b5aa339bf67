// What trust_verify found, as observations.
#ifndef PROXY_SESSION_VERIFICATION_H_
#define PROXY_SESSION_VERIFICATION_H_

#include "logs/record/obj.h"
#include "policy/ca/trust_aia.h"
#include "policy/ca/trust_verify.h"

// verification_record fills `out`, of KIND_VERIFICATION; `name` is what the leaf was held against.
void verification_record(struct obj *out, const char *name,
                         const struct verification *verification);

// verification_record_proof adds what came of an attempt to prove that an intermediate is missing.
void verification_record_proof(struct obj *out, const struct trust_proof *proof);

// verification_record_crl adds what revocation lists that came later say, as `verification`, made
// with them, has it: their defects, and what they say of the leaf. Of the chain that it verified
// the first `num_chain` certificates are those that were sent.
void verification_record_crl(struct obj *out, const struct verification *verification,
                             size_t num_chain);

#endif // PROXY_SESSION_VERIFICATION_H_
