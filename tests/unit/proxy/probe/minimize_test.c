#include "proxy/probe/minimize.h"

#include <string.h>

#include "proxy/tls/hello_shape.h"
#include "tests/unit/proxy/probe/echo.h"
#include "tests/unit/unit.h"

static struct echo_ask ask;
static struct echo server;
static struct inquiry_config inquiry;
static struct minimize_config config;
static struct minimize *minimize;
static size_t num_tries, num_done;

static void on_try(void *ctx, size_t num, bool passed) {
    CU_ASSERT_PTR_EQUAL(ctx, &ask.loop);
    CU_ASSERT_EQUAL(num, ++num_tries);
    CU_ASSERT_FALSE(passed);
}

static void on_done(void *ctx) {
    (void)ctx;
    num_done++;
    ev_break(ask.loop, EVBREAK_ONE);
}

static void begin(enum echo_mode mode) {
    echo_ask_begin(&ask, &server, mode, "chromium");
    inquiry = (struct inquiry_config){.loop = ask.loop,
                                      .resolver = ask.resolver,
                                      .peer = {"a.example", server.port, NULL},
                                      .server_name = "a.example",
                                      .asked = &ask.hello,
                                      .keys = ask.keys,
                                      .budget = 30,
                                      .connect_us = 2000000,
                                      .answer_us = 3000000,
                                      .total_us = 6000000};
    config = (struct minimize_config){.inquiry = &inquiry,
                                      .address = "127.0.0.1",
                                      .on_try = on_try,
                                      .on_done = on_done,
                                      .ctx = &ask.loop};
    num_tries = num_done = 0;
    minimize = minimize_new(&config);
}

static void end(void) {
    minimize_free(minimize);
    echo_ask_end(&ask, &server);
}

static void test_nothing_passes(void) {
    struct buf text;
    begin(ECHO_ANSWER);
    echo_run(&server);
    buf_init(&text, 1024);
    CU_ASSERT_EQUAL(num_done, 1);
    CU_ASSERT(num_tries > 2 && num_tries == server.num);
    CU_ASSERT_TRUE(server.most_open <= 2); // the server may see an end late
    CU_ASSERT_TRUE(minimize_says(minimize, &text));
    CU_ASSERT_EQUAL(memcmp(buf_data(&text), "No hello passes", 15), 0);
    buf_cleanup(&text);
    end();
}

static void on_stop(struct ev_loop *l, ev_timer *timer, int revents) {
    (void)l, (void)timer, (void)revents;
    minimize_stop(minimize);
}

static void test_stop(void) {
    struct buf text;
    begin(ECHO_SILENT);
    ev_timer stop;
    ev_timer_init(&stop, on_stop, 0.05, 0);
    ev_timer_start(ask.loop, &stop);
    echo_run(&server);
    buf_init(&text, 1024);
    CU_ASSERT_EQUAL(num_done, 1);
    CU_ASSERT_FALSE(minimize_says(minimize, &text));
    CU_ASSERT_EQUAL(text.len, 0);
    end();
    // Abandoned under way.
    begin(ECHO_SILENT);
    ev_run(ask.loop, EVRUN_ONCE);
    end();
}

const struct unit_case unit_cases[] = {
    {"nothing passes", test_nothing_passes},
    {"stop", test_stop},
    {NULL, NULL},
};
