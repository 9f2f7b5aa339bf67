#include "policy/verdict/cause.h"

#include <string.h>

#include "logs/base/check.h"
#include "policy/ca/trust_verify.h"
#include "tests/unit/unit.h"

static void test_catalogue(void) {
    bool seen[119 + 1] = {false}; // 0 is for what is no failure
    for (enum cause cause = 0; cause < CAUSE_COUNT; cause++) {
        const struct cause_row *row = cause_row(cause);
        CU_ASSERT_EQUAL(cause_find(row->id), cause);
        CU_ASSERT(strlen(row->summary) > 10 && strlen(row->remedy) > 3);
        CU_ASSERT(row->number >= 0 && row->number < (int)ARRAY_LEN(seen));
        CU_ASSERT(row->number == 0 || !seen[row->number]);
        seen[row->number] = true;
    }
    for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
        CU_ASSERT(seen[i]);
    }
}

static void test_find(void) {
    CU_ASSERT_EQUAL(cause_find("server-cert-expired"), CAUSE_SERVER_CERT_EXPIRED);
    CU_ASSERT_EQUAL(cause_find("server-cert"), CAUSE_COUNT);
    CU_ASSERT_EQUAL(cause_find(""), CAUSE_COUNT);
}

static void test_names(void) {
    CU_ASSERT_STRING_EQUAL(party_name(PARTY_BOX_BEHIND), "box-behind");
    CU_ASSERT_STRING_EQUAL(party_name(PARTY_UNDETERMINED), "undetermined");
    CU_ASSERT_STRING_EQUAL(confidence_name(CONFIDENCE_CERTAIN), "certain");
}

// The rules ask for defects by the ids that verification writes.
static void test_defects_exist(void) {
    static const char *const asked[] = {
#define DEFECT(name, id) id,
#include "policy/verdict/defects.inc"
#undef DEFECT
    };
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        bool known = false;
        for (enum trust_defect_kind kind = 0; kind < TRUST_NUM_DEFECT_KINDS; kind++) {
            known = known || strcmp(trust_defect_id(kind), asked[i]) == 0;
        }
        CU_ASSERT(known);
    }
}

const struct unit_case unit_cases[] = {
    {"catalogue", test_catalogue},         {"find", test_find}, {"names", test_names},
    {"defects exist", test_defects_exist}, {NULL, NULL},
};
