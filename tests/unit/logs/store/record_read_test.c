#include "logs/store/record_read.h"

#include <stdio.h>
#include <string.h>

#include "logs/record/json.h"
#include "tests/unit/logs/full_record.h"
#include "tests/unit/unit.h"

enum { MAX = 4 * 1024 * 1024 };

static void write_json(struct buf *out, const struct record *record) {
    buf_init(out, MAX);
    CU_ASSERT_FATAL(json_write(out, record->root));
}

static struct record *read_text(const char *text, struct err *err) {
    return record_read(text, strlen(text), err);
}

static void test_every_field_comes_back(void) {
    struct record *record = full_record_new();
    struct buf first, second;
    struct err err = {0};
    write_json(&first, record);
    struct record *again = record_read((const char *)buf_data(&first), first.len, &err);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(again);
    write_json(&second, again);
    CU_ASSERT(first.len == second.len &&
              memcmp(buf_data(&first), buf_data(&second), first.len) == 0);
    buf_cleanup(&first);
    buf_cleanup(&second);
    record_free(record);
    record_free(again);
}

static void test_values(void) {
    struct err err = {0};
    struct record *record = read_text(
        "{\"schema\":\"1.7\",\"id\":\"nul\\u0000 in it\",\"port\":443,\"novel\":{\"id\":null},"
        "\"@timestamp\":\"2026-11-20T21:19:03.120Z\",\"legs\":{\"novel\":1,\"client\":{"
        "\"timing_ms\":{\"hello\":12.034,\"answer\":7},\"offer\":{\"alpn\":[],\"raw\":\"FgMB\","
        "\"ciphers\":[\"TLS_AES_128_GCM_SHA256\",\"GREASE (0x1a1a)\",\"0xfff0 (unknown)\"]}}}}",
        &err);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(record);
    struct obj *leg = record_leg(record->root, false);
    CU_ASSERT_EQUAL(obj_span(record->root, F_RECORD_ID).len, 10);
    CU_ASSERT(obj_is(record->root, F_RECORD_PORT, 443));
    CU_ASSERT(obj_is(record->root, F_RECORD_TIMESTAMP, 1795209543120));
    CU_ASSERT(obj_is(leg, F_LEG_MS_HELLO, 12034));
    CU_ASSERT(obj_is(leg, F_LEG_MS_ANSWER, 7000));
    CU_ASSERT(obj_has(leg, F_LEG_OFFER_ALPN));
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_OFFER_ALPN), 0);
    CU_ASSERT_EQUAL(obj_span(leg, F_LEG_OFFER_RAW).len, 3);
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_OFFER_CIPHERS), 3);
    CU_ASSERT_EQUAL(obj_code(leg, F_LEG_OFFER_CIPHERS, 1), 0x1a1a);
    CU_ASSERT_EQUAL(obj_code(leg, F_LEG_OFFER_CIPHERS, 2), 0xfff0);
    CU_ASSERT_FALSE(obj_has(leg, F_LEG_TLS_CIPHER));
    CU_ASSERT_FALSE(obj_has(record->root, F_RECORD_HOST));
    record_free(record);
}

// A record without what is wrong in it, and what is then wrong.
#define HEAD "{\"schema\":\"1.0\",\"id\":\"x\","
#define LEG(text) HEAD "\"legs\":{\"server\":{" text "}}}"

static void test_errors_name_the_path(void) {
    static const struct {
        const char *line, *says;
    } rows[] = {
        // clang-format off
        {"",                                              "byte 0: "},
        {"{\"schema\":\"1.0\",\"id\":\"x\"",              "byte 24: "},
        {"[]",                                            "expected an object"},
        {"{\"schema\":\"1.0\"}",                          "id: missing"},
        {"{\"id\":\"x\"}",                                "schema: \"\" is not a version"},
        {"{\"schema\":\"2.0\",\"id\":\"x\"}",             "schema: \"2.0\" is not a version"},
        {HEAD "\"port\":\"443\"}",                        "port: expected a whole number"},
        {HEAD "\"port\":443.5}",                          "port: expected a whole number"},
        {HEAD "\"port\":null}",                           "port: expected a whole number"},
        {HEAD "\"host\":7}",                              "host: expected a string"},
        {HEAD "\"@timestamp\":\"today\"}",                "@timestamp: expected a time"},
        {HEAD "\"legs\":[]}",                             "legs: expected an object"},
        {HEAD "\"legs\":{\"client\":7}}",                 "legs.client: expected an object"},
        {LEG("\"tls\":7"),                                "legs.server.tls: expected an object"},
        {LEG("\"tls\":{\"established\":1}"),              "legs.server.tls.established: expected true"},
        {LEG("\"tls\":{\"cipher\":\"NONE\"}"),            "legs.server.tls.cipher: \"NONE\" is no code"},
        {LEG("\"offer\":{\"ciphers\":\"x\"}"),            "legs.server.offer.ciphers: expected an array"},
        {LEG("\"offer\":{\"alpn\":[\"h2\",2]}"),          "legs.server.offer.alpn[1]: expected a string"},
        {LEG("\"offer\":{\"raw\":\"Zg=\"}"),              "legs.server.offer.raw: expected padded base64"},
        {LEG("\"timing_ms\":{\"hello\":\"1\"}"),          "legs.server.timing_ms.hello: expected a number"},
        {LEG("\"timing_ms\":{\"hello\":1e99}"),           "legs.server.timing_ms.hello: expected a number"},
        {LEG("\"alerts\":[{},{\"code\":\"x\"}]"),         "legs.server.alerts[1].code: expected a whole"},
        {LEG("\"alerts\":[7]"),                           "legs.server.alerts[0]: expected an object"},
        {LEG("\"tls\":{\"server\":{\"hash\":{\"sha256\":1}}}"), "legs.server.tls.server.hash.sha256: expected a string"},
        // clang-format on
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {0};
        CU_ASSERT_PTR_NULL(read_text(rows[i].line, &err));
        bool says = strncmp(err.msg, rows[i].says, strlen(rows[i].says)) == 0;
        CU_ASSERT(says);
        if (!says) {
            printf("\n    %s\n    is: %s\n    wanted: %s\n", rows[i].line, err.msg, rows[i].says);
        }
    }
}

static void test_cut_anywhere(void) {
    struct record *record = full_record_new();
    struct buf line;
    write_json(&line, record);
    for (size_t len = 0; len < line.len; len += 1 + len / 50) {
        CU_ASSERT_PTR_NULL(record_read((const char *)buf_data(&line), len, NULL));
    }
    buf_cleanup(&line);
    record_free(record);
}

const struct unit_case unit_cases[] = {
    {"every field of every kind comes back", test_every_field_comes_back},
    {"values", test_values},
    {"errors name the path", test_errors_name_the_path},
    {"a line cut anywhere is refused", test_cut_anywhere},
    {NULL, NULL},
};
