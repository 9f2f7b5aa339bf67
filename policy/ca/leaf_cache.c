#include "policy/ca/leaf_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct key {
    uint8_t hash[SHA256_DIGEST_LENGTH];
};

struct entry {
    struct key key;
    struct leaf *leaf;
    struct entry *next_in_bucket;
    struct entry *newer, *older;
};

struct leaf_cache {
    struct mint *mint;
    size_t max_entries, max_bytes;
    pthread_mutex_t lock; // guards all below
    struct entry **buckets;
    size_t num_buckets; // a power of two
    struct entry *newest, *oldest;
    struct leaf_cache_stats stats;
};

struct leaf_cache *leaf_cache_new(struct mint *mint, size_t max_entries, size_t max_bytes) {
    CHECK(max_entries != 0);
    struct leaf_cache *cache = xcalloc(1, sizeof(*cache));
    cache->mint = mint;
    cache->max_entries = max_entries;
    cache->max_bytes = max_bytes;
    for (cache->num_buckets = 16; cache->num_buckets < max_entries;) {
        cache->num_buckets *= 2;
    }
    cache->buckets = xcalloc(cache->num_buckets, sizeof(*cache->buckets));
    CHECK(pthread_mutex_init(&cache->lock, NULL) == 0);
    return cache;
}

static struct entry **bucket(struct leaf_cache *cache, const struct key *key) {
    size_t n;
    memcpy(&n, key->hash, sizeof(n));
    return &cache->buckets[n & (cache->num_buckets - 1)];
}

static struct entry *find(struct leaf_cache *cache, const struct key *key) {
    struct entry *entry = *bucket(cache, key);
    while (entry != NULL && memcmp(&entry->key, key, sizeof(*key)) != 0) {
        entry = entry->next_in_bucket;
    }
    return entry;
}

static void list_remove(struct leaf_cache *cache, struct entry *entry) {
    *(entry->newer != NULL ? &entry->newer->older : &cache->newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void list_add(struct leaf_cache *cache, struct entry *entry) {
    entry->newer = NULL;
    entry->older = cache->newest;
    *(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

static void drop(struct leaf_cache *cache, struct entry *entry) {
    struct entry **at = bucket(cache, &entry->key);
    while (*at != entry) {
        at = &(*at)->next_in_bucket;
    }
    *at = entry->next_in_bucket;
    list_remove(cache, entry);
    cache->stats.entries--;
    cache->stats.bytes -= entry->leaf->bytes;
    leaf_unref(entry->leaf);
    free(entry);
}

void leaf_cache_free(struct leaf_cache *cache) {
    if (cache == NULL) {
        return;
    }
    while (cache->oldest != NULL) {
        drop(cache, cache->oldest);
    }
    pthread_mutex_destroy(&cache->lock);
    free(cache->buckets);
    free(cache);
}

static struct key key_of(const struct leaf_request *request) {
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
    struct key key;
    SHA256_CTX sha;
    SHA256_Init(&sha);
    SHA256_Update(&sha, &fixed, sizeof(fixed));
    SHA256_Update(&sha, request->host, strlen(request->host));
    SHA256_Final(key.hash, &sha);
    return key;
}

// Returns a reference to the fresh leaf under `key`, or NULL.
static struct leaf *lookup(struct leaf_cache *cache, const struct key *key, int64_t now) {
    struct leaf *leaf = NULL;
    CHECK(pthread_mutex_lock(&cache->lock) == 0);
    struct entry *entry = find(cache, key);
    if (entry != NULL && (now < entry->leaf->fresh_from || now >= entry->leaf->fresh_until)) {
        drop(cache, entry);
        cache->stats.stale++;
        entry = NULL;
    }
    if (entry != NULL) {
        list_remove(cache, entry);
        list_add(cache, entry);
        leaf = leaf_ref(entry->leaf);
    }
    cache->stats.hits += leaf != NULL;
    cache->stats.misses += leaf == NULL;
    CHECK(pthread_mutex_unlock(&cache->lock) == 0);
    return leaf;
}

// Puts `leaf` in, or takes the one that another thread was first with. Takes over the reference and
// returns one.
static struct leaf *insert(struct leaf_cache *cache, const struct key *key, struct leaf *leaf) {
    CHECK(pthread_mutex_lock(&cache->lock) == 0);
    struct entry *entry = find(cache, key);
    struct leaf *unused = NULL;
    if (entry != NULL) {
        unused = leaf;
        leaf = leaf_ref(entry->leaf);
    } else {
        entry = xcalloc(1, sizeof(*entry));
        entry->key = *key;
        entry->leaf = leaf_ref(leaf);
        struct entry **at = bucket(cache, key);
        entry->next_in_bucket = *at;
        *at = entry;
        list_add(cache, entry);
        cache->stats.entries++;
        cache->stats.bytes += leaf->bytes;
        while (cache->stats.entries > cache->max_entries || cache->stats.bytes > cache->max_bytes) {
            drop(cache, cache->oldest);
            cache->stats.evicted++;
        }
    }
    CHECK(pthread_mutex_unlock(&cache->lock) == 0);
    leaf_unref(unused);
    return leaf;
}

struct leaf *leaf_cache_get(struct leaf_cache *cache, const struct leaf_request *request,
                            int64_t now) {
    struct key key = key_of(request);
    struct leaf *leaf = lookup(cache, &key, now);
    if (leaf != NULL) {
        return leaf;
    }
    struct leaf_spec spec;
    leaf_spec_from_chain(&spec, request->origin, request->origin_len, request->host,
                         request->verification, now);
    spec.key_type = request->key_type;
    leaf = mint_leaf(cache->mint, &spec);
    leaf_spec_cleanup(&spec);
    return insert(cache, &key, leaf);
}

struct leaf_cache_stats leaf_cache_stats(struct leaf_cache *cache) {
    CHECK(pthread_mutex_lock(&cache->lock) == 0);
    struct leaf_cache_stats stats = cache->stats;
    CHECK(pthread_mutex_unlock(&cache->lock) == 0);
    return stats;
}
