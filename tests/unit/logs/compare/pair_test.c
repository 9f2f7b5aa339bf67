#include "logs/compare/pair.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/unit.h"

enum { MAX = 16, WINDOW_US = 30 * 1000000 };

static struct pair_record as[MAX], bs[MAX];
static size_t num_as, num_bs, num_pairs;
static struct pair pairs[MAX];
static struct pair_clock ahead;

static void begin(void) {
    memset(as, 0, sizeof(as));
    memset(bs, 0, sizeof(bs));
    num_as = num_bs = 0;
}

// Records whose only key is their name, which began at `ms`.
static struct pair_record *a_at(uint64_t name, int64_t ms) {
    as[num_as] = (struct pair_record){.name = name, .start_us = ms * 1000};
    return &as[num_as++];
}

static struct pair_record *b_at(uint64_t name, int64_t ms) {
    bs[num_bs] = (struct pair_record){.name = name, .start_us = ms * 1000};
    return &bs[num_bs++];
}

static void lists(void) {
    num_pairs = pair_lists(pairs, &ahead, as, num_as, bs, num_bs, WINDOW_US);
}

static bool pair_is(size_t i, uint32_t a, uint32_t b, enum pair_reason reason) {
    return i < num_pairs && pairs[i].a == a && pairs[i].b == b && pairs[i].reason == reason;
}

static void test_keys(void) {
    CU_ASSERT_EQUAL(pair_key("", 0), 0);
    CU_ASSERT_EQUAL(pair_key(NULL, 0), 0);
    CU_ASSERT_NOT_EQUAL(pair_key("a", 1), 0);
    CU_ASSERT_NOT_EQUAL(pair_key("a", 1), pair_key("b", 1));
    CU_ASSERT_EQUAL(pair_key("ab", 2), pair_key("ab", 2));
}

