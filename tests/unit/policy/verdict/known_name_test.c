#include "policy/verdict/known_name.h"

#include "tests/unit/unit.h"

static void domains(void) {
    CU_ASSERT_STRING_EQUAL(known_name_public_domain("www.Google.com"), "Google.com");
    CU_ASSERT_STRING_EQUAL(known_name_public_domain("google.com"), "google.com");
    CU_ASSERT_PTR_NULL(known_name_public_domain("notgoogle.com"));
    CU_ASSERT_PTR_NULL(known_name_public_domain("com"));
    CU_ASSERT_PTR_NULL(known_name_public_domain(""));
}

static void inspectors(void) {
    CU_ASSERT_STRING_EQUAL(known_name_inspector("CN=x, O=Fortinet"), "FortiGate");
    CU_ASSERT_PTR_NULL(known_name_inspector("CN=R11, O=Let's Encrypt"));
}

const struct unit_case unit_cases[] = {
    {"public domains", domains},
    {"inspectors", inspectors},
    {NULL, NULL},
};
