#include "proxy/probe/runner.h"

#include <errno.h>
#include <string.h>

#include "proxy/net/address.h"
#include "proxy/net/clock.h"
#include "proxy/probe/outcome.h"
#include "proxy/tls/hello_edit.h"
#include "proxy/tls/hello_shape.h"
#include "tests/unit/proxy/probe/echo.h"
#include "tests/unit/unit.h"

static struct echo_ask ask;
static struct echo server;
static struct runner_config config;
static struct runner *runner;
static size_t num_results, num_idle;
static char results[64][16];
static int64_t times[64];
static uint16_t self_port;

static void on_result(void *ctx, const struct runner_result *result) {
    CU_ASSERT_PTR_EQUAL(ctx, &ask.loop);
    CHECK(result->index < 64);
    strcpy(results[result->index], outcome_name(exchange_leg(result->exchange)));
    times[num_results++] = clock_mono_us();
}

static void on_idle(void *ctx) {
    (void)ctx;
    num_idle++;
    ev_break(ask.loop, EVBREAK_ONE);
}

static bool is_self(void *ctx, const struct address *address) {
    (void)ctx;
    return address->port == self_port;
}

static void begin(enum echo_mode mode) {
    echo_ask_begin(&ask, &server, mode, "openssl");
    config = (struct runner_config){.loop = ask.loop,
                                    .resolver = ask.resolver,
                                    .parallel = 2,
                                    .connect_timeout_us = 2000000,
                                    .is_self = is_self,
                                    .on_result = on_result,
                                    .on_idle = on_idle,
                                    .ctx = &ask.loop};
    num_results = num_idle = 0;
    self_port = 0;
    memset(results, 0, sizeof(results));
}

static void end(void) {
    runner_free(runner);
    echo_ask_end(&ask, &server);
}

static void add(const char *host, uint16_t port, int64_t answer_us) {
    const struct runner_job job = {.exchange = {.sends = EXCHANGE_SENDS_HELLO,
                                                .hello = &ask.hello,
                                                .keys = ask.keys,
                                                .host = "a.example",
                                                .port = 443,
                                                .answer_us = answer_us,
                                                .total_us = 5000000},
                                   .dial_host = host,
                                   .dial_port = port};
    runner_add(runner, &job);
}

static void test_all_kinds(void) {
    static const struct {
        enum echo_mode mode;
        const char *result;
    } rows[] = {
        {ECHO_ANSWER, "alert"},
        {ECHO_RESET, "reset"},
        {ECHO_CLOSE, "closed"},
        {ECHO_SILENT, "silent"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        begin(rows[i].mode);
        runner = runner_new(&config);
        add("127.0.0.1", server.port, 200000);
        echo_run(&server);
        CU_ASSERT_EQUAL(num_results, 1);
        CU_ASSERT_EQUAL(num_idle, 1);
        CU_ASSERT_STRING_EQUAL(results[0], rows[i].result);
        CU_ASSERT_EQUAL(runner_num_connections(runner), 1);
        end();
    }
}

// Looking for what ICMP said finds the reset first, and does not make an orderly end of it.
static void test_reset_while_polling(void) {
    begin(ECHO_RESET);
    runner = runner_new(&config);
    for (int i = 0; i < 40; i++) {
        const struct runner_job job = {.exchange = {.sends = EXCHANGE_SENDS_HELLO,
                                                    .hello = &ask.hello,
                                                    .keys = ask.keys,
                                                    .host = "a.example",
                                                    .port = 443,
                                                    .answer_us = 2000000,
                                                    .total_us = 5000000},
                                       .dial_host = "127.0.0.1",
                                       .dial_port = server.port,
                                       .socket = {.ttl = 64, .poll_us = 1}};
        runner_add(runner, &job);
    }
    echo_run(&server);
    CU_ASSERT_EQUAL(num_results, 40);
    for (size_t i = 0; i < num_results; i++) {
        CU_ASSERT_STRING_EQUAL(results[i], "reset");
    }
    end();
}

static void test_unreachable(void) {
    begin(ECHO_ANSWER);
    runner = runner_new(&config);
    add("127.0.0.1", 1, 200000);           // nobody listens
    add("nx.invalid", 443, 200000);        // nobody resolves
    add("127.0.0.1", server.port, 200000); // the proxy itself
    self_port = server.port;
    echo_run(&server);
    CU_ASSERT_EQUAL(num_results, 3);
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_STRING_EQUAL(results[i], "unreachable");
    }
    CU_ASSERT_EQUAL(server.num, 0);
    end();
}

