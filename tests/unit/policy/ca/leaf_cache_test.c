#include "policy/ca/leaf_cache.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/unit.h"

struct world {
    struct authority *authority;
    struct mint *mint;
    struct leaf_cache *cache;
};

static struct world world_make(size_t max_entries, size_t max_bytes) {
    struct world w = {.authority = authority_new(PKI_NOW)};
    w.mint = mint_new(w.authority, PKI_NOW);
    w.cache = leaf_cache_new(w.mint, max_entries, max_bytes);
    return w;
}

static void world_end(struct world *w) {
    leaf_cache_free(w->cache);
    mint_free(w->mint);
    authority_free(w->authority);
}

// Gets a leaf, forgets it, and returns its address to compare with: the caller must know that the
// cache still holds it.
static const struct leaf *get(struct world *w, const char *host, const struct pki_cert *origin,
                              const struct verification *v, int64_t now) {
    struct leaf_request request = {.host = host, .verification = v};
    if (origin != NULL) {
        request.origin = origin->der;
        request.origin_len = origin->der_len;
    }
    struct leaf *leaf = leaf_cache_get(w->cache, &request, now);
    leaf_unref(leaf);
    return leaf;
}

static void test_key(void) {
    struct world w = world_make(100, 1 << 20);
    struct pki_cert *a = pki_leaf("a.test", NULL), *b = pki_leaf("a.test", NULL);
    struct trust_defect of_issuer = {.kind = TRUST_ISSUER_EXPIRED, .fatal = true};
    struct trust_defect of_root = {.kind = TRUST_UNKNOWN_ROOT, .fatal = true};
    struct trust_defect remarked = {.kind = TRUST_ISSUER_EXPIRED};
    struct verification expired = {
        .defects = &of_issuer, .num_defects = 1, .fatal_not_after = PKI_NOW - PKI_DAY};
    struct verification earlier = expired, root = expired, remark = expired;
    earlier.fatal_not_after--;
    root.defects = &of_root;
    remark.defects = &remarked;
    remark.fatal_not_after = 0;
    const struct leaf *seen[8];
    seen[0] = get(&w, "a.test", a, NULL, PKI_NOW);
    seen[1] = get(&w, "b.test", a, NULL, PKI_NOW);
    seen[2] = get(&w, "a.test", b, NULL, PKI_NOW);
    seen[3] = get(&w, "a.test", a, &expired, PKI_NOW);
    seen[4] = get(&w, "a.test", a, &earlier, PKI_NOW);
    seen[5] = get(&w, "a.test", a, &root, PKI_NOW);
    seen[6] = get(&w, "a.test", NULL, NULL, PKI_NOW);
    for (int i = 0; i < 7; i++) {
        for (int j = 0; j < i; j++) {
            CU_ASSERT_PTR_NOT_EQUAL(seen[i], seen[j]);
        }
    }
    struct lru_stats stats = leaf_cache_stats(w.cache);
    CU_ASSERT_EQUAL(stats.entries, 7);
    CU_ASSERT_EQUAL(stats.hits, 0);
    CU_ASSERT_PTR_EQUAL(get(&w, "a.test", a, NULL, PKI_NOW + 1), seen[0]);
    CU_ASSERT_PTR_EQUAL(get(&w, "a.test", a, &remark, PKI_NOW), seen[0]);
    CU_ASSERT_PTR_EQUAL(get(&w, "a.test", a, &expired, PKI_NOW), seen[3]);
    // The hash that is known gives the same key as the one worked out, and key types differ.
    uint8_t hash[32];
    SHA256(a->der, a->der_len, hash);
    struct leaf_request request = {
        .host = "a.test", .origin = a->der, .origin_len = a->der_len, .origin_sha256 = hash};
    struct leaf *leaf = leaf_cache_get(w.cache, &request, PKI_NOW);
    CU_ASSERT_PTR_EQUAL(leaf, seen[0]);
    leaf_unref(leaf);
    request.key_type = CERT_KEY_RSA_2048;
    leaf = leaf_cache_get(w.cache, &request, PKI_NOW);
    CU_ASSERT_EQUAL(EVP_PKEY_id(leaf->key), EVP_PKEY_RSA);
    leaf_unref(leaf);
    stats = leaf_cache_stats(w.cache);
    CU_ASSERT_EQUAL(stats.hits, 4);
    CU_ASSERT_EQUAL(stats.misses, 8);
    pki_free(a);
    pki_free(b);
    world_end(&w);
}

