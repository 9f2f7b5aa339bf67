#include "logs/base/check.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static void check_false(void) { CHECK(1 + 1 == 3); }
static void check_true(void) { CHECK(1 + 1 == 2); }

static void test_check(void) {
    CU_ASSERT(unit_aborts(check_false, "1 + 1 == 3"));
    CU_ASSERT(unit_aborts(check_false, "tests/unit/logs/base/check_test.c:"));
    CU_ASSERT_FALSE(unit_aborts(check_true, ""));
}

static void test_check_evaluates_once(void) {
    int n = 0;
    CHECK(++n == 1);
    CU_ASSERT_EQUAL(n, 1);
}

// Sanitizers abort on their own for a request like this, with their own words.
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

static void malloc_too_much(void) {
    volatile size_t size = SIZE_MAX / 2;
    free(xmalloc(size));
}

static void realloc_too_much(void) {
    volatile size_t size = SIZE_MAX / 2;
    free(xrealloc(xmalloc(10), size));
}

static void calloc_overflow(void) {
    volatile size_t num = SIZE_MAX / 2;
    free(xcalloc(num, 4));
}

static void test_out_of_memory_aborts(void) {
#ifndef SANITIZED
    CU_ASSERT(unit_aborts(malloc_too_much, "out of memory"));
    CU_ASSERT(unit_aborts(realloc_too_much, "out of memory"));
    CU_ASSERT(unit_aborts(calloc_overflow, "out of memory"));
#else
    (void)malloc_too_much, (void)realloc_too_much, (void)calloc_overflow;
#endif
}

static void test_size_of_zero(void) {
    void *p = xmalloc(0);
    CU_ASSERT_PTR_NOT_NULL(p);
    p = xrealloc(p, 0);
    CU_ASSERT_PTR_NOT_NULL(p);
    free(p);
    p = xcalloc(0, 8);
    CU_ASSERT_PTR_NOT_NULL(p);
    free(p);
}

static void test_calloc_zeroes(void) {
    uint8_t *p = xcalloc(25, 4);
    for (size_t i = 0; i < 100; i++) {
        CU_ASSERT_EQUAL(p[i], 0);
    }
    free(p);
}

static void test_realloc_keeps_content(void) {
    char *p = xmemdup("content", 8);
    p = xrealloc(p, 100000);
    CU_ASSERT_STRING_EQUAL(p, "content");
    free(p);
}

static void test_copies(void) {
    char *s = xstrdup("text");
    CU_ASSERT_STRING_EQUAL(s, "text");
    free(s);
    char *p = xmemdup("a\0b", 3);
    CU_ASSERT_EQUAL(memcmp(p, "a\0b\0", 4), 0);
    free(p);
    p = xmemdup(NULL, 0);
    CU_ASSERT_STRING_EQUAL(p, "");
    free(p);
}

static void test_array_len(void) {
    int numbers[7];
    CU_ASSERT_EQUAL(ARRAY_LEN(numbers), 7);
}

const struct unit_case unit_cases[] = {
    {"CHECK", test_check},
    {"CHECK evaluates once", test_check_evaluates_once},
    {"out of memory aborts", test_out_of_memory_aborts},
    {"a size of zero", test_size_of_zero},
    {"calloc zeroes", test_calloc_zeroes},
    {"realloc keeps the content", test_realloc_keeps_content},
    {"copies", test_copies},
    {"ARRAY_LEN", test_array_len},
    {NULL, NULL},
};
