#include "proxy/session/shared.h"

#include <string.h>

#include "tests/unit/proxy/session/playbook.h"

static struct shared_config config_with(struct policy *policy) {
    const struct world *w = world_get();
    return (struct shared_config){
        .policy = policy,
        .authority = w->authority,
        .leaves = w->leaves,
        .verifications = w->verifications,
        .roots = "",
    };
}

static void it_is_counted(void) {
    struct err err;
    struct policy *policy = policy_default();
    struct shared_config config = config_with(policy);
    struct session_shared *shared = shared_new(&config, &err);
    policy_unref(policy);
    CU_ASSERT_PTR_NOT_NULL_FATAL(shared);
    CU_ASSERT_EQUAL(memcmp(&shared->limits, &limits_default, sizeof(limits_default)), 0);
    CU_ASSERT_PTR_NULL(shared->address);
    CU_ASSERT_EQUAL(shared_ref(shared), shared);
    shared_unref(shared);
    CU_ASSERT_EQUAL(policy_num_rules(shared->policy), 1); // still there
    shared_unref(shared);
    shared_unref(NULL);
}

static void a_session_keeps_it(void) {
    struct session_shared *shared = world_shared(NULL, NULL);
    const struct address address = {.port = 1};
    struct session *s = session_new(shared, &address, &address, 0, 0, NULL, NULL);
    shared_unref(shared);
    static const uint8_t bytes[] = "GET / HTTP/1.1\r\n\r\n";
    struct event event = {.kind = EVENT_BYTES, .side = SIDE_CLIENT, .now_us = 1};
    event.bytes = (struct span){bytes, sizeof(bytes) - 1};
    session_input(s, &event);
    CU_ASSERT(session_output(s, SIDE_CLIENT).len > 1000);
    session_free(s);
}

static void rules_without_roots_of_their_own_share_them(void) {
    struct session_shared *shared =
        world_shared("{\"rules\": [{\"hosts\": [\"a\"]}, {\"hosts\": [\"b\"]}]}", NULL);
    CU_ASSERT_EQUAL(shared->num_trusts, 3);
    CU_ASSERT_EQUAL(shared->trusts[0], shared->trusts[1]);
    CU_ASSERT_EQUAL(shared->trusts[0], shared->trusts[2]);
    CU_ASSERT_EQUAL(trust_num_roots(shared->trusts[0]), 1);
    shared_unref(shared);
}

static void roots_that_cannot_be_read_are_an_error(void) {
    struct err err;
    char *missing[] = {"/nonexistent/root.pem"};
    struct policy *policy = policy_default();
    struct shared_config config = config_with(policy);
    config.trust = missing;
    config.num_trust = 1;
    CU_ASSERT_PTR_NULL(shared_new(&config, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, missing[0]));
    policy_unref(policy);
}

static void contexts_differ_in_what_they_offer(void) {
    struct session_shared *shared = world_shared(NULL, NULL);
    const SSL_CTX *seen[8];
    size_t num = 0;
    for (unsigned compressions = 0; compressions < 4; compressions++) {
        for (int grease = 0; grease < 2; grease++) {
            const SSL_CTX *ctx = shared_client_ctx(shared, compressions, grease == 1);
            for (size_t i = 0; i < num; i++) {
                CU_ASSERT_NOT_EQUAL(seen[i], ctx);
            }
            seen[num++] = ctx;
        }
    }
    shared_unref(shared);
}

static void count_line(void *ctx, const char *line) {
    CU_ASSERT_PTR_NOT_NULL(strchr(line, ' '));
    CU_ASSERT_PTR_NULL(strchr(line, '\n'));
    (*(int *)ctx)++;
}

static void keys_are_logged_where_asked(void) {
    struct err err;
    int lines = 0;
    struct policy *policy = policy_default();
    struct shared_config config = config_with(policy);
    config.keylog = count_line;
    config.keylog_ctx = &lines;
    struct session_shared *shared = shared_new(&config, &err);
    policy_unref(policy);
    struct setup setup = {SETUP_TLS, .shared = shared};
    play(&setup, OPEN ">> server tls\n>> client hello\n>> stop\n");
    CU_ASSERT(lines >= 4);
    shared_unref(shared);
}

const struct unit_case unit_cases[] = {
    {"it is counted", it_is_counted},
    {"a session keeps it", a_session_keeps_it},
    {"rules without roots of their own share them", rules_without_roots_of_their_own_share_them},
    {"roots that cannot be read are an error", roots_that_cannot_be_read_are_an_error},
    {"contexts differ in what they offer", contexts_differ_in_what_they_offer},
    {"keys are logged where asked", keys_are_logged_where_asked},
    {NULL, NULL},
};
