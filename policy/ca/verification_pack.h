// Verifications that are kept for long take no more memory than they need.
#ifndef POLICY_CA_VERIFICATION_PACK_H_
#define POLICY_CA_VERIFICATION_PACK_H_

#include "policy/ca/trust_verify.h"

// verification_pack copies all that `verification` points to into one piece of memory of the right
// size, `held`, which must be NULL, and empties its arena.
void verification_pack(struct verification *verification);

#endif // POLICY_CA_VERIFICATION_PACK_H_
