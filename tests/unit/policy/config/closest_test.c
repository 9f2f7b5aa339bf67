#include "policy/config/closest.h"

#include <stdlib.h>

#include "logs/base/check.h"
#include "tests/unit/unit.h"

static const char *closest_of(const char *word) {
    static const char *const names[] = {"hosts", "ports", "trust", "server_leg", "client_leg", "x"};
    struct closest closest = {.word = word};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        closest_offer(&closest, names[i]);
    }
    return closest.name;
}

static void test_close(void) {
    CU_ASSERT_STRING_EQUAL(closest_of("host"), "hosts");
    CU_ASSERT_STRING_EQUAL(closest_of("HOSTS"), "hosts");
    CU_ASSERT_STRING_EQUAL(closest_of("hoosts"), "hosts");
    CU_ASSERT_STRING_EQUAL(closest_of("hotss"), "hosts");
    CU_ASSERT_STRING_EQUAL(closest_of("prots"), "ports");
    CU_ASSERT_STRING_EQUAL(closest_of("serverleg"), "server_leg");
    CU_ASSERT_STRING_EQUAL(closest_of("clientLeg"), "client_leg");
    CU_ASSERT_STRING_EQUAL(closest_of("x"), "x");
}

static void test_not_close(void) {
    CU_ASSERT_PTR_NULL(closest_of(""));
    CU_ASSERT_PTR_NULL(closest_of("y"));
    CU_ASSERT_PTR_NULL(closest_of("verify"));
    CU_ASSERT_PTR_NULL(closest_of("hst_"));
    CU_ASSERT_PTR_NULL(closest_of("server_leg_server_leg_server_leg_server_leg"));
}

const struct unit_case unit_cases[] = {
    {"close", test_close},
    {"not close", test_not_close},
    {NULL, NULL},
};
