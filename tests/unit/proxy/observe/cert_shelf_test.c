#include "proxy/observe/cert_shelf.h"

#include <string.h>

#include "tests/unit/proxy/observe/flight.h"
#include "tests/unit/unit.h"

static void test_the_same_object_again(void) {
    const struct world *w = world_get();
    struct span der, again;
    struct shared_obj *first = cert_shelf_get(&der, pki_cbs(w->rsa));
    struct shared_obj *second = cert_shelf_get(&again, pki_cbs(w->rsa));
    CU_ASSERT_PTR_EQUAL(first, second);
    CU_ASSERT_PTR_EQUAL(der.p, again.p);
    CU_ASSERT(der.len == w->rsa->der_len && memcmp(der.p, w->rsa->der, der.len) == 0);
    CU_ASSERT(obj_str_is(first->obj, F_CERT_SUBJECT, "CN=" WORLD_HOST));
    struct shared_obj *other = cert_shelf_get(&again, pki_cbs(w->root));
    CU_ASSERT_PTR_NOT_EQUAL(first, other);
    CU_ASSERT(obj_is(other->obj, F_CERT_SELF_SIGNED, true));
    shared_obj_unref(first);
    shared_obj_unref(second);
    shared_obj_unref(other);
}

// Who takes another's place on the shelf does not take it from those who hold it.
static void test_a_place_is_taken(void) {
    const uint8_t a[] = {1, 9, 9}, b[] = {2, 9, 9};
    CBS cbs_a, cbs_b;
    CBS_init(&cbs_a, a, sizeof(a));
    CBS_init(&cbs_b, b, sizeof(b));
    struct span der_a, der_b, der_c;
    struct shared_obj *first = cert_shelf_get(&der_a, cbs_a);
    struct shared_obj *second = cert_shelf_get(&der_b, cbs_b);
    CU_ASSERT_PTR_NOT_EQUAL(first, second);
    CU_ASSERT(der_a.len == sizeof(a) && memcmp(der_a.p, a, sizeof(a)) == 0);
    CU_ASSERT(der_b.len == sizeof(b) && memcmp(der_b.p, b, sizeof(b)) == 0);
    CU_ASSERT(obj_has(first->obj, F_CERT_MALFORMED));
    struct shared_obj *third = cert_shelf_get(&der_c, cbs_a);
    CU_ASSERT_PTR_NOT_EQUAL(third, second);
    CU_ASSERT(der_c.len == sizeof(a) && memcmp(der_c.p, a, sizeof(a)) == 0);
    shared_obj_unref(first);
    shared_obj_unref(second);
    shared_obj_unref(third);
}

// An empty one and one that is too long for the shelf are made for whoever asks.
static void test_lengths_without_a_place(void) {
    static const uint8_t zeros[8192];
    static const size_t lens[] = {0, 1, sizeof(zeros)};
    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        CBS cbs;
        struct span der;
        CBS_init(&cbs, zeros, lens[i]);
        struct shared_obj *cert = cert_shelf_get(&der, cbs);
        CU_ASSERT_EQUAL(der.len, lens[i]);
        CU_ASSERT(obj_has(cert->obj, F_CERT_MALFORMED));
        shared_obj_unref(cert);
    }
}

// What a CA is limited to, and names that are neither hosts nor addresses.
static void test_names(void) {
    struct pki_cert *ca = pki_make((struct pki_options){
        .cn = "Limited CA",
        .name_constraints = "permitted;DNS:.inside.test,excluded;IP:192.0.2.0/255.255.255.0",
        .san = "DNS:a.test,IP:192.0.2.1,email:m@a.test,URI:spiffe://a.test/x",
    });
    struct span der;
    struct shared_obj *cert = cert_shelf_get(&der, pki_cbs(ca));
    CU_ASSERT(obj_is(cert->obj, F_CERT_NAME_CONSTRAINTS, true));
    CU_ASSERT(obj_has_str(cert->obj, F_CERT_PERMITTED_NAMES, ".inside.test"));
    CU_ASSERT(obj_has_str(cert->obj, F_CERT_EXCLUDED_NAMES, "192.0.2.0/24"));
    static const char *const sans[] = {"a.test", "192.0.2.1", "email:m@a.test",
                                       "URI:spiffe://a.test/x"};
    CU_ASSERT_EQUAL(obj_num(cert->obj, F_CERT_SANS), ARRAY_LEN(sans));
    for (size_t i = 0; i < ARRAY_LEN(sans); i++) {
        CU_ASSERT(obj_has_str(cert->obj, F_CERT_SANS, sans[i]));
    }
    shared_obj_unref(cert);
    pki_free(ca);
}

const struct unit_case unit_cases[] = {
    {"names", test_names},
    {"the same object again", test_the_same_object_again},
    {"a place is taken", test_a_place_is_taken},
    {"lengths without a place", test_lengths_without_a_place},
    {NULL, NULL},
};
