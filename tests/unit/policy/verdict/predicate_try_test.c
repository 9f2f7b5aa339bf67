#include "logs/base/check.h"
#include "policy/verdict/predicate_fn.h"
#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

#define E(i, probe, result)                                                                        \
    "experiments[" #i "].probe " probe ";experiments[" #i "].result " result ";"
#define R E(0, "client-leaf", "alert")

// clang-format off
static const struct answer_case answers[] = {
    {P_T_LEAF_REFUSED, BASE_shown, R, YES},
    {P_T_LEAF_REFUSED, BASE_shown, E(0, "client-leaf", "reset"), YES},
    {P_T_LEAF_ALERTED, BASE_shown, E(0, "client-leaf", "reset"), NO},
    {P_T_LEAF_REFUSED, BASE_shown, "", UNKNOWN},
    {P_T_TUNNEL_PASSES, BASE_shown, R E(1, "client-tunnel", "answered"), YES},
    {P_T_TUNNEL_PASSES, BASE_shown, R E(1, "client-tunnel", "closed"), NO},
    {P_T_TUNNEL_PASSES, BASE_shown, R E(1, "client-tunnel", "closed") E(2, "client-tunnel", "answered"), UNKNOWN},
    {P_T_TUNNEL_PASSES, BASE_shown, R, UNKNOWN},
    {P_T_FORM_PASSES, BASE_shown, R E(1, "client-leaf=short", "answered"), YES},
    {P_T_FORM_PASSES, BASE_shown, R E(1, "client-leaf=rsa", "alert") E(2, "client-leaf=short", "answered"), YES},
    {P_T_FORM_PASSES, BASE_shown, R E(1, "client-leaf=short", "alert"), NO},
    {P_T_FORM_PASSES, BASE_shown, R E(1, "client-leaf=short", "answered") E(2, "client-leaf=short", "alert"), NO},
    {P_T_FORM_PASSES, BASE_shown, R, NO},
    {P_T_FORM_PASSES, BASE_shown, E(0, "client-leaf=short", "answered"), UNKNOWN},
    {P_T_FORM_REPEATED, BASE_shown, R E(1, "client-leaf=short", "answered"), NO},
    {P_T_FORM_REPEATED, BASE_shown, R E(1, "client-leaf=short", "answered") E(2, "client-leaf=short", "answered"), YES},
    {P_T_FORMS_FAIL, BASE_shown, R E(1, "client-leaf=short", "alert") E(2, "client-leaf=rsa", "closed"), NO},
    {P_T_FORMS_FAIL, BASE_shown, R E(1, "client-leaf=short", "alert") E(2, "client-leaf=short", "alert") E(3, "client-leaf=rsa", "closed"), NO},
    {P_T_FORMS_FAIL, BASE_shown, R E(1, "client-leaf=short", "alert") E(2, "client-leaf=no-aki", "alert") E(3, "client-leaf=rsa", "closed"), YES},
    {P_T_FORMS_FAIL, BASE_shown, R E(1, "client-leaf=short", "alert") E(2, "client-leaf=no-aki", "alert") E(3, "client-leaf=rsa", "closed") E(4, "client-leaf=sha384", "answered"), NO},
    {P_T_CANARY, BASE_shown, "client_try canary=untrusted", YES},
    {P_T_CANARY, BASE_shown, "client_try client-leaf=rsa", NO},
    {P_T_CANARY, BASE_shown, "", NO},
    {P_T_CANARY_REFUSED, BASE_shown, E(0, "canary=untrusted", "alert"), YES},
    {P_T_CANARY_REFUSED, BASE_shown, E(0, "canary=wrong-name", "answered"), NO},
    {P_T_CANARY_REFUSED, BASE_shown, "", UNKNOWN},
    {P_T_ISSUER_TAKEN, BASE_shown, E(0, "canary=untrusted", "answered"), YES},
    {P_T_ISSUER_TAKEN, BASE_shown, E(0, "canary=wrong-name", "answered"), UNKNOWN},
    {P_T_NAME_TAKEN, BASE_shown, E(0, "canary=wrong-name", "answered"), YES},
    // A canary is never sound, however good the server's chain is.
    {P_LEAF_SOUND, BASE_shown, "client_try canary=untrusted", NO},
    {P_LEAF_SOUND, BASE_shown, "client_try client-leaf=rsa", YES},
};
// clang-format on

static void test_answers(void) { answers_check(answers, ARRAY_LEN(answers)); }

static void test_leaf_form(void) {
    struct view view;
    struct record *record = case_record(BASE_shown, R E(1, "client-leaf=short", "answered"));
    view_init(&view, record->root);
    CU_ASSERT_STRING_EQUAL(leaf_form_of(&view),
                           "a life of two weeks where the ordinary one has months");
    record_free(record);
    record = case_record(BASE_shown, R E(1, "client-leaf=short", "alert"));
    view_init(&view, record->root);
    CU_ASSERT_PTR_NULL(leaf_form_of(&view));
    record_free(record);
}

const struct unit_case unit_cases[] = {
    {"answers", test_answers},
    {"leaf form", test_leaf_form},
    {NULL, NULL},
};
