#include "proxy/cli/run_report.h"

#include <stdio.h>
#include <string.h>

#include "logs/record/record.h"
#include "tests/unit/unit.h"

static char text[256 * 1024];

// add gives `report` a connection to `host` whose verdict is `party`, or none for NULL.
static void add(struct run_report *report, const char *host, const char *party) {
    struct record *record = record_new();
    obj_set_str(record->root, F_RECORD_ID, "0123");
    obj_set_str(record->root, F_RECORD_HOST, host);
    obj_set_int(record->root, F_RECORD_PORT, 443);
    if (party != NULL) {
        struct obj *verdict = obj_sub(record->root, F_RECORD_VERDICT);
        obj_set_str(verdict, F_VERDICT_PARTY, party);
        obj_set_str(verdict, F_VERDICT_CAUSE, "a-cause");
        obj_set_str(verdict, F_VERDICT_CONFIDENCE, "certain");
        obj_set_str(verdict, F_VERDICT_SAYS, "It says so.");
        obj_set_str(verdict, F_VERDICT_REMEDY, "Mend it.");
    }
    run_report_add(report, record->root);
    record_free(record);
}

static struct run_report make(bool quiet, const char *log) {
    struct run_report report = {.log = log, .quiet = quiet, .width = 90};
    run_report_init(&report);
    return report;
}

static void finish(struct run_report *report, const char *no_proxy) {
    struct buf out;
    buf_init(&out, sizeof(text) - 1);
    run_report_write(&out, report, no_proxy);
    snprintf(text, sizeof(text), "%.*s", (int)out.len,
             out.len != 0 ? (const char *)buf_data(&out) : "");
    buf_cleanup(&out);
    run_report_cleanup(report);
}

static size_t count(const char *wanted) {
    size_t num = 0;
    for (const char *at = text; (at = strstr(at, wanted)) != NULL; at++) {
        num++;
    }
    return num;
}

static void test_failures_are_told_in_brief(void) {
    struct run_report report = make(false, NULL);
    add(&report, "good.test", "none");
    add(&report, "bad.test", "server");
    finish(&report, NULL);
    CU_ASSERT_PTR_EQUAL(strstr(text, "\ntlsblame: 2 connections, 1 failed\ntime (UTC) host "),
                        text);
    CU_ASSERT_EQUAL(count("good.test"), 1);
    CU_ASSERT_EQUAL(count("bad.test"), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n\nbad.test:443\n"
                                        "VERDICT     server: a-cause (certain)\n"
                                        "            It says so.\n"
                                        "  remedy    Mend it.\n"
                                        "  more      tlsblame show 0123\n"));
}

// What was found beside a connection that worked is told, and is no failure.
static void test_findings_are_no_failures(void) {
    struct run_report report = make(true, NULL);
    struct record *record = record_new();
    obj_set_str(record->root, F_RECORD_HOST, "odd.test");
    struct obj *verdict = obj_sub(record->root, F_RECORD_VERDICT);
    obj_set_str(verdict, F_VERDICT_PARTY, "box-in-front");
    obj_set_int(verdict, F_VERDICT_WORKED, true);
    run_report_add(&report, record->root);
    record_free(record);
    finish(&report, NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "tlsblame: 1 connection, 0 failed, 1 finding\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "VERDICT     worked; box-in-front: "));
}

static void test_another_log_is_named(void) {
    char log[200] = "", wanted[300];
    memset(log, 'a', sizeof(log) - 1);
    struct run_report report = make(false, log);
    add(&report, "bad.test", "server");
    finish(&report, NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "tlsblame: 1 connection, 1 failed\n"));
    snprintf(wanted, sizeof(wanted), "  more      tlsblame show --log %s 0123\n", log);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, wanted));
}

static void test_quiet(void) {
    struct run_report report = make(true, NULL);
    add(&report, "good.test", "none");
    add(&report, "odd.test", NULL);
    finish(&report, "x");
    CU_ASSERT_STRING_EQUAL(text, "");
    report = make(true, NULL);
    finish(&report, "x");
    CU_ASSERT_STRING_EQUAL(text, "");
    report = make(true, NULL);
    add(&report, "good.test", "none");
    add(&report, "bad.test", "server");
    finish(&report, NULL);
    CU_ASSERT_EQUAL(count("good.test"), 0);
    CU_ASSERT_EQUAL(count("bad.test"), 2);
}

static void test_no_connection(void) {
    struct run_report report = make(false, NULL);
    finish(&report, NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "no connection came through the proxy"));
    CU_ASSERT_PTR_NULL(strstr(text, "NO_PROXY"));
    report = make(false, NULL);
    finish(&report, "localhost,.test");
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "NO_PROXY is \"localhost,.test\""));
}

static void test_what_does_not_fit_is_counted(void) {
    enum { MANY = 20000 };
    struct run_report report = make(false, NULL);
    for (size_t i = 0; i < MANY; i++) {
        add(&report, "good.test", "none");
    }
    CU_ASSERT_EQUAL(report.num, MANY);
    CU_ASSERT(report.num_left_out > 0 && report.num_left_out < MANY);
    size_t left_out = report.num_left_out;
    struct buf out;
    char wanted[64];
    buf_init(&out, 2 * 1024 * 1024);
    run_report_write(&out, &report, NULL);
    snprintf(wanted, sizeof(wanted), "and %zu more: tlsblame list\n", left_out);
    CU_ASSERT_PTR_NOT_NULL(memmem(buf_data(&out), out.len, wanted, strlen(wanted)));
    buf_cleanup(&out);
    run_report_cleanup(&report);
}

const struct unit_case unit_cases[] = {
    {"findings are no failures", test_findings_are_no_failures},
    {"failures are told in brief", test_failures_are_told_in_brief},
    {"another log is named", test_another_log_is_named},
    {"quiet", test_quiet},
    {"no connection", test_no_connection},
    {"what does not fit is counted", test_what_does_not_fit_is_counted},
    {NULL, NULL},
};
