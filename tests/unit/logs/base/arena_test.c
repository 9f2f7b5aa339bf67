#include "logs/base/arena.h"

#include <malloc.h>
#include <string.h>

#include "tests/unit/unit.h"

static bool all_zero(const uint8_t *p, size_t p_len) {
    for (size_t i = 0; i < p_len; i++) {
        if (p[i] != 0) {
            return false;
        }
    }
    return true;
}

static void test_zeroed_and_aligned(void) {
    struct arena arena = {0};
    for (size_t size = 0; size < 600; size++) {
        uint8_t *p = arena_alloc(&arena, size);
        CU_ASSERT_PTR_NOT_NULL_FATAL(p);
        CU_ASSERT_EQUAL((uintptr_t)p % 8, 0);
        CU_ASSERT(all_zero(p, size));
        memset(p, 0xa5, size);
    }
    arena_cleanup(&arena);
}

static void test_pieces_do_not_overlap(void) {
    enum { NUM = 300 };
    struct arena arena = {0};
    uint8_t *pieces[NUM];
    size_t sizes[NUM];
    for (size_t i = 0; i < NUM; i++) {
        // Small pieces, with a large one now and then that needs a chunk of its own.
        sizes[i] = i % 17 == 16 ? 40000 + i : 1 + i * 7 % 900;
        pieces[i] = arena_alloc(&arena, sizes[i]);
        memset(pieces[i], (int)(i % 251), sizes[i]);
    }
    for (size_t i = 0; i < NUM; i++) {
        for (size_t j = 0; j < sizes[i]; j++) {
            if (pieces[i][j] != i % 251) {
                CU_FAIL("a piece was overwritten by another");
                break;
            }
        }
    }
    arena_cleanup(&arena);
}

static void test_large_piece_leaves_the_head_in_use(void) {
    struct arena arena = {0};
    char *before = arena_alloc(&arena, 8);
    struct arena_chunk *head = arena.head;
    CU_ASSERT_PTR_NOT_NULL(arena_alloc(&arena, 1 << 20));
    CU_ASSERT_PTR_EQUAL(arena.head, head);
    char *after = arena_alloc(&arena, 8);
    CU_ASSERT_PTR_EQUAL(after, before + 8);
    arena_cleanup(&arena);
}

static void test_large_piece_first(void) {
    struct arena arena = {0};
    uint8_t *p = arena_alloc(&arena, 100000);
    memset(p, 1, 100000);
    uint8_t *q = arena_alloc(&arena, 100);
    CU_ASSERT(all_zero(q, 100));
    arena_cleanup(&arena);
}

static void test_used_counts_what_was_handed_out(void) {
    struct arena arena = {0};
    CU_ASSERT_PTR_NOT_NULL(arena_alloc(&arena, 1));
    CU_ASSERT_EQUAL(arena.used, 8);
    CU_ASSERT_PTR_NOT_NULL(arena_alloc(&arena, 5000));
    CU_ASSERT_EQUAL(arena.used, 5008);
    arena_cleanup(&arena);
    CU_ASSERT_EQUAL(arena.used, 0);
}

// Whatever its size, an arena holds little that is not used.
static void test_little_is_held_beyond_what_is_used(void) {
    for (size_t total = 500; total < 300000; total += total / 3) {
        struct arena arena = {0};
        size_t before = mallinfo2().uordblks;
        for (size_t i = 0; arena.used < total; i++) {
            CU_ASSERT_PTR_NOT_NULL(arena_alloc(&arena, i % 50 == 49 ? 1200 : i % 60));
        }
        size_t held = mallinfo2().uordblks - before;
        CU_ASSERT(held < arena.used + arena.used / 8 + 1200);
        arena_cleanup(&arena);
    }
}

static void test_dup(void) {
    struct arena arena = {0};
    char *copy = arena_dup(&arena, "a\0b", 3);
    CU_ASSERT_EQUAL(memcmp(copy, "a\0b\0", 4), 0);
    CU_ASSERT_STRING_EQUAL((char *)arena_dup(&arena, NULL, 0), "");
    arena_cleanup(&arena);
}

static void test_printf(void) {
    struct arena arena = {0};
    CU_ASSERT_STRING_EQUAL(arena_printf(&arena, "%s:%d", "host", 443), "host:443");
    CU_ASSERT_STRING_EQUAL(arena_printf(&arena, "%s", ""), "");
    char *wide = arena_printf(&arena, "%5000d", 7);
    CU_ASSERT_EQUAL(strlen(wide), 5000);
    CU_ASSERT_EQUAL(wide[4999], '7');
    arena_cleanup(&arena);
}

static void test_cleanup_leaves_it_usable(void) {
    struct arena arena = {0};
    arena_cleanup(&arena);
    CU_ASSERT_PTR_NOT_NULL(arena_alloc(&arena, 10));
    arena_cleanup(&arena);
    CU_ASSERT_PTR_NULL(arena.head);
    CU_ASSERT_PTR_NOT_NULL(arena_alloc(&arena, 10));
    arena_cleanup(&arena);
}

static void hear(void *heard) { ++*(int *)heard; }

static void test_cleanup_tells(void) {
    struct arena arena = {0};
    int heard = 0, other = 0;
    arena_on_cleanup(&arena, hear, &heard);
    arena_on_cleanup(&arena, hear, &heard);
    arena_on_cleanup(&arena, hear, &other);
    CU_ASSERT_EQUAL(heard, 0);
    arena_cleanup(&arena);
    CU_ASSERT(heard == 2 && other == 1);
    arena_cleanup(&arena);
    CU_ASSERT_EQUAL(heard, 2);
}

static void alloc_absurd_size(void) {
    struct arena arena = {0};
    // Would wrap to 0 when rounded up.
    volatile size_t size = SIZE_MAX - 3;
    void *p = arena_alloc(&arena, size);
    (void)p;
}

static void test_absurd_size_aborts(void) { CU_ASSERT(unit_aborts(alloc_absurd_size, "arena.c")); }

const struct unit_case unit_cases[] = {
    {"pieces are zeroed and aligned", test_zeroed_and_aligned},
    {"pieces do not overlap", test_pieces_do_not_overlap},
    {"a large piece leaves the head in use", test_large_piece_leaves_the_head_in_use},
    {"a large piece may come first", test_large_piece_first},
    {"used counts what was handed out", test_used_counts_what_was_handed_out},
    {"little is held beyond what is used", test_little_is_held_beyond_what_is_used},
    {"dup", test_dup},
    {"printf", test_printf},
    {"cleanup leaves it usable", test_cleanup_leaves_it_usable},
    {"cleanup tells who asked", test_cleanup_tells},
    {"an absurd size aborts", test_absurd_size_aborts},
    {NULL, NULL},
};
