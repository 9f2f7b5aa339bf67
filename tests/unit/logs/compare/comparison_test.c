#include "tests/unit/logs/compare/legs.h"
#include "tests/unit/unit.h"

static struct legs_pair legs;

static bool same(void) { return legs_pair_is(&legs, F_COMPARISON_RESULT, "same"); }

static void test_the_same(void) {
    legs_pair_begin(&legs);
    legs_pair_compare(&legs, PAIR_RANDOM);
    CU_ASSERT(same());
    CU_ASSERT_EQUAL(obj_num(legs.out, F_COMPARISON_DIFFERENCES), 0);
    CU_ASSERT(legs_pair_is(&legs, F_COMPARISON_PAIRED_BY, "client-random"));
    CU_ASSERT(legs_pair_is(&legs, F_COMPARISON_PAIRED_SAYS, pair_reason_says(PAIR_RANDOM)));
    legs_pair_end(&legs);
}

static void test_one_field(void) {
    legs_pair_begin(&legs);
    obj_add_str(legs.b, F_LEG_OFFER_ALPN, "http/1.1", 8);
    legs_pair_compare(&legs, PAIR_RANDOM);
    CU_ASSERT(!same() && legs_pair_differs(&legs, F_LEG_OFFER_ALPN));
    CU_ASSERT_EQUAL(obj_num(legs.out, F_COMPARISON_DIFFERENCES), 1);
    const struct obj *change = obj_at(legs.out, F_COMPARISON_DIFFERENCES, 0);
    CU_ASSERT(obj_num(change, F_CHANGE_A) == 1 && obj_num(change, F_CHANGE_B) == 2);
    CU_ASSERT(obj_has_str(change, F_CHANGE_B, "http/1.1"));
    CU_ASSERT(obj_str_is(change, F_CHANGE_HOW, "changed"));
    legs_pair_end(&legs);
}

static void test_grease_and_order_are_no_difference(void) {
    legs_pair_begin(&legs);
    obj_set_codes(legs.a, F_LEG_OFFER_CIPHERS, (const uint16_t[]){0x0a0a, 0x1301}, 2);
    obj_set_codes(legs.b, F_LEG_OFFER_CIPHERS, (const uint16_t[]){0x1a1a, 0x1301}, 2);
    obj_set_codes(legs.b, F_LEG_OFFER_EXTENSIONS, (const uint16_t[]){16, 0}, 2);
    legs_pair_other_hello(&legs);
    legs_pair_compare(&legs, PAIR_NAME);
    CU_ASSERT(same() && legs_pair_is(&legs, F_COMPARISON_HELLO, "alike"));
    obj_set_codes(legs.b, F_LEG_OFFER_CIPHERS, (const uint16_t[]){0x1a1a}, 1);
    legs_pair_compare(&legs, PAIR_NAME);
    CU_ASSERT(!same() && legs_pair_differs(&legs, F_LEG_OFFER_CIPHERS));
    legs_pair_end(&legs);
}

static void test_alone(void) {
    struct arena arena = {0};
    struct obj *out = obj_new(&arena, KIND_COMPARISON);
    comparison_alone(out, false);
    CU_ASSERT(obj_str_is(out, F_COMPARISON_RESULT, "only-a"));
    comparison_alone(out, true);
    CU_ASSERT(obj_str_is(out, F_COMPARISON_RESULT, "only-b"));
    arena_cleanup(&arena);
}

static void test_same_random(void) {
    legs_pair_begin(&legs);
    CU_ASSERT(comparison_same_random(&legs.sides[0].hello, &legs.sides[1].hello));
    legs_pair_other_hello(&legs);
    CU_ASSERT_FALSE(comparison_same_random(&legs.sides[0].hello, &legs.sides[1].hello));
    struct hello_parts none = {.num_extensions = 0};
    CU_ASSERT_FALSE(comparison_same_random(&none, &none));
    legs_pair_end(&legs);
}

const struct unit_case unit_cases[] = {
    {"the same", test_the_same},
    {"one field", test_one_field},
    {"GREASE and order are no difference", test_grease_and_order_are_no_difference},
    {"one side alone", test_alone},
    {"the same random", test_same_random},
    {NULL, NULL},
};
