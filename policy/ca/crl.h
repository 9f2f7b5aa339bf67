// Certificate revocation lists (RFC 5280 section 5) in files that the user gives.
#ifndef POLICY_CA_CRL_H_
#define POLICY_CA_CRL_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/err.h"
#include "policy/ca/cert_facts.h"

// The most lists of a set, and bytes of one of its files.
enum { CRL_MAX_LISTS = 1024, CRL_MAX_FILE = 64 * 1024 * 1024 };

// struct crl_set is immutable once loaded and may be used by any number of threads.
struct crl_set;

// crl_set_new makes an empty set. crl_set_free frees it; NULL does nothing.
WUNRES struct crl_set *crl_set_new(void);
void crl_set_free(struct crl_set *set);

// crl_set_load adds the lists of the file `path`: PEM, any number of them, or one in DER. It
// returns false with a message for a file that cannot be read, that holds no list, or one that is
// malformed or of a kind that does not stand for itself (a delta list, an indirect one).
WUNRES bool crl_set_load(struct crl_set *set, const char *path, struct err *err);

// crl_set_add adds one list in DER, which is copied. `name` is what errors call it.
WUNRES bool crl_set_add(struct crl_set *set, const uint8_t *der, size_t der_len, const char *name,
                        struct err *err);

size_t crl_set_num(const struct crl_set *set); // 0 for NULL

enum crl_status {
    CRL_NONE,          // no list of this issuer
    CRL_GOOD,          // listed nowhere
    CRL_REVOKED,       // listed
    CRL_STALE,         // not listed, but a newer list is due
    CRL_BAD_SIGNATURE, // the lists of this issuer are not signed with its key
};

// struct crl_answer is what the lists of one issuer say of one certificate.
struct crl_answer {
    enum crl_status status;
    bool has_next_update;
    int64_t this_update, next_update, revoked_at; // unix seconds; the last where it is revoked
    const char *reason;                           // static: "keyCompromise"; NULL: not given
};

// crl_set_ask looks for `cert` in the lists of `issuer`, whose key signed it. Lists are believed
// that are signed with that key; each signature is checked once. Of several lists one that has the
// certificate counts, else the newest. NULL has no lists.
void crl_set_ask(struct crl_set *set, struct crl_answer *out, const struct cert_facts *cert,
                 const struct cert_facts *issuer, int64_t now);

// crl_status_id is the name of `status` in records.
const char *crl_status_id(enum crl_status status);

#endif // POLICY_CA_CRL_H_
