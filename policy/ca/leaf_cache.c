#include "policy/ca/leaf_cache.h"

#include <stdlib.h>
#include <string.h>

#include "policy/ca/box_origin.h"
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

static struct lru_key exact_key(const struct leaf_request *request) {
    struct {
        uint8_t origin[SHA256_DIGEST_LENGTH];
        int64_t not_before, not_after;
        uint32_t defects;
        uint8_t has_origin, send_issuer, key_type, issuer;
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
    fixed.issuer = (uint8_t)request->issuer;
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

// hash_key is the first `bits` bits of MD5 over the serial number and issuer of `cert`.
static uint32_t hash_key(CBS cert, uint32_t bits) {
    uint8_t hash[MD5_DIGEST_LENGTH];
    if (!box_origin_hash(cert, hash)) {
        return 0;
    }
    uint32_t first =
        (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 | hash[3];
    return bits == 0 || bits >= 32 ? first : first >> (32 - bits);
}

// key_of returns the key that `knobs` ask for: one fact, told from others by its kind. Who issues
// is part of it, else a leaf that nobody trusts would be shown for a good server.
static struct lru_key key_of(const struct leaf_request *request,
                             const struct leaf_cache_knobs *knobs) {
    const void *fact = NULL;
    size_t fact_len = 0;
    uint32_t hash;
    CBS origin;
    CBS_init(&origin, request->origin, request->origin_len);
    switch (knobs->key) {
    case LEAF_CACHE_EXACT:
        return exact_key(request);
    case LEAF_CACHE_SNI:
    case LEAF_CACHE_HOST:
        fact = knobs->key == LEAF_CACHE_SNI && request->sni != NULL ? request->sni : request->host;
        fact_len = strlen(fact);
        break;
    case LEAF_CACHE_IP:
        fact = request->address != NULL ? (const void *)request->address : request->host;
        fact_len = request->address != NULL ? 16 : strlen(request->host);
        break;
    case LEAF_CACHE_ORIGIN:
        fact = CBS_data(&origin);
        fact_len = CBS_len(&origin);
        break;
    case LEAF_CACHE_HASH_32:
        hash = hash_key(origin, knobs->hash_bits);
        fact = &hash;
        fact_len = sizeof(hash);
        break;
    }
    const uint8_t kind[] = {(uint8_t)knobs->key, (uint8_t)request->issuer,
                            (uint8_t)request->key_type};
    struct lru_key key;
    SHA256_CTX sha;
    SHA256_Init(&sha);
    SHA256_Update(&sha, kind, sizeof(kind));
    SHA256_Update(&sha, fact, fact_len);
    SHA256_Final(key.hash, &sha);
    return key;
}

// spec_make describes the leaf; a box's with what its knobs make of an ordinary one.
static void spec_make(struct leaf_spec *spec, const struct mint *mint,
                      const struct leaf_request *request, int64_t now) {
    const struct box *box = mint_box(mint);
    bool forced = box != NULL && request->issuer != LEAF_ISSUER_AUTO;
    leaf_spec_from_chain(spec, request->origin, request->origin_len, request->host,
                         forced ? NULL : request->verification, now);
    spec->key_type = request->key_type;
    if (box != NULL) {
        struct leaf_box leaf = {
            .host = request->host,
            .origin = request->origin,
            .origin_len = request->origin_len,
            .issuer = request->issuer,
            .ca = box->root != NULL ? box->root : mint_authority(mint),
        };
        leaf_spec_for_box(spec, box->knobs, &leaf, now);
    }
}

struct leaf *leaf_cache_get(struct leaf_cache *cache, const struct leaf_request *request,
                            int64_t now) {
    static const struct leaf_cache_knobs EXACT = {0};
    const struct box *box = mint_box(cache->mint);
    struct lru_key key = key_of(request, box != NULL ? &box->knobs->cache : &EXACT);
    struct leaf *leaf = lru_get(cache->leaves, &key, now);
    if (leaf != NULL) {
        return leaf;
    }
    struct leaf_spec spec;
    spec_make(&spec, cache->mint, request, now);
    leaf = mint_leaf(cache->mint, &spec);
    leaf_spec_cleanup(&spec);
    return lru_put(cache->leaves, &key, leaf);
}

struct lru_stats leaf_cache_stats(struct leaf_cache *cache) {
    return lru_stats(cache->leaves);
}
