#include "proxy/cli/lab_scenario.h"

#include <string.h>

#include "policy/profiles/profile.h"
#include "policy/verdict/cause.h"
#include "tests/unit/unit.h"

static bool is_party(const char *name) {
    for (enum party party = 0; party <= PARTY_UNDETERMINED; party++) {
        if (strcmp(party_name(party), name) == 0) {
            return true;
        }
    }
    return false;
}

static void test_rows(void) {
    CU_ASSERT_TRUE(lab_num_scenarios >= 20);
    for (size_t i = 0; i < lab_num_scenarios; i++) {
        const struct lab_scenario *row = &lab_scenarios[i];
        CU_ASSERT_PTR_EQUAL(lab_scenario_find(row->name), row); // no name twice
        CU_ASSERT_EQUAL(row->says[strlen(row->says) - 1], '.');
        CU_ASSERT_TRUE(is_party(row->party));
        CU_ASSERT_NOT_EQUAL(cause_find(row->cause), CAUSE_COUNT);
        CU_ASSERT_TRUE(row->ruled_out == NULL || cause_find(row->ruled_out) != CAUSE_COUNT);
    }
}

static void test_profiles(void) {
    for (size_t i = 0; i < lab_num_scenarios; i++) {
        const char *boxes[] = {lab_scenarios[i].front, lab_scenarios[i].behind};
        for (size_t j = 0; j < ARRAY_LEN(boxes); j++) {
            struct err err;
            struct profile *profile = boxes[j] != NULL ? profile_load(boxes[j], &err) : NULL;
            CU_ASSERT_EQUAL(profile != NULL, boxes[j] != NULL);
            profile_unref(profile);
        }
    }
}

static void test_find(void) {
    CU_ASSERT_STRING_EQUAL(lab_scenario_find("expired")->cause, "server-cert-expired");
    CU_ASSERT_PTR_NULL(lab_scenario_find("expire"));
    CU_ASSERT_PTR_NULL(lab_scenario_find(""));
}

const struct unit_case unit_cases[] = {
    {"every row is whole", test_rows},
    {"every box exists", test_profiles},
    {"by name", test_find},
    {NULL, NULL},
};
