#include "proxy/cli/usage.h"

#include "proxy/cli/exit.h"
#include "tests/unit/proxy/cli/capture.h"
#include "tests/unit/unit.h"

static int say(int argc, char **argv) {
    return argc == 1 ? usage_hint(argv[0]) : usage_error(argv[0], "%s is wrong", argv[1]);
}

static void test_both(void) {
    struct captured got;
    capture_run(&got, say, (const char *const[]){"list", NULL});
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_STRING_EQUAL(got.err, "'tlsblame list --help' tells more\n");
    capture_run(&got, say, (const char *const[]){"list", "x", NULL});
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_STRING_EQUAL(got.err,
                           "tlsblame list: x is wrong\n'tlsblame list --help' tells more\n");
    CU_ASSERT_STRING_EQUAL(got.out, "");
}

const struct unit_case unit_cases[] = {
    {"error and hint", test_both},
    {NULL, NULL},
};
