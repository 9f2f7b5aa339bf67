#include "policy/ca/leaf_cache.h"

#include <stdlib.h>
#include <string.h>

#include "policy/ca/lru.h"

struct leaf_cache {
    struct mint *mint;
    struct lru *leaves;
};

static void *value_ref(void *value) { return leaf_ref(value); }

static void value_unref(void *value) { leaf_unref(value); }

static size_t value_size(const void *value) { return ((const struct leaf *)value)->bytes; }

static bool value_fresh(const void *value, int64_t now) {
    const struct leaf *leaf = value;
    return now >= leaf->fresh_from && now < leaf->fresh_until;
}

static const struct lru_kind leaf_kind = {value_ref, value_unref, value_size, value_fresh};

struct leaf_cache *leaf_cache_new(struct mint *mint, size_t max_entries, size_t max_bytes) {
    struct leaf_cache *cache = xcalloc(1, sizeof(*cache));
    cache->mint = mint;
    cache->leaves = lru_new(&leaf_kind, max_entries, max_bytes);
    return cache;
}

void leaf_cache_free(struct leaf_cache *cache) {
    if (cache != NULL) {
        lru_free(cache->leaves);
        free(cache);
    }
}

static struct lru_key key_of(const struct leaf_request *request) {
    struct {
        uint8_t origin[SHA256_DIGEST_LENGTH];
        int64_t not_before, not_after;
        uint32_t defects;
        uint8_t has_origin, send_issuer, key_type, unused;
    } fixed = {0};
    const struct verification *v = request->verification;
    fixed.has_origin = request->origin != NULL;
    if (request->origin != NULL && request->origin_sha256 != NULL) {
        memcpy(fixed.origin, request->origin_sha256, sizeof(fixed.origin));
    } else if (request->origin != NULL) {
        SHA256(request->origin, request->origin_len, fixed.origin);
    }
    fixed.defects = leaf_defects(v);
    fixed.key_type = (uint8_t)request->key_type;
    if (v != NULL) {
        fixed.not_before = v->fatal_not_before;
        fixed.not_after = v->fatal_not_after;
        fixed.send_issuer = verification_find(v, TRUST_UNKNOWN_ROOT) != NULL;
    }
    struct lru_key key;
    SHA256_CTX sha;
    SHA256_Init(&sha);
    SHA256_Update(&sha, &fixed, sizeof(fixed));
    SHA256_Update(&sha, request->host, strlen(request->host));
    SHA256_Final(key.hash, &sha);
    return key;
}

struct leaf *leaf_cache_get(struct leaf_cache *cache, const struct leaf_request *request,
                            int64_t now) {
    struct lru_key key = key_of(request);
    struct leaf *leaf = lru_get(cache->leaves, &key, now);
    if (leaf != NULL) {
        return leaf;
    }
    struct leaf_spec spec;
    leaf_spec_from_chain(&spec, request->origin, request->origin_len, request->host,
                         request->verification, now);
    spec.key_type = request->key_type;
    leaf = mint_leaf(cache->mint, &spec);
    leaf_spec_cleanup(&spec);
    return lru_put(cache->leaves, &key, leaf);
}

struct lru_stats leaf_cache_stats(struct leaf_cache *cache) {
    return lru_stats(cache->leaves);
}
