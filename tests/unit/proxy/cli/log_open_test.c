#include "proxy/cli/log_open.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/cli/exit.h"
#include "tests/unit/proxy/cli/capture.h"
#include "tests/unit/unit.h"

static struct captured got;

// open_main opens the log that is its argument, or the default one.
static int open_main(int argc, char **argv) {
    int status = 0;
    struct log_reader *reader = log_open(&status, "test", argc > 1 ? argv[1] : NULL);
    CHECK((reader != NULL) == (status == 0));
    log_reader_free(reader);
    return status;
}

static void run(const char *path) {
    capture_run(&got, open_main, (const char *const[]){"test", path, NULL});
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

static void test_broken_lines(void) {
    run("tests/unit/logs/view/healthy-80.txt");
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(got.err, "tlsblame test: tests/unit/logs/view/healthy-80.txt:1: skipped, not a"));
}

const struct unit_case unit_cases[] = {
    {"a log", test_a_log},
    {"no log", test_no_log},
    {"no default log", test_no_default_log},
    {"broken lines", test_broken_lines},
    {NULL, NULL},
};
