#include "proxy/cli/lab.h"

#include <string.h>

#include "logs/base/check.h"
#include "proxy/cli/exit.h"
#include "tests/unit/proxy/cli/capture.h"
#include "tests/unit/unit.h"

// The whole of it is played by tests/lab/lab_test.py.
static struct captured got;

#define RUN(...) capture_run(&got, lab_main, (const char *const[]){"lab", __VA_ARGS__, NULL})

static void test_some(void) {
    RUN("expired", "healthy");
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_STRING_EQUAL(got.err, "");
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "\nexpired              server: server-cert-expired "));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "\n2 of 2 verdicts are right, in "));
    CU_ASSERT_PTR_NULL(strchr(got.out, '\033')); // no terminal
}

static void test_list(void) {
    RUN("--list", "pinned", "--json");
    CU_ASSERT(got.status == 0 && strstr(got.out, "{\"scenario\":\"pinned\",") == got.out);
    RUN("--list");
    CU_ASSERT(got.status == 0 && strstr(got.out, "healthy ") == got.out);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "\nno-such-host "));
}

static void test_bad_usage(void) {
    static const char *const wrong[] = {"nothing-of-the-kind", "--color=red", "--keep",
                                        "--no-such"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        RUN(wrong[i]);
        CU_ASSERT(got.status == EXIT_USAGE && got.out[0] == '\0');
        CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "'tlsblame lab --help' tells more"));
    }
}

static void test_no_folder(void) {
    RUN("--keep", "/proc/no-such-folder", "healthy");
    CU_ASSERT_EQUAL(got.status, EXIT_ENVIRONMENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "tlsblame lab: "));
}

const struct unit_case unit_cases[] = {
    {"some scenarios", test_some},
    {"list", test_list},
    {"bad usage", test_bad_usage},
    {"a folder that cannot be made", test_no_folder},
    {NULL, NULL},
};