static void test_nonces(void) {
    static const struct {
        const char *name;
        size_t len;
    } rows[] = {
        {"0123456789abcdef.probe.test", 16},
        {"7f3a9c2e1b4d5a6f8e.test", 18},
        {"0123456789ABCDEF.test", 16},
        {"0123456789abcde.test", 0},
        {"0123456789abcdef", 0},
        {"internationalization.test", 0},
        {"1234567890123456.test", 0},
        {"0123456789aBcdef.test", 0},
        {"r4---sn-0123456789ab.test", 0},
        {"", 0},
        {".test", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CU_ASSERT_EQUAL(pair_nonce_len(rows[i].name, strlen(rows[i].name)), rows[i].len);
    }
}

// The strongest key decides, even where a weaker one says otherwise.
static void test_strength(void) {
    begin();
    *a_at(1, 0) = (struct pair_record){.nonce = 70, .name = 1, .hellos[0].random = 5};
    *a_at(1, 0) = (struct pair_record){.hellos[1].random = 6, .hellos[0].session_id = 7};
    *a_at(1, 0) = (struct pair_record){.hellos[0].key_shares = {8, 9}};
    *a_at(1, 0) = (struct pair_record){.hellos[0].session_id = 10};
    *b_at(1, 0) = (struct pair_record){.hellos[0] = {.session_id = 10, .random = 5}};
    *b_at(1, 0) = (struct pair_record){.hellos[0].key_shares = {0, 0, 9, 11}};
    *b_at(1, 0) = (struct pair_record){.hellos[0].random = 6};
    *b_at(1, 0) = (struct pair_record){.nonce = 70, .name = 1};
    lists();
    CU_ASSERT_EQUAL(num_pairs, 4);
    CU_ASSERT(pair_is(0, 0, 3, PAIR_NONCE));
    CU_ASSERT(pair_is(1, 1, 2, PAIR_RANDOM));
    CU_ASSERT(pair_is(2, 2, 1, PAIR_KEY_SHARE));
    CU_ASSERT(pair_is(3, 3, 0, PAIR_SESSION_ID));
    CU_ASSERT(pair_is_certain(PAIR_RANDOM) && !pair_is_certain(PAIR_NAME));
}

static void test_a_nonce_used_twice_is_none(void) {
    begin();
    a_at(0, 0)->nonce = 70;
    b_at(0, 0)->nonce = 70;
    b_at(0, 0)->nonce = 70;
    lists();
    CU_ASSERT_EQUAL(num_pairs, 0);
}

static void test_names_go_by_time(void) {
    begin();
    a_at(1, 0); // its other side is missing
    a_at(1, 5000);
    a_at(2, 100);
    b_at(1, 5010);
    b_at(2, 110);
    b_at(3, 0);
    lists();
    CU_ASSERT(num_pairs == 2 && pair_is(0, 1, 0, PAIR_NAME) && pair_is(1, 2, 1, PAIR_NAME));
    CU_ASSERT(ahead.num == 1 && ahead.ahead_us == 10000);
}

static void test_clocks_that_differ(void) {
    begin();
    const int64_t ahead_ms = 3600 * 1000;
    for (int i = 0; i < 3; i++) {
        a_at(1 + (uint64_t)i, i * 100);
        b_at(1 + (uint64_t)i, ahead_ms + i * 100 + i);
    }
    a_at(9, 1000);
    a_at(9, 2000);
    b_at(9, ahead_ms + 2001);
    lists();
    CU_ASSERT_EQUAL(num_pairs, 4);
    CU_ASSERT(pair_is(3, 4, 3, PAIR_NAME));
    CU_ASSERT(ahead.num == 3 && ahead.ahead_us == ahead_ms * 1000 + 1000);
    CU_ASSERT_EQUAL(ahead.spread_us, 1000);
}

static void test_the_window(void) {
    begin();
    a_at(1, 0)->hellos[0].random = 3;
    b_at(1, 0)->hellos[0].random = 3; // says that the clocks agree
    a_at(2, 0);
    b_at(2, 29999);
    a_at(4, 0);
    b_at(4, 30001);
    lists();
    CU_ASSERT(num_pairs == 2 && pair_is(0, 0, 0, PAIR_RANDOM) && pair_is(1, 1, 1, PAIR_NAME));
}

static void test_nothing(void) {
    begin();
    lists();
    CU_ASSERT_EQUAL(num_pairs, 0);
    a_at(0, 0);
    b_at(0, 0);
    lists();
    CU_ASSERT(num_pairs == 0 && ahead.num == 0);
    CU_ASSERT_EQUAL(pair_within(pairs, as, 1, WINDOW_US), 0);
}

static void within(void) { num_pairs = pair_within(pairs, as, num_as, WINDOW_US); }

static void put(uint64_t name, int64_t ms, uint64_t client, uint64_t service) {
    a_at(name, ms)->place = (struct pair_place){client, service};
}

static void test_around_a_box(void) {
    begin();
    put(1, 0, 10, 8080); // two clients of one box
    put(1, 1, 11, 8080);
    put(1, 3, 20, 443);
    put(1, 4, 20, 443);
    within();
    CU_ASSERT(num_pairs == 2 && pair_is(0, 0, 2, PAIR_NAME) && pair_is(1, 1, 3, PAIR_NAME));
}

static void test_a_transparent_box(void) {
    begin();
    put(1, 0, 10, 443);
    put(1, 3, 20, 443);
    within();
    CU_ASSERT_EQUAL(num_pairs, 0); // two clients, as far as one can tell
    as[0].answer_us = 2999;
    within();
    CU_ASSERT_EQUAL(num_pairs, 0);
    as[0].answer_us = 3001; // it asked the server before it answered the client
    within();
    CU_ASSERT(num_pairs == 1 && pair_is(0, 0, 1, PAIR_NAME));
}

static void test_a_client_is_no_box(void) {
    begin();
    put(1, 0, 10, 443);
    put(1, 1, 10, 443);
    as[0].hellos[0].session_id = as[1].hellos[0].session_id = 5;
    within();
    CU_ASSERT_EQUAL(num_pairs, 0);
    as[1].place.service = 8443;
    within();
    CU_ASSERT(num_pairs == 1 && pair_is(0, 0, 1, PAIR_SESSION_ID));
    as[1].place.service = 443;
    as[0].hellos[1].random = as[1].hellos[0].random = 6;
    within();
    CU_ASSERT(num_pairs == 1 && pair_is(0, 0, 1, PAIR_RANDOM));
}

static void test_waiting_has_an_end(void) {
    begin();
    put(1, 0, 10, 443);
    put(1, 30001, 20, 443);
    within();
    CU_ASSERT_EQUAL(num_pairs, 0);
}

static int64_t seconds_of(size_t num) {
    struct pair_record *x = xcalloc(num, sizeof(*x)), *y = xcalloc(num, sizeof(*y));
    struct pair *out = xcalloc(num, sizeof(*out));
    for (size_t i = 0; i < num; i++) {
        x[i] = (struct pair_record){.name = 1, .hellos[0].session_id = 2};
        y[i] = (struct pair_record){.name = 1, .start_us = (int64_t)i};
    }
    clock_t before = clock();
    CU_ASSERT_EQUAL(pair_lists(out, &ahead, x, num, y, num, 0), 1);
    CU_ASSERT_EQUAL(pair_within(out, x, num, WINDOW_US), 0);
    int64_t seconds = (clock() - before) / CLOCKS_PER_SEC;
    free(x);
    free(y);
    free(out);
    return seconds;
}

static void test_many_of_one_name(void) { CU_ASSERT(seconds_of(200000) < 20); }

const struct unit_case unit_cases[] = {
    {"keys", test_keys},
    {"nonces", test_nonces},
    {"the strongest key decides", test_strength},
    {"a nonce used twice is none", test_a_nonce_used_twice_is_none},
    {"names go by time", test_names_go_by_time},
    {"clocks that differ", test_clocks_that_differ},
    {"the window", test_the_window},
    {"nothing to pair", test_nothing},
    {"around a box", test_around_a_box},
    {"a transparent box", test_a_transparent_box},
    {"a client is no box", test_a_client_is_no_box},
    {"waiting has an end", test_waiting_has_an_end},
    {"many of one name", test_many_of_one_name},
    {NULL, NULL},
};
