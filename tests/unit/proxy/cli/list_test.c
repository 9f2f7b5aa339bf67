#include "proxy/cli/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/base/check.h"
#include "proxy/cli/exit.h"
#include "tests/unit/proxy/cli/capture.h"
#include "tests/unit/unit.h"

// What needs files of its own is in tests/lab/log_test.py.
#define LIST "list", "--log", "tests/unit/logs/view/samples.ndjson"

static struct captured got;

static void run(const char *const *argv) { capture_run(&got, list_main, argv); }

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

static int num_lines(const char *text) {
    int num = 0;
    for (; *text != '\0'; text++) {
        num += *text == '\n';
    }
    return num;
}

static void test_all(void) {
    RUN(LIST);
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_STRING_EQUAL(got.err, "");
    CU_ASSERT_EQUAL(num_lines(got.out), 6);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "\n01hv6k5zzz0000000005 2026-11-20 21:21:00 plain"));
}

static void test_choices(void) {
    RUN(LIST, "--failed");
    CU_ASSERT(got.status == EXIT_FINDING && num_lines(got.out) == 4);
    RUN(LIST, "--failed", "--limit", "1");
    CU_ASSERT(got.status == EXIT_FINDING && num_lines(got.out) == 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "pinned.example.test"));
    RUN(LIST, "--host", "*.TEST", "--limit=3");
    CU_ASSERT(got.status == 0 && num_lines(got.out) == 4);
    RUN(LIST, "--host", "*.org", "--failed");
    CU_ASSERT(got.status == 0 && got.out[0] == '\0');
    RUN(LIST, "--json", "--limit=2");
    CU_ASSERT(got.status == 0 && num_lines(got.out) == 2 && got.out[0] == '{');
}

// A record that is broken inside is only found when it is read, and told once.
static void test_broken_inside(void) {
    static const char broken[] =
        "{\"@timestamp\":\"2026-11-20T21:19:03.120Z\",\"schema\":\"1.0\",\"id\":\"a\","
        "\"mode\":\"plain\",\"legs\":[}\n";
    const char *folder = getenv("TEST_TMPDIR");
    char path[512];
    snprintf(path, sizeof(path), "%s/list_test.ndjson", folder != NULL ? folder : "/tmp");
    FILE *f = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fputs(broken, f);
    fclose(f);
    static const char *const limits[] = {"--json", "--limit=1", "--limit=2"};
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        RUN("list", "--log", path, limits[i]);
        CU_ASSERT_EQUAL(got.status, 0);
        CU_ASSERT_STRING_EQUAL(got.out, "");
        CU_ASSERT_EQUAL(num_lines(got.err), 1);
        CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "list_test.ndjson:1: byte "));
    }
}

static void test_bad_usage(void) {
    static const char *const wrong[][3] = {
        {"--limit", "0"}, {"--limit", "-3"},  {"--limit", "3x"},
        {"--limit", ""},  {"--color", "red"}, {"--no-such"},
        {"ID"},           {"--log"},
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        run((const char *const[]){"list", wrong[i][0], wrong[i][1], NULL});
        CU_ASSERT(got.status == EXIT_USAGE && got.out[0] == '\0');
        CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "'tlsblame list --help' tells more"));
    }
}

const struct unit_case unit_cases[] = {
    {"all", test_all},
    {"choices", test_choices},
    {"broken inside", test_broken_inside},
    {"bad usage", test_bad_usage},
    {NULL, NULL},
};
