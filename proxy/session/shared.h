// What all sessions of a proxy share: the policy, the CA, the roots, the library's contexts.
#ifndef PROXY_SESSION_SHARED_H_
#define PROXY_SESSION_SHARED_H_

#include <stdatomic.h>

#include "policy/ca/authority.h"
#include "policy/ca/forge.h"
#include "policy/ca/leaf_cache.h"
#include "policy/ca/trust.h"
#include "policy/ca/verify_cache.h"
#include "policy/config/policy.h"
#include "policy/profiles/profile.h"
#include "policy/verdict/history.h"
#include "proxy/session/memory.h"
#include "proxy/session/offers.h"
#include "proxy/session/parent_url.h"
#include "proxy/session/tries.h"
#include "third_party/boringssl/boringssl_ssl.h"

// Certificate compression algorithms that we can speak (RFC 8879).
enum { COMPRESS_ZLIB = 1, COMPRESS_BROTLI = 2 };

// struct limits: times in microseconds.
struct limits {
    int64_t front_us;     // the request to the proxy must be complete
    int64_t sniff_us;     // something must be said after the CONNECT
    int64_t handshake_us; // each leg's handshake must be complete
    int64_t silent_us;    // how long a silent server is mirrored
    int64_t linger_us;    // one side has ended and the other says, or takes, nothing
    int64_t closing_us;   // all is written and the client must close
    int64_t interim_us;   // a record is written although its connection goes on
};

// limits_default are those of the program.
extern const struct limits limits_default;

struct shared_config {
    struct policy *policy;              // a reference is taken
    struct authority *authority;        // borrowed: must outlive all sessions
    struct leaf_cache *leaves;          // borrowed: mints from that authority
    struct verify_cache *verifications; // borrowed
    struct history *history;            // borrowed; NULL: each connection is judged by itself
    const char *roots;                  // PEM file of the system's roots, NULL to look for it
    char **trust;                       // PEM files trusted in addition
    size_t num_trust;
    char **crls; // files of revocation lists
    size_t num_crls;
    const struct limits *limits; // copied; NULL for the defaults
    // Where the proxy listens, for the PAC file: "127.0.0.1:8080". Copied; may be NULL.
    const char *address;
    // Where boxes keep their CAs: a folder for each below; NULL: in memory. `now` in unix seconds.
    const char *boxes;
    int64_t now;
    bool clock_known, clock_kept; // whether a time service keeps this machine's clock, where known
    struct profile *as;           // the box to be where policy intercepts; a reference is taken
    uint64_t seed;                // of what an emulated box leaves to chance
    const struct parent *parent;  // the proxy that dials go through; copied; NULL: none
    struct tries *tries;          // of clients so far; a reference is taken; NULL: none are known
    // keylog, when not NULL, is given each line of the NSS key log without a newline, on the
    // thread of the session.
    void (*keylog)(void *ctx, const char *line);
    void *keylog_ctx;
};

// struct emulated is a box that sessions may be.
struct emulated {
    struct profile *profile; // NULL: none
    struct forge *forge;     // its CA and its leaves
};

// struct session_shared is counted; a SIGHUP brings a new one and old sessions keep theirs.
struct session_shared {
    atomic_int refs;
    struct policy *policy;
    struct authority *authority;
    struct leaf_cache *leaves;
    struct verify_cache *verifications;
    struct history *history;
    struct trust **trusts;     // one for each rule of the policy, by its index
    struct trust *plain_trust; // shared by the rules that add no files of their own
    size_t num_trusts;
    struct limits limits;
    bool clock_known, clock_kept;
    struct emulated as;     // the box to be where policy intercepts
    struct emulated *boxes; // one for each rule, by its index
    struct memory *memory;  // of these boxes
    struct tries *tries;    // of clients; NULL: no rule has allowed experiments with them
    struct forge *forms[LEAF_FORMS], *untrusted; // of these experiments; NULL likewise
    struct parent parent;                        // without a host: none
    char via[24]; // what our own requests to the parent carry, to be known again
    char *address;
    void (*keylog)(void *ctx, const char *line);
    void *keylog_ctx;
    BIO_METHOD *lane_methods;
    CRYPTO_BUFFER_POOL *certificates; // of peers: connections to one host hold them once
    SSL_CTX *server_ctx;              // for the client leg
    SSL_CTX *client_ctx[8];           // for the server leg: COMPRESS_* plus 4 with GREASE
    struct offers *offers;            // the same, by the suites that they offer
};

// shared_new makes the shared state with one reference. It returns NULL and fills `err` when a file
// of roots or revocation lists cannot be read.
WUNRES struct session_shared *shared_new(const struct shared_config *config, struct err *err);
struct session_shared *shared_ref(struct session_shared *shared);
void shared_unref(struct session_shared *shared); // any thread; NULL does nothing

// shared_root is the root that the clients of all sessions trust where policy has no say.
const struct authority *shared_root(const struct session_shared *shared);

// shared_client_ctx returns the context of a server leg that offers the COMPRESS_* of
// `compressions`, with or without GREASE.
SSL_CTX *shared_client_ctx(const struct session_shared *shared, unsigned compressions, bool grease);

// shared_offer_ctx returns the same with the suites of `offer`, where that is not empty; the caller
// frees it.
WUNRES SSL_CTX *shared_offer_ctx(struct session_shared *shared, unsigned compressions, bool grease,
                                 const struct offer *offer);

// shared_trusts_parent returns whether a chain is good for the parent proxy at `now`, in unix
// seconds; `says` gets what is wrong with it, cut to `says_len`.
bool shared_trusts_parent(const struct session_shared *shared, const CBS *chain, size_t num_chain,
                          int64_t now, char *says, size_t says_len);

#endif // PROXY_SESSION_SHARED_H_
