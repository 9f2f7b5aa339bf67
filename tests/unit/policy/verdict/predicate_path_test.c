#include "policy/verdict/predicate_fn.h"

#include "logs/base/check.h"
#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

// clang-format off
#define AT(i, probe, address) "experiments[" #i "].probe " probe ";experiments[" #i "].leg.address " address ";"

static const struct answer_case answers[] = {
    {P_X_RESOLVERS_DIFFER, BASE_hello, AT(0, "base", "192.0.2.1"), UNKNOWN},
    {P_X_RESOLVERS_DIFFER, BASE_hello, AT(0, "base", "192.0.2.1") AT(1, "other-resolver", "192.0.2.1"), NO},
    {P_X_RESOLVERS_DIFFER, BASE_hello, AT(0, "base", "192.0.2.1") AT(1, "other-resolver", "192.0.2.2"), YES},
    {P_X_HOP_RESETS, BASE_hello, "", UNKNOWN},
    {P_X_HOP_RESETS, BASE_hello, "path.target reset", UNKNOWN}, // not even the server was found
    {P_X_HOP_RESETS, BASE_hello, "path.server_hop 3", NO},
    {P_X_HOP_RESETS, BASE_hello, "path.server_hop 3; path.box.does reset", YES},
    {P_X_HOP_RESETS, BASE_hello, "path.server_hop 3; path.box.does drops", NO},
    {P_X_HOP_REFUSES, BASE_hello, "path.server_hop 3; path.box.does closed", YES},
    {P_X_HOP_REFUSES, BASE_hello, "path.server_hop 3; path.box.does alert", YES},
    {P_X_HOP_REFUSES, BASE_hello, "path.server_hop 3; path.box.does not-tls", YES},
    {P_X_HOP_REFUSES, BASE_hello, "path.server_hop 3; path.box.does terminates", NO},
    {P_X_HOP_DROPS, BASE_hello, "path.server_hop 3; path.box.does drops", YES},
    {P_X_WAY_CLEAN, BASE_hello, "", UNKNOWN},
    {P_X_WAY_CLEAN, BASE_hello, "experiments[0].probe base", NO},
    {P_X_WAY_CLEAN, BASE_hello, "path.server_hop 3", YES},
    {P_X_WAY_CLEAN, BASE_hello, "path.server_hop 3; path.box.hop 2", NO},
    {P_X_HOP_NAME, BASE_hello, "path.server_hop 3", UNKNOWN},
    {P_X_HOP_NAME, BASE_hello, "path.server_hop 3; path.box.by_name true", YES},
    {P_X_HOP_NAME, BASE_hello, "path.server_hop 3; path.box.by_name false", NO},
};
// clang-format on

static void test_answers(void) { answers_check(answers, ARRAY_LEN(answers)); }

const struct unit_case unit_cases[] = {
    {"answers", test_answers},
    {NULL, NULL},
};
