// The leaves of this process.
//
// key:      SHA-256 over all that a leaf depends on: the server's certificate, the host, the
//           defects with an issuer's dates, whether the root is sent, and the key type; for an
//           emulated box what its knobs say, which may be too little
// value:    struct leaf, shared with the connections that use it
// lifetime: until it is the least recently used past the ceiling of entries or bytes, or no longer
//           fresh at the time of a request; a connection keeps its leaf beyond that
#ifndef POLICY_CA_LEAF_CACHE_H_
#define POLICY_CA_LEAF_CACHE_H_

#include "policy/ca/leaf_box.h"
#include "policy/ca/lru.h"
#include "policy/ca/mint.h"

// struct leaf_cache may be used by any number of threads. Its lock is never held over cryptography:
// two threads that miss the same leaf at once both make it, and the first one in is kept.
struct leaf_cache;

// struct leaf_request is what a connection knows when it needs a leaf.
struct leaf_request {
    const char *host;
    const uint8_t *origin; // the server's certificate, or NULL
    size_t origin_len;
    const uint8_t *origin_sha256;            // its hash where it is known already, else NULL
    const struct verification *verification; // or NULL: a good leaf
    enum cert_key_type key_type;
    // Of an emulated box (see mint_set_box); else without meaning.
    const char *sni;         // NULL: there was none
    const uint8_t *address;  // 16 bytes, the server's; NULL: not known
    enum leaf_issuer issuer; // AUTO: as `verification` says
};

// leaf_cache_new makes a cache for leaves of `mint`, which must outlive it. It holds at most
// `max_entries` leaves (at least 1) and `max_bytes` of certificates.
struct leaf_cache *leaf_cache_new(struct mint *mint, size_t max_entries, size_t max_bytes);
void leaf_cache_free(struct leaf_cache *cache);

// leaf_cache_get returns the leaf for `request` at `now` (unix seconds), minting it where it is not
// there or not fresh. The caller owns one reference: leaf_unref. It never fails.
struct leaf *leaf_cache_get(struct leaf_cache *cache, const struct leaf_request *request,
                            int64_t now);

// leaf_cache_stats counts since the cache was made.
struct lru_stats leaf_cache_stats(struct leaf_cache *cache);

#endif // POLICY_CA_LEAF_CACHE_H_
