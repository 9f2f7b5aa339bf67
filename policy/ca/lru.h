// A bounded map from SHA-256 hashes to shared values: what was used least recently goes first.
#ifndef POLICY_CA_LRU_H_
#define POLICY_CA_LRU_H_

#include <stdbool.h>
#include <stdint.h>

#include "third_party/boringssl/boringssl.h"

// struct lru may be used by any number of threads. Its lock is held over nothing but the map.
struct lru;

struct lru_key {
    uint8_t hash[SHA256_DIGEST_LENGTH];
};

// struct lru_kind is what a map knows about its values, which are counted and immutable.
struct lru_kind {
    void *(*ref)(void *value);
    void (*unref)(void *value);
    size_t (*size)(const void *value);             // bytes, for the ceiling
    bool (*fresh)(const void *value, int64_t now); // may it still be used? `now` in unix seconds
};

struct lru_stats {
    size_t entries, bytes;
    uint64_t hits, misses, evicted, stale;
};

// lru_new makes a map of at most `max_entries` values (at least 1) and `max_bytes`. `kind` must
// outlive it.
struct lru *lru_new(const struct lru_kind *kind, size_t max_entries, size_t max_bytes);
void lru_free(struct lru *lru); // NULL does nothing

// lru_get returns a reference to the value under `key`, or NULL when there is none that is fresh.
void *lru_get(struct lru *lru, const struct lru_key *key, int64_t now);

// lru_put puts `value` under `key`, or takes the one that another thread was first with. It takes
// over the caller's reference and returns one.
void *lru_put(struct lru *lru, const struct lru_key *key, void *value);

// lru_stats counts since the map was made.
struct lru_stats lru_stats(struct lru *lru);

#endif // POLICY_CA_LRU_H_
