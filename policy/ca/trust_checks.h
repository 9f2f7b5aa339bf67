// The checks of a chain that need no signature: the second half of trust_verify.
#ifndef POLICY_CA_TRUST_CHECKS_H_
#define POLICY_CA_TRUST_CHECKS_H_

#include "policy/ca/cert_facts.h"
#include "policy/ca/trust_verify.h"

// struct trust_chain is the chain as sent: what it says, and libcrypto's reading of it.
struct trust_chain {
    size_t num;
    const struct cert_facts **facts;
    X509 **certs; // NULL for one that libcrypto refuses
};

// trust_checks_run adds to `out` what is wrong with the dates, names, keys, usages and order of
// `chain`. The path in `out` must be there already: what is on it is fatal.
void trust_checks_run(const struct trust_chain *chain, const char *host, int64_t now,
                      struct verification *out);

// trust_checks_crl adds what the revocation lists of `trust` say of the certificates on `path`.
void trust_checks_crl(const struct trust *trust, const struct trust_chain *chain,
                      STACK_OF(X509) * path, int64_t now, struct verification *out);

// trust_checks_who returns how a sentence calls the certificate at `index` of the chain; `subject`
// is its Name.
const char *trust_checks_who(struct verification *out, int index, const char *subject);

// trust_checks_add adds a defect unless one of the same kind is there for `index`; that one then
// takes over `code` if it has none, and becomes fatal if this is. In a full list a fatal
// defect replaces one that is not. `says` lives in `out->arena`.
void trust_checks_add(struct verification *out, enum trust_defect_kind kind, bool fatal, int index,
                      int code, const char *says);

// trust_checks_note_dates keeps the dates of an issuer that is needed and not valid at `now`: of
// several the earliest end and the latest start.
void trust_checks_note_dates(struct verification *out, int64_t not_before, int64_t not_after,
                             int64_t now);

// trust_checks_depth is the place on the path of the certificate sent at `index`, for -1 that of
// the first one that was not sent, else -1.
int trust_checks_depth(const struct verification *out, int index);

#endif // POLICY_CA_TRUST_CHECKS_H_
