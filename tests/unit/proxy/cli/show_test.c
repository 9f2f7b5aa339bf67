#include "proxy/cli/show.h"

#include <string.h>

#include "logs/base/check.h"
#include "proxy/cli/exit.h"
#include "tests/unit/proxy/cli/capture.h"
#include "tests/unit/unit.h"

#define SHOW "show", "--log", "tests/unit/logs/view/samples.ndjson"

static struct captured got;

static void run(const char *const *argv) { capture_run(&got, show_main, argv); }

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

static bool begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

static void test_records(void) {
    RUN(SHOW);
    CU_ASSERT(got.status == 0 && begins(got.out, "plain.example.test:80\n"));
    RUN(SHOW, "01hv6k2m9q0000000001");
    CU_ASSERT(got.status == 0 && begins(got.out, "www.example.test:443\n"));
    RUN(SHOW, "01hv6k3", "--color=always");
    CU_ASSERT(got.status == EXIT_FINDING &&
              begins(got.out, "\x1b[1mold.example.test:443\x1b[0m\n"));
    RUN(SHOW, "01hv6k4q");
    CU_ASSERT(got.status == EXIT_FINDING);
    RUN(SHOW, "--json", "01hv6k3");
    CU_ASSERT(got.status == EXIT_FINDING && begins(got.out, "{\"@timestamp\":"));
    CU_ASSERT_STRING_EQUAL(got.err, "");
}

static void test_unknown_ids(void) {
    RUN(SHOW, "x");
    CU_ASSERT(got.status == EXIT_USAGE && got.out[0] == '\0');
    CU_ASSERT_STRING_EQUAL(got.err, "tlsblame show: the log holds no record \"x\"\n");
    RUN(SHOW, "0");
    CU_ASSERT(got.status == EXIT_USAGE && strstr(got.err, "5 ids in the log begin") != NULL);
}

static void test_bad_usage(void) {
    static const char *const wrong[][3] = {
        {"--width", "59"}, {"--width", "x"},   {"--width", "1001"}, {"--width", "-100"},
        {"--width", ""},   {"--color", "red"}, {"--no-such"},       {"a", "b"},
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        run((const char *const[]){"show", wrong[i][0], wrong[i][1], NULL});
        CU_ASSERT(got.status == EXIT_USAGE && got.out[0] == '\0');
        CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "'tlsblame show --help' tells more"));
    }
}

const struct unit_case unit_cases[] = {
    {"records", test_records},
    {"unknown ids", test_unknown_ids},
    {"bad usage", test_bad_usage},
    {NULL, NULL},
};
