#include "proxy/cli/run.h"

#include <string.h>

#include "logs/base/check.h"
#include "proxy/cli/exit.h"
#include "tests/unit/proxy/cli/capture.h"
#include "tests/unit/unit.h"

static struct captured got;

static void test_bad_usage(void) {
    // clang-format off
    static const struct { const char *argv[4], *says; } CASES[] = {
        {{"--nope"}, "unrecognized option '--nope'"},
        {{"-l", "nowhere"}, "nowhere"},
        {{"-l", "127.0.0.1:65536"}, "127.0.0.1:65536"},
        {{"--workers", "0"}, "--workers 0: expected a number from 1 to 64"},
        {{"--workers", "2x"}, "--workers 2x"},
        {{"--log-size", "0"}, "--log-size 0: expected a number from 1 to 16777216"},
        {{"--log-size", "1G"}, "--log-size 1G"},
        {{"--log-keep", "1000"}, "--log-keep 1000: expected a number from 1 to 999"},
        {{"--max-connections", "-1"}, "--max-connections -1: expected a number from 1 to 1000000"},
        {{"--timeout", "0"}, "--timeout 0: expected seconds"},
        {{"--timeout", "nan"}, "--timeout nan"},
        {{"--color", "blue"}, "--color takes auto, always or never, not blue"},
        {{"curl"}, "unexpected argument 'curl'; a command stands behind --"},
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        const char *const *argv = CASES[i].argv;
        capture_run(&got, run_main, (const char *const[]){"run", argv[0], argv[1], argv[2], NULL});
        CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(got.err, CASES[i].says));
        CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "'tlsblame run --help' tells more\n"));
        CU_ASSERT_STRING_EQUAL(got.out, "");
    }
}

static void test_help(void) {
    capture_run(&got, run_main, (const char *const[]){"run", "--help", NULL});
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_EQUAL(strncmp(got.out, "usage: tlsblame run ", 20), 0);
    CU_ASSERT_STRING_EQUAL(got.err, "");
}

const struct unit_case unit_cases[] = {
    {"bad usage", test_bad_usage},
    {"help", test_help},
    {NULL, NULL},
};
