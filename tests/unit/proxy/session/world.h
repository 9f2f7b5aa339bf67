// What the sessions of a test program live in: a CA of ours, a root that servers' certificates come
// from, and certificates good and bad. Made once.
#ifndef TESTS_UNIT_PROXY_SESSION_WORLD_H_
#define TESTS_UNIT_PROXY_SESSION_WORLD_H_

#include "proxy/session/shared.h"
#include "tests/unit/policy/ca/test_pki.h"

#define WORLD_HOST "example.test"

struct world {
    struct authority *authority;
    struct mint *mint;
    struct leaf_cache *leaves;
    struct verify_cache *verifications;
    X509 *ca;              // of `authority`
    struct pki_cert *root; // trusted
    struct pki_cert *leaf; // good for WORLD_HOST
    struct pki_cert *rsa, *expired, *early, *self_signed, *unknown, *wrong_name;
};

const struct world *world_get(void);

struct world_options {
    const char *policy;          // JSON; NULL for the default
    const struct limits *limits; // NULL for the default
    const char *as;              // the text of a profile; NULL: none
    const char *parent;          // URL; NULL: none
};

// world_shared_with makes the shared state for these; the caller owns a reference. world_shared
// does it for a policy and limits.
struct session_shared *world_shared_with(const struct world_options *options);
struct session_shared *world_shared(const char *policy, const struct limits *limits);

#endif // TESTS_UNIT_PROXY_SESSION_WORLD_H_
