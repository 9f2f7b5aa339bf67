#include "proxy/probe/plan.h"

#include <string.h>

#include "tests/unit/unit.h"

static size_t out[64], num;

static const char *name_of(const struct plan *plan, size_t entry) {
    return plan->entries[entry].pick.probe->name;
}

static size_t find(const struct plan *plan, const char *name, const char *argument) {
    for (size_t i = 0; i < plan->num; i++) {
        if (strcmp(name_of(plan, i), name) == 0 &&
            strcmp(plan->entries[i].pick.argument, argument) == 0) {
            return i;
        }
    }
    return plan->num;
}

static unsigned times(size_t entry) {
    unsigned n = 0;
    for (size_t i = 0; i < num; i++) {
        n += out[i] == entry;
    }
    return n;
}

static void next(struct plan *plan) { num = plan_next(plan, out, 64); }

// round runs a round in which everything fails but `passes`.
static void round_but(struct plan *plan, const char *passes) {
    for (size_t i = 0; i < num; i++) {
        bool ok = strstr(passes, name_of(plan, out[i])) != NULL;
        plan_result(plan, out[i], ok ? "answered" : "reset");
    }
}

static bool not_those(void *ctx, const struct probe_pick *pick) {
    CU_ASSERT_PTR_EQUAL(ctx, &num);
    return strstr("replay direct other-name no-alpn", pick->probe->name) == NULL;
}

static void test_a_failure(void) {
    struct plan plan;
    plan_init(&plan, PLAN_BUDGET_FAILURE, 2, 7);
    plan.can = not_those;
    plan.ctx = &num;
    next(&plan);
    CU_ASSERT(num == 1 && out[0] == 0);
    plan_result(&plan, 0, "reset");
    plan_add_usual(&plan, "reset", -1);
    CU_ASSERT_EQUAL(find(&plan, "no-alpn", ""), plan.num);
    next(&plan);
    // Some are left for what will make a difference.
    CU_ASSERT_EQUAL(num, 7);
    CU_ASSERT_EQUAL(times(0), 0);
    round_but(&plan, "no-grease");
    next(&plan);
    CU_ASSERT_EQUAL(times(find(&plan, "control", "")), 1);
    CU_ASSERT_EQUAL(times(find(&plan, "control", "no-grease")), 1);
    CU_ASSERT_EQUAL(times(0), 1);
    CU_ASSERT_EQUAL(times(find(&plan, "no-grease", "")), 1);
    CU_ASSERT_EQUAL(times(find(&plan, "tls12", "")), 0);
    CU_ASSERT_TRUE(plan.begun <= PLAN_BUDGET_FAILURE);
    next(&plan);
    CU_ASSERT_EQUAL(num, 0);
}

// What changes much is followed only where nothing narrower makes the difference, and the size
// leads to the probe that tells it from the group.
static void test_narrowest(void) {
    struct plan plan;
    plan_init(&plan, PLAN_BUDGET_FAILURE, 2, 7);
    next(&plan);
    plan_result(&plan, 0, "reset");
    plan_add_usual(&plan, "reset", -1);
    next(&plan);
    CU_ASSERT_EQUAL(find(&plan, "big", ""), plan.num);
    for (size_t i = 0; i < num; i++) {
        const char *name = plan.entries[out[i]].pick.probe->name;
        bool passes = strcmp(name, "tls12") == 0 || strcmp(name, "small") == 0;
        plan_result(&plan, out[i], passes ? "answered" : "reset");
    }
    next(&plan);
    CU_ASSERT_EQUAL(times(find(&plan, "big", "")), 1);
    CU_ASSERT_EQUAL(times(find(&plan, "control", "small")), 1);
    CU_ASSERT_EQUAL(times(find(&plan, "control", "")), 1);
    CU_ASSERT_EQUAL(find(&plan, "control", "tls12"), plan.num);
    CU_ASSERT_EQUAL(times(0), 1);
}

static void test_names_are_followed(void) {
    struct plan plan;
    plan_init(&plan, 40, 1, 7);
    next(&plan);
    plan_result(&plan, 0, "closed");
    plan_add_usual(&plan, "closed", -1);
    next(&plan);
    round_but(&plan, "nonce-name");
    next(&plan);
    CU_ASSERT_EQUAL(times(find(&plan, "other-address", "")), 1);
    CU_ASSERT_EQUAL(times(find(&plan, "control", "nonce-name")), 1);
    CU_ASSERT_EQUAL(times(find(&plan, "control", "")), 0);
    CU_ASSERT_EQUAL(num, 2); // nothing is repeated
}

static void test_nobody_there(void) {
    struct plan plan;
    plan_init(&plan, 12, 3, 7);
    next(&plan);
    plan_result(&plan, 0, "unreachable");
    next(&plan);
    CU_ASSERT_EQUAL(num, 0);
}

// The budget holds whatever is asked for, and whatever comes back.
static void test_budget(void) {
    static const char *const results[] = {"answered", "reset", "silent", "unfinished", "alert"};
    for (unsigned budget = 1; budget <= 30; budget++) {
        struct plan plan;
        uint64_t seed = budget;
        unsigned all = 0;
        plan_init(&plan, budget, 1 + budget % 5, seed);
        for (int r = 0; r < 10; r++) {
            next(&plan);
            all += (unsigned)num;
            for (size_t i = 0; i < num; i++) {
                plan_result(&plan, out[i], results[plan_random(&seed) % 5]);
            }
            if (r == 0) {
                plan_add_usual(&plan, budget % 2 ? "silent" : NULL, 40);
            }
        }
        CU_ASSERT_EQUAL(all, plan.begun);
        CU_ASSERT_TRUE(all <= budget);
    }
}

// The order is the seed's, and not the table's.
static void test_order(void) {
    size_t orders[3][64], nums[3];
    static const uint64_t seeds[] = {1, 1, 2};
    for (int i = 0; i < 3; i++) {
        struct plan plan;
        plan_init(&plan, 40, 1, seeds[i]);
        next(&plan);
        plan_result(&plan, 0, "answered");
        plan_add_usual(&plan, NULL, -1);
        nums[i] = plan_next(&plan, orders[i], 64);
    }
    CU_ASSERT(nums[0] == nums[1] && nums[1] == nums[2] && nums[0] > 8);
    CU_ASSERT(memcmp(orders[0], orders[1], nums[0] * sizeof(size_t)) == 0);
    CU_ASSERT(memcmp(orders[0], orders[2], nums[0] * sizeof(size_t)) != 0);
}

static void test_the_same_once(void) {
    struct plan plan;
    const struct probe_pick pick = probe_pick_of("tls12");
    plan_init(&plan, 40, 1, 1);
    plan_add(&plan, &pick);
    plan_add(&plan, &pick);
    CU_ASSERT_EQUAL(plan.num, 2);
    plan_result(&plan, 0, "alert");
    plan_result(&plan, 1, "unfinished");
    CU_ASSERT_FALSE(plan_differs(&plan, 1));
    plan_result(&plan, 1, "answered");
    CU_ASSERT_TRUE(plan_differs(&plan, 1));
    CU_ASSERT_FALSE(plan_differs(&plan, 0));
    CU_ASSERT_STRING_EQUAL(plan.entries[0].failure, "alert");
}

const struct unit_case unit_cases[] = {
    {"a failure", test_a_failure},
    {"the narrowest", test_narrowest},
    {"names are followed", test_names_are_followed},
    {"nobody there", test_nobody_there},
    {"budget", test_budget},
    {"order", test_order},
    {"the same once", test_the_same_once},
    {NULL, NULL},
};
