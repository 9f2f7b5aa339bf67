#include "logs/record/json.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "logs/record/record.h"
#include "tests/unit/logs/full_record.h"
#include "tests/unit/unit.h"

enum { MAX = 1024 * 1024 };

static bool is(const struct buf *buf, const char *text) {
    bool same = buf->len == strlen(text) && memcmp(buf_data(buf), text, buf->len) == 0;
    if (!same) {
        printf("\n    is:     %.*s\n    wanted: %s\n", (int)buf->len, (const char *)buf_data(buf),
               text);
    }
    return same;
}

static void string_is(const char *s, size_t len, const char *wanted) {
    struct buf out;
    buf_init(&out, MAX);
    CU_ASSERT(json_write_string(&out, s, len));
    CU_ASSERT(is(&out, wanted));
    json_error_t error;
    json_t *json =
        json_loadb((const char *)buf_data(&out), out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    CU_ASSERT_PTR_NOT_NULL(json);
    json_decref(json);
    buf_cleanup(&out);
}

#define STRING_IS(s, wanted) string_is(s, sizeof(s) - 1, wanted)

static void test_strings(void) {
    STRING_IS("", "\"\"");
    STRING_IS("plain text, long enough for eight at a time",
              "\"plain text, long enough for eight at a time\"");
    STRING_IS("a\"b\\c\nd\re\tf", "\"a\\\"b\\\\c\\nd\\re\\tf\"");
    STRING_IS("nul\0in it", "\"nul\\u0000in it\"");
    STRING_IS("\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\"");
    STRING_IS("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\x92",
              "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\x92\"");
}

static void test_what_is_no_utf8(void) {
    STRING_IS("\xff", "\"\xef\xbf\xbd\"");
    STRING_IS("a\x80\x80z", "\"a\xef\xbf\xbd\xef\xbf\xbdz\"");
    STRING_IS("\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"");                 // overlong
    STRING_IS("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); // a surrogate
    STRING_IS("\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\"");                 // cut off
    STRING_IS("\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

// An odd byte at every place of a word, so that none slips through eight at a time.
static void byte_is_written(uint8_t byte, size_t at, size_t len) {
    char text[16];
    memset(text, 'x', sizeof(text));
    text[at] = (char)byte;
    struct buf out;
    buf_init(&out, MAX);
    CU_ASSERT(json_write_string(&out, text, len));
    json_t *json =
        json_loadb((const char *)buf_data(&out), out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(json);
    if (byte < 0x80) {
        CU_ASSERT(json_string_length(json) == len &&
                  memcmp(json_string_value(json), text, len) == 0);
    } else {
        CU_ASSERT(json_string_length(json) == len + 2);
    }
    json_decref(json);
    buf_cleanup(&out);
}

static void test_every_byte_at_every_place(void) {
    static const size_t lens[] = {1, 3, 4, 5, 7, 8, 9, 15, 16};
    for (int byte = 0; byte < 256; byte++) {
        for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
            for (size_t at = 0; at < lens[i]; at++) {
                byte_is_written((uint8_t)byte, at, lens[i]);
            }
        }
    }
}

static void test_an_empty_object(void) {
    struct record *record = record_new();
    struct buf out;
    buf_init(&out, MAX);
    CU_ASSERT(json_write(&out, obj_sub(record->root, F_RECORD_LEG_CLIENT)));
    CU_ASSERT(is(&out, "{}"));
    buf_cleanup(&out);
    CU_ASSERT(json_write(&out, record->root));
    CU_ASSERT(is(&out, "{\"schema\":\"1.0\",\"legs\":{\"client\":{}}}"));
    buf_cleanup(&out);
    record_free(record);
}

static void test_types(void) {
    struct record *record = record_new();
    obj_unset(record->root, F_RECORD_SCHEMA);
    obj_set_int(record->root, F_RECORD_TIMESTAMP, 1795209543120);
    obj_set_int(record->root, F_RECORD_PORT, -9223372036854775807 - 1);
    struct obj *leg = obj_sub(record->root, F_RECORD_LEG_SERVER);
    obj_set_int(leg, F_LEG_TLS_ESTABLISHED, 0);
    obj_set_int(leg, F_LEG_NOT_AFTER, -1);
    obj_add_code(leg, F_LEG_OFFER_CIPHERS, 0x1301);
    obj_add_code(leg, F_LEG_OFFER_CIPHERS, 0x1a1a);
    obj_add_code(leg, F_LEG_OFFER_CIPHERS, 0xfff0);
    obj_touch(leg, F_LEG_OFFER_ALPN);
    obj_set_bytes(leg, F_LEG_OFFER_RAW, "\x16\x03\x01", 3);
    obj_set_int(leg, F_LEG_MS_HELLO, 12034);
    obj_set_int(leg, F_LEG_MS_ANSWER, -5);
    struct buf out;
    buf_init(&out, MAX);
    CU_ASSERT(json_write(&out, record->root));
    CU_ASSERT(is(&out,
                 "{\"@timestamp\":\"2026-11-20T21:19:03.120Z\",\"port\":-9223372036854775808,"
                 "\"legs\":{\"server\":{\"tls\":{\"established\":false,\"client\":{"
                 "\"supported_ciphers\":[\"TLS_AES_128_GCM_SHA256\",\"GREASE (0x1a1a)\","
                 "\"0xfff0 (unknown)\"]},\"server\":{\"not_after\":\"1969-12-31T23:59:59Z\"}},"
                 "\"offer\":{\"ciphers\":[\"TLS_AES_128_GCM_SHA256\",\"GREASE (0x1a1a)\","
                 "\"0xfff0 (unknown)\"],\"alpn\":[],\"raw\":\"FgMB\"},\"timing_ms\":{"
                 "\"hello\":12.034,\"answer\":-0.005}}}}"));
    buf_cleanup(&out);
    record_free(record);
}

static json_t *follow(json_t *json, const char *path) {
    while (json != NULL && *path != '\0') {
        size_t len = strcspn(path, ".");
        json = json_object_getn(json, path, len);
        path += path[len] == '.' ? len + 1 : len;
    }
    return json;
}

static void test_every_field_is_at_its_path(void) {
    struct record *record = full_record_new();
    struct buf out;
    buf_init(&out, MAX);
    CU_ASSERT(json_write(&out, record->root));
    json_error_t error;
    json_t *json =
        json_loadb((const char *)buf_data(&out), out.len, JSON_REJECT_DUPLICATES, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(json);
    for (enum field f = F_RECORD_FIRST; f < F_RECORD_END; f++) {
        CU_ASSERT_PTR_NOT_NULL(follow(json, field_row(f)->path));
    }
    json_t *leg = follow(json, "legs.server");
    for (enum field f = F_LEG_FIRST; f < F_LEG_END; f++) {
        CU_ASSERT_PTR_NOT_NULL(follow(leg, field_row(f)->path));
    }
    CU_ASSERT_EQUAL(json_array_size(follow(leg, "chain")), 2);
    CU_ASSERT_PTR_NULL(memchr(buf_data(&out), '\n', out.len));
    json_decref(json);
    buf_cleanup(&out);
    record_free(record);
}

static void test_the_ceiling(void) {
    struct record *record = full_record_new();
    struct buf out;
    buf_init(&out, MAX);
    CU_ASSERT(json_write(&out, record->root));
    size_t len = out.len;
    buf_cleanup(&out);
    for (size_t max = 0; max < len; max += 1 + max / 7) {
        buf_init(&out, max);
        CU_ASSERT_FALSE(json_write(&out, record->root));
        CU_ASSERT(out.len <= max);
        buf_cleanup(&out);
    }
    record_free(record);
}

static void test_appends(void) {
    struct buf out;
    buf_init(&out, MAX);
    CU_ASSERT(buf_append(&out, "12", 2));
    CU_ASSERT(json_write_string(&out, "x", 1));
    buf_consume(&out, 1);
    CU_ASSERT(json_write_string(&out, "y", 1));
    CU_ASSERT(is(&out, "2\"x\"\"y\""));
    buf_cleanup(&out);
}

const struct unit_case unit_cases[] = {
    {"strings", test_strings},
    {"what is no UTF-8", test_what_is_no_utf8},
    {"every byte at every place", test_every_byte_at_every_place},
    {"an empty object", test_an_empty_object},
    {"every type", test_types},
    {"every field is at its path", test_every_field_is_at_its_path},
    {"the ceiling", test_the_ceiling},
    {"writing appends", test_appends},
    {NULL, NULL},
};
