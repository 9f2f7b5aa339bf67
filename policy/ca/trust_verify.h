// Is this chain good for this host now? And if not: everything that is wrong with it.
#ifndef POLICY_CA_TRUST_VERIFY_H_
#define POLICY_CA_TRUST_VERIFY_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/arena.h"
#include "policy/ca/trust.h"
#include "third_party/boringssl/boringssl.h"

// The largest chain looked into, the longest path built, and the most defects listed.
enum {
    TRUST_MAX_CHAIN = 100,
    TRUST_MAX_CHAIN_BYTES = 1024 * 1024,
    TRUST_MAX_PATH = 20,
    TRUST_MAX_STEPS = TRUST_MAX_PATH + 2,
    TRUST_MAX_DEFECTS = 64,
    TRUST_MAX_TRIES = 3,
    TRUST_MAX_BECAUSE = 8,
};

enum trust_defect_kind {
#define DEFECT(name, id) TRUST_##name,
#include "policy/ca/trust_defects.inc"
#undef DEFECT
    TRUST_NUM_DEFECT_KINDS,
};

// struct trust_defect is one thing that is wrong. A fatal one is why the chain is not good; the
// others trouble some clients, or concern a certificate that was sent but is not needed.
struct trust_defect {
    enum trust_defect_kind kind;
    bool fatal;
    int index;             // the place in the chain as sent, 0 the leaf; -1: a root of ours, or all
    int depth;             // the place in the path that was built, -1: not on it
    int code;              // X509_V_ERR_*, or 0 where libcrypto has no word for it
    const char *code_text; // libcrypto's own words for `code`, or NULL
    const char *says;      // a sentence
};

// struct trust_step is a certificate of the path, leaf first.
struct trust_step {
    uint8_t sha256[SHA256_DIGEST_LENGTH];
    const char *subject;
    int index; // as in struct trust_defect
};

// struct trust_try is one path that was tried, and every complaint about it: "1: certificate has
// expired" is about the second certificate of this path.
struct trust_try {
    const char *subjects[TRUST_MAX_STEPS];
    size_t num_subjects;
    const char *because[TRUST_MAX_BECAUSE];
    size_t num_because;
};

// struct verification is the answer. It is owned by the caller, who ends it with
// `verification_cleanup`; every string in it lives until then.
struct verification {
    bool ok;         // no fatal defect
    bool host_ok;    // the leaf speaks for the host
    bool dates_only; // fatal defects there are, all of them about dates: the clock may be wrong
    struct trust_defect *defects; // at most TRUST_MAX_DEFECTS
    size_t num_defects;
    struct trust_step *path; // as far as it could be built, at most TRUST_MAX_STEPS
    size_t num_path;
    struct trust_try *tries; // where the first path was not good, at most TRUST_MAX_TRIES
    size_t num_tries;
    bool complete;              // the path ends in a root of ours
    CBS issuer;                 // the leaf's issuer where it is on the path but was not sent: DER
    struct crl_answer crl;      // what the user's revocation lists say of the leaf
    int64_t crl_due;            // the first moment at which one of them says something else, or 0
    const char *missing_issuer; // the Name that was looked for in vain
    const char *ca_issuers;     // where that certificate is said to be (RFC 5280 section 4.2.2.1)
    int64_t fatal_not_before, fatal_not_after; // of needed issuers not valid now, else 0
    // The same question gets the same answer as long as same_from <= now < same_until: no date of a
    // certificate that counts is passed in between.
    int64_t same_from, same_until;
    void *held; // all that is pointed to, `held_len` bytes
    size_t held_len;
    struct arena arena; // of what is added to the answer later
};

// trust_verify verifies the certificates `chain`, as sent, for `host` at `now` (unix seconds, not
// the process clock). It does no I/O, keeps nothing between calls, and is bounded whatever the
// chain: past TRUST_MAX_CHAIN or TRUST_MAX_CHAIN_BYTES only that is reported, a path has at most
// TRUST_MAX_PATH certificates, and at most TRUST_MAX_TRIES paths are tried. The name check is that
// of RFC 9525: the subject's CN counts for nothing.
void trust_verify(const struct trust *trust, const CBS *chain, size_t num_chain, const char *host,
                  int64_t now, struct verification *out);

// verification_cleanup frees what `verification` holds.
void verification_cleanup(struct verification *verification);

// verification_find returns the first defect of `kind` that is fatal, else the first that is not,
// else NULL.
const struct trust_defect *verification_find(const struct verification *verification,
                                             enum trust_defect_kind kind);

// trust_defect_id is the name of `kind` in records, as "missing-intermediate".
const char *trust_defect_id(enum trust_defect_kind kind);

#endif // POLICY_CA_TRUST_VERIFY_H_
