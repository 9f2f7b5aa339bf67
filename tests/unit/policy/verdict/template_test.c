#include "policy/verdict/template.h"

#include <string.h>

#include "logs/base/check.h"
#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

// filled returns whether `text`, filled from a record, is `expected`.
static bool filled(enum base base, const char *lines, const char *text, const char *expected) {
    struct view view;
    struct buf out;
    struct record *record = case_record(base, lines);
    view_init(&view, record->root);
    buf_init(&out, TEMPLATE_MAX);
    template_fill(&out, &view, text);
    bool same = out.len == strlen(expected) && memcmp(buf_data(&out), expected, out.len) == 0;
    buf_cleanup(&out);
    record_free(record);
    return same;
}

static void test_values(void) {
    static const struct {
        enum base base;
        const char *lines, *text, *expected;
    } rows[] = {
        {BASE_shown, "", "no slot", "no slot"},
        {BASE_shown, "", "{host}:{port}", "shop.example.test:443"},
        {BASE_shown, "", "{client_versions} of {host}.", "TLS 1.3, TLS 1.2 of shop.example.test."},
        {BASE_shown, "", "{not_after}", "2027-01-15T08:00:00Z"},
        {BASE_shown, "", "{names}", "shop.example.test, www.example.test"},
        {BASE_shown, "s.chain[0].sans a,b,c,d,e", "{names}", "a, b, c and 2 more"},
        {BASE_shown, "c.alert client certificate 48", "{client_alert}", "unknown_ca (48)"},
        {BASE_shown, "c.alert client certificate 48; -c.alerts[0].name", "{client_alert}",
         "unknown_ca (48)"},
        {BASE_shown, "s.defect expired 0; s.defect wrong-host 0", "{defects}",
         "expired, wrong-host"},
        {BASE_hello, "s.alert server client_hello 40", "{server_alert}", "handshake_failure (40)"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CU_ASSERT(filled(rows[i].base, rows[i].lines, rows[i].text, rows[i].expected));
    }
}

// What was not seen gets words that stay true.
static void test_absent(void) {
    static const char *const rows[][2] = {
        {"{host} said {server_alert}", "the server said an alert"},
        {"for {names}, not {name}", "for other names, not the name asked for"},
        {"expired on {not_after}", "expired on its date"},
        {"{defects}", "reason unknown"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CU_ASSERT(filled(BASE_nothing, "", rows[i][0], rows[i][1]));
    }
}

static void test_ceiling(void) {
    struct view view;
    struct buf out;
    struct record *record = case_record(BASE_shown, "");
    view_init(&view, record->root);
    buf_init(&out, 8);
    template_fill(&out, &view, "on {host} and more");
    CU_ASSERT(out.len == 8 && memcmp(buf_data(&out), "on shop.", 8) == 0);
    buf_cleanup(&out);
    record_free(record);
}

static void test_check(void) {
    CU_ASSERT(template_check("nothing"));
    CU_ASSERT(template_check("{host} and {port}"));
    CU_ASSERT(!template_check("{hosts}"));
    CU_ASSERT(!template_check("{host"));
    CU_ASSERT(!template_check("{host} {}"));
}

const struct unit_case unit_cases[] = {
    {"values", test_values},
    {"absent", test_absent},
    {"ceiling", test_ceiling},
    {"check", test_check},
    {NULL, NULL},
};
