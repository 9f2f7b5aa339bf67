#include "proxy/tls/hello_edit.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/proxy/tls/hellos.h"
#include "tests/unit/unit.h"

static struct hello_draft draft;

static void begin(const char *name) {
    struct err err;
    hello_draft_init(&draft);
    CU_ASSERT_FATAL(
        hello_draft_read_wire(&draft, NULL, hellos_get(name)->p, hellos_get(name)->len, &err));
}

static void order_is(const uint16_t *types, size_t num) {
    CU_ASSERT_EQUAL_FATAL(draft.num_extensions, num);
    for (size_t i = 0; i < num; i++) {
        CU_ASSERT_EQUAL(draft.extensions[i].type, types[i]);
    }
}

#define ORDER_IS(...)                                                                              \
    order_is((const uint16_t[]){__VA_ARGS__}, ARRAY_LEN(((const uint16_t[]){__VA_ARGS__})))

static void test_extensions(void) {
    hello_draft_init(&draft);
    CU_ASSERT_PTR_NULL(hello_edit_find(&draft, 5));
    size_t before = hello_draft_len(&draft);
    hello_edit_set(&draft, 5, (const uint8_t *)"abc", 3);
    CU_ASSERT_EQUAL(hello_draft_len(&draft), before + 2 + 4 + 3);
    hello_edit_set(&draft, EXT_PRE_SHARED_KEY, NULL, 0);
    hello_edit_set(&draft, 6, NULL, 0);
    hello_edit_insert(&draft, 0, 7, NULL, 0);
    ORDER_IS(7, 5, 6, EXT_PRE_SHARED_KEY);
    hello_edit_set(&draft, 5, (const uint8_t *)"defg", 4);
    CU_ASSERT_EQUAL(hello_edit_find(&draft, 5)->body.len, 4);
    CU_ASSERT_EQUAL(hello_edit_position(&draft, 5), 1);
    CU_ASSERT_EQUAL(hello_edit_position(&draft, 99), 4);
    hello_edit_move(&draft, 0, 2);
    ORDER_IS(5, 6, 7, EXT_PRE_SHARED_KEY);
    hello_edit_move(&draft, 3, 1);
    ORDER_IS(5, EXT_PRE_SHARED_KEY, 6, 7);
    hello_edit_insert(&draft, 4, 5, NULL, 0);
    CU_ASSERT(hello_edit_remove(&draft, 5));
    CU_ASSERT_FALSE(hello_edit_remove(&draft, 5));
    hello_edit_remove_at(&draft, 1);
    ORDER_IS(EXT_PRE_SHARED_KEY, 7);
    hello_draft_cleanup(&draft);
}

static void test_fields(void) {
    uint8_t long_one[300] = {1};
    begin("go");
    hello_edit_session_id(&draft, long_one, 255);
    CU_ASSERT_EQUAL(draft.session_id.len, 255);
    hello_edit_compressions(&draft, (const uint8_t *)"\x01\x00", 2);
    CU_ASSERT_EQUAL(draft.compressions.len, 2);
    hello_edit_trailing(&draft, long_one, 300);
    CU_ASSERT_EQUAL(draft.trailing.len, 300);
    CU_ASSERT_FALSE(draft.overflow);
    hello_edit_session_id(&draft, long_one, 256);
    CU_ASSERT(draft.overflow);
    CU_ASSERT_EQUAL(draft.session_id.len, 255);
    hello_draft_cleanup(&draft);
}

static void test_ciphers(void) {
    begin("go");
    size_t before = draft.ciphers.len;
    hello_edit_add_cipher(&draft, 0x5600);
    hello_edit_add_cipher(&draft, 0x5600);
    CU_ASSERT_EQUAL(draft.ciphers.len, before + 2);
    CU_ASSERT(memcmp(draft.ciphers.p + before, "\x56\x00", 2) == 0);
    CU_ASSERT(hello_edit_remove_cipher(&draft, 0xc02b));
    CU_ASSERT_FALSE(hello_edit_remove_cipher(&draft, 0xc02b));
    CU_ASSERT(memcmp(draft.ciphers.p, "\xc0\x2f\xc0\x2c", 4) == 0);
    hello_edit_ciphers(&draft, (const uint32_t[]){0x1301, 0x0005}, 2);
    CU_ASSERT_EQUAL(draft.ciphers.len, 4);
    CU_ASSERT(memcmp(draft.ciphers.p, "\x13\x01\x00\x05", 4) == 0);
    draft.format = HELLO_FORMAT_SSLV2;
    hello_edit_ciphers(&draft, (const uint32_t[]){0x010080, 0x0005}, 2);
    CU_ASSERT_EQUAL(draft.ciphers.len, 6);
    CU_ASSERT(memcmp(draft.ciphers.p, "\x01\x00\x80\x00\x00\x05", 6) == 0);
    CU_ASSERT(hello_edit_remove_cipher(&draft, 0x010080));
    CU_ASSERT_EQUAL(draft.ciphers.len, 3);
    hello_draft_cleanup(&draft);
}

static void test_ceilings(void) {
    uint8_t *big = xcalloc(HELLO_DRAFT_MAX, 1);
    begin("go");
    size_t len = hello_draft_len(&draft);
    hello_edit_set(&draft, 0xfff0, big, HELLO_DRAFT_MAX - len - 4);
    CU_ASSERT_FALSE(draft.overflow);
    CU_ASSERT_EQUAL(hello_draft_len(&draft), HELLO_DRAFT_MAX);
    hello_edit_set(&draft, 0xfff1, NULL, 0);
    CU_ASSERT(draft.overflow);
    CU_ASSERT_EQUAL(hello_draft_len(&draft), HELLO_DRAFT_MAX);
    draft.overflow = false;
    hello_edit_add_cipher(&draft, 0x5600);
    CU_ASSERT(draft.overflow);
    hello_draft_cleanup(&draft);
    free(big);
}

static void test_cuts(void) {
    begin("go");
    hello_edit_cut_record(&draft, 9);
    hello_edit_cut_record(&draft, HELLO_CUT_IN_SNI);
    hello_edit_cut_record(&draft, 3);
    CU_ASSERT_EQUAL(draft.num_record_cuts, 3);
    CU_ASSERT_EQUAL(draft.record_cuts[1].offset, 3);
    CU_ASSERT_EQUAL(draft.record_cuts[2].offset, 9);
    for (int i = 0; i <= HELLO_CUTS_MAX; i++) {
        CU_ASSERT_FALSE(draft.overflow);
        hello_edit_cut_segment(&draft, i, 0);
    }
    CU_ASSERT(draft.overflow);
    hello_edit_no_cuts(&draft);
    CU_ASSERT_EQUAL(draft.num_record_cuts + draft.num_segment_cuts, 0);
    hello_draft_cleanup(&draft);
}

const struct unit_case unit_cases[] = {
    {"extensions come, go and move", test_extensions},
    {"session id, compressions, trailing bytes", test_fields},
    {"suites, of SSLv2 format too", test_ciphers},
    {"nothing passes the ceiling", test_ceilings},
    {"cuts ascend", test_cuts},
    {NULL, NULL},
};
