// Target functions: policy_parse, policy_print, policy_decide. What is printed reads back as the
// same policy, and every question has an answer.
#include <stdlib.h>
#include <string.h>

#include "policy/config/policy.h"
#include "policy/decide/decide.h"

enum { PRINT_MAX = 64 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

static struct policy *parse(const void *text, size_t text_len) {
    struct err err = {0};
    struct policy *policy = policy_parse("fuzz.json", text, text_len, "/nowhere", &err);
    CHECK((policy != NULL) == (err.msg[0] == '\0'));
    return policy;
}

static void ask(const struct policy *policy) {
    static const struct question questions[] = {
        {.host = "www.example.test", .port = 443, .client = {[10] = 0xff, [11] = 0xff, [12] = 192}},
        {.host = "192.0.2.1", .sni = "Example.test.", .port = 8443, .client = {[15] = 1}},
        {.host = "2001:db8::1", .sni = "", .port = 1, .client = {0x20, 0x01, 0x0d, 0xb8}},
        {.host = "", .port = 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
        const struct policy_rule *rule = policy_decide(policy, &questions[i]);
        CHECK(rule == policy_rule(policy, rule->index));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len) {
    struct policy *policy = parse(data, data_len);
    if (policy == NULL) {
        return 0;
    }
    ask(policy);
    struct buf once, twice;
    buf_init(&once, PRINT_MAX);
    buf_init(&twice, PRINT_MAX);
    if (policy_print(&once, policy) && once.len <= POLICY_MAX_LEN) {
        struct policy *again = parse(buf_data(&once), once.len);
        CHECK(again != NULL && policy_num_rules(again) == policy_num_rules(policy));
        CHECK(policy_print(&twice, again) && twice.len == once.len);
        CHECK(memcmp(buf_data(&once), buf_data(&twice), once.len) == 0);
        policy_unref(again);
    }
    buf_cleanup(&once);
    buf_cleanup(&twice);
    policy_unref(policy);
    return 0;
}
