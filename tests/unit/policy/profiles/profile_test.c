#include "policy/profiles/profile.h"

#include "tests/unit/unit.h"

static void test_client_names(void) {
    CU_ASSERT_STRING_EQUAL(profile_client_name(PROFILE_CLIENT_CURL), "curl");
    CU_ASSERT_STRING_EQUAL(profile_client_name(PROFILE_NUM_CLIENTS - 1), "go");
}

const struct unit_case unit_cases[] = {
    {"client names", test_client_names},
    {NULL, NULL},
};
