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

const struct unit_case unit_cases[] = {
    {"the same object again", test_the_same_object_again},
    {"a place is taken", test_a_place_is_taken},
    {"lengths without a place", test_lengths_without_a_place},
    {NULL, NULL},
};