static void test_lru(void) {
    struct world w = world_make(3, 1 << 20);
    get(&w, "a.test", NULL, NULL, PKI_NOW);
    get(&w, "b.test", NULL, NULL, PKI_NOW);
    get(&w, "c.test", NULL, NULL, PKI_NOW);
    get(&w, "a.test", NULL, NULL, PKI_NOW);
    get(&w, "d.test", NULL, NULL, PKI_NOW);
    struct lru_stats stats = leaf_cache_stats(w.cache);
    CU_ASSERT_EQUAL(stats.entries, 3);
    CU_ASSERT_EQUAL(stats.evicted, 1);
    get(&w, "a.test", NULL, NULL, PKI_NOW);
    get(&w, "c.test", NULL, NULL, PKI_NOW);
    CU_ASSERT_EQUAL(leaf_cache_stats(w.cache).hits, 3);
    get(&w, "b.test", NULL, NULL, PKI_NOW);
    CU_ASSERT_EQUAL(leaf_cache_stats(w.cache).hits, 3);
    world_end(&w);
    // A ceiling of bytes below a single leaf: nothing stays, the caller's leaf is good all the
    // same.
    w = world_make(100, 100);
    struct leaf_request request = {.host = "a.test"};
    struct leaf *leaf = leaf_cache_get(w.cache, &request, PKI_NOW);
    CU_ASSERT_EQUAL(leaf_cache_stats(w.cache).entries, 0);
    CU_ASSERT_EQUAL(leaf_cache_stats(w.cache).bytes, 0);
    CU_ASSERT_EQUAL(leaf->num_chain, 1);
    leaf_unref(leaf);
    world_end(&w);
}

static void test_fresh(void) {
    struct world w = world_make(10, 1 << 20);
    struct leaf_request request = {.host = "a.test"};
    struct leaf *first = leaf_cache_get(w.cache, &request, PKI_NOW);
    struct leaf *later = leaf_cache_get(w.cache, &request, PKI_NOW + 190 * PKI_DAY);
    CU_ASSERT_PTR_EQUAL(first, later);
    leaf_unref(later);
    later = leaf_cache_get(w.cache, &request, PKI_NOW + 196 * PKI_DAY);
    CU_ASSERT_PTR_NOT_EQUAL(first, later);
    CU_ASSERT_EQUAL(later->not_before, PKI_NOW + 194 * PKI_DAY);
    CU_ASSERT_EQUAL(leaf_cache_stats(w.cache).stale, 1);
    // The clock was set back.
    struct leaf *back = leaf_cache_get(w.cache, &request, PKI_NOW);
    CU_ASSERT_PTR_NOT_EQUAL(back, later);
    CU_ASSERT_TRUE(back->not_before < PKI_NOW);
    leaf_unref(first);
    leaf_unref(later);
    leaf_unref(back);
    world_end(&w);
}

static void *hammer(void *arg) {
    struct world *w = arg;
    for (int i = 0; i < 300; i++) {
        char host[32];
        snprintf(host, sizeof(host), "h%d.test", i % 20);
        struct leaf_request request = {.host = host};
        struct leaf *leaf = leaf_cache_get(w->cache, &request, PKI_NOW);
        CHECK(leaf->num_chain == 1 && leaf->key != NULL);
        leaf_unref(leaf);
    }
    return NULL;
}

static void test_threads(void) {
    struct world w = world_make(10, 1 << 20);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, hammer, &w), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    struct lru_stats stats = leaf_cache_stats(w.cache);
    CU_ASSERT_EQUAL(stats.hits + stats.misses, 1200);
    CU_ASSERT_TRUE(stats.entries <= 10);
    world_end(&w);
}

const struct unit_case unit_cases[] = {
    {"everything that matters is in the key", test_key},
    {"the least recently used goes", test_lru},
    {"stale leaves are made anew", test_fresh},
    {"four threads", test_threads},
    {NULL, NULL},
};
