#include "proxy/cli/diff_pairs.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/proxy/cli/two_places.h"
#include "tests/unit/unit.h"

enum { WINDOW_US = 30 * 1000000 };

static struct diff_side sides[2];
static struct diff_pairs pairs;
static struct err err;

static const struct place_row front[] = {
    {"f1", 0, "one.test", 1, 2, .alpn = true},
    {"f2", 100, "two.test", 3, 4, .alpn = true},
    {"f3", 200, "three.test", 5, 0, .alpn = true},
    {NULL, 0, NULL, 0, 0, .alpn = false},
};
static const struct place_row back[] = {
    {"b1", 99, "two.test", 4, 0, .alpn = true},
    {"b2", 210, "three.test", 6, 0, .alpn = true},
    {"b3", 300, "four.test", 7, 0, .alpn = true},
    {NULL, 0, NULL, 0, 0, .alpn = false},
};

// make pairs `a` with `b`, or with itself for NULL.
static bool make(const char *a, const char *b) {
    int status;
    struct diff_sources from = {.keys = key_log_new(0)};
    err = (struct err){0};
    CU_ASSERT_FATAL(diff_side_open(&sides[0], &status, a, &from));
    if (b != NULL) {
        CU_ASSERT_FATAL(diff_side_open(&sides[1], &status, b, &from));
    }
    key_log_free(from.keys);
    return diff_pairs_make(&pairs, sides, b != NULL, WINDOW_US, &err);
}

static void end(void) {
    diff_pairs_cleanup(&pairs);
    diff_side_cleanup(&sides[0]);
    diff_side_cleanup(&sides[1]);
}

static bool pair_is(size_t i, uint32_t a, uint32_t b) {
    return i < pairs.num && pairs.pairs[i].a == a && pairs.pairs[i].b == b;
}

static void test_two_lists(void) {
    place_log(place_path("front"), front);
    place_log(place_path("back"), back);
    CU_ASSERT_FATAL(make(place_path("front"), place_path("back")));
    CU_ASSERT(pairs.num == 4 && pair_is(0, 0, DIFF_NONE) && pair_is(1, 1, 0));
    CU_ASSERT(pairs.pairs[1].reason == PAIR_RANDOM);
    CU_ASSERT(pair_is(2, 2, 1) && pairs.pairs[2].reason == PAIR_NAME);
    CU_ASSERT(pair_is(3, DIFF_NONE, 2));
    CU_ASSERT_EQUAL(pairs.clock.ahead_us, -1000);
    end();
}

static void test_one_against_a_list(void) {
    CU_ASSERT_FATAL(make(place_path("front#2"), place_path("back")));
    CU_ASSERT(pairs.num == 1 && pair_is(0, 0, 0));
    end();
    CU_ASSERT_FATAL(make(place_path("front#1"), place_path("back")));
    CU_ASSERT(pairs.num == 1 && pair_is(0, 0, DIFF_NONE));
    end();
    CU_ASSERT_FATAL(make(place_path("front"), place_path("back#3")));
    CU_ASSERT(pairs.num == 1 && pair_is(0, DIFF_NONE, 0));
    end();
}

static void test_two_that_were_chosen(void) {
    CU_ASSERT_FATAL(make(place_path("front#1"), place_path("back#3")));
    CU_ASSERT(pairs.num == 1 && pair_is(0, 0, 0) && pairs.pairs[0].reason == PAIR_NAMED);
    end();
    CU_ASSERT_FATAL(make(place_path("front#2"), place_path("back#1")));
    CU_ASSERT(pairs.num == 1 && pair_is(0, 0, 0) && pairs.pairs[0].reason == PAIR_RANDOM);
    end();
}

static void test_within_a_log(void) {
    CU_ASSERT_FATAL(make(place_path("front"), NULL));
    CU_ASSERT(pairs.num == 3 && pair_is(0, 0, 0) && pair_is(1, 1, 1) && pair_is(2, 2, DIFF_NONE));
    CU_ASSERT(pairs.pairs[0].reason == PAIR_LEGS);
    end();
}

static void test_within_a_capture(void) {
    static const struct place_row box[] = {
        {"1", 0, "one.test", 1, 0, .port = 8443},
        {"2", 3, "one.test", 2, 0, .alpn = true},
        {"3", 5, "two.test", 3, 0, .alpn = true},
        {NULL, 0, NULL, 0, 0, .alpn = false},
    };
    place_capture(place_path("box.pcapng"), box);
    CU_ASSERT_FATAL(make(place_path("box.pcapng"), NULL));
    CU_ASSERT(pairs.num == 2 && pairs.pairs[0].reason == PAIR_NAME && pair_is(0, 0, 1));
    CU_ASSERT(pair_is(1, 2, DIFF_NONE));
    end();
}

static void test_nothing_to_pair(void) {
    place_capture(place_path("alone.pcapng"), back);
    CU_ASSERT_FALSE(make(place_path("alone.pcapng"), NULL));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "alone.pcapng holds no two legs"));
    end();
    CU_ASSERT_FALSE(make(place_path("front#3"), NULL));
    end();
    CU_ASSERT_FATAL(make(place_path("front#2"), NULL));
    CU_ASSERT(pairs.num == 1 && pair_is(0, 0, 0) && pairs.pairs[0].reason == PAIR_LEGS);
    end();
}

const struct unit_case unit_cases[] = {
    {"two lists", test_two_lists},
    {"one against a list", test_one_against_a_list},
    {"two that were chosen", test_two_that_were_chosen},
    {"within a log", test_within_a_log},
    {"within a capture", test_within_a_capture},
    {"nothing to pair", test_nothing_to_pair},
    {NULL, NULL},
};
