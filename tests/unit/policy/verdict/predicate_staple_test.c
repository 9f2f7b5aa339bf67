#include "policy/verdict/predicate_fn.h"

#include "logs/base/check.h"
#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

// clang-format off
static const struct answer_case answers[] = {
    {P_STAPLE_REVOKED, BASE_shown, "s.answer.ocsp_staple true; s.staple.result revoked", YES},
    {P_STAPLE_REVOKED, BASE_shown, "s.answer.ocsp_staple true; s.staple.result stale", NO},
    {P_STAPLE_REVOKED, BASE_shown, "s.answer.ocsp_staple true", UNKNOWN},
    {P_STAPLE_REVOKED, BASE_shown, "", NO},
    {P_STAPLE_REVOKED, BASE_hello, "", UNKNOWN},
    {P_STAPLE_REVOKED, BASE_watched13, "", UNKNOWN},
    {P_STAPLE_REVOKED, BASE_watched12, "c.answer.ocsp_staple true; c.staple.result revoked", YES},
    {P_STAPLE_REVOKED, BASE_watched12, "", UNKNOWN},
    {P_STAPLE_REVOKED, BASE_watched12, "c.answer.signature_scheme 0x0403", NO},
    {P_STAPLE_MISSING, BASE_shown, "s.staple.result missing", YES},
    {P_STAPLE_MISSING, BASE_shown, "", NO},
    {P_STAPLE_BAD, BASE_shown, "s.answer.ocsp_staple true; s.staple.result try-later", YES},
    {P_STAPLE_BAD, BASE_shown, "s.answer.ocsp_staple true; s.staple.result good", NO},
    {P_STAPLE_BAD, BASE_shown, "s.answer.ocsp_staple true; s.staple.result revoked", NO},
    {P_STAPLE_BAD, BASE_shown, "s.staple.result missing", NO},
    {P_STAPLE_BAD, BASE_shown, "s.answer.ocsp_staple true", UNKNOWN},
    {P_STAPLE_NONE, BASE_shown, "", YES},
    {P_STAPLE_NONE, BASE_shown, "s.answer.ocsp_staple true", NO},
    {P_STAPLE_NONE, BASE_shown, "-s.chain", UNKNOWN},
    {P_STAPLE_NONE, BASE_hello, "", UNKNOWN},
    {P_STAPLE_INSISTED, BASE_shown, "user_agent.original curl/8.9.1; c.offer.status_request true", YES},
    {P_STAPLE_INSISTED, BASE_shown, "user_agent.original curl/8.9.1; c.offer.status_request true; c.offer.extensions 0x0005,0x3374", UNKNOWN},
    {P_STAPLE_INSISTED, BASE_shown, "user_agent.original curl/8.9.1; c.offer.status_request true; c.offer.extensions 0x0005,0x0010,0x3374", YES},
    {P_STAPLE_INSISTED, BASE_shown, "user_agent.original Mozilla/5.0; c.offer.status_request true", NO},
    {P_STAPLE_INSISTED, BASE_shown, "user_agent.original Wget/1.21; c.offer.status_request true", UNKNOWN},
    {P_STAPLE_INSISTED, BASE_shown, "c.offer.status_request true", UNKNOWN},
    {P_STAPLE_INSISTED, BASE_shown, "user_agent.original curl/8.9.1", NO},
    {P_COMPLETED, BASE_shown, "s.verification.completed.by CN=x", YES},
    {P_COMPLETED, BASE_shown, "s.verification.completed.says in vain", NO},
    {P_COMPLETED, BASE_shown, "", UNKNOWN},
};
// clang-format on

static void test_answers(void) { answers_check(answers, ARRAY_LEN(answers)); }

const struct unit_case unit_cases[] = {
    {"answers", test_answers},
    {NULL, NULL},
};
