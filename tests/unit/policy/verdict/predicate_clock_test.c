#include "policy/verdict/predicate_fn.h"

#include "logs/base/check.h"
#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

// A hello of OpenSSL's, and a client that refused our leaf before.
#define OPENSSL "c.offer.extensions 0x0000,0x000a,0x000d,0x0016,0x0017;"
#define TRY "experiments[0].probe client-leaf; experiments[0].result alert;"

// clang-format off
static const struct answer_case answers[] = {
    {P_LEAF_UNTIMELY, BASE_shown, "s.defect expired 0", YES},
    {P_LEAF_UNTIMELY, BASE_shown, "s.defect not-yet-valid 0", YES},
    {P_LEAF_UNTIMELY, BASE_shown, "s.defect self-signed 0", NO},
    {P_LEAF_UNTIMELY, BASE_shown, "-s.verification", UNKNOWN},
    {P_END_PROVEN, BASE_shown, "s.tls.server.not_after 1735689599", YES},
    {P_END_PROVEN, BASE_shown, "s.tls.server.not_after 1735689600", UNKNOWN},
    {P_END_PROVEN, BASE_shown, "s.tls.server.not_after 1794000000; history.clock.after 1794000001", YES},
    {P_END_PROVEN, BASE_shown, "s.tls.server.not_after 1794000000; history.clock.after 1794000000", NO},
    {P_END_PROVEN, BASE_shown, "s.tls.server.not_after 1794000000; s.staple.produced_at 1794500000; s.staple.signature good", YES},
    {P_END_PROVEN, BASE_shown, "s.tls.server.not_after 1794000000; s.staple.produced_at 1794500000; s.staple.signature unchecked", UNKNOWN},
    {P_END_PROVEN, BASE_shown, "-s.tls.server.not_after; history.clock.after 1794000001", UNKNOWN},
    {P_SIGNED_LATER, BASE_shown, "@timestamp 1600000000", YES},
    {P_SIGNED_LATER, BASE_shown, "", NO},
    {P_SIGNED_LATER, BASE_shown, "-@timestamp", UNKNOWN},
    {P_SIGNED_LATER, BASE_shown, "s.scts[0].time 1795090000", YES},
    {P_SIGNED_LATER, BASE_shown, "s.scts[0].time 1795080000", NO},
    {P_SIGNED_LATER, BASE_shown, "s.staple.produced_at 1795090000; s.staple.signature good", YES},
    {P_SIGNED_LATER, BASE_shown, "s.staple.produced_at 1795090000; s.staple.signature bad", NO},
    {P_DATES_FAR, BASE_shown, "s.tls.server.not_after 1763000000", YES},
    {P_DATES_FAR, BASE_shown, "s.tls.server.not_after 1764000000", NO},
    {P_DATES_FAR, BASE_shown, "s.tls.server.not_before 1827000000", YES},
    {P_DATES_FAR, BASE_shown, "s.tls.server.not_before 1826000000", NO},
    {P_DATES_FAR, BASE_shown, "-s.tls.server.not_before", UNKNOWN},
    {P_CLOCK_KEPT, BASE_shown, "clock_kept true", YES},
    {P_CLOCK_KEPT, BASE_shown, "clock_kept false", NO},
    {P_CLOCK_KEPT, BASE_shown, "", UNKNOWN},
    {P_C_DATES_ALIKE, BASE_shown, "c.alert client certificate 45", YES},
    {P_C_DATES_ALIKE, BASE_shown, "c.alert client certificate 46", NO},
    {P_C_DATES_ALIKE, BASE_shown, "c.address 127.0.0.1; c.alert client certificate 45", NO},
    {P_C_DATES_ALIKE, BASE_shown, "c.address ::ffff:127.0.0.1; c.alert client certificate 45", NO},
    {P_C_DATES_ALIKE, BASE_shown, "c.local.address 192.0.2.5; c.alert client certificate 45", NO},
    {P_C_DATES_ALIKE, BASE_shown, "-c.address; c.alert client certificate 45", UNKNOWN},
    {P_C_NEVER_TRUST, BASE_shown, OPENSSL "c.alert client certificate 42", YES},
    {P_C_NEVER_TRUST, BASE_shown, OPENSSL "c.alert client certificate 48", NO},
    {P_C_NEVER_TRUST, BASE_shown, "c.alert client certificate 42", NO},
    {P_C_NEVER_TRUST, BASE_shown, "-c.offer.extensions; c.alert client certificate 42", UNKNOWN},
    {P_C_NEVER_TRUST, BASE_ok, OPENSSL TRY "experiments[0].leg.alerts[0].code 42", YES},
    {P_C_NEVER_TRUST, BASE_ok, OPENSSL TRY "experiments[0].leg.alerts[0].code 48", NO},
    {P_C_NEVER_TRUST, BASE_ok, OPENSSL TRY, UNKNOWN},
    {P_C_NEVER_TRUST, BASE_ok, OPENSSL TRY "experiments[0].result closed", NO},
};
// clang-format on

static void test_answers(void) { answers_check(answers, ARRAY_LEN(answers)); }

const struct unit_case unit_cases[] = {
    {"answers", test_answers},
    {NULL, NULL},
};
