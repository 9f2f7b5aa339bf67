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

// world_shared makes the shared state for a policy (JSON; NULL for the default) and limits (NULL
// for the default); the caller owns a reference.
struct session_shared *world_shared(const char *policy, const struct limits *limits);

#endif // TESTS_UNIT_PROXY_SESSION_WORLD_H_
