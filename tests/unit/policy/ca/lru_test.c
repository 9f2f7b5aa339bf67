#include "policy/ca/lru.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

struct value {
    int refs;
    size_t size;
    int64_t until;
};

static void *value_ref(void *p) {
    ((struct value *)p)->refs++;
    return p;
}

static void value_unref(void *p) { ((struct value *)p)->refs--; }

static size_t value_size(const void *p) { return ((const struct value *)p)->size; }

static bool value_fresh(const void *p, int64_t now) {
    return now < ((const struct value *)p)->until;
}

static const struct lru_kind kind = {value_ref, value_unref, value_size, value_fresh};

static struct lru_key key_make(uint8_t n) {
    struct lru_key key = {{0}};
    key.hash[31] = n; // the same bucket for all
    return key;
}

static void test_order(void) {
    struct value values[4];
    struct lru *lru = lru_new(&kind, 3, 1000);
    for (uint8_t i = 0; i < 4; i++) {
        values[i] = (struct value){.refs = 1, .size = 10, .until = 100};
        struct lru_key key = key_make(i);
        CU_ASSERT_PTR_EQUAL(lru_put(lru, &key, &values[i]), &values[i]);
        CU_ASSERT_EQUAL(values[i].refs, 2);
        if (i == 2) { // the first becomes the newest
            key = key_make(0);
            CU_ASSERT_PTR_EQUAL(lru_get(lru, &key, 1), &values[0]);
        }
    }
    struct lru_key second = key_make(1), first = key_make(0);
    CU_ASSERT_PTR_NULL(lru_get(lru, &second, 1));
    CU_ASSERT_EQUAL(values[1].refs, 1);
    CU_ASSERT_PTR_EQUAL(lru_get(lru, &first, 1), &values[0]);
    CU_ASSERT_EQUAL(lru_stats(lru).evicted, 1);
    CU_ASSERT_EQUAL(lru_stats(lru).bytes, 30);
    lru_free(lru);
    CU_ASSERT_EQUAL(values[0].refs, 3); // what was handed out stays
    CU_ASSERT_EQUAL(values[3].refs, 1);
}

static void test_first_wins(void) {
    struct value a = {.refs = 1, .size = 1, .until = 9}, b = a;
    struct lru *lru = lru_new(&kind, 10, 10);
    struct lru_key key = key_make(7);
    CU_ASSERT_PTR_EQUAL(lru_put(lru, &key, &a), &a);
    CU_ASSERT_PTR_EQUAL(lru_put(lru, &key, &b), &a);
    CU_ASSERT_EQUAL(b.refs, 0);
    CU_ASSERT_EQUAL(a.refs, 3);
    CU_ASSERT_EQUAL(lru_stats(lru).entries, 1);
    lru_free(lru);
}

static void test_stale_and_bytes(void) {
    struct value a = {.refs = 1, .size = 6, .until = 5}, b = {.refs = 1, .size = 6, .until = 50};
    struct lru *lru = lru_new(&kind, 10, 10);
    struct lru_key ka = key_make(1), kb = key_make(2);
    CU_ASSERT_PTR_EQUAL(lru_put(lru, &ka, &a), &a);
    CU_ASSERT_PTR_NULL(lru_get(lru, &ka, 5));
    CU_ASSERT_EQUAL(lru_stats(lru).stale, 1);
    CU_ASSERT_EQUAL(a.refs, 1);
    CU_ASSERT_PTR_EQUAL(lru_put(lru, &ka, &a), &a);
    CU_ASSERT_PTR_EQUAL(lru_put(lru, &kb, &b), &b);
    CU_ASSERT_EQUAL(lru_stats(lru).entries, 1); // 12 bytes were too many
    CU_ASSERT_PTR_NULL(lru_get(lru, &ka, 1));
    lru_free(lru);
    lru_free(NULL);
}

const struct unit_case unit_cases[] = {
    {"the least recently used goes", test_order},
    {"the first value of a key wins", test_first_wins},
    {"stale values and the ceiling of bytes", test_stale_and_bytes},
    {NULL, NULL},
};
