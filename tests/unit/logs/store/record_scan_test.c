#include "logs/store/record_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/record/json.h"
#include "logs/store/record_read.h"
#include "tests/unit/logs/full_record.h"
#include "tests/unit/unit.h"

enum { MAX = 4 * 1024 * 1024 };

static const enum field fields[] = {
    F_RECORD_HOST,         F_RECORD_PORT,    F_VERDICT_PARTY,   F_LEG_TLS_VERSION,
    F_LEG_OFFER_VERSIONS,  F_LEG_OFFER_ALPN, F_LEG_SERVER_NAME, F_VERIFICATION_OK,
    F_LEG_TLS_ESTABLISHED, F_LEG_MS_END,
};

static struct record_scan_plan plan;

static struct record *scan_text(const char *text, struct err *err) {
    record_scan_plan_init(&plan, fields, ARRAY_LEN(fields));
    return record_scan(text, strlen(text), &plan, err);
}

// value_write appends the value of `field` as JSON; nothing when it is absent.
static void value_write(struct buf *out, const struct obj *obj, enum field field) {
    struct arena arena = {0};
    struct obj *only = obj_new(&arena, obj_kind(obj));
    int64_t i;
    if (field_row(field)->type == TYPE_STR) {
        if (obj_has(obj, field)) {
            obj_set_strn(only, field, obj_span(obj, field).p, obj_span(obj, field).len);
        }
    } else if (field_row(field)->type == TYPE_STRS) {
        for (size_t item = 0; item < obj_num(obj, field); item++) {
            obj_add_str(only, field, obj_item(obj, field, item).p, obj_item(obj, field, item).len);
        }
    } else if (field_row(field)->type == TYPE_CODES) {
        for (size_t item = 0; item < obj_num(obj, field); item++) {
            obj_add_code(only, field, obj_code(obj, field, item));
        }
    } else if (obj_int(obj, field, &i)) {
        obj_set_int(only, field, i);
    }
    CU_ASSERT(json_write(out, only));
    arena_cleanup(&arena);
}

// same returns whether both have `field` and hold one value.
static bool same(const struct obj *a, const struct obj *b, enum field field) {
    struct buf x, y;
    buf_init(&x, MAX);
    buf_init(&y, MAX);
    value_write(&x, a, field);
    value_write(&y, b, field);
    bool equal =
        obj_has(a, field) && x.len == y.len && memcmp(buf_data(&x), buf_data(&y), x.len) == 0;
    buf_cleanup(&x);
    buf_cleanup(&y);
    return equal;
}

static void test_like_a_whole_read(void) {
    struct record *full = full_record_new();
    struct buf line;
    struct err err = {0};
    buf_init(&line, MAX);
    CU_ASSERT_FATAL(json_write(&line, full->root));
    record_scan_plan_init(&plan, fields, ARRAY_LEN(fields));
    struct record *part = record_scan((const char *)buf_data(&line), line.len, &plan, &err);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(part);
    CU_ASSERT(same(full->root, part->root, F_RECORD_ID));
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        switch (field_row(fields[i])->kind) {
        case KIND_RECORD:
            CU_ASSERT(same(full->root, part->root, fields[i]));
            break;
        case KIND_VERDICT:
            CU_ASSERT(same(obj_get(full->root, F_RECORD_VERDICT),
                           obj_get(part->root, F_RECORD_VERDICT), fields[i]));
            break;
        case KIND_LEG:
            CU_ASSERT(
                same(record_leg(full->root, false), record_leg(part->root, false), fields[i]));
            CU_ASSERT(same(record_leg(full->root, true), record_leg(part->root, true), fields[i]));
            break;
        default:
            CU_ASSERT(same(obj_get(record_leg(full->root, true), F_LEG_VERIFICATION),
                           obj_get(record_leg(part->root, true), F_LEG_VERIFICATION), fields[i]));
        }
    }
    CU_ASSERT_FALSE(obj_has(part->root, F_RECORD_MODE));
    CU_ASSERT_FALSE(obj_has(record_leg(part->root, true), F_LEG_OFFER_CIPHERS));
    record_free(part);
    buf_cleanup(&line);
    record_free(full);
}

