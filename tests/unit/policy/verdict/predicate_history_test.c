#include "policy/verdict/predicate_fn.h"

#include "logs/base/check.h"
#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

// clang-format off
static const struct answer_case answers[] = {
    {P_HOSTS_WORK, BASE_ok, "", UNKNOWN},
    {P_HOSTS_WORK, BASE_ok, "history.client.hosts_ok 1", YES},
    {P_HOSTS_WORK, BASE_ok, "history.host.sound 1", NO}, // asked, and nothing to count
    {P_HOSTS_REFUSED, BASE_ok, "history.client.hosts_refused 1", NO},
    {P_HOSTS_REFUSED, BASE_ok, "history.client.hosts_refused 2", YES},
    {P_HOSTS_DATED, BASE_ok, "history.client.hosts_dated 1", YES},
    {P_OTHERS_HERE_WORK, BASE_ok, "history.client.others_ok 1", YES},
    {P_SAME_WORKED, BASE_ok, "history.same.worked 1", YES},
    {P_SAME_NEAR, BASE_ok, "history.same.worked 1", NO},
    {P_SAME_NEAR, BASE_ok, "history.same.worked_near 1", YES},
    {P_SAME_REFUSED, BASE_ok, "history.same.refused 1", YES},
    {P_SAME_UNUSED, BASE_ok, "history.same.unused 1", NO},
    {P_HOST_SOUND, BASE_ok, "history.host.sound 1", YES},
    {P_HOST_ALTERNATES, BASE_ok, "history.host.sound 1", NO},
    {P_HOST_ALTERNATES, BASE_ok, "history.host.alternates true", YES},
    {P_LEAVES_DIFFER, BASE_ok, "history.host.leaves 2", YES},
    {P_ISSUER_MANY, BASE_ok, "history.issuer.hosts 2", NO},
    {P_ISSUER_MANY, BASE_ok, "history.issuer.hosts 3", YES},
    {P_KEY_MANY, BASE_ok, "history.key.hosts 2", NO},
    {P_KEY_MANY, BASE_ok, "history.key.hosts 3", YES},
    {P_SERIAL_REUSED, BASE_ok, "history.issuer.serial_reused true", YES},
    {P_HELLO_SHARED, BASE_ok, "claim.client Chrome 1; history.hello.clients 2", YES},
    {P_HELLO_SHARED, BASE_ok, "claim.fits true; history.hello.clients 2", NO},
    {P_HELLO_SHARED, BASE_ok, "claim.hello_like_kind tool; history.hello.clients 2", NO},
    {P_HELLO_SHARED, BASE_ok, "history.hello.clients 2", UNKNOWN},
};
// clang-format on

static void test_answers(void) { answers_check(answers, ARRAY_LEN(answers)); }

const struct unit_case unit_cases[] = {
    {"answers", test_answers},
    {NULL, NULL},
};
