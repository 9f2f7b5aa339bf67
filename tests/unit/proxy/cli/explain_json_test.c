#include <jansson.h>
#include <string.h>

#include "logs/base/check.h"
#include "policy/verdict/verdict.h"
#include "proxy/cli/explain_page.h"
#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

static json_t *root;

// load takes what was written, and returns whether it is JSON.
static bool load(struct buf *out, bool whole) {
    root = whole ? json_loadb((const char *)buf_data(out), out->len, 0, NULL) : NULL;
    buf_cleanup(out);
    return root != NULL;
}

static bool is(const char *key, const char *value) {
    const char *seen = json_string_value(json_object_get(root, key));
    return seen != NULL && strcmp(seen, value) == 0;
}

static void test_causes(void) {
    for (enum cause cause = 0; cause < CAUSE_COUNT; cause++) {
        struct buf out;
        buf_init(&out, 64 * 1024);
        bool whole = explain_cause_json(&out, cause);
        CU_ASSERT_FATAL(load(&out, whole));
        CU_ASSERT(is("cause", cause_row(cause)->id));
        CU_ASSERT(is("client_leg", manual_row(cause)->client));
        json_t *seen = json_object_get(root, "seen");
        CU_ASSERT_EQUAL(json_object_size(seen), cause_row(cause)->number == 0 ? 0 : 3);
        CU_ASSERT(json_is_object(json_object_get(root, "remedies")));
        json_decref(root);
    }
}

static void test_list(void) {
    struct buf out;
    buf_init(&out, 1024 * 1024);
    bool whole = explain_list_json(&out);
    CU_ASSERT_FATAL(load(&out, whole));
    CU_ASSERT_EQUAL_FATAL(json_array_size(root), 119);
    for (size_t i = 0; i < 119; i++) {
        json_t *number = json_object_get(json_array_get(root, i), "number");
        CU_ASSERT_EQUAL(json_integer_value(number), (json_int_t)i + 1);
    }
    json_decref(root);
}

static void write_record(const char *lines) {
    struct buf out;
    struct record *record = case_record(BASE_shown, lines);
    if (!obj_has(record->root, F_RECORD_VERDICT)) {
        verdict_decide(record->root);
    }
    buf_init(&out, 64 * 1024);
    bool whole = explain_record_json(&out, record->root);
    CU_ASSERT_FATAL(load(&out, whole));
    record_free(record);
}

static void test_record(void) {
    write_record("id 5ca1ab1e; c.alert client certificate 48");
    CU_ASSERT(is("id", "5ca1ab1e") && is("host", "shop.example.test"));
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(root, "port")), 443);
    json_t *said = json_object_get(root, "client_said");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(said, "alert")), 48);
    CU_ASSERT(json_array_size(json_object_get(said, "senders")) > 0);
    json_t *manual = json_object_get(root, "manual");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(manual, "cause")),
                           "proxy-ca-not-installed");
    json_decref(root);
    write_record("-id; -host; -port; c.end.how fin");
    CU_ASSERT(json_object_get(root, "id") == NULL);
    said = json_object_get(root, "client_said");
    CU_ASSERT(json_is_true(json_object_get(said, "closed")));
    json_decref(root);
}

static void test_foreign_verdict(void) {
    write_record("verdict.party server; verdict.cause new-one; c.end.by server");
    CU_ASSERT(json_object_get(root, "manual") == NULL);
    CU_ASSERT(json_object_get(root, "client_said") == NULL);
    json_decref(root);
}

static void test_ceiling(void) {
    struct buf out;
    buf_init(&out, 1000);
    CU_ASSERT(!explain_list_json(&out));
    buf_cleanup(&out);
}

const struct unit_case unit_cases[] = {
    {"causes", test_causes},   {"list", test_list},
    {"record", test_record},   {"a foreign verdict", test_foreign_verdict},
    {"ceiling", test_ceiling}, {NULL, NULL},
};
