#include <string.h>

#include "tests/unit/logs/compare/legs.h"
#include "tests/unit/unit.h"

static struct legs_pair legs;

static struct span bytes(const char *s) { return (struct span){(const uint8_t *)s, strlen(s)}; }

static bool hello_is(const char *how) { return legs_pair_is(&legs, F_COMPARISON_HELLO, how); }

static bool differs(void) { return legs_pair_is(&legs, F_COMPARISON_RESULT, "different"); }

static void compare(enum pair_reason reason) { legs_pair_compare(&legs, reason); }

static void test_identical(void) {
    legs_pair_begin(&legs);
    compare(PAIR_NAME);
    CU_ASSERT(hello_is("identical") && !differs());
    obj_set_int(legs.b, F_LEG_OFFER_RECORDS, 3);
    compare(PAIR_NAME);
    CU_ASSERT(hello_is("identical") && differs() && legs_pair_found(&legs, "hello-recut"));
    obj_unset(legs.b, F_LEG_OFFER_RECORDS);
    compare(PAIR_NAME);
    CU_ASSERT_FALSE(differs());
    legs_pair_end(&legs);
}

static void test_edited(void) {
    struct hello_parts *b = &legs.sides[1].hello;
    legs_pair_begin(&legs);
    b->message = bytes("random SESSION key-share name");
    b->session_id = bytes("SESSION");
    b->extensions[0].body = bytes("NAME");
    compare(PAIR_RANDOM);
    CU_ASSERT(hello_is("edited") && differs());
    CU_ASSERT_EQUAL(obj_num(legs.out, F_COMPARISON_HELLO_EDITED), 2);
    CU_ASSERT(obj_has_str(legs.out, F_COMPARISON_HELLO_EDITED, "the session id"));
    CU_ASSERT(obj_has_str(legs.out, F_COMPARISON_HELLO_EDITED, "server_name"));
    b->random = bytes("RANDOM");
    compare(PAIR_KEY_SHARE);
    CU_ASSERT(hello_is("edited"));
    CU_ASSERT(obj_has_str(legs.out, F_COMPARISON_HELLO_EDITED, "the client random"));
    legs_pair_end(&legs);
}

static void test_edited_order_counts(void) {
    struct hello_parts *b = &legs.sides[1].hello;
    legs_pair_begin(&legs);
    b->message = bytes("random session key-share h2 name");
    struct hello_extension first = b->extensions[0];
    b->extensions[0] = b->extensions[1];
    b->extensions[1] = first;
    compare(PAIR_RANDOM);
    CU_ASSERT(hello_is("edited"));
    CU_ASSERT_EQUAL(obj_num(legs.out, F_COMPARISON_HELLO_EDITED), 1);
    CU_ASSERT(obj_has_str(legs.out, F_COMPARISON_HELLO_EDITED, "the order of extensions"));
    legs_pair_end(&legs);
}

static void test_edited_where_nothing_has_a_name(void) {
    legs_pair_begin(&legs);
    legs.sides[1].hello.message = bytes("random session key-share name h2!");
    compare(PAIR_RANDOM);
    CU_ASSERT(hello_is("edited"));
    CU_ASSERT(obj_has_str(legs.out, F_COMPARISON_HELLO_EDITED, "bytes from offset 32 on"));
    legs_pair_end(&legs);
}

static void test_regenerated(void) {
    legs_pair_begin(&legs);
    legs_pair_other_hello(&legs);
    obj_set_str(legs.b, F_LEG_JA4, "t12");
    obj_set_str(legs.b, F_LEG_JA3, "33");
    compare(PAIR_NONCE);
    CU_ASSERT(hello_is("re-generated") && differs());
    CU_ASSERT(legs_pair_is(&legs, F_COMPARISON_HELLO_JA4, "t12"));
    CU_ASSERT(legs_pair_is(&legs, F_COMPARISON_HELLO_JA3, "33"));
    CU_ASSERT_PTR_NOT_NULL(strstr(obj_str(legs.out, F_COMPARISON_HELLO_SAYS), "same offer"));
    CU_ASSERT_PTR_NULL(strstr(obj_str(legs.out, F_COMPARISON_HELLO_SAYS), "if "));
    legs_pair_end(&legs);
}

