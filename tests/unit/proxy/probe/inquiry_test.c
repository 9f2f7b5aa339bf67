#include "proxy/probe/inquiry.h"

#include <netinet/in.h>
#include <string.h>

#include "logs/record/record.h"
#include "proxy/tls/hello_shape.h"
#include "tests/unit/proxy/probe/echo.h"
#include "tests/unit/unit.h"

static struct echo_ask ask;
static struct echo server;
static struct inquiry_config config;
static struct inquiry *inquiry;
static struct record *record;
static size_t num_results, num_done;

static void on_result(void *ctx, const struct obj *experiment) {
    CU_ASSERT_PTR_EQUAL(ctx, &ask.loop);
    CU_ASSERT_TRUE(obj_has(experiment, F_EXPERIMENT_LEG));
    num_results++;
}

static void on_done(void *ctx) {
    (void)ctx;
    num_done++;
    ev_break(ask.loop, EVBREAK_ONE);
}

static void begin(enum echo_mode mode) {
    echo_ask_begin(&ask, &server, mode, "openssl");
    record = record_new();
    config = (struct inquiry_config){.loop = ask.loop,
                                     .resolver = ask.resolver,
                                     .peer = {"a.example", server.port, "127.0.0.1"},
                                     .server_name = "a.example",
                                     .asked = &ask.hello,
                                     .keys = ask.keys,
                                     .budget = 12,
                                     .repeats = 2,
                                     .parallel = 4,
                                     .seed = 1,
                                     .connect_us = 2000000,
                                     .answer_us = 300000,
                                     .total_us = 2000000,
                                     .on_result = on_result,
                                     .on_done = on_done,
                                     .ctx = &ask.loop};
    num_results = num_done = 0;
}

static void end(void) {
    inquiry_free(inquiry);
    record_free(record);
    echo_ask_end(&ask, &server);
}

static const struct obj *row(size_t i) { return obj_at(record->root, F_RECORD_EXPERIMENTS, i); }

static size_t num_rows(void) { return obj_num(record->root, F_RECORD_EXPERIMENTS); }

static void test_a_round(void) {
    begin(ECHO_ANSWER);
    inquiry = inquiry_new(&config, record->root);
    echo_run(&server);
    CU_ASSERT_EQUAL(num_done, 1);
    CU_ASSERT_EQUAL(num_rows(), num_results);
    CU_ASSERT_EQUAL(server.num, num_results);
    CU_ASSERT(num_results > 4 && num_results <= 12);
    CU_ASSERT_TRUE(server.most_open <= 4);
    CU_ASSERT_STRING_EQUAL(obj_str(row(0), F_EXPERIMENT_PROBE), "base");
    CU_ASSERT_STRING_EQUAL(obj_str(row(0), F_EXPERIMENT_RESULT), "alert");
    // The base is the server's leg.
    CU_ASSERT_STRING_EQUAL(obj_str(record_leg(record->root, true), F_LEG_ADDRESS), "127.0.0.1");
    end();
}

static enum echo_mode by_name(void *ctx, const uint8_t *p, size_t p_len) {
    (void)ctx;
    return memmem(p, p_len, "a.example", 9) != NULL ? ECHO_RESET : ECHO_ANSWER;
}

static void test_picks(void) {
    const struct probe_pick picks[] = {probe_pick_of("no-sni"), probe_pick_of("no-grease")};
    begin(ECHO_SILENT);
    server.choose = by_name;
    config.picks = picks;
    config.num_picks = 2;
    inquiry = inquiry_new(&config, record->root);
    echo_run(&server);
    // There is no GREASE to be left out. An alert is no answer either, so nothing differs.
    CU_ASSERT_EQUAL(num_rows(), 3);
    CU_ASSERT_STRING_EQUAL(obj_str(row(1), F_EXPERIMENT_PROBE), "no-sni");
    CU_ASSERT_TRUE(obj_has_str(row(1), F_EXPERIMENT_FACTORS, "server_name=absent"));
    CU_ASSERT_STRING_EQUAL(obj_str(row(1), F_EXPERIMENT_RESULT), "alert");
    CU_ASSERT_STRING_EQUAL(obj_str(row(2), F_EXPERIMENT_RESULT), "reset");
    end();
}

