#include "proxy/probe/outcome.h"

#include <string.h>

#include "logs/base/check.h"
#include "logs/record/record.h"
#include "tests/unit/unit.h"

static struct record *record;
static struct obj *leg;

static void begin(const char *by, const char *how, const char *at) {
    record = record_new();
    leg = obj_sub(record->root, F_RECORD_LEG_SERVER);
    obj_set_int(leg, F_LEG_MS_CONNECT, 1000);
    obj_set_str(leg, F_LEG_END_BY, by);
    obj_set_str(leg, F_LEG_END_HOW, how);
    obj_set_str(leg, F_LEG_END_AT, at);
}

static void test_names(void) {
    static const struct {
        const char *by, *how, *at, *name;
        bool connected, answered, banner;
    } rows[] = {
        {"server", "fin", "hello", "closed", true, false, false},
        {"server", "rst", "hello", "reset", true, false, false},
        {"server", "timeout", "hello", "silent", true, false, false},
        {"server", "alert", "hello", "alert", true, false, false},
        {"proxy", "error", "hello", "not-tls", true, false, true},
        {"proxy", "error", "hello", "not-tls", true, false, false},
        {"server", "fin", "connect", "not-tls", true, false, true},
        {"proxy", "fin", "certificate", "answered", true, true, false},
        {"server", "rst", "answer", "broken-off", true, true, false},
        {"proxy", "error", "answer", "broken-off", true, true, false},
        {"server", "refused", "connect", "unreachable", false, false, false},
        {"network", "timeout", "connect", "unreachable", false, false, false},
        {"network", "dns", "dns", "unreachable", false, false, false},
        {"network", "refused", "front", "unreachable", true, false, false},
        {"proxy", "fin", "connect", "unfinished", false, false, false},
        {"proxy", "fin", "hello", "unfinished", true, false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        begin(rows[i].by, rows[i].how, rows[i].at);
        if (!rows[i].connected) {
            obj_unset(leg, F_LEG_MS_CONNECT);
        }
        if (rows[i].answered) {
            obj_set_bytes(leg, F_LEG_ANSWER_RAW, "x", 1);
        }
        if (rows[i].banner) {
            obj_set_str(leg, F_LEG_ANSWER_FIRST_KIND, "ssh");
        }
        CU_ASSERT_STRING_EQUAL(outcome_name(leg), rows[i].name);
        record_free(record);
    }
}

static void test_dates(void) {
    static const char good[] = "HTTP/1.1 200 OK\r\nServer: x\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT"
                               "\r\n\r\n";
    int64_t date = 0;
    CU_ASSERT_TRUE(outcome_date(&date, good, strlen(good)));
    CU_ASSERT_EQUAL(date, 784111777);
    static const char *const bad[] = {
        "",
        "HTTP/1.1 200 OK\r\nDate: yesterday\r\n\r\n",
        "Date: Sun, 06 Nov 1994 08:49:37 GMT",
        "HTTP/1.1 200 OK\r\n\r\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        CU_ASSERT_FALSE(outcome_date(&date, bad[i], strlen(bad[i])));
    }
}

static void test_words(void) {
    char text[128];
    begin("server", "alert", "hello");
    struct obj *alert = obj_add(leg, F_LEG_ALERTS);
    obj_set_str(alert, F_ALERT_FROM, "server");
    obj_set_str(alert, F_ALERT_NAME, "handshake_failure");
    outcome_write(text, sizeof(text), leg);
    CU_ASSERT_STRING_EQUAL(text, "alert handshake_failure");
    record_free(record);
    begin("proxy", "fin", "certificate");
    obj_set_bytes(leg, F_LEG_ANSWER_RAW, "x", 1);
    obj_set_str(leg, F_LEG_TLS_VERSION, "1.3");
    obj_set_int(leg, F_LEG_TLS_CURVE, 29);
    obj_set_str(leg, F_LEG_SUBJECT, "CN=\x1b[2J");
    outcome_write(text, sizeof(text), leg);
    CU_ASSERT_STRING_EQUAL(text, "TLS 1.3, x25519, CN=\\x1b[2J");
    obj_set_int(leg, F_LEG_TLS_ESTABLISHED, true);
    obj_unset(leg, F_LEG_END_BY);
    obj_set_str(leg, F_LEG_END_BY, "server");
    obj_set_str(leg, F_LEG_END_HOW, "alert");
    alert = obj_add(leg, F_LEG_ALERTS);
    obj_set_str(alert, F_ALERT_FROM, "server");
    obj_set_str(alert, F_ALERT_NAME, "certificate_required");
    CU_ASSERT_STRING_EQUAL(outcome_name(leg), "answered");
    outcome_write(text, sizeof(text), leg);
    CU_ASSERT_STRING_EQUAL(text, "TLS 1.3, x25519, CN=\\x1b[2J, then alert certificate_required");
    char little[8];
    outcome_write(little, sizeof(little), leg);
    CU_ASSERT_TRUE(strlen(little) < sizeof(little));
    record_free(record);
}

const struct unit_case unit_cases[] = {
    {"names", test_names},
    {"dates", test_dates},
    {"words", test_words},
    {NULL, NULL},
};
