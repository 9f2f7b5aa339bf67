#include "tests/unit/logs/compare/legs.h"
#include "tests/unit/unit.h"

static struct legs_pair legs;

static bool found(const char *id) {
    legs_pair_compare(&legs, PAIR_RANDOM);
    return legs_pair_found(&legs, id);
}

static void test_answers(void) {
    legs_pair_begin(&legs);
    CU_ASSERT(!found("answer-lost") && !found("answer-edited"));
    obj_set_bytes(legs.a, F_LEG_ANSWER_RAW, "Answer", 6);
    CU_ASSERT(found("answer-edited"));
    obj_unset(legs.a, F_LEG_ANSWER_VERSION);
    CU_ASSERT(found("answer-lost") && !found("answer-edited"));
    obj_set_int(legs.a, F_LEG_ANSWER_VERSION, 0x0303);
    obj_unset(legs.b, F_LEG_ANSWER_VERSION);
    CU_ASSERT(found("answer-not-from-server"));
    legs_pair_other_hello(&legs); // who ends TLS has an answer of its own
    CU_ASSERT_FALSE(found("answer-not-from-server"));
    legs_pair_end(&legs);
}

static void alert(struct obj *leg, const char *from, int64_t code) {
    struct obj *row = obj_add(leg, F_LEG_ALERTS);
    obj_set_str(row, F_ALERT_FROM, from);
    obj_set_int(row, F_ALERT_CODE, code);
    obj_set_str(row, F_ALERT_NAME, "handshake_failure");
}

static size_t num_alerts(void) {
    legs_pair_compare(&legs, PAIR_RANDOM);
    return obj_num(legs.out, F_COMPARISON_FINDINGS);
}

static void test_alerts(void) {
    legs_pair_begin(&legs);
    alert(legs.a, "server", 40);
    CU_ASSERT(found("alert-not-passed-on") && num_alerts() == 1);
    alert(legs.b, "server", 40);
    CU_ASSERT_EQUAL(num_alerts(), 0);
    alert(legs.b, "client", 40);
    CU_ASSERT_EQUAL(num_alerts(), 1);
    alert(legs.a, "client", 42);
    CU_ASSERT_EQUAL(num_alerts(), 2);
    legs_pair_end(&legs);
}

static void end(struct obj *leg, const char *how, const char *by) {
    obj_set_str(leg, F_LEG_END_HOW, how);
    obj_set_str(leg, F_LEG_END_BY, by);
}

static void test_resets(void) {
    legs_pair_begin(&legs);
    end(legs.a, "rst", "server");
    end(legs.b, "rst", "client");
    CU_ASSERT(found("reset-injected"));
    end(legs.b, "rst", "server");
    CU_ASSERT_FALSE(found("reset-injected"));
    end(legs.b, "fin", "client");
    CU_ASSERT_FALSE(found("reset-injected"));
    legs_pair_end(&legs);
}

static void test_versions(void) {
    legs_pair_begin(&legs);
    obj_set_int(legs.b, F_LEG_ANSWER_VERSION, 0x0301);
    CU_ASSERT(found("version-laundered") && !found("version-capped"));
    obj_set_int(legs.b, F_LEG_ANSWER_VERSION, 0x0304);
    CU_ASSERT(found("version-capped") && !found("version-laundered"));
    obj_unset(legs.b, F_LEG_ANSWER_VERSION);
    CU_ASSERT(!found("version-capped") && !found("version-laundered"));
    legs_pair_end(&legs);
}

const struct unit_case unit_cases[] = {
    {"answers", test_answers},
    {"alerts", test_alerts},
    {"resets", test_resets},
    {"versions", test_versions},
    {NULL, NULL},
};
