#include "policy/verdict/view.h"

#include "logs/base/check.h"
#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

static void test_answers(void) {
    static const struct {
        enum answer a, b, both, either;
    } rows[] = {
        {YES, YES, YES, YES},       {YES, NO, NO, YES},
        {NO, NO, NO, NO},           {YES, UNKNOWN, UNKNOWN, YES},
        {NO, UNKNOWN, NO, UNKNOWN}, {UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CU_ASSERT_EQUAL(answer_and(rows[i].a, rows[i].b), rows[i].both);
        CU_ASSERT_EQUAL(answer_and(rows[i].b, rows[i].a), rows[i].both);
        CU_ASSERT_EQUAL(answer_or(rows[i].a, rows[i].b), rows[i].either);
        CU_ASSERT_EQUAL(answer_or(rows[i].b, rows[i].a), rows[i].either);
    }
    CU_ASSERT_EQUAL(answer_not(UNKNOWN), UNKNOWN);
    CU_ASSERT_EQUAL(answer_not(answer_from(true)), NO);
}

static void test_legs(void) {
    static const struct {
        enum base base;
        const char *lines;
        enum mode mode;
        bool up_is_server, up_is_client, down_is_client;
    } rows[] = {
        {BASE_shown, "", MODE_INTERCEPT, true, false, true},
        {BASE_watched12, "", MODE_WIRE, false, true, true},
        {BASE_watched12, "mode import", MODE_WIRE, false, true, true},
        {BASE_probe, "", MODE_PROBE, true, false, false},
        {BASE_plain, "", MODE_PLAIN, false, false, true},
        {BASE_shown, "-mode", MODE_UNKNOWN, false, false, false},
        {BASE_shown, "mode something-new", MODE_UNKNOWN, false, false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct view view;
        struct record *record = case_record(rows[i].base, rows[i].lines);
        view_init(&view, record->root);
        CU_ASSERT_EQUAL(view.mode, rows[i].mode);
        CU_ASSERT_EQUAL(view.up != NULL && view.up == view.server, rows[i].up_is_server);
        CU_ASSERT_EQUAL(view.up != NULL && view.up == view.client, rows[i].up_is_client);
        CU_ASSERT_EQUAL(view.down != NULL && view.down == view.client, rows[i].down_is_client);
        record_free(record);
    }
}

static void test_steps(void) {
    static const struct {
        enum base base;
        const char *lines;
        enum leg_step up;
        enum answer answer, certificate;
    } rows[] = {
        {BASE_hello, "", LEG_HELLO, NO, NO},
        {BASE_hello, "-s.end.at", LEG_HELLO, UNKNOWN, UNKNOWN},
        {BASE_answered, "", LEG_ANSWER, YES, NO},
        {BASE_answered, "-s.end.at; -s.answer.version; -s.timing_ms.answer", LEG_ANSWER, YES,
         UNKNOWN},
        {BASE_answered, "s.end.at hello", LEG_ANSWER, YES, NO},
        {BASE_shown, "s.end.at hello", LEG_FINISHED, YES, YES},
        {BASE_ok, "-s.end.at", LEG_DATA, YES, YES},
        {BASE_hello, "-s", LEG_UNKNOWN, UNKNOWN, UNKNOWN},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct view view;
        struct record *record = case_record(rows[i].base, rows[i].lines);
        view_init(&view, record->root);
        CU_ASSERT_EQUAL(view.up_step, rows[i].up);
        CU_ASSERT_EQUAL(view_reached(view.up, view.up_step, LEG_ANSWER), rows[i].answer);
        CU_ASSERT_EQUAL(view_reached(view.up, view.up_step, LEG_CERTIFICATE), rows[i].certificate);
        record_free(record);
    }
}

// The ledger's first refusal counts; farewells and remarks are none.
static void test_alerts(void) {
    static const struct {
        const char *lines;
        int server, client, ours; // codes, -1: none
        bool doubt;
    } rows[] = {
        {"", -1, -1, -1, false},
        {"s.alert server client_hello 40; s.alert server client_hello 70", 40, -1, -1, false},
        {"s.alert server client_hello 112 warning; s.alert server client_hello 40", 40, -1, -1,
         false},
        {"s.alert server data 0 warning; c.alert client finished 48", -1, 48, -1, false},
        {"s.alert server data 0; s.alert server data 100", -1, -1, -1, false},
        {"c.alert client certificate 90 warning", -1, 90, -1, false},
        {"c.alert server hello 40; s.alert client certificate 51", -1, -1, 40, false},
        {"s.alert server client_hello 40; -s.alerts[0].from", -1, -1, -1, true},
        {"s.alert server client_hello 40; -s.alerts[0].code; -s.alerts[0].level; s.alert server "
         "client_hello 70",
         -2, -1, -1, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct view view;
        struct record *record = case_record(BASE_shown, rows[i].lines);
        view_init(&view, record->root);
        const struct obj *seen[] = {view.server_alert.obj, view.client_alert.obj,
                                    view.proxy_alert_down.obj};
        const int codes[] = {rows[i].server, rows[i].client, rows[i].ours};
        for (size_t k = 0; k < ARRAY_LEN(seen); k++) {
            CU_ASSERT_EQUAL(seen[k] != NULL, codes[k] != -1);
            CU_ASSERT(codes[k] < 0 || obj_is(seen[k], F_ALERT_CODE, codes[k]));
        }
        CU_ASSERT_EQUAL(view.server_alert.doubt, rows[i].doubt);
        record_free(record);
    }
}

// On the wire both peers stand on one leg, and nothing in its ledger is the proxy's.
static void test_wire_alerts(void) {
    struct view view;
    struct record *record = case_record(
        BASE_watched12, "c.alert server client_hello 40; c.alert client certificate 48");
    view_init(&view, record->root);
    CU_ASSERT(obj_is(view.server_alert.obj, F_ALERT_CODE, 40));
    CU_ASSERT(view.server_alert.sent == YES && view.client_alert.sent == YES);
    CU_ASSERT(obj_is(view.client_alert.obj, F_ALERT_CODE, 48));
    CU_ASSERT_PTR_NULL(view.proxy_alert_up.obj);
    CU_ASSERT_PTR_NULL(view.proxy_alert_down.obj);
    record_free(record);
}

const struct unit_case unit_cases[] = {
    {"answers", test_answers},
    {"legs", test_legs},
    {"steps", test_steps},
    {"alerts", test_alerts},
    {"alerts on the wire", test_wire_alerts},
    {NULL, NULL},
};
