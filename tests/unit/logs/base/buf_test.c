#include "logs/base/buf.h"

#include <string.h>

#include "tests/unit/unit.h"

static bool holds(const struct buf *buf, const char *text) {
    return buf->len == strlen(text) && memcmp(buf_data(buf), text, buf->len) == 0;
}

static void test_append_and_consume(void) {
    struct buf buf;
    buf_init(&buf, 100);
    CU_ASSERT(buf_append(&buf, "hello ", 6));
    CU_ASSERT(buf_append(&buf, "world", 5));
    CU_ASSERT(holds(&buf, "hello world"));
    buf_consume(&buf, 6);
    CU_ASSERT(holds(&buf, "world"));
    buf_consume(&buf, 0);
    CU_ASSERT(holds(&buf, "world"));
    buf_cleanup(&buf);
}

static void test_idle_costs_nothing(void) {
    struct buf buf;
    buf_init(&buf, 100);
    CU_ASSERT_PTR_NULL(buf.data);
    CU_ASSERT_PTR_NULL(buf_data(&buf));
    CU_ASSERT(buf_append(&buf, NULL, 0));
    CU_ASSERT_PTR_NULL(buf.data);
    CU_ASSERT(buf_append(&buf, "x", 1));
    CU_ASSERT_PTR_NOT_NULL(buf.data);
    buf_consume(&buf, 1);
    CU_ASSERT_PTR_NULL(buf.data);
    CU_ASSERT_EQUAL(buf_room(&buf), 100);
    CU_ASSERT(buf_append(&buf, "again", 5));
    CU_ASSERT(holds(&buf, "again"));
    buf_cleanup(&buf);
}

static void test_append_stops_at_the_ceiling(void) {
    struct buf buf;
    buf_init(&buf, 8);
    CU_ASSERT(buf_append(&buf, "12345", 5));
    CU_ASSERT_FALSE(buf_append(&buf, "6789", 4));
    CU_ASSERT(holds(&buf, "12345"));
    CU_ASSERT(buf_append(&buf, "678", 3));
    CU_ASSERT(holds(&buf, "12345678"));
    CU_ASSERT_EQUAL(buf_room(&buf), 0);
    CU_ASSERT_FALSE(buf_append(&buf, "9", 1));
    CU_ASSERT(buf_append(&buf, "", 0));
    CU_ASSERT_FALSE(buf_append(&buf, "x", SIZE_MAX));
    buf_consume(&buf, 1);
    CU_ASSERT(buf_append(&buf, "9", 1));
    CU_ASSERT(holds(&buf, "23456789"));
    buf_cleanup(&buf);
}

static void test_ceiling_of_zero(void) {
    struct buf buf;
    buf_init(&buf, 0);
    CU_ASSERT_FALSE(buf_append(&buf, "x", 1));
    CU_ASSERT_PTR_NULL(buf_reserve(&buf, 1));
    CU_ASSERT(buf_append(&buf, "", 0));
    buf_cleanup(&buf);
}

static void test_memory_stays_below_the_ceiling(void) {
    static const uint8_t zeros[1000];
    struct buf buf;
    buf_init(&buf, 300);
    CU_ASSERT(buf_append(&buf, zeros, 257));
    CU_ASSERT_EQUAL(buf.cap, 300);
    buf_cleanup(&buf);
    buf_init(&buf, 10);
    CU_ASSERT(buf_append(&buf, zeros, 1));
    CU_ASSERT_EQUAL(buf.cap, 10);
    buf_cleanup(&buf);
}

static void test_stream_keeps_its_order(void) {
    struct buf buf;
    buf_init(&buf, 1000);
    uint32_t wrote = 0, read = 0;
    // Uneven steps, so that the bytes wrap, move and grow at all alignments.
    for (uint32_t step = 1; step < 5000; step++) {
        for (uint32_t n = step % 13; n != 0 && buf_room(&buf) != 0; n--) {
            uint8_t byte = (uint8_t)(wrote++ * 31);
            CU_ASSERT_FATAL(buf_append(&buf, &byte, 1));
        }
        for (uint32_t n = step * 7 % 12; n != 0 && buf.len != 0; n--) {
            CU_ASSERT_EQUAL_FATAL(*buf_data(&buf), (uint8_t)(read++ * 31));
            buf_consume(&buf, 1);
        }
    }
    CU_ASSERT_EQUAL(wrote - read, buf.len);
    CU_ASSERT(wrote > 20000);
    buf_cleanup(&buf);
}

static void test_reserve_and_commit(void) {
    struct buf buf;
    buf_init(&buf, 10);
    uint8_t *to = buf_reserve(&buf, 10);
    CU_ASSERT_PTR_NOT_NULL_FATAL(to);
    memset(to, 'a', 10);
    CU_ASSERT_EQUAL(buf.len, 0);
    buf_commit(&buf, 4);
    CU_ASSERT(holds(&buf, "aaaa"));
    CU_ASSERT_PTR_NULL(buf_reserve(&buf, 7));
    to = buf_reserve(&buf, 6);
    CU_ASSERT_PTR_NOT_NULL_FATAL(to);
    memset(to, 'b', 6);
    buf_commit(&buf, 6);
    CU_ASSERT(holds(&buf, "aaaabbbbbb"));
    buf_cleanup(&buf);
}

