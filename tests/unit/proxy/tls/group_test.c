#include "proxy/tls/group.h"

#include "tests/unit/unit.h"

static void test_shares(void) {
    CU_ASSERT_TRUE(group_share_fits(29, 32, true));
    CU_ASSERT_FALSE(group_share_fits(29, 33, true));
    CU_ASSERT_TRUE(group_share_fits(23, 65, false));
    CU_ASSERT_TRUE(group_share_fits(4588, 1216, true));
    CU_ASSERT_TRUE(group_share_fits(4588, 1120, false));
    CU_ASSERT_FALSE(group_share_fits(4588, 1216, false));
    CU_ASSERT_TRUE(group_share_fits(256, 256, true));
    CU_ASSERT_TRUE(group_share_fits(0x9999, 5, true)); // unknown
}

static void test_kem(void) {
    CU_ASSERT_EQUAL(group_kem(32), 0x0020);
    CU_ASSERT_EQUAL(group_kem(97), 0x0011);
    CU_ASSERT_EQUAL(group_kem(31), 0);
}

const struct unit_case unit_cases[] = {
    {"lengths of key shares", test_shares},
    {"KEM of an encapsulated key", test_kem},
    {NULL, NULL},
};
