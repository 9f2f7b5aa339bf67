#include "policy/ca/verify_cache.h"

#include <stdlib.h>
#include <string.h>

#include "policy/ca/cert_memo.h"
#include "policy/ca/host_name.h"

struct verify_cache {
    struct lru *answers;
};

struct verified *verified_ref(struct verified *verified) {
    atomic_fetch_add(&verified->refs, 1);
    return verified;
}

void verified_unref(struct verified *verified) {
    if (verified != NULL && atomic_fetch_sub(&verified->refs, 1) == 1) {
        verification_cleanup(&verified->verification);
        free(verified);
    }
}

static void *value_ref(void *value) { return verified_ref(value); }

static void value_unref(void *value) { verified_unref(value); }

static size_t value_size(const void *value) {
    const struct verified *verified = value;
    return sizeof(*verified) + verified->verification.held_len;
}

static bool value_fresh(const void *value, int64_t now) {
    const struct verified *verified = value;
    return now >= verified->verification.same_from && now < verified->verification.same_until;
}

static const struct lru_kind verified_kind = {value_ref, value_unref, value_size, value_fresh};

struct verify_cache *verify_cache_new(size_t max_entries, size_t max_bytes) {
    struct verify_cache *cache = xcalloc(1, sizeof(*cache));
    cache->answers = lru_new(&verified_kind, max_entries, max_bytes);
    return cache;
}

void verify_cache_free(struct verify_cache *cache) {
    if (cache != NULL) {
        lru_free(cache->answers);
        free(cache);
    }
}

// speaks_for is the name check of trust_verify: where it passes, the host has no other part in the
// answer, so hosts that a leaf speaks for share one.
static bool speaks_for(const CBS *leaf, const char *host) {
    struct host_name name;
    const struct cert_facts *facts = cert_memo_facts(*leaf);
    return host_name_init(&name, host) && host_name_in_san(&name, facts->raw.san, NULL);
}

// key_of puts a length before the one part that has no fixed one, so that no two questions have the
// same bytes. Certificates count by their hashes, which are known of those seen lately. `host` is
// NULL where it changes nothing.
static struct lru_key key_of(const struct trust *trust, const CBS *chain, size_t num_chain,
                             const char *host) {
    struct lru_key key;
    SHA256_CTX sha;
    uint64_t host_len = host != NULL ? strlen(host) : UINT64_MAX;
    uint64_t numbers[] = {trust_serial(trust), host_len, num_chain};
    SHA256_Init(&sha);
    SHA256_Update(&sha, numbers, sizeof(numbers));
    SHA256_Update(&sha, host != NULL ? host : "", host != NULL ? strlen(host) : 0);
    for (size_t i = 0; i < num_chain; i++) {
        SHA256_Update(&sha, cert_memo_facts(chain[i])->sha256, SHA256_DIGEST_LENGTH);
    }
    SHA256_Final(key.hash, &sha);
    return key;
}

struct verified *verify_cache_get(struct verify_cache *cache, const struct trust *trust,
                                  const CBS *chain, size_t num_chain, const char *host,
                                  int64_t now) {
    bool speaks = num_chain != 0 && speaks_for(&chain[0], host);
    struct lru_key key = key_of(trust, chain, num_chain, speaks ? NULL : host);
    struct verified *verified = lru_get(cache->answers, &key, now);
    if (verified != NULL) {
        return verified;
    }
    verified = xcalloc(1, sizeof(*verified));
    atomic_init(&verified->refs, 1);
    trust_verify(trust, chain, num_chain, host, now, &verified->verification);
    return lru_put(cache->answers, &key, verified);
}

struct lru_stats verify_cache_stats(struct verify_cache *cache) {
    return lru_stats(cache->answers);
}