static void test_reserve_of_nothing_is_no_refusal(void) {
    struct buf buf;
    buf_init(&buf, 10);
    CU_ASSERT_PTR_NOT_NULL(buf_reserve(&buf, 0));
    buf_cleanup(&buf);
}

static void test_reserve_moves_to_the_front(void) {
    struct buf buf;
    buf_init(&buf, 10);
    CU_ASSERT(buf_append(&buf, "0123456789", 10));
    buf_consume(&buf, 8);
    uint8_t *to = buf_reserve(&buf, 8);
    CU_ASSERT_PTR_NOT_NULL_FATAL(to);
    memcpy(to, "abcdefgh", 8);
    buf_commit(&buf, 8);
    CU_ASSERT(holds(&buf, "89abcdefgh"));
    CU_ASSERT_EQUAL(buf.cap, 10);
    buf_cleanup(&buf);
}

static void test_printf(void) {
    struct buf buf;
    buf_init(&buf, 1000);
    CU_ASSERT(buf_printf(&buf, "%s=%d;", "a", 1));
    CU_ASSERT(buf_printf(&buf, "%s", "b"));
    CU_ASSERT(holds(&buf, "a=1;b"));
    CU_ASSERT(buf_printf(&buf, "%600d", 7));
    CU_ASSERT_EQUAL(buf.len, 605);
    CU_ASSERT_EQUAL(buf_data(&buf)[604], '7');
    CU_ASSERT_FALSE(buf_printf(&buf, "%600d", 7));
    CU_ASSERT_EQUAL(buf.len, 605);
    buf_cleanup(&buf);
    // Where the text passes from the stack to the heap.
    for (int width = 254; width <= 258; width++) {
        CU_ASSERT(buf_printf(&buf, "%*d", width, 7));
        CU_ASSERT_EQUAL(buf.len, (size_t)width);
        CU_ASSERT_EQUAL(buf_data(&buf)[width - 1], '7');
        buf_cleanup(&buf);
    }
}

static void test_printf_at_the_ceiling(void) {
    struct buf buf;
    buf_init(&buf, 5);
    CU_ASSERT_FALSE(buf_printf(&buf, "123456"));
    CU_ASSERT_EQUAL(buf.len, 0);
    CU_ASSERT(buf_printf(&buf, "12345"));
    CU_ASSERT(holds(&buf, "12345"));
    buf_cleanup(&buf);
}

static void test_cleanup_keeps_the_ceiling(void) {
    struct buf buf;
    buf_init(&buf, 5);
    CU_ASSERT(buf_append(&buf, "12345", 5));
    buf_cleanup(&buf);
    CU_ASSERT_EQUAL(buf.len, 0);
    CU_ASSERT_FALSE(buf_append(&buf, "123456", 6));
    CU_ASSERT(buf_append(&buf, "12345", 5));
    buf_cleanup(&buf);
    buf_cleanup(&buf);
}

static void test_fit(void) {
    struct buf buf;
    buf_init(&buf, 1000);
    buf_fit(&buf);
    CU_ASSERT(buf_append(&buf, "123456", 6));
    buf_consume(&buf, 2);
    CU_ASSERT(buf.cap > 4);
    buf_fit(&buf);
    CU_ASSERT_EQUAL(buf.cap, 4);
    CU_ASSERT(holds(&buf, "3456"));
    buf_fit(&buf);
    CU_ASSERT(buf_append(&buf, "78", 2));
    CU_ASSERT(holds(&buf, "345678"));
    buf_cleanup(&buf);
    CU_ASSERT_PTR_NOT_NULL(buf_reserve(&buf, 100));
    buf_fit(&buf);
    CU_ASSERT_PTR_NULL(buf.data);
}

static void consume_too_much(void) {
    struct buf buf;
    buf_init(&buf, 5);
    CU_ASSERT(buf_append(&buf, "123", 3));
    buf_consume(&buf, 4);
}

static void commit_too_much(void) {
    struct buf buf;
    buf_init(&buf, 5);
    CU_ASSERT_PTR_NOT_NULL(buf_reserve(&buf, 3));
    buf_commit(&buf, SIZE_MAX);
}

static void init_without_ceiling(void) {
    struct buf buf;
    buf_init(&buf, SIZE_MAX);
}

static void test_misuse_aborts(void) {
    CU_ASSERT(unit_aborts(consume_too_much, "n <= buf->len"));
    CU_ASSERT(unit_aborts(commit_too_much, "buf.c"));
    CU_ASSERT(unit_aborts(init_without_ceiling, "max"));
}

const struct unit_case unit_cases[] = {
    {"append and consume", test_append_and_consume},
    {"an idle buf costs nothing", test_idle_costs_nothing},
    {"append stops at the ceiling", test_append_stops_at_the_ceiling},
    {"a ceiling of zero", test_ceiling_of_zero},
    {"memory stays below the ceiling", test_memory_stays_below_the_ceiling},
    {"a stream keeps its order", test_stream_keeps_its_order},
    {"reserve and commit", test_reserve_and_commit},
    {"reserving nothing is no refusal", test_reserve_of_nothing_is_no_refusal},
    {"reserve moves to the front", test_reserve_moves_to_the_front},
    {"printf", test_printf},
    {"printf at the ceiling", test_printf_at_the_ceiling},
    {"cleanup keeps the ceiling", test_cleanup_keeps_the_ceiling},
    {"fit", test_fit},
    {"misuse aborts", test_misuse_aborts},
    {NULL, NULL},
};
