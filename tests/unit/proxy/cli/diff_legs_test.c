#include "proxy/cli/diff_legs.h"

#include "tests/unit/proxy/cli/two_places.h"
#include "tests/unit/unit.h"

static struct record *a, *b;
static struct diff_choice choices[DIFF_CHOICES];

// begin makes two records whose legs have these randoms.
static void begin(uint8_t client_a, uint8_t server_a, uint8_t client_b, uint8_t server_b) {
    a = place_record(&(struct place_row){"a", 0, "a.test", client_a, server_a, .alpn = false});
    b = place_record(&(struct place_row){"b", 0, "a.test", client_b, server_b, .alpn = false});
}

static void end(void) {
    record_free(a);
    record_free(b);
}

static size_t choose(enum diff_order order, bool near) {
    return diff_legs_choose(choices, a->root, b->root, order, near);
}

static bool first_is(bool server_a, bool server_b) {
    return choices[0].a == server_a && choices[0].b == server_b;
}

static void test_the_same_hello(void) {
    begin(1, 2, 2, 3);
    CU_ASSERT(choose(DIFF_AUTO, false) == 1 && first_is(true, false));
    end();
    begin(1, 2, 1, 3);
    CU_ASSERT(choose(DIFF_AUTO, true) == 1 && first_is(false, false));
    end();
    begin(1, 2, 3, 2);
    CU_ASSERT(choose(DIFF_AUTO, true) == 1 && first_is(true, true));
    CU_ASSERT(choose(DIFF_IN_LINE, true) == 1 && first_is(true, false));
    end();
}

static void test_one_leg_on_a_side(void) {
    begin(1, 2, 3, 0); // a capture behind the proxy
    CU_ASSERT(choose(DIFF_AUTO, false) == 1 && first_is(true, false));
    end();
    begin(1, 0, 2, 3); // a capture before it
    CU_ASSERT(choose(DIFF_AUTO, false) == 1 && first_is(false, false));
    CU_ASSERT(choose(DIFF_APART, false) == 1 && first_is(false, false));
    end();
}

static void test_a_tunnel_has_one_leg_of_tls(void) {
    begin(1, 0, 2, 0);
    obj_set_str(obj_sub(a->root, F_RECORD_LEG_SERVER), F_LEG_ADDRESS, "192.0.2.1");
    obj_set_str(obj_sub(b->root, F_RECORD_LEG_SERVER), F_LEG_ADDRESS, "192.0.2.1");
    CU_ASSERT(choose(DIFF_AUTO, true) == 1 && first_is(false, false));
    CU_ASSERT(choose(DIFF_APART, true) == 1 && first_is(false, false));
    end();
}

static void test_two_proxies(void) {
    begin(1, 2, 3, 4);
    CU_ASSERT(choose(DIFF_AUTO, true) == 1 && first_is(true, false));
    CU_ASSERT(choose(DIFF_AUTO, false) == 2 && first_is(false, false));
    CU_ASSERT(choices[1].a && choices[1].b);
    CU_ASSERT(choose(DIFF_IN_LINE, false) == 1 && first_is(true, false));
    CU_ASSERT_EQUAL(choose(DIFF_APART, true), 2);
    end();
}

static void test_certificates_tell(void) {
    begin(1, 2, 3, 4);
    obj_set_str(record_leg(a->root, true), F_LEG_LEAF_SHA256, "minted");
    obj_set_str(record_leg(b->root, false), F_LEG_LEAF_SHA256, "minted");
    CU_ASSERT(choose(DIFF_AUTO, false) == 1 && first_is(true, false));
    obj_set_str(record_leg(a->root, true), F_LEG_LEAF_SHA256, "real");
    obj_set_str(record_leg(b->root, true), F_LEG_LEAF_SHA256, "real");
    CU_ASSERT_EQUAL(choose(DIFF_AUTO, true), 2);
    end();
}

static void test_a_leg(void) {
    struct comparison_side side;
    struct arena arena = {0};
    begin(1, 0, 3, 4);
    diff_leg(&side, &arena, a->root, false);
    CU_ASSERT(side.leg == record_leg(a->root, false) && side.time_ms > 0);
    CU_ASSERT(side.hello.random.len == 32 && side.hello.random.p[0] == 1);
    diff_leg(&side, &arena, a->root, true);
    CU_ASSERT_PTR_NOT_NULL_FATAL(side.leg);
    CU_ASSERT(!obj_has(side.leg, F_LEG_OFFER_CIPHERS) && side.hello.random.len == 0);
    arena_cleanup(&arena);
    end();
}

const struct unit_case unit_cases[] = {
    {"the same hello", test_the_same_hello},
    {"one leg on a side", test_one_leg_on_a_side},
    {"a tunnel has one leg of TLS", test_a_tunnel_has_one_leg_of_tls},
    {"two proxies", test_two_proxies},
    {"certificates tell", test_certificates_tell},
    {"a leg", test_a_leg},
    {NULL, NULL},
};
