#include "proxy/cli/probe.h"

#include <string.h>

#include "logs/base/check.h"
#include "proxy/cli/exit.h"
#include "tests/unit/proxy/cli/capture.h"
#include "tests/unit/unit.h"

static struct captured got;

#define RUN(...)                                                                                   \
    capture_run(&got, probe_main, (const char *const[]){"tlsblame probe", __VA_ARGS__, NULL})

static void test_help(void) {
    RUN("--help");
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "Exit status: 0 when nothing is wrong"));
    for (const char *line = got.out; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        CU_ASSERT_TRUE(len <= 80);
        line += len + 1;
    }
}

static void test_lists(void) {
    RUN("--factor", "help");
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "no-sni           without a server name\n"));
    RUN("--hello", "help");
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "chromium "));
}

static void test_usage(void) {
    static const char *const bad[][3] = {
        {"a", "b", NULL},
        {"a:0", NULL, NULL},
        {"--factor=zz", "a", NULL},
        {"--hello=zz", "a", NULL},
        {"--parent=a b", "a", NULL},
        {"--control=a b", "a", NULL},
        {"--address=a", "a", NULL},
        {"--timeout=0", "a", NULL},
        {"--color=zz", "a", NULL},
        {"--seed=0", "a", NULL},
        {"--policy=/nowhere", "a", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        RUN(bad[i][0], bad[i][1]);
        CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
        CU_ASSERT_TRUE(strlen(got.err) > 10);
    }
    RUN("--control=a", "--control=b", "--control=c", "--control=d", "x");
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "at most 3"));
    // The way to the parent is not the host's.
    RUN("--locate", "--parent", "http://a.example:3128", "a");
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "--locate"));
    capture_run(&got, probe_main, (const char *const[]){"tlsblame probe", NULL});
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
}

const struct unit_case unit_cases[] = {
    {"help", test_help},
    {"lists", test_lists},
    {"usage", test_usage},
    {NULL, NULL},
};
