#include "proxy/probe/experimenter.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "logs/record/record.h"
#include "proxy/net/clock.h"
#include "proxy/tls/hello_shape.h"
#include "tests/unit/proxy/probe/echo.h"
#include "tests/unit/unit.h"

enum { TOLD_MAX = 64 };

static struct ev_loop *loop;
static struct echo server;
static pthread_t server_thread;
static ev_async stop;
static struct experimenter_config config;
static struct experimenter *experimenter;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct record *told[TOLD_MAX];
static size_t num_told;

static void on_record(void *ctx, const struct obj *root) {
    CU_ASSERT_PTR_EQUAL(ctx, &num_told);
    pthread_mutex_lock(&lock);
    CHECK(num_told < TOLD_MAX);
    told[num_told] = record_new();
    obj_copy(told[num_told++]->root, root);
    pthread_mutex_unlock(&lock);
}

static void on_stop(struct ev_loop *l, ev_async *async, int revents) {
    (void)async, (void)revents;
    ev_break(l, EVBREAK_ALL);
}

static void *serve(void *arg) {
    (void)arg;
    ev_run(loop, 0);
    return NULL;
}

static void begin(enum echo_mode mode) {
    static const uint8_t refusal[] = {21, 3, 3, 0, 2, 2, 40};
    struct err err;
    loop = ev_loop_new(EVFLAG_AUTO);
    echo_init(&server, loop, mode);
    server.answer = refusal;
    server.answer_len = sizeof(refusal);
    ev_async_init(&stop, on_stop);
    ev_async_start(loop, &stop);
    CHECK(pthread_create(&server_thread, NULL, serve, NULL) == 0);
    num_told = 0;
    config.answer_us = 300000;
    config.on_record = on_record;
    config.ctx = &num_told;
    experimenter = experimenter_new(&config, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(experimenter);
}

static void end(void) {
    ev_async_send(loop, &stop);
    CHECK(pthread_join(server_thread, NULL) == 0);
    ev_async_stop(loop, &stop);
    echo_cleanup(&server);
    ev_loop_destroy(loop);
    for (size_t i = 0; i < num_told; i++) {
        record_free(told[i]);
    }
}

// failed_record is a connection whose server's leg was refused.
static struct record *failed_record(const char *host) {
    struct record *record = record_new();
    struct obj *root = record->root, *leg = obj_sub(root, F_RECORD_LEG_SERVER);
    struct hello_keys *keys = hello_keys_new(NULL, NULL);
    struct hello_draft draft;
    struct buf wire;
    hello_draft_init(&draft);
    hello_shape_make(&draft, hello_shape_find("openssl"), host, keys);
    buf_init(&wire, HELLO_DRAFT_WIRE_MAX);
    CHECK(hello_draft_wire(&draft, &wire, NULL, NULL));
    obj_set_str(root, F_RECORD_ID, host);
    obj_set_str(root, F_RECORD_MODE, "intercept");
    obj_set_str(root, F_RECORD_HOST, host);
    obj_set_int(root, F_RECORD_PORT, server.port);
    obj_set_str(leg, F_LEG_ADDRESS, "127.0.0.1");
    obj_set_str(leg, F_LEG_SERVER_NAME, host);
    obj_set_bytes(leg, F_LEG_OFFER_RAW, buf_data(&wire), wire.len);
    obj_set_str(leg, F_LEG_END_BY, "server");
    obj_set_str(leg, F_LEG_END_HOW, "rst");
    obj_set_str(leg, F_LEG_END_AT, "hello");
    obj_set_bytes(obj_sub(root, F_RECORD_LEG_CLIENT), F_LEG_OFFER_RAW, buf_data(&wire), wire.len);
    struct obj *verdict = obj_sub(root, F_RECORD_VERDICT);
    obj_set_str(verdict, F_VERDICT_PARTY, "undetermined");
    obj_set_str(verdict, F_VERDICT_CONFIDENCE, "possible");
    buf_cleanup(&wire);
    hello_draft_cleanup(&draft);
    hello_keys_free(keys);
    return record;
}

static bool offer(const char *host) {
    struct record *record = failed_record(host);
    bool taken = experimenter_offer(experimenter, record->root);
    record_free(record);
    return taken;
}

static void test_a_failure(void) {
    begin(ECHO_RESET);
    CU_ASSERT_TRUE(offer("a.example"));
    CU_ASSERT_FALSE(offer("a.example")); // within a minute
    experimenter_free(experimenter, 20000000);
    CU_ASSERT_EQUAL_FATAL(num_told, 1);
    const struct obj *root = told[0]->root;
    size_t num = obj_num(root, F_RECORD_EXPERIMENTS);
    CU_ASSERT(num > 4 && num <= PLAN_BUDGET_FAILURE);
    CU_ASSERT_EQUAL(server.num, num);
    CU_ASSERT_TRUE(server.most_open <= EXPERIMENTER_PARALLEL);
    bool replayed = false;
    for (size_t i = 0; i < num; i++) {
        replayed |= obj_str_is(obj_at(root, F_RECORD_EXPERIMENTS, i), F_EXPERIMENT_PROBE, "replay");
    }
    CU_ASSERT_TRUE(replayed);
    CU_ASSERT_TRUE(obj_has(obj_get(root, F_RECORD_VERDICT), F_VERDICT_CAUSE));
    end();
}

// A hundred failures at once: most are left alone, none is lost, and no more are asked than
// allowed.
static void test_a_storm(void) {
    begin(ECHO_SILENT);
    unsigned taken = 0;
    int64_t start = clock_mono_us();
    for (int i = 0; i < 100; i++) {
        char host[32];
        snprintf(host, sizeof(host), "h%d.example", i);
        taken += offer(host);
    }
    CU_ASSERT_TRUE(clock_mono_us() - start < 2000000); // nobody was kept waiting
    CU_ASSERT(taken >= EXPERIMENTER_QUEUE_MAX &&
              taken <= EXPERIMENTER_QUEUE_MAX + EXPERIMENTER_ROUNDS);
    usleep(200000);
    // The end is prompt, and what was taken is handed over.
    start = clock_mono_us();
    experimenter_free(experimenter, 0);
    CU_ASSERT_TRUE(clock_mono_us() - start < 2000000);
    CU_ASSERT_EQUAL(num_told, taken);
    CU_ASSERT_TRUE(server.most_open <= EXPERIMENTER_ROUNDS * EXPERIMENTER_PARALLEL);
    end();
}

static bool wants(const char *path, enum experimenter_when when) {
    struct record *record = failed_record("a.example");
    struct obj *root = record->root, *leg = record_leg(root, true);
    if (strcmp(path, "excluded") == 0) {
        obj_set_int(root, F_RECORD_POLICY_EXPERIMENTS, false);
    } else if (strcmp(path, "plain") == 0) {
        obj_set_str(root, F_RECORD_MODE, "plain");
    } else if (strcmp(path, "tunnel without a hello") == 0) {
        obj_set_str(root, F_RECORD_MODE, "tunnel");
        obj_unset(record_leg(root, false), F_LEG_OFFER_RAW);
    } else if (strcmp(path, "tunnel") == 0) {
        obj_set_str(root, F_RECORD_MODE, "tunnel");
        obj_unset(leg, F_LEG_OFFER_RAW);
    } else if (strcmp(path, "parent failed") == 0) {
        obj_set_str(root, F_RECORD_PARENT_FAILURE, "tls");
    } else if (strcmp(path, "certain") == 0) {
        obj_set_str(obj_sub(root, F_RECORD_VERDICT), F_VERDICT_CONFIDENCE, "certain");
    } else if (strcmp(path, "unreachable") == 0) {
        obj_unset(leg, F_LEG_OFFER_RAW);
    } else if (strcmp(path, "established") == 0) {
        obj_set_int(leg, F_LEG_TLS_ESTABLISHED, true);
    } else if (strcmp(path, "untrusted") == 0) {
        obj_set_int(leg, F_LEG_TLS_ESTABLISHED, true);
        obj_set_int(obj_sub(leg, F_LEG_VERIFICATION), F_VERIFICATION_OK, false);
    } else if (strcmp(path, "left") == 0) {
        obj_set_str(leg, F_LEG_END_BY, "client");
    } else if (strcmp(path, "left late") == 0) {
        obj_set_str(leg, F_LEG_END_BY, "client");
        obj_set_str(leg, F_LEG_END_AT, "hello");
        obj_set_int(leg, F_LEG_MS_HELLO, 1000);
        obj_set_int(leg, F_LEG_MS_END, 2001000);
    } else if (strcmp(path, "healthy") == 0) {
        obj_set_int(leg, F_LEG_TLS_ESTABLISHED, true);
        obj_set_str(obj_sub(root, F_RECORD_VERDICT), F_VERDICT_PARTY, "none");
    }
    bool answer = experimenter_wants(when, root);
    record_free(record);
    return answer;
}

static void test_what_is_wanted(void) {
    server.port = 443;
    CU_ASSERT_TRUE(wants("", EXPERIMENTER_ON_FAILURE));
    CU_ASSERT_TRUE(wants("untrusted", EXPERIMENTER_ON_FAILURE));
    CU_ASSERT_TRUE(wants("tunnel", EXPERIMENTER_ON_FAILURE));
    CU_ASSERT_TRUE(wants("left late", EXPERIMENTER_ON_FAILURE));
    static const char *const no[] = {"excluded",    "tunnel without a hello",
                                     "plain",       "parent failed",
                                     "certain",     "established",
                                     "unreachable", "left",
                                     "healthy"};
    for (size_t i = 0; i < ARRAY_LEN(no); i++) {
        CU_ASSERT_FALSE(wants(no[i], EXPERIMENTER_ON_FAILURE));
    }
    CU_ASSERT_TRUE(wants("healthy", EXPERIMENTER_ALWAYS));
    CU_ASSERT_FALSE(wants("excluded", EXPERIMENTER_ALWAYS));
    CU_ASSERT_TRUE(wants("tunnel", EXPERIMENTER_ALWAYS));
    CU_ASSERT_FALSE(wants("plain", EXPERIMENTER_ALWAYS));
}

// A hello that cannot be read again is no experiment; its record comes back all the same.
static void test_no_hello(void) {
    begin(ECHO_RESET);
    struct record *record = failed_record("a.example");
    obj_set_bytes(record_leg(record->root, true), F_LEG_OFFER_RAW, "junk", 4);
    CU_ASSERT_TRUE(experimenter_offer(experimenter, record->root));
    record_free(record);
    experimenter_free(experimenter, 20000000);
    CU_ASSERT_EQUAL(num_told, 1);
    CU_ASSERT_EQUAL(server.num, 0);
    end();
}

const struct unit_case unit_cases[] = {
    {"a failure", test_a_failure},
    {"a storm", test_a_storm},
    {"what is wanted", test_what_is_wanted},
    {"no hello", test_no_hello},
    {NULL, NULL},
};
