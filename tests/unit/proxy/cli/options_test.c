#include "proxy/cli/options.h"

#include <stdio.h>
#include <string.h>

#include "logs/base/check.h"
#include "proxy/cli/exit.h"
#include "tests/unit/proxy/cli/capture.h"
#include "tests/unit/unit.h"

// command prints what it has read, as it runs in a process of its own.
static int command(int argc, char **argv) {
    bool flag = false;
    const char *text = "";
    size_t width = 0, limit = 0;
    struct option_list list = {.num = 0};
    const struct option_row rows[] = {
        {.name = "flag", .letter = 'f', .kind = OPTION_FLAG, .out = &flag},
        {.name = "text", .letter = 't', .kind = OPTION_TEXT, .out = &text},
        {.name = "width", .kind = OPTION_NUMBER, .out = &width, .min = 60, .max = 1000},
        {.name = "limit", .kind = OPTION_NUMBER, .out = &limit, .min = 1},
        {.name = "item", .letter = 'i', .kind = OPTION_LIST, .out = &list},
    };
    int rest, status = options_read(&rest, "try", "help\n", rows, ARRAY_LEN(rows), argc, argv);
    if (status != -1) {
        return status;
    }
    printf("%d %s %zu %zu %d", flag, text, width, limit, rest);
    for (size_t i = 0; i < list.num; i++) {
        printf(" %s", list.items[i]);
    }
    return 0;
}

static struct captured got;

#define RUN(...) capture_run(&got, command, (const char *const[]){"try", __VA_ARGS__, NULL})

static void test_all_forms(void) {
    RUN("-ft", "a", "--width=60", "--limit", "18446744073709551615", "rest", "--flag");
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_STRING_EQUAL(got.out, "1 a 60 18446744073709551615 7");
    RUN("--text", "", "--", "-f");
    CU_ASSERT_STRING_EQUAL(got.out, "0  0 0 4");
    RUN("x");
    CU_ASSERT_STRING_EQUAL(got.out, "0  0 0 1");
}

static void test_list(void) {
    RUN("-i", "a", "--item=b", "-ic");
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_STRING_EQUAL(got.out, "0  0 0 5 a b c");
    const char *argv[2 * OPTION_LIST_MAX + 4] = {"try"};
    for (size_t i = 0; i <= OPTION_LIST_MAX; i++) {
        argv[1 + 2 * i] = "-i";
        argv[2 + 2 * i] = "x";
    }
    capture_run(&got, command, argv);
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "--item can be given 64 times"));
}

static void test_help(void) {
    RUN("-f", "-h");
    CU_ASSERT(got.status == 0 && strcmp(got.out, "help\n") == 0);
    RUN("--help", "--nonsense");
    CU_ASSERT(got.status == 0 && strcmp(got.out, "help\n") == 0);
}

static void test_wrong(void) {
    static const char *const numbers[] = {"59",  "1001", "",    "-70",
                                          " 70", "70x",  "+70", "18446744073709551686"};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        RUN("--width", numbers[i]);
        CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "--width takes a number from 60 to 1000, not "));
    }
    RUN("--limit", "0");
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "--limit takes a number from 1, not 0"));
    RUN("--nonsense");
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "nonsense"));
    RUN("-x");
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    RUN("--text");
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
}

const struct unit_case unit_cases[] = {
    {"long, short and joined forms", test_all_forms},
    {"an option that is repeated", test_list},
    {"help comes before what is wrong", test_help},
    {"what is wrong is said", test_wrong},
    {NULL, NULL},
};
