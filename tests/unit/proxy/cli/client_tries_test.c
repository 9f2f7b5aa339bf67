#include "proxy/cli/client_tries.h"

#include <string.h>

#include "policy/config/policy.h"
#include "tests/unit/unit.h"

static struct retry_policy retry_of(const char *text, struct policy **out_policy) {
    struct err err = {0};
    char over[CLIENT_TRIES_MAX];
    CU_ASSERT_FATAL(client_tries_parse(over, text, &err));
    *out_policy = policy_load_over(NULL, over, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(*out_policy);
    return policy_rule(*out_policy, 0)->retry;
}

static void test_words(void) {
    struct policy *policy;
    struct retry_policy retry = retry_of("tunnel", &policy);
    CU_ASSERT(retry.tunnel && !retry.canary && retry.num_forms == 0);
    policy_unref(policy);
    retry = retry_of("leaf,tunnel,leaf", &policy);
    CU_ASSERT(retry.tunnel && !retry.canary && retry.num_forms == LEAF_FORMS);
    for (size_t i = 0; i < retry.num_forms; i++) {
        CU_ASSERT_EQUAL(retry.forms[i], i);
    }
    policy_unref(policy);
    retry = retry_of("canary", &policy);
    CU_ASSERT(!retry.tunnel && retry.canary && retry.num_forms == 0);
    policy_unref(policy);
}

static void test_bad(void) {
    static const char *const bad[] = {"", "tunnels", "tunnel,", ",leaf", "tunnel, leaf", "TUNNEL"};
    char over[CLIENT_TRIES_MAX];
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err err = {0};
        CU_ASSERT_FALSE(client_tries_parse(over, bad[i], &err));
        CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "takes tunnel, leaf and canary, not \""));
    }
}

const struct unit_case unit_cases[] = {
    {"words", test_words},
    {"bad", test_bad},
    {NULL, NULL},
};
