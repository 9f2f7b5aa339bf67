#include "logs/store/plain_value.h"

#include <string.h>

#include "logs/record/json.h"
#include "tests/unit/unit.h"

static struct arena arena;

// value_of returns what becomes of `text` in `field` of a new object, as JSON of the whole object,
// or NULL.
static const char *value_of(enum field field, const char *text) {
    static char out[512];
    struct obj *obj = obj_new(&arena, (enum kind)field_row(field)->kind);
    struct buf json;
    if (!plain_value(obj, field, (struct span){(const uint8_t *)text, strlen(text)})) {
        return NULL;
    }
    buf_init(&json, sizeof(out) - 1);
    CU_ASSERT_TRUE(json_write(&json, obj));
    memcpy(out, buf_data(&json), json.len);
    out[json.len] = '\0';
    buf_cleanup(&json);
    return out;
}

static void test_good(void) {
    static const struct {
        enum field field;
        const char *text, *want;
    } rows[] = {
        {F_RECORD_HOST, "\"example.test\"", "{\"host\":\"example.test\"}"},
        {F_RECORD_HOST, "\"\"", "{\"host\":\"\"}"},
        {F_RECORD_PORT, "443", "{\"port\":443}"},
        {F_RECORD_PORT, "0", "{\"port\":0}"},
        {F_RECORD_TIMESTAMP, "\"2026-11-20T21:19:03.120Z\"",
         "{\"@timestamp\":\"2026-11-20T21:19:03.120Z\"}"},
        {F_CERT_NOT_AFTER, "\"2026-11-20T21:19:03Z\"", "{\"not_after\":\"2026-11-20T21:19:03Z\"}"},
        {F_LEG_TLS_ESTABLISHED, "true", "{\"tls\":{\"established\":true}}"},
        {F_LEG_TLS_ESTABLISHED, "false", "{\"tls\":{\"established\":false}}"},
        {F_LEG_TLS_CIPHER, "\"TLS_AES_128_GCM_SHA256\"",
         "{\"tls\":{\"cipher\":\"TLS_AES_128_GCM_SHA256\"}}"},
        {F_LEG_OFFER_VERSIONS, "[\"TLS 1.3\",\"TLS 1.2\"]",
         "{\"offer\":{\"versions\":[\"TLS 1.3\",\"TLS 1.2\"]}}"},
        {F_LEG_OFFER_ALPN, "[\"h2\"]", "{\"offer\":{\"alpn\":[\"h2\"]}}"},
        {F_LEG_OFFER_ALPN, "[]", "{\"offer\":{\"alpn\":[]}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *got = value_of(rows[i].field, rows[i].text);
        CU_ASSERT_PTR_NOT_NULL_FATAL(got);
        CU_ASSERT_STRING_EQUAL(got, rows[i].want);
    }
    arena_cleanup(&arena);
}

// What is left to the reader of all JSON: other forms, and what is wrong.
static void test_left_alone(void) {
    static const struct {
        enum field field;
        const char *text;
    } rows[] = {
        {F_RECORD_HOST, "\"a\\u0062\""},
        {F_RECORD_HOST, "\"\xc3\xa4\""},
        {F_RECORD_HOST, "443"},
        {F_RECORD_HOST, "\""},
        {F_RECORD_HOST, "\"\n\""},
        {F_RECORD_PORT, "-1"},
        {F_RECORD_PORT, "1.5"},
        {F_RECORD_PORT, "00"},
        {F_RECORD_PORT, "1e3"},
        {F_RECORD_PORT, "1234567890123456789"},
        {F_RECORD_PORT, ""},
        {F_RECORD_TIMESTAMP, "\"2026-02-30T21:19:03Z\""},
        {F_RECORD_TIMESTAMP, "\"now\""},
        {F_LEG_TLS_ESTABLISHED, "null"},
        {F_LEG_TLS_ESTABLISHED, "trues"},
        {F_LEG_TLS_CIPHER, "\"NO_SUCH\""},
        {F_LEG_OFFER_VERSIONS, "[\"TLS 1.3\", \"TLS 1.2\"]"},
        {F_LEG_OFFER_VERSIONS, "[\"NO_SUCH\"]"},
        {F_LEG_OFFER_ALPN, "[\"h2\""},
        {F_LEG_OFFER_ALPN, "[\"h2\"x]"},
        {F_LEG_OFFER_ALPN, "[1]"},
        {F_LEG_OFFER_ALPN, "["},
        {F_LEG_OFFER_ALPN, "\"h2\""},
        {F_LEG_OFFER_RAW, "\"AAAA\""},
        {F_LEG_MS_END, "1.000"},
        {F_LEG_ALERTS, "[]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CU_ASSERT_PTR_NULL(value_of(rows[i].field, rows[i].text));
    }
    arena_cleanup(&arena);
}

const struct unit_case unit_cases[] = {
    {"good", test_good},
    {"left alone", test_left_alone},
    {NULL, NULL},
};