// Never more at once than allowed, and never sooner than the pace.
static void test_queue(void) {
    begin(ECHO_ANSWER);
    config.pace_us = 20000;
    config.parallel = 3;
    runner = runner_new(&config);
    int64_t start = clock_mono_us();
    for (int i = 0; i < 12; i++) {
        add("127.0.0.1", server.port, 1000000);
    }
    echo_run(&server);
    CU_ASSERT_EQUAL(num_results, 12);
    CU_ASSERT_TRUE(clock_mono_us() - start >= 11 * 20000);
    CU_ASSERT_TRUE(server.most_open <= 3);
    end();
    begin(ECHO_SILENT);
    config.parallel = 3;
    runner = runner_new(&config);
    for (int i = 0; i < 9; i++) {
        add("127.0.0.1", server.port, 50000);
    }
    echo_run(&server);
    CU_ASSERT_EQUAL(num_results, 9);
    CU_ASSERT_EQUAL(server.most_open, 3);
    end();
}

// After a failure there is a pause, in which a box may calm down.
static void test_residual(void) {
    begin(ECHO_RESET);
    config.parallel = 1;
    config.residual_us = 60000;
    runner = runner_new(&config);
    add("127.0.0.1", server.port, 1000000);
    add("127.0.0.1", server.port, 1000000);
    echo_run(&server);
    CU_ASSERT_EQUAL_FATAL(num_results, 2);
    CU_ASSERT_TRUE(times[1] - times[0] >= 60000);
    end();
}

static void on_stop(struct ev_loop *l, ev_timer *timer, int revents) {
    (void)l, (void)timer, (void)revents;
    runner_stop(runner);
}

static void test_stop(void) {
    begin(ECHO_SILENT);
    runner = runner_new(&config);
    for (int i = 0; i < 5; i++) {
        add("127.0.0.1", server.port, 4000000);
    }
    ev_timer stop;
    ev_timer_init(&stop, on_stop, 0.05, 0);
    ev_timer_start(ask.loop, &stop);
    int64_t start = clock_mono_us();
    echo_run(&server);
    CU_ASSERT_TRUE(clock_mono_us() - start < 2000000);
    CU_ASSERT_EQUAL(num_results, 2); // those under way
    CU_ASSERT_STRING_EQUAL(results[0], "unfinished");
    CU_ASSERT_EQUAL(num_idle, 1);
    end();
    // Abandoned in the middle.
    begin(ECHO_SILENT);
    runner = runner_new(&config);
    add("127.0.0.1", server.port, 4000000);
    add("localhost", server.port, 4000000);
    ev_run(ask.loop, EVRUN_ONCE);
    CU_ASSERT_EQUAL(num_results, 0);
    end();
}

// Segments of a hello arrive one by one, and the options reach the socket.
static size_t seen[8], num_seen;

static enum echo_mode count(void *ctx, const uint8_t *p, size_t p_len) {
    (void)ctx, (void)p;
    if (num_seen < ARRAY_LEN(seen)) {
        seen[num_seen++] = p_len;
    }
    return num_seen == 2 ? ECHO_ANSWER : ECHO_SILENT;
}

static void test_segments(void) {
    begin(ECHO_SILENT);
    num_seen = 0;
    server.choose = count;
    hello_edit_cut_segment(&ask.hello, 100, 60);
    runner = runner_new(&config);
    add("127.0.0.1", server.port, 1000000);
    echo_run(&server);
    CU_ASSERT_EQUAL(num_seen, 2);
    CU_ASSERT_EQUAL(seen[0], 100);
    CU_ASSERT_STRING_EQUAL(results[0], "alert");
    end();
}

const struct unit_case unit_cases[] = {
    {"all kinds", test_all_kinds},     {"a reset while polling", test_reset_while_polling},
    {"unreachable", test_unreachable}, {"queue", test_queue},
    {"residual", test_residual},       {"stop", test_stop},
    {"segments", test_segments},       {NULL, NULL},
};
