#include "proxy/cli/log_open.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/cli/exit.h"
#include "tests/unit/proxy/cli/capture.h"
#include "tests/unit/unit.h"

static struct captured got;
static char path[512];

// open_main opens the log that is its argument, or the default one.
static int open_main(int argc, char **argv) {
    int status = 0;
    struct log_reader *reader = log_open(&status, "test", argc > 1 ? argv[1] : NULL);
    CHECK((reader != NULL) == (status == 0));
    log_reader_free(reader);
    return status;
}

static void run(const char *log) {
    capture_run(&got, open_main, (const char *const[]){"test", log, NULL});
}

static void test_a_log(void) {
    run("tests/unit/logs/view/samples.ndjson");
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_STRING_EQUAL(got.err, "");
}

static void test_no_log(void) {
    run("/no/such/log");
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_STRING_EQUAL(got.err, "tlsblame test: cannot open the log /no/such/log: "
                                    "No such file or directory\n");
}

static void test_no_default_log(void) {
    setenv("XDG_STATE_HOME", "/no/such", 1);
    run(NULL);
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "nothing was recorded so far in /no/such/tlsblame/"));
    unsetenv("XDG_STATE_HOME");
    unsetenv("HOME");
    run(NULL);
    CU_ASSERT_EQUAL(got.status, EXIT_ENVIRONMENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "neither XDG_STATE_HOME nor HOME is set"));
}

// write_log writes `num` lines that are none, after `first` where that is a record.
static void write_log(const char *first, int num) {
    const char *folder = getenv("TEST_TMPDIR");
    snprintf(path, sizeof(path), "%s/log_open_test.ndjson", folder != NULL ? folder : "/tmp");
    FILE *f = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fputs(first, f);
    for (int i = 0; i < num; i++) {
        fputs("none\n", f);
    }
    fclose(f);
    run(path);
}

static const char record[] = "{\"@timestamp\":\"2026-11-20T21:19:03.120Z\",\"schema\":\"1.0\","
                             "\"id\":\"a\",\"mode\":\"plain\"}\n";

static size_t lines_of(const char *text) {
    size_t num = 0;
    for (; *text != '\0'; text++) {
        num += *text == '\n';
    }
    return num;
}

static void test_broken_lines(void) {
    write_log(record, 1);
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_EQUAL(lines_of(got.err), 1);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(got.err, "log_open_test.ndjson:2: skipped, not a record: byte 0"));
    write_log(record, 10);
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_EQUAL(lines_of(got.err), 10);
    write_log(record, 1000);
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_EQUAL(lines_of(got.err), 11);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "tlsblame test: 990 more lines of it are no records\n"));
}

static void test_something_else(void) {
    write_log("", 12);
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_EQUAL(lines_of(got.err), 12);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(got.err, "log_open_test.ndjson holds no record: a log is expected, "));
    write_log("", 0); // nothing was recorded yet
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_STRING_EQUAL(got.err, "");
}

const struct unit_case unit_cases[] = {
    {"a log", test_a_log},
    {"no log", test_no_log},
    {"no default log", test_no_default_log},
    {"broken lines", test_broken_lines},
    {"something else", test_something_else},
    {NULL, NULL},
};
