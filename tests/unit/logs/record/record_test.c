#include "logs/record/record.h"

#include "tests/unit/unit.h"

static void test_new(void) {
    struct record *record = record_new();
    CU_ASSERT_EQUAL(obj_kind(record->root), KIND_RECORD);
    CU_ASSERT(obj_str_is(record->root, F_RECORD_SCHEMA, SCHEMA_VERSION));
    CU_ASSERT_EQUAL(obj_next(record->root, F_RECORD_SCHEMA + 1), F_RECORD_END);
    record_free(record);
    record_free(NULL);
}

static void test_legs(void) {
    struct record *record = record_new();
    CU_ASSERT_PTR_NULL(record_leg(record->root, false));
    CU_ASSERT_PTR_NULL(record_leg(record->root, true));
    struct obj *server = obj_sub(record->root, F_RECORD_LEG_SERVER);
    CU_ASSERT_PTR_NULL(record_leg(record->root, false));
    CU_ASSERT_PTR_EQUAL(record_leg(record->root, true), server);
    record_free(record);
}

static void test_failed(void) {
    struct record *record = record_new();
    CU_ASSERT_FALSE(record_failed(record->root)); // nobody has judged it so far
    struct obj *verdict = obj_sub(record->root, F_RECORD_VERDICT);
    CU_ASSERT_FALSE(record_failed(record->root));
    obj_set_str(verdict, F_VERDICT_PARTY, "none");
    CU_ASSERT_FALSE(record_failed(record->root));
    obj_set_str(verdict, F_VERDICT_PARTY, "undetermined");
    CU_ASSERT(record_failed(record->root));
    CU_ASSERT_FALSE(record_worked(record->root));
    obj_set_int(verdict, F_VERDICT_WORKED, true);
    CU_ASSERT(record_failed(record->root) && record_worked(record->root));
    record_free(record);
}

const struct unit_case unit_cases[] = {
    {"a new record holds its schema alone", test_new},
    {"legs", test_legs},
    {"failed", test_failed},
    {NULL, NULL},
};
