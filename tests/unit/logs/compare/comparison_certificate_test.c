#include <string.h>

#include "tests/unit/logs/compare/legs.h"
#include "tests/unit/unit.h"

static struct legs_pair legs;

static struct obj *leaf(struct obj *leg) { return obj_at(leg, F_LEG_CHAIN, 0); }

static bool cert_is(const char *how) { return legs_pair_is(&legs, F_COMPARISON_CERT, how); }

static bool differs(void) { return legs_pair_is(&legs, F_COMPARISON_RESULT, "different"); }

static void compare(void) { legs_pair_compare(&legs, PAIR_RANDOM); }

// forge makes the leaf at A one of a box.
static void forge(void) {
    obj_set_str(leaf(legs.a), F_CERT_ISSUER, "CN=Box");
    obj_set_str(leaf(legs.a), F_CERT_SHA256, "b0");
}

static void test_re_signed(void) {
    legs_pair_begin(&legs);
    forge();
    obj_set_str(leaf(legs.a), F_CERT_SERIAL, "99");
    compare();
    CU_ASSERT(cert_is("re-signed") && differs());
    CU_ASSERT(obj_has_str(legs.out, F_COMPARISON_CERT_KEPT, "subject"));
    CU_ASSERT(obj_has_str(legs.out, F_COMPARISON_CERT_KEPT, "names"));
    CU_ASSERT(obj_has_str(legs.out, F_COMPARISON_CERT_KEPT, "not after"));
    CU_ASSERT_FALSE(obj_has_str(legs.out, F_COMPARISON_CERT_KEPT, "issuer"));
    CU_ASSERT_EQUAL(obj_num(legs.out, F_COMPARISON_CERT_CHANGED), 2);
    CU_ASSERT(legs_pair_differs(&legs, F_CERT_ISSUER) && legs_pair_differs(&legs, F_CERT_SERIAL));
    CU_ASSERT_FALSE(obj_has(legs.out, F_COMPARISON_FINDINGS));
    legs_pair_end(&legs);
}

// The issuer's name can be copied, its key cannot.
static void test_re_signed_with_the_issuers_name(void) {
    legs_pair_begin(&legs);
    obj_set_str(leaf(legs.a), F_CERT_SHA256, "b0");
    obj_set_str(leaf(legs.a), F_CERT_AKI, "bb");
    compare();
    CU_ASSERT(cert_is("re-signed"));
    obj_set_str(leaf(legs.a), F_CERT_AKI, "aa");
    compare(); // renewed by the same authority
    CU_ASSERT(cert_is("other") && differs());
    legs_pair_end(&legs);
}

static void test_another_one(void) {
    legs_pair_begin(&legs);
    forge();
    obj_set_str(leaf(legs.a), F_CERT_SUBJECT, "CN=blocked.test");
    obj_unset(leaf(legs.a), F_CERT_SANS);
    obj_set_str(leaf(legs.a), F_CERT_SERIAL, "99");
    compare();
    CU_ASSERT(cert_is("other") && differs());
    obj_add_str(leaf(legs.a), F_CERT_SANS, "b.test", 6);
    obj_add_str(leaf(legs.a), F_CERT_SANS, "a.test", 6);
    compare();
    CU_ASSERT(cert_is("re-signed"));
    legs_pair_end(&legs);
}

static void test_hidden_expiry(void) {
    legs_pair_begin(&legs);
    int64_t now = legs.sides[0].time_ms / 1000;
    forge();
    obj_set_int(leaf(legs.b), F_CERT_NOT_AFTER, now - 1);
    compare();
    CU_ASSERT(legs_pair_found(&legs, "hidden-expiry"));
    obj_set_int(leaf(legs.a), F_CERT_NOT_AFTER, now - 1); // a box that mirrors the defect
    compare();
    CU_ASSERT(cert_is("re-signed") && !legs_pair_found(&legs, "hidden-expiry"));
    obj_set_int(leaf(legs.b), F_CERT_NOT_AFTER, now);
    compare();
    CU_ASSERT_FALSE(legs_pair_found(&legs, "hidden-expiry"));
    legs_pair_end(&legs);
}

static void test_other_hidden_defects(void) {
    legs_pair_begin(&legs);
    forge();
    obj_set_int(leaf(legs.b), F_CERT_NOT_BEFORE, legs.sides[0].time_ms / 1000 + 10);
    obj_set_int(leaf(legs.b), F_CERT_SELF_SIGNED, 1);
    compare();
    CU_ASSERT(legs_pair_found(&legs, "hidden-not-yet-valid"));
    CU_ASSERT(legs_pair_found(&legs, "hidden-self-signed"));
    CU_ASSERT_FALSE(legs_pair_found(&legs, "hidden-expiry"));
    legs_pair_end(&legs);
}

static void test_the_rest_of_the_chain(void) {
    legs_pair_begin(&legs);
    compare();
    CU_ASSERT(cert_is("same") && !differs());
    obj_set_str(obj_add(legs.b, F_LEG_CHAIN), F_CERT_SHA256, "1");
    compare();
    CU_ASSERT(cert_is("same") && differs() && legs_pair_found(&legs, "chain-changed"));
    obj_set_str(obj_add(legs.a, F_LEG_CHAIN), F_CERT_SHA256, "2");
    compare();
    CU_ASSERT(legs_pair_found(&legs, "chain-changed"));
    legs_pair_end(&legs);
}

static void test_not_seen(void) {
    legs_pair_begin(&legs);
    obj_unset(legs.b, F_LEG_CHAIN);
    obj_set_str(legs.b, F_LEG_TLS_VERSION, "1.3");
    compare();
    CU_ASSERT(cert_is("missing-b"));
    CU_ASSERT_PTR_NOT_NULL(strstr(obj_str(legs.out, F_COMPARISON_CERT_SAYS), "key log"));
    obj_unset(legs.a, F_LEG_CHAIN);
    obj_set_str(legs.b, F_LEG_TLS_VERSION, "1.2");
    obj_set_str(legs.a, F_LEG_TLS_VERSION, "1.2");
    compare();
    CU_ASSERT(cert_is("not-seen") && !differs());
    CU_ASSERT_PTR_NULL(strstr(obj_str(legs.out, F_COMPARISON_CERT_SAYS), "key log"));
    legs_pair_end(&legs);
    legs_pair_begin(&legs);
    obj_unset(legs.a, F_LEG_CHAIN);
    compare();
    CU_ASSERT(cert_is("missing-a") && !differs());
    legs_pair_end(&legs);
}

const struct unit_case unit_cases[] = {
    {"re-signed", test_re_signed},
    {"re-signed with the issuer's name", test_re_signed_with_the_issuers_name},
    {"another one", test_another_one},
    {"hidden expiry", test_hidden_expiry},
    {"other hidden defects", test_other_hidden_defects},
    {"the rest of the chain", test_the_rest_of_the_chain},
    {"not seen", test_not_seen},
    {NULL, NULL},
};
