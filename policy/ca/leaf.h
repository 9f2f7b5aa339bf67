// What goes into a leaf: the names and dates of the server's certificate, and its defect.
#ifndef POLICY_CA_LEAF_H_
#define POLICY_CA_LEAF_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/buf.h"
#include "policy/ca/cert_build.h"
#include "policy/ca/cert_facts.h"
#include "policy/ca/trust_verify.h"
#include "third_party/boringssl/boringssl.h"

// What is wrong with a leaf, on purpose. All can be combined; LEAF_SELF_SIGNED wins over
// LEAF_UNTRUSTED.
enum leaf_defect {
    LEAF_OK = 0,
    LEAF_EXPIRED = 1 << 0,
    LEAF_NOT_YET_VALID = 1 << 1,
    LEAF_WRONG_NAME = 1 << 2,
    LEAF_UNTRUSTED = 1 << 3,   // issued by the CA that nobody trusts
    LEAF_SELF_SIGNED = 1 << 4, // issued by itself
};

// The longest common name (RFC 5280 appendix A.1, ub-common-name), the most bytes of alternative
// names and of a subject that a leaf gets, and a leaf's longest life: 199 days (notAfter itself
// counts), two of them in the past so that clients whose clock is behind accept it.
enum {
    LEAF_MAX_CN = 64,
    LEAF_MAX_SAN = 16 * 1024,
    LEAF_MAX_SUBJECT = 16 * 1024,
    LEAF_BACKDATED = 2 * 24 * 60 * 60,
    LEAF_LIFETIME = 199 * 24 * 60 * 60 - 1,
};

// struct leaf_spec is owned by its caller: leaf_spec_init or a function that calls it, then
// leaf_spec_cleanup.
struct leaf_spec {
    unsigned defects; // enum leaf_defect
    enum cert_key_type key_type;
    uint8_t cn[LEAF_MAX_CN]; // the subject's CN as encoded in a string of type `cn_tag`
    size_t cn_len;           // 0: an empty subject
    unsigned cn_tag;
    struct buf san;                // contents of GeneralNames; empty: no such extension
    int64_t not_before, not_after; // unix seconds
    // While this lasts the leaf may be reused: for ever where the dates are the server's.
    int64_t fresh_from, fresh_until;
    char issuer_hint[LEAF_MAX_CN + 1]; // LEAF_UNTRUSTED: the CN of who issued the server's, or ""
    bool must_staple;                  // as the server's own does
    bool send_issuer;                  // LEAF_UNTRUSTED: the chain holds the unknown root, too

    // Of a leaf of an emulated box, see leaf_box.h.
    struct buf subject;    // contents of a Name in place of the CN; empty: the CN
    const uint8_t *origin; // what is copied from, the caller's; NULL: nothing
    size_t origin_len;
};

// leaf_spec_init makes an empty specification without names or dates.
void leaf_spec_init(struct leaf_spec *spec);
void leaf_spec_cleanup(struct leaf_spec *spec);

// leaf_spec_for_host makes the specification of a leaf for `host` at `now` (unix seconds) with
// `defects` and without any server's certificate: an expired one ended yesterday, one that is not
// yet valid starts tomorrow, a wrong name is under .invalid.
void leaf_spec_for_host(struct leaf_spec *spec, const char *host, unsigned defects, int64_t now);

// leaf_spec_from_chain makes the specification that mirrors the server's certificate `origin` (DER;
// NULL: there is none) and what `verification` (NULL: not asked) found wrong with it:
// - CN, dNSNames and iPAddresses are the server's, wildcards included. Past LEAF_MAX_SAN bytes of
//   names only the first ones are kept, and the one that speaks for `host`. Where nobody
//   asked and no name speaks for it, `host` is added.
// - Dates: those of a certificate that is expired or not yet valid; those of its issuer where that
//   is what has expired; else two days ago until the server's own end, 199 days at most.
// - Issuer: the leaf itself where the server's certificate is self-signed; the untrusted CA for
//   every other fatal defect that names and dates do not show; else the CA.
// - The demand for a stapled response.
// A certificate that cannot be read gives a leaf for `host`.
void leaf_spec_from_chain(struct leaf_spec *spec, const uint8_t *origin, size_t origin_len,
                          const char *host, const struct verification *verification, int64_t now);

// leaf_spec_copy_names makes the names those of `facts` and no others, or `host` where there are
// none.
void leaf_spec_copy_names(struct leaf_spec *spec, const struct cert_facts *facts, const char *host);

// leaf_spec_name_host makes `host` the only name.
void leaf_spec_name_host(struct leaf_spec *spec, const char *host);

// leaf_spec_set_cn sets the CN, or an empty one when it is longer than LEAF_MAX_CN.
// leaf_spec_add_dns and leaf_spec_add_ip (4 or 16 bytes) add an alternative name and return false
// past LEAF_MAX_SAN.
void leaf_spec_set_cn(struct leaf_spec *spec, const void *cn, size_t cn_len, unsigned tag);
bool leaf_spec_add_dns(struct leaf_spec *spec, const char *name);
bool leaf_spec_add_ip(struct leaf_spec *spec, const uint8_t *ip, size_t ip_len);

// leaf_defects is the defects that a leaf needs to mirror `verification` (NULL: none).
unsigned leaf_defects(const struct verification *verification);

#endif // POLICY_CA_LEAF_H_
