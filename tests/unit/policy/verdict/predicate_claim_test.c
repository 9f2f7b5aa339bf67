#include "policy/verdict/predicate_fn.h"

#include "logs/base/check.h"
#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

#define JA3 "c.tls.client.ja3_string 771,1,2,3,0;"

// clang-format off
static const struct answer_case answers[] = {
    {P_CLAIM_MISFIT, BASE_nothing, "claim.fits false", YES},
    {P_CLAIM_MISFIT, BASE_nothing, "claim.fits true", NO},
    {P_CLAIM_MISFIT, BASE_nothing, "claim.client Chrome 131", UNKNOWN},
    {P_CLAIM_MISFIT, BASE_ok, "", UNKNOWN},
    {P_HELLO_TOOL, BASE_nothing, JA3 "claim.fits false; claim.hello_like_kind tool", YES},
    {P_HELLO_TOOL, BASE_nothing, JA3 "claim.fits false; claim.hello_like_kind gateway", NO},
    {P_HELLO_TOOL, BASE_nothing, JA3 "claim.fits false", NO},
    {P_HELLO_TOOL, BASE_nothing, "claim.fits false", UNKNOWN},
    {P_HELLO_TOOL, BASE_nothing, JA3 "claim.fits true; claim.hello_like_kind tool", UNKNOWN},
    {P_HELLO_TOOL, BASE_nothing, JA3 "claim.fits false; claim.hello_like_kind browser", YES},
    {P_HELLO_LIBRARY, BASE_nothing, JA3 "claim.fits false; claim.hello_like_kind library", YES},
    {P_HELLO_LIBRARY, BASE_nothing, JA3 "claim.fits false; claim.hello_like_kind gateway", NO},
    {P_UA_NAMED, BASE_nothing, "user_agent.original curl/8.5.0", YES},
    {P_UA_NAMED, BASE_nothing, "user_agent.original -", NO},
    {P_UA_BROWSER, BASE_nothing, "user_agent.original MyApp/3 CFNetwork/1490", NO},
    {P_UA_BROWSER, BASE_nothing, "user_agent.original Mozilla/5.0 (X11) Gecko/20100101", YES},
    {P_UA_JAVA, BASE_nothing, "user_agent.original Java/17.0.2", YES},
    {P_UA_JAVA, BASE_nothing, "user_agent.original okhttp/4.12", NO},
    {P_UA_ANDROID_APP, BASE_nothing, "user_agent.original Dalvik/2.1.0 (Linux)", YES},
    {P_UA_ANDROID_APP, BASE_nothing, "user_agent.original okhttp/4.12", YES},
    {P_UA_FIREFOX, BASE_nothing, "user_agent.original Mozilla/5.0 Gecko/20100101 Firefox/153.0", YES},
    {P_HELLO_GATEWAY, BASE_nothing, JA3 "claim.fits false; claim.hello_like_kind gateway", YES},
    {P_HELLO_GATEWAY, BASE_nothing, JA3 "claim.fits false; claim.hello_like_kind library", NO},
    {P_HELLO_ANTIVIRUS, BASE_nothing, JA3 "claim.fits false; claim.hello_like_kind antivirus", YES},
    {P_HELLO_ANTIVIRUS, BASE_nothing, JA3 "claim.fits false; claim.hello_like_kind gateway", NO},
    {P_C_REFUSES, BASE_shown, "c.alert client certificate 46", YES},
    {P_C_REFUSES, BASE_shown, "c.alert client certificate 45", NO},
};
// clang-format on

static void test_answers(void) { answers_check(answers, ARRAY_LEN(answers)); }

const struct unit_case unit_cases[] = {
    {"answers", test_answers},
    {NULL, NULL},
};
