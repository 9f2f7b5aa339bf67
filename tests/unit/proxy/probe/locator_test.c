#include "proxy/probe/locator.h"

#include <string.h>

#include "logs/record/record.h"
#include "proxy/tls/hello_shape.h"
#include "tests/unit/proxy/probe/echo.h"
#include "tests/unit/unit.h"

// On loopback there is no way to be looked at, only who is at its end: the lab's locate_test has
// routers.

static struct echo_ask ask;
static struct echo server;
static struct inquiry_config inquiry;
static struct locator_config config;
static struct record *record;
static size_t num_done, num_hops;

static void on_hop(void *ctx, const struct locate *locate, int ttl) {
    (void)ctx, (void)locate, (void)ttl;
    num_hops++;
}

static void on_done(void *ctx) {
    (void)ctx;
    num_done++;
    ev_break(ask.loop, EVBREAK_ONE);
}

static void begin(enum echo_mode mode) {
    echo_ask_begin(&ask, &server, mode, "openssl");
    inquiry = (struct inquiry_config){.loop = ask.loop,
                                      .resolver = ask.resolver,
                                      .peer = {"a.example", server.port, NULL},
                                      .server_name = "a.example",
                                      .asked = &ask.hello,
                                      .keys = ask.keys,
                                      .seed = 1,
                                      .connect_us = 2000000,
                                      .answer_us = 300000,
                                      .total_us = 4000000};
    config = (struct locator_config){
        .inquiry = &inquiry, .address = "127.0.0.1", .on_hop = on_hop, .on_done = on_done};
    record = record_new();
    num_done = num_hops = 0;
}

static void end(void) {
    record_free(record);
    echo_ask_end(&ask, &server);
}

static const struct obj *located(void) {
    struct locator *locator = locator_new(&config);
    struct obj *path = obj_sub(record->root, F_RECORD_PATH);
    CHECK(locator != NULL);
    ev_run(ask.loop, 0);
    CU_ASSERT_EQUAL(num_done, 1);
    locator_record(locator, path);
    locator_free(locator);
    return path;
}

static void test_server_at_once(void) {
    static const struct {
        enum echo_mode mode;
        const char *fate;
    } rows[] = {
        {ECHO_ANSWER, "alert"},
        {ECHO_RESET, "reset"},
        {ECHO_CLOSE, "closed"},
        {ECHO_SILENT, "acknowledged"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        begin(rows[i].mode);
        const struct obj *path = located();
        CU_ASSERT(obj_is(path, F_PATH_SERVER_HOP, 1));
        CU_ASSERT(obj_str_is(path, F_PATH_TARGET, rows[i].fate));
        CU_ASSERT(obj_str_is(path, F_PATH_CONTROL, rows[i].fate));
        CU_ASSERT_EQUAL(strlen(obj_str(path, F_PATH_CONTROL_NAME)), strlen("a.example"));
        CU_ASSERT_FALSE(obj_has(path, F_PATH_BOX_HOP));
        CU_ASSERT_EQUAL(num_hops, 0); // none before the server's
        end();
    }
}

static void test_nobody_there(void) {
    begin(ECHO_ANSWER);
    inquiry.peer.port = 1;
    const struct obj *path = located();
    CU_ASSERT_FALSE(obj_has(path, F_PATH_SERVER_HOP));
    CU_ASSERT_FALSE(obj_has(path, F_PATH_BOX_HOP));
    CU_ASSERT(obj_str_is(obj_at(path, F_PATH_HOPS, 0), F_HOP_SYN, "reset"));
    CU_ASSERT_EQUAL(server.num, 0);
    end();
}

static void test_stop(void) {
    begin(ECHO_SILENT);
    struct locator *locator = locator_new(&config);
    locator_stop(locator);
    ev_run(ask.loop, 0);
    CU_ASSERT_EQUAL(num_done, 1);
    locator_free(locator);
    locator_free(NULL);
    config.address = "a.example"; // no literal
    CU_ASSERT_PTR_NULL(locator_new(&config));
    end();
}

const struct unit_case unit_cases[] = {
    {"a server at hop 1", test_server_at_once},
    {"nobody there", test_nobody_there},
    {"stop", test_stop},
    {NULL, NULL},
};