static void test_any_order_and_space(void) {
    struct record *record = scan_text(
        " { \"novel\" : [ { \"host\" : \"]}\" } , \"\\\"{[\" ] , \"legs\" : { \"server\" : { "
        "\"tls\" : "
        "{ \"client\" : { \"server_name\" : \"a\\u00e9\\\"b\" } , \"version\" : \"1.3\" } } } ,"
        "\"verdict\" : { \"party\" : \"none\" } , \"port\" : 443 , \"id\" : \"x\" , \"schema\" : "
        "\"1.0\", \"host\" : \"\" } ",
        NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(record);
    CU_ASSERT(obj_str_is(record->root, F_RECORD_HOST, ""));
    CU_ASSERT(obj_is(record->root, F_RECORD_PORT, 443));
    CU_ASSERT(obj_str_is(obj_get(record->root, F_RECORD_VERDICT), F_VERDICT_PARTY, "none"));
    struct obj *leg = record_leg(record->root, true);
    CU_ASSERT(obj_str_is(leg, F_LEG_TLS_VERSION, "1.3"));
    CU_ASSERT(obj_str_is(leg, F_LEG_SERVER_NAME, "a\xc3\xa9\"b"));
    CU_ASSERT_PTR_NULL(record_leg(record->root, false));
    record_free(record);
}

// Wherever a crash cuts a line, the rest is told from a record. So is it where one is behind it.
static void test_cut_anywhere(void) {
    struct record *full = full_record_new();
    struct buf line;
    buf_init(&line, MAX);
    CU_ASSERT_FATAL(json_write(&line, full->root));
    record_scan_plan_init(&plan, fields, ARRAY_LEN(fields));
    for (size_t len = 0; len < line.len; len++) {
        // Of its own size, so that an address sanitizer sees a read past its end.
        char *part = xmemdup(buf_data(&line), len);
        part = xrealloc(part, len + (len == 0));
        struct record *record = record_scan(part, len, &plan, NULL);
        CU_ASSERT_PTR_NULL(record);
        record_free(record);
        free(part);
    }
    CU_ASSERT(buf_append(&line, "{}", 2));
    CU_ASSERT_PTR_NULL(record_scan((const char *)buf_data(&line), line.len, &plan, NULL));
    buf_cleanup(&line);
    record_free(full);
}

#define HEAD "{\"schema\":\"1.0\",\"id\":\"x\","

static void test_errors(void) {
    char deep[400] = HEAD "\"novel\":";
    memset(deep + strlen(deep), '[', 200);
    static const struct {
        const char *line, *says;
    } rows[] = {
        // clang-format off
        {"[]",                                 "byte 0: expected an object"},
        {"",                                   "byte 0: the line ends early"},
        {"{\"id\":\"x\"}",                     "schema: "},
        {"{\"schema\":\"1.0\"}",               "id: missing"},
        {HEAD "\"port\":\"443\"}",             "port: expected a whole number"},
        {HEAD "\"port\":04}",                  "port: no JSON"},
        {HEAD "\"host\":\"\xff\"}",            "host: no JSON"},
        {HEAD "\"legs\":[]}",                  "byte 32: expected an object"},
        {HEAD "\"legs\":{\"client\":{\"tls\":{\"version\":1}}}}", "legs.client.tls.version: expected a string"},
        {HEAD "\"legs\":{\"server\":{\"verification\":{\"ok\":1}}}}", "legs.server.verification.ok: expected true"},
        {HEAD "\"novel\":[}]}",                "byte 34: the wrong bracket"},
        {HEAD "\"novel\" 1}",                  "byte 33: expected ':'"},
        {HEAD "\"novel\":}",                   "byte 33: expected a value"},
        {HEAD "novel:1}",                      "byte 25: expected a string"},
        {HEAD "\"novel\":1]",                  "byte 34: expected ',' or '}'"},
        // clang-format on
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {0};
        CU_ASSERT_PTR_NULL(scan_text(rows[i].line, &err));
        bool says = strncmp(err.msg, rows[i].says, strlen(rows[i].says)) == 0;
        CU_ASSERT(says);
        if (!says) {
            printf("\n    %s\n    is: %s\n    wanted: %s\n", rows[i].line, err.msg, rows[i].says);
        }
    }
    struct err err = {0};
    CU_ASSERT_PTR_NULL(scan_text(deep, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "nested too deeply"));
}

// Keys that are like a path of ours, but are none.
static void test_keys_that_are_not_ours(void) {
    static const char line[] =
        HEAD "\"\":1,\"hos\":1,\"hostt\":1,\"host\0\":1,\"leg\":1,"
             "\"legs\":{\"\":1,\"client.tls\":1,\"x\":{}},\"legs.client\":1}";
    record_scan_plan_init(&plan, fields, ARRAY_LEN(fields));
    struct err err = {0};
    struct record *record = record_scan(line, sizeof(line) - 1, &plan, &err);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(record);
    CU_ASSERT_FALSE(obj_has(record->root, F_RECORD_HOST));
    record_free(record);
}

// Lines of the writer are read up to the last planned field; others to their end.
static void test_what_lies_behind(void) {
#define WRITERS "{\"@timestamp\":\"2026-11-20T21:19:03.120Z\",\"schema\":\"1.0\",\"id\":\"x\","
    static const enum field host[] = {F_RECORD_HOST};
    static const struct {
        const char *line;
        bool good;
    } rows[] = {
        {WRITERS "\"host\":\"a\",\"port\":1}", true},
        {WRITERS "\"host\":\"a\",\"port\":]}", true},
        {WRITERS "\"host\":\"a\",\"port\":]", false},
        {WRITERS "\"host\":],\"port\":1}", false},
        {WRITERS "\"mode\":[},\"host\":\"a\"}", false},
        {"{\"schema\":\"1.0\",\"id\":\"x\",\"host\":\"a\",\"port\":]}", false},
        {"{\"port\":1,\"host\":\"a\",\"schema\":\"1.0\",\"id\":\"x\"}", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {0};
        record_scan_plan_init(&plan, host, 1);
        struct record *record = record_scan(rows[i].line, strlen(rows[i].line), &plan, &err);
        CU_ASSERT_EQUAL(record != NULL, rows[i].good);
        CU_ASSERT_TRUE(record == NULL || obj_str_is(record->root, F_RECORD_HOST, "a"));
        record_free(record);
    }
}

static void test_id_of_a_line(void) {
    static const char *const none[] = {
        "",
        "{}",
        "{\"id\":\"x\"}",
        WRITERS,
        WRITERS "\"host\":\"a\"",
        "{\"@timestamp\":\"2026\",\"schema\":\"2.0\",\"id\":\"x\"}",
        "{\"@timestamp\":\"2026\",\"schema\":\"1.0\",\"id\":7}",
        "{\"@timestamp\":\"2026\",\"schema\":\"1.0\",\"id\":\"\\u0041\"}",
        "{\"@timestamp\":\"2026}",
    };
    struct span id;
    static const char line[] = WRITERS "\"host\":\"a\"}";
    CU_ASSERT_TRUE(record_scan_id(&id, line, strlen(line)));
    CU_ASSERT(id.len == 1 && *id.p == 'x');
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        CU_ASSERT_FALSE(record_scan_id(&id, none[i], strlen(none[i])));
    }
}

const struct unit_case unit_cases[] = {
    {"like a whole read", test_like_a_whole_read},
    {"any order, any space", test_any_order_and_space},
    {"a line cut anywhere is refused", test_cut_anywhere},
    {"errors", test_errors},
    {"keys that are not ours", test_keys_that_are_not_ours},
    {"what lies behind", test_what_lies_behind},
    {"id of a line", test_id_of_a_line},
    {NULL, NULL},
};
