// Is it really an intermediate that the server forgot? Proved with certificates that were fetched
// from where the chain itself says that they are (RFC 5280 section 4.2.2.1). No I/O happens here:
//
//   trust_aia_url      where the first missing issuer is said to be
//   cert_bundle_parse  what was fetched there, as certificates (cert_bundle.h)
//   trust_aia_prove    does the chain verify with them? And if one is still missing: where is that?
#ifndef POLICY_CA_TRUST_AIA_H_
#define POLICY_CA_TRUST_AIA_H_

#include "policy/ca/cert_bundle.h"
#include "policy/ca/trust_verify.h"

// How many intermediates in a row are worth fetching.
enum { TRUST_AIA_MAX = 4 };

// trust_aia_url returns the address of the issuer that `verification` looked for in vain, or NULL
// where nothing is missing, or the chain names no address in plain HTTP, which is the only kind
// that can be fetched without verifying another chain first. It lives as long as `verification`.
const char *trust_aia_url(const struct verification *verification);

// struct trust_proof is what came of it, ended with trust_proof_cleanup.
struct trust_proof {
    bool completed; // with certificates that were fetched the path ends in a root of ours
    bool ok;        // and nothing else is wrong with the chain
    const char *added[TRUST_MAX_PATH]; // their subjects, the leaf's issuer first
    size_t num_added;
    const char *says;     // a sentence
    const char *next_url; // not completed: where the next missing issuer is said to be, or NULL
    struct verification verification; // of the chain with what was fetched
};

// trust_aia_prove verifies `chain`, as sent, once more with the certificates `fetched` behind it. A
// certificate that was fetched is believed no more than one that the server sent. The rest is as
// for trust_verify. `fetched` may hold TRUST_AIA_MAX times what one address gave.
void trust_aia_prove(const struct trust *trust, const CBS *chain, size_t num_chain,
                     const CBS *fetched, size_t num_fetched, const char *host, int64_t now,
                     struct trust_proof *out);

void trust_proof_cleanup(struct trust_proof *proof);

#endif // POLICY_CA_TRUST_AIA_H_
