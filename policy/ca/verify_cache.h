// Verifications that were made already.
//
// key:      SHA-256 over the roots' serial number, every certificate of the chain, and the host
//           unless the leaf speaks for it: then the host changes nothing
// value:    struct verified, shared with the connections that use it
// lifetime: until it is the least recently used past the ceiling, or `now` leaves the interval in
//           which the answer is the same
#ifndef POLICY_CA_VERIFY_CACHE_H_
#define POLICY_CA_VERIFY_CACHE_H_

#include <stdatomic.h>

#include "policy/ca/lru.h"
#include "policy/ca/trust_verify.h"

// struct verified is a verification that is shared and never changed.
struct verified {
    struct verification verification;
    atomic_uint refs;
};

struct verified *verified_ref(struct verified *verified);
void verified_unref(struct verified *verified); // NULL does nothing

// struct verify_cache may be used by any number of threads; no lock is held over cryptography.
struct verify_cache;

struct verify_cache *verify_cache_new(size_t max_entries, size_t max_bytes);
void verify_cache_free(struct verify_cache *cache);

// verify_cache_get is trust_verify, remembered. The caller owns one reference to the result.
struct verified *verify_cache_get(struct verify_cache *cache, const struct trust *trust,
                                  const CBS *chain, size_t num_chain, const char *host,
                                  int64_t now);

// verify_cache_stats counts since the cache was made.
struct lru_stats verify_cache_stats(struct verify_cache *cache);

#endif // POLICY_CA_VERIFY_CACHE_H_