// The same client may have connected twice: nobody is accused unless something differs.
static void test_alike(void) {
    legs_pair_begin(&legs);
    legs_pair_other_hello(&legs);
    compare(PAIR_NAMED);
    CU_ASSERT(hello_is("alike") && !differs());
    CU_ASSERT_FALSE(obj_has(legs.out, F_COMPARISON_HELLO_JA4));
    obj_add_code(legs.b, F_LEG_OFFER_CIPHERS, 0x1303);
    compare(PAIR_NAMED);
    CU_ASSERT(hello_is("re-generated") && differs());
    CU_ASSERT_PTR_NOT_NULL(strstr(obj_str(legs.out, F_COMPARISON_HELLO_SAYS), "if they are one"));
    obj_unset(legs.b, F_LEG_OFFER_CIPHERS);
    obj_set_codes(legs.b, F_LEG_OFFER_CIPHERS, (const uint16_t[]){0x1301, 0x1302}, 2);
    struct obj *leaf = obj_at(legs.a, F_LEG_CHAIN, 0);
    obj_set_str(leaf, F_CERT_ISSUER, "CN=Box");
    obj_set_str(leaf, F_CERT_SHA256, "b0");
    compare(PAIR_NAMED);
    CU_ASSERT(hello_is("re-generated"));
    legs_pair_end(&legs);
}

static void test_a_box_that_copies_the_random(void) {
    legs_pair_begin(&legs);
    legs_pair_other_hello(&legs);
    legs.sides[1].hello.random = bytes("random");
    compare(PAIR_RANDOM);
    CU_ASSERT(hello_is("re-generated") && legs_pair_found(&legs, "random-copied"));
    legs_pair_end(&legs);
}

static void test_missing(void) {
    legs_pair_begin(&legs);
    obj_unset(legs.b, F_LEG_OFFER_CIPHERS);
    compare(PAIR_NAME);
    CU_ASSERT(hello_is("missing-b") && differs());
    obj_unset(legs.a, F_LEG_OFFER_CIPHERS);
    compare(PAIR_NAME);
    CU_ASSERT(hello_is("not-seen") && !differs());
    obj_set_codes(legs.b, F_LEG_OFFER_CIPHERS, (const uint16_t[]){0x1301, 0x1302}, 2);
    compare(PAIR_NAME);
    CU_ASSERT(hello_is("missing-a") && differs());
    legs_pair_end(&legs);
}

static void test_what_it_means_for_a_certificate_nobody_saw(void) {
    legs_pair_begin(&legs);
    legs_pair_other_hello(&legs);
    obj_unset(legs.a, F_LEG_CHAIN);
    obj_unset(legs.b, F_LEG_CHAIN);
    compare(PAIR_NONCE);
    CU_ASSERT_PTR_NOT_NULL(strstr(obj_str(legs.out, F_COMPARISON_CERT_SAYS), "re-signed, unless"));
    compare(PAIR_LEGS);
    CU_ASSERT_PTR_NULL(strstr(obj_str(legs.out, F_COMPARISON_CERT_SAYS), "re-signed"));
    CU_ASSERT_PTR_NOT_NULL(strstr(obj_str(legs.out, F_COMPARISON_HELLO_SAYS), "the proxy"));
    legs_pair_end(&legs);
}

const struct unit_case unit_cases[] = {
    {"identical", test_identical},
    {"edited", test_edited},
    {"edited: order counts", test_edited_order_counts},
    {"edited where nothing has a name", test_edited_where_nothing_has_a_name},
    {"re-generated", test_regenerated},
    {"alike", test_alike},
    {"a box that copies the random", test_a_box_that_copies_the_random},
    {"missing", test_missing},
    {"a certificate nobody saw", test_what_it_means_for_a_certificate_nobody_saw},
    {NULL, NULL},
};
