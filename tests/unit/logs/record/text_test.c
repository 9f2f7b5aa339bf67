#include "logs/record/text.h"

#include <string.h>

#include "logs/record/record.h"
#include "tests/unit/logs/full_record.h"
#include "tests/unit/unit.h"

static void plain_is(const char *s, size_t len, const char *wanted) {
    struct buf out;
    buf_init(&out, 1024);
    text_write_plain(&out, s, len);
    CU_ASSERT(out.len == strlen(wanted) && memcmp(buf_data(&out), wanted, out.len) == 0);
    buf_cleanup(&out);
}

#define PLAIN_IS(s, wanted) plain_is(s, sizeof(s) - 1, wanted)

static void test_nothing_steers_the_terminal(void) {
    PLAIN_IS("plain \xc3\xa9\xe2\x82\xac", "plain \xc3\xa9\xe2\x82\xac");
    PLAIN_IS("\x1b[31mred\x07\r\n\t\x7f", "\\x1b[31mred\\x07\\x0d\\x0a\\x09\\x7f");
    PLAIN_IS("nul\0", "nul\\x00");
    PLAIN_IS("\xc2\x9b"
             "31m",
             "\\x9b31m"); // CSI in UTF-8
    PLAIN_IS("\x9b"
             "31m",
             "\\x9b31m"); // CSI in Latin-1
    PLAIN_IS("\xe2\x80\xae"
             "moc.elgoog",
             "\\u202emoc.elgoog"); // right to left
    PLAIN_IS("\xe2\x80\x8b\xef\xbb\xbf\xe2\x81\xa6", "\\u200b\\ufeff\\u2066");
    PLAIN_IS("\xc3", "\\xc3");
}

static void value_is(const struct obj *obj, enum field field, const char *wanted) {
    struct arena arena = {0};
    const char *text = text_dup(&arena, obj, field);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_STRING_EQUAL(text, wanted);
    arena_cleanup(&arena);
}

static void test_values(void) {
    struct record *record = record_new();
    struct obj *leg = obj_sub(record->root, F_RECORD_LEG_CLIENT);
    obj_set_int(record->root, F_RECORD_TIMESTAMP, -1);
    value_is(record->root, F_RECORD_TIMESTAMP, "1969-12-31T23:59:59.999Z");
    obj_set_int(leg, F_LEG_NOT_AFTER, 1795209543);
    value_is(leg, F_LEG_NOT_AFTER, "2026-11-20T21:19:03Z");
    obj_set_int(leg, F_LEG_TLS_RESUMED, 1);
    value_is(leg, F_LEG_TLS_RESUMED, "yes");
    obj_set_int(leg, F_LEG_TLS_RESUMED, 0);
    value_is(leg, F_LEG_TLS_RESUMED, "no");
    obj_set_int(leg, F_LEG_MS_HELLO, 12345);
    value_is(leg, F_LEG_MS_HELLO, "12.3 ms");
    obj_set_int(leg, F_LEG_TLS_CIPHER, 0x1301);
    value_is(leg, F_LEG_TLS_CIPHER, "TLS_AES_128_GCM_SHA256");
    obj_set_bytes(leg, F_LEG_OFFER_RAW, "abc", 3);
    value_is(leg, F_LEG_OFFER_RAW, "3 bytes");
    obj_add_str(leg, F_LEG_OFFER_ALPN, "h2", 2);
    obj_add_str(leg, F_LEG_OFFER_ALPN, "\x1b", 1);
    value_is(leg, F_LEG_OFFER_ALPN, "h2, \\x1b");
    obj_touch(leg, F_LEG_OFFER_GROUPS);
    value_is(leg, F_LEG_OFFER_GROUPS, "");
    struct obj *share = obj_add(leg, F_LEG_OFFER_KEY_SHARES);
    obj_set_int(share, F_KEY_SHARE_GROUP, 29);
    obj_set_int(share, F_KEY_SHARE_LENGTH, 32);
    value_is(leg, F_LEG_OFFER_KEY_SHARES, "x25519 32");
    record_free(record);
}

static void test_absent(void) {
    struct record *record = record_new();
    struct arena arena = {0};
    struct buf out;
    buf_init(&out, 100);
    CU_ASSERT_PTR_NULL(text_dup(&arena, record->root, F_RECORD_HOST));
    CU_ASSERT_PTR_NULL(text_dup(&arena, NULL, F_RECORD_HOST));
    CU_ASSERT_STRING_EQUAL(text_or_empty(&arena, record->root, F_RECORD_HOST), "");
    text_write(&out, record->root, F_RECORD_HOST);
    CU_ASSERT_EQUAL(out.len, 0);
    record_free(record);
}

static void test_the_ceiling_cuts(void) {
    struct record *record = full_record_new();
    for (enum field field = F_RECORD_FIRST; field < F_RECORD_END; field++) {
        for (size_t max = 0; max < 40; max++) {
            struct buf out;
            buf_init(&out, max);
            text_write(&out, record->root, field);
            CU_ASSERT(out.len <= max);
            buf_cleanup(&out);
        }
    }
    record_free(record);
}

const struct unit_case unit_cases[] = {
    {"nothing steers the terminal", test_nothing_steers_the_terminal},
    {"values", test_values},
    {"what is absent has no text", test_absent},
    {"the ceiling cuts", test_the_ceiling_cuts},
    {NULL, NULL},
};