// Where the other resolver says that the host is; without one nobody is asked.
static void test_other_resolver(void) {
    struct err err;
    for (int with = 0; with < 2; with++) {
        begin(ECHO_CLOSE);
        struct resolver *other = resolver_new(ask.loop, "127.0.0.1:9", 1000000, &err);
        config.only_base = true;
        config.repeats = 1;
        config.peer.host = "localhost"; // which resolvers know by themselves
        config.family = AF_INET;
        config.has_other_resolver = with;
        config.other_resolver = other;
        inquiry = inquiry_new(&config, record->root);
        echo_run(&server);
        CU_ASSERT_EQUAL(num_rows(), 1 + (size_t)with);
        if (with && num_rows() == 2) {
            CU_ASSERT(obj_str_is(row(1), F_EXPERIMENT_PROBE, "other-resolver"));
            CU_ASSERT(obj_has_str(row(1), F_EXPERIMENT_FACTORS, "resolver=other"));
            const struct obj *leg = obj_get(row(1), F_EXPERIMENT_LEG);
            CU_ASSERT(obj_str_is(leg, F_LEG_ADDRESS, "127.0.0.1"));
            CU_ASSERT(obj_has(leg, F_LEG_MS_DNS));
        }
        resolver_free(other);
        end();
    }
}

static void test_only_base(void) {
    begin(ECHO_CLOSE);
    config.only_base = true;
    config.repeats = 3;
    obj_set_str(obj_sub(record->root, F_RECORD_LEG_SERVER), F_LEG_ADDRESS, "192.0.2.1");
    inquiry = inquiry_new(&config, record->root);
    echo_run(&server);
    CU_ASSERT_EQUAL(num_rows(), 3);
    CU_ASSERT_STRING_EQUAL(obj_str(record_leg(record->root, true), F_LEG_ADDRESS), "192.0.2.1");
    end();
}

static void test_nobody(void) {
    begin(ECHO_CLOSE);
    config.peer.port = 1;
    inquiry = inquiry_new(&config, record->root);
    echo_run(&server);
    CU_ASSERT_EQUAL(num_rows(), 1);
    CU_ASSERT_STRING_EQUAL(obj_str(row(0), F_EXPERIMENT_RESULT), "unreachable");
    end();
}

static void on_stop(struct ev_loop *l, ev_timer *timer, int revents) {
    (void)l, (void)timer, (void)revents;
    inquiry_stop(inquiry);
}

static void test_stop(void) {
    begin(ECHO_SILENT);
    config.answer_us = 10000000;
    config.total_us = 20000000;
    inquiry = inquiry_new(&config, record->root);
    ev_timer stop;
    ev_timer_init(&stop, on_stop, 0.05, 0);
    ev_timer_start(ask.loop, &stop);
    echo_run(&server);
    CU_ASSERT_EQUAL(num_done, 1);
    CU_ASSERT_EQUAL(num_rows(), 1);
    CU_ASSERT_STRING_EQUAL(obj_str(row(0), F_EXPERIMENT_RESULT), "unfinished");
    end();
}

// What is given along is asked with; an ordinary handshake of the library's is usual.
static void test_given(void) {
    begin(ECHO_CLOSE);
    config.with_library = true;
    config.repeats = 1;
    config.budget = 40;
    config.ech_name = "public.example";
    struct client_cert shown = {.num_chain = 0}; // nobody asks for it
    config.shown = &shown;
    inquiry = inquiry_new(&config, record->root);
    echo_run(&server);
    static const char *const names[] = {"library", "with-cert", "without-cert", "public-name"};
    for (size_t n = 0; n < ARRAY_LEN(names); n++) {
        size_t num = 0;
        for (size_t i = 0; i < num_rows(); i++) {
            num += obj_str_is(row(i), F_EXPERIMENT_PROBE, names[n]);
        }
        CU_ASSERT_EQUAL(num, 1);
    }
    end();
    begin(ECHO_CLOSE);
    config.repeats = 1;
    config.budget = 40;
    inquiry = inquiry_new(&config, record->root);
    echo_run(&server);
    for (size_t i = 0; i < num_rows(); i++) {
        CU_ASSERT_FALSE(obj_str_is(row(i), F_EXPERIMENT_PROBE, "library"));
        CU_ASSERT_FALSE(obj_str_is(row(i), F_EXPERIMENT_PROBE, "without-cert"));
    }
    end();
}

static size_t num_previews, num_with_hello;

static void on_preview(void *ctx, const struct probe_pick *pick, const struct hello_draft *draft) {
    CU_ASSERT_PTR_EQUAL(ctx, &ask.loop);
    CU_ASSERT_PTR_NOT_NULL(pick->probe);
    num_previews++;
    num_with_hello += draft != NULL;
}

static void test_preview(void) {
    begin(ECHO_CLOSE);
    inquiry_preview(&config, on_preview, &ask.loop);
    CU_ASSERT(num_previews > 10 && num_with_hello < num_previews);
    ev_run(ask.loop, EVRUN_NOWAIT);
    CU_ASSERT_EQUAL(server.num, 0);
    inquiry = NULL;
    end();
}

const struct unit_case unit_cases[] = {
    {"a round", test_a_round},
    {"picks", test_picks},
    {"other resolver", test_other_resolver},
    {"only the base", test_only_base},
    {"nobody there", test_nobody},
    {"stop", test_stop},
    {"what is given along", test_given},
    {"preview", test_preview},
    {NULL, NULL},
};
