#include "proxy/cli/diff.h"

#include <string.h>

#include "proxy/cli/exit.h"
#include "tests/unit/proxy/cli/capture.h"
#include "tests/unit/proxy/cli/two_places.h"
#include "tests/unit/unit.h"

static struct captured got;

static void run(const char *const *argv) { capture_run(&got, diff_main, argv); }

#define RUN(...) run((const char *const[]){"diff", __VA_ARGS__, NULL})

static bool says(const char *text) { return strstr(got.out, text) != NULL; }

static const struct place_row front[] = {
    {"front1", 0, "one.test", 1, 0, .alpn = true},
    {"front2", 100, "two.test", 2, 3, .alpn = true},
    {NULL, 0, NULL, 0, 0, .alpn = false},
};
static const struct place_row back[] = {
    {"back1", 10, "one.test", 1, 0, .alpn = true},
    {"back2", 110, "two.test", 4, 0, .alpn = false},
    {NULL, 0, NULL, 0, 0, .alpn = false},
};

static void test_the_same(void) {
    place_log(place_path("front"), front);
    place_log(place_path("back"), back);
    RUN("--width", "160", place_path("front#1"), place_path("back"));
    CU_ASSERT(got.status == 0 && says("hello identical (client-random)"));
    CU_ASSERT_STRING_EQUAL(got.err, "");
    RUN(place_path("front"), place_path("front"));
    CU_ASSERT(got.status == 0 && says("2 the same, 0 different"));
}

static void test_different(void) {
    RUN(place_path("front"), place_path("back"));
    CU_ASSERT_EQUAL(got.status, EXIT_FINDING);
    CU_ASSERT(says("\ntwo.test\nA            front#2, server leg") && says("re-generated"));
    CU_ASSERT(says("ALPN offered      < h2\n"));
    CU_ASSERT(says("1 the same, 1 different, 0 on one side only; B saw hellos +0.010 s"));
    RUN(place_path("front"), place_path("back"), "--brief");
    CU_ASSERT(got.status == EXIT_FINDING && says("different two.test: front#2, server leg"));
    RUN("--log", place_path("front"), "front2");
    CU_ASSERT(got.status == EXIT_FINDING && says("they are the two legs of one record"));
}

static void test_one_side_only(void) {
    RUN(place_path("front#1"), place_path("back#2"));
    CU_ASSERT(got.status == EXIT_FINDING && says("you put them together"));
    place_log(place_path("one"), back + 1);
    RUN(place_path("front"), place_path("one"));
    CU_ASSERT(got.status == EXIT_FINDING && says("only-a    one.test: front#1\n"));
}

static void test_json(void) {
    RUN("--json", place_path("front"), place_path("back"));
    CU_ASSERT(got.status == EXIT_FINDING && strncmp(got.out, "{\"result\":\"same\"", 16) == 0);
    CU_ASSERT(says("\n{\"result\":\"different\",\"host\":\"two.test\",\"a\":{\"id\":\"front2\""));
    CU_ASSERT(says("\"field\":\"offer.alpn\",\"a\":[\"h2\"],\"kind\":\"absent\""));
    CU_ASSERT_EQUAL(got.out[strlen(got.out) - 1], '\n');
}

static void test_order(void) {
    RUN("--order", "apart", place_path("front#2"), place_path("front#2"));
    CU_ASSERT(got.status == 0 && says("client leg = ") && says("server leg = "));
    RUN("--order=in-line", place_path("front#2"), place_path("front#2"));
    CU_ASSERT(got.status == EXIT_FINDING && says("re-generated"));
}

static void test_the_window(void) {
    static const struct place_row late[] = {
        {"1", 0, "one.test", 1, 0, .alpn = true}, // says that the clocks agree
        {"2", 40000, "two.test", 5, 0, .alpn = false},
        {NULL, 0, NULL, 0, 0, .alpn = false},
    };
    place_log(place_path("late"), late);
    RUN(place_path("front"), place_path("late"), "--brief");
    CU_ASSERT(says("only-a    two.test") && says("only-b    two.test"));
    RUN(place_path("front"), place_path("late"), "--brief", "--window", "60");
    CU_ASSERT(says("different two.test") && !says("only-"));
}

static void test_trouble(void) {
    static const char *const wrong[][3] = {
        {"--window", "x", "a"},   {"--window", "-1", "a"},
        {"--order", "left", "a"}, {"--width", "59", "a"},
        {"--color", "red", "a"},  {"--no-such", "a"},
        {"a", "b", "c"},          {NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        run((const char *const[]){"diff", wrong[i][0], wrong[i][1], wrong[i][2], NULL});
        CU_ASSERT(got.status == EXIT_USAGE && got.out[0] == '\0');
        CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "'tlsblame diff --help' tells more"));
    }
    RUN(place_path("front#9"), place_path("back"));
    CU_ASSERT(got.status == EXIT_USAGE && strstr(got.err, "there is no #9") != NULL);
    RUN(place_path("front#1"));
    CU_ASSERT(got.status == EXIT_USAGE && strstr(got.err, "name a second record") != NULL);
    RUN("--help");
    CU_ASSERT(got.status == 0 && says("usage: tlsblame diff ") && says("Exit status"));
}

static void test_nothing(void) {
    place_log(place_path("none"), back + 2);
    RUN(place_path("none"), place_path("none"));
    CU_ASSERT(got.status == EXIT_USAGE && got.out[0] == '\0');
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "none holds no TLS connection\n"));
    RUN(place_path("none"));
    CU_ASSERT(got.status == EXIT_USAGE && got.out[0] == '\0');
    RUN(place_path("none"), place_path("front"));
    CU_ASSERT(got.status == EXIT_FINDING && says("0 the same, 0 different, 2 on one side only"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "none holds no TLS connection\n"));
}

static void test_color(void) {
    RUN("--color=always", place_path("front"), place_path("back"));
    CU_ASSERT(says("\x1b["));
    RUN(place_path("front"), place_path("back"));
    CU_ASSERT_FALSE(says("\x1b["));
}

const struct unit_case unit_cases[] = {
    {"the same", test_the_same},
    {"different", test_different},
    {"one side only", test_one_side_only},
    {"JSON", test_json},
    {"order", test_order},
    {"the window", test_the_window},
    {"trouble", test_trouble},
    {"nothing", test_nothing},
    {"colour", test_color},
    {NULL, NULL},
};
