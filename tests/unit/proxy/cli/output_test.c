#include "proxy/cli/output.h"

#include <stdio.h>

#include "proxy/cli/exit.h"
#include "tests/unit/proxy/cli/capture.h"
#include "tests/unit/unit.h"

static int say(int argc, char **argv) {
    struct buf out;
    buf_init(&out, 100);
    if (argc == 2 && freopen(argv[1], "w", stdout) == NULL) {
        return -1;
    }
    CHECK(buf_printf(&out, "words\n"));
    int status = output_write("list", &out);
    CHECK(out.data == NULL);
    return status;
}

static void test_write(void) {
    struct captured got;
    capture_run(&got, say, (const char *const[]){"list", NULL});
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_STRING_EQUAL(got.out, "words\n");
    capture_run(&got, say, (const char *const[]){"list", "/dev/full", NULL});
    CU_ASSERT_EQUAL(got.status, EXIT_ENVIRONMENT);
    CU_ASSERT_STRING_EQUAL(got.err, "tlsblame list: standard output: No space left on device\n");
}

const struct unit_case unit_cases[] = {
    {"write", test_write},
    {NULL, NULL},
};
