#include "policy/verdict/predicate.h"

#include <stdio.h>

#include "logs/base/check.h"
#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

// A record in which nothing was seen answers nothing. Only the absence of an end is seen in it.
static void test_nothing_is_unknown(void) {
    struct view view;
    struct record *record = case_record(BASE_nothing, "");
    view_init(&view, record->root);
    for (enum predicate i = 0; i < PREDICATE_COUNT; i++) {
        enum answer expected = i == P_STILL_OPEN ? YES : UNKNOWN;
        CU_ASSERT_EQUAL(predicate_ask(&view, i), expected);
        if (predicate_ask(&view, i) != expected) {
            printf("\n  %s", predicate_row(i)->name);
        }
    }
    record_free(record);
}

// The same with legs of which nothing was seen.
static void test_empty_legs_are_unknown(void) {
    static const char *const modes[] = {"mode intercept", "mode tunnel", "mode plain",
                                        "mode probe"};
    for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
        struct view view;
        struct record *record = case_record(BASE_nothing, modes[m]);
        (void)obj_sub(record->root, F_RECORD_LEG_CLIENT);
        (void)obj_sub(record->root, F_RECORD_LEG_SERVER);
        view_init(&view, record->root);
        for (enum predicate i = 0; i < PREDICATE_COUNT; i++) {
            bool certificate = predicate_row(i)->fields[0] == F_LEG_ANSWER_CLIENT_CERT;
            bool by_mode = predicate_row(i)->fields[0] == F_RECORD_MODE;
            bool cut = i >= P_CUT_VERSIONS && i <= P_CUT_ALPN;
            bool apart = i == P_CLIENT_LEFT_FIRST || i == P_STILL_OPEN || i == P_CLIENT_DATA;
            if (!by_mode && !certificate && !cut && !apart) {
                CU_ASSERT_EQUAL(predicate_ask(&view, i), UNKNOWN);
                if (predicate_ask(&view, i) != UNKNOWN) {
                    printf("\n  %s in %s", predicate_row(i)->name, modes[m]);
                }
            }
        }
        record_free(record);
    }
}

const struct unit_case unit_cases[] = {
    {"nothing is unknown", test_nothing_is_unknown},
    {"empty legs are unknown", test_empty_legs_are_unknown},
    {NULL, NULL},
};
