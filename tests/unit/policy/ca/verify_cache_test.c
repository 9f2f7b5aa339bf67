#include "policy/ca/verify_cache.h"

#include <stdio.h>
#include <stdlib.h>

#include "logs/base/check.h"
#include "tests/unit/policy/ca/test_trust.h"
#include "tests/unit/unit.h"

struct world {
    struct pki_cert *root, *leaf, *other;
    struct trust *trust, *again;
    struct verify_cache *cache;
};

static struct world world_make(void) {
    struct world w = {.root = pki_ca("root", NULL)};
    w.leaf = pki_leaf("a.test", w.root);
    w.other = pki_leaf("a.test", w.root);
    w.trust = trust_in_root(w.root);
    w.again = trust_in_root(w.root);
    w.cache = verify_cache_new(100, 1 << 24);
    return w;
}

static void world_end(struct world *w) {
    verify_cache_free(w->cache);
    trust_free(w->trust);
    trust_free(w->again);
    pki_free(w->root);
    pki_free(w->leaf);
    pki_free(w->other);
}

static const struct verified *ask(struct world *w, const struct trust *trust,
                                  const struct pki_cert *leaf, const char *host, int64_t now) {
    CBS chain[] = {pki_cbs(leaf)};
    struct verified *verified = verify_cache_get(w->cache, trust, chain, 1, host, now);
    verified_unref(verified);
    return verified;
}

static void test_key(void) {
    struct world w = world_make();
    const struct verified *first = ask(&w, w.trust, w.leaf, "a.test", PKI_NOW);
    CU_ASSERT_TRUE(first->verification.ok);
    CU_ASSERT_PTR_EQUAL(ask(&w, w.trust, w.leaf, "a.test", PKI_NOW + 60), first);
    CU_ASSERT_EQUAL(verify_cache_stats(w.cache).hits, 1);
    CU_ASSERT_FALSE(ask(&w, w.trust, w.leaf, "b.test", PKI_NOW)->verification.ok);
    CU_ASSERT_PTR_NOT_EQUAL(ask(&w, w.trust, w.other, "a.test", PKI_NOW), first);
    CU_ASSERT_PTR_NOT_EQUAL(ask(&w, w.again, w.leaf, "a.test", PKI_NOW), first);
    CU_ASSERT_EQUAL(verify_cache_stats(w.cache).hits, 1);
    world_end(&w);
}

// The hosts that a leaf speaks for share an answer; every other host has its own.
static void test_hosts(void) {
    struct world w = world_make();
    struct pki_cert *wide = pki_make((struct pki_options){
        .cn = "w", .issuer = w.root, .san = "DNS:*.w.test,DNS:w.test,IP:192.0.2.1"});
    const struct verified *first = ask(&w, w.trust, wide, "w.test", PKI_NOW);
    CU_ASSERT_TRUE(first->verification.host_ok);
    CU_ASSERT_PTR_EQUAL(ask(&w, w.trust, wide, "a.w.test", PKI_NOW), first);
    CU_ASSERT_PTR_EQUAL(ask(&w, w.trust, wide, "192.0.2.1", PKI_NOW), first);
    static const char *const others[] = {"a.b.w.test", "x.test", "192.0.2.2", "", "-"};
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        CBS chain[] = {pki_cbs(wide)};
        struct verified *other = verify_cache_get(w.cache, w.trust, chain, 1, others[i], PKI_NOW);
        CU_ASSERT_FALSE(other->verification.host_ok);
        CU_ASSERT_FALSE(other->verification.ok);
        verified_unref(other);
    }
    CU_ASSERT_EQUAL(verify_cache_stats(w.cache).entries, 1 + ARRAY_LEN(others));
    pki_free(wide);
    world_end(&w);
}

// ask_same asks with and without the cache, and returns whether both give the same answer.
static bool ask_same(struct world *w, int64_t now) {
    CBS chain[] = {pki_cbs(w->leaf)};
    struct verification fresh;
    trust_verify(w->trust, chain, 1, "a.test", now, &fresh);
    bool same = ask(w, w->trust, w->leaf, "a.test", now)->verification.ok == fresh.ok;
    verification_cleanup(&fresh);
    return same;
}

// An answer is not remembered past a date that changes it, to the second, whichever way time goes.
static void test_dates(void) {
    struct world w = world_make();
    int64_t ends[] = {PKI_NOW + 30 * PKI_DAY, PKI_NOW - 30 * PKI_DAY};
    for (size_t i = 0; i < 2; i++) {
        for (int64_t step = -100; step <= 100; step += step > -3 && step < 3 ? 1 : 97) {
            CU_ASSERT_TRUE(ask_same(&w, ends[i] + step));
        }
        for (int64_t step = 3; step >= -3; step--) {
            CU_ASSERT_TRUE(ask_same(&w, ends[i] + step));
        }
    }
    CU_ASSERT_FALSE(ask(&w, w.trust, w.leaf, "a.test", ends[0] + 1)->verification.ok);
    CU_ASSERT_TRUE(ask(&w, w.trust, w.leaf, "a.test", ends[1])->verification.ok);
    CU_ASSERT_FALSE(ask(&w, w.trust, w.leaf, "a.test", ends[1] - 1)->verification.ok);
    CU_ASSERT_TRUE(verify_cache_stats(w.cache).hits > 0);
    world_end(&w);
}

static void test_shared(void) {
    struct world w = world_make();
    CBS chain[] = {pki_cbs(w.leaf)};
    struct verified *kept = verify_cache_get(w.cache, w.trust, chain, 1, "a.test", PKI_NOW);
    verify_cache_free(w.cache);
    w.cache = NULL;
    CU_ASSERT_TRUE(kept->verification.ok);
    CU_ASSERT_STRING_EQUAL(kept->verification.path[1].subject, "CN=root");
    verified_unref(kept);
    verified_unref(NULL);
    world_end(&w);
}

const struct unit_case unit_cases[] = {
    {"everything that the answer depends on is in the key", test_key},
    {"hosts that the leaf speaks for share an answer", test_hosts},
    {"no answer outlives a date", test_dates},
    {"an answer outlives the cache", test_shared},
    {NULL, NULL},
};
