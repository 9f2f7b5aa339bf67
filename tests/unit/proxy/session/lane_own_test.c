// A lane without a session; whole connections are emulate_hello_test's.
#include "proxy/session/lane_own.h"

#include <string.h>

#include "proxy/tls/hello_shape.h"
#include "tests/unit/proxy/tls/hellos.h"
#include "tests/unit/unit.h"

static const int64_t now_us = 5;
static struct lane lane;
static int chains;

static uint8_t on_chain(void *ctx) {
    (void)ctx;
    chains++;
    return 0;
}

static void on_secret(void *ctx, const char *line) {
    (void)ctx;
    (void)line;
}

static void begin(const char *shape) {
    static uint64_t seed;
    struct hello_draft hello;
    lane_init(&lane, &now_us);
    lane.open = true;
    chains = 0;
    struct own_config config = {.hello = &hello,
                                .keys = hello_keys_new(hellos_random, &seed),
                                .chain = on_chain,
                                .secret = on_secret};
    hello_draft_init(&hello);
    hello_shape_make(&hello, hello_shape_find(shape), "host.example", config.keys);
    own_start(&lane, &config);
    hello_draft_cleanup(&hello);
}

static enum lane_result come(const void *p, size_t p_len) {
    CU_ASSERT(lane_keep(&lane));
    lane.fresh = (struct span){p, p_len};
    enum lane_result result = lane_handshake(&lane);
    CU_ASSERT(lane_keep(&lane));
    return result;
}

// A record is taken when it is whole, not before.
static void test_pieces(void) {
    static const uint8_t alert[] = {SSL3_RT_ALERT, 3, 3, 0, 2, SSL3_AL_FATAL, 40};
    begin("tls12");
    CU_ASSERT(lane_tls(&lane) && lane_in_handshake(&lane));
    CU_ASSERT(lane.out.len > 50 && buf_data(&lane.out)[0] == SSL3_RT_HANDSHAKE);
    for (size_t i = 0; i + 1 < sizeof(alert); i++) {
        CU_ASSERT_EQUAL(come(alert + i, 1), LANE_MORE);
        CU_ASSERT_EQUAL(lane_waiting(&lane), i + 1);
    }
    CU_ASSERT_EQUAL(come(alert + sizeof(alert) - 1, 1), LANE_FAILED);
    CU_ASSERT_EQUAL(lane_waiting(&lane), 0);
    CU_ASSERT_EQUAL(lane.peer_alert, 40);
    CU_ASSERT_FALSE(own_unspoken(&lane));
    CU_ASSERT_EQUAL(chains, 0);
    lane_cleanup(&lane);
}

static void test_ends(void) {
    begin("tls12");
    lane.eof = true;
    CU_ASSERT_EQUAL(come("\26\3\3", 3), LANE_FAILED);
    CU_ASSERT_EQUAL(lane_read_state(&lane, 0), LANE_READ_FAILED);
    CU_ASSERT_EQUAL(lane_chain(&lane), NULL);
    lane_cleanup(&lane);
    begin("tls13");
    CU_ASSERT_EQUAL(come("HTTP/1.1 400 Bad Request\r\n\r\n", 28), LANE_FAILED);
    lane_cleanup(&lane);
}

// What is against the standard is answered with an alert, once, and has a reason.
static void test_refusal(void) {
    char reason[128];
    begin("tls12");
    buf_consume(&lane.out, lane.out.len);
    CU_ASSERT_EQUAL(come("\26\3\3\0\4\16\0\0\0", 9), LANE_FAILED);
    CU_ASSERT_EQUAL_FATAL(lane.out.len, 7);
    CU_ASSERT_EQUAL(memcmp(buf_data(&lane.out), "\25\3\3\0\2\2\57", 7), 0);
    CU_ASSERT_EQUAL(come("\26\3\3\0\4\16\0\0\0", 9), LANE_FAILED);
    lane_alert(&lane, 80);
    lane_say_closed(&lane);
    CU_ASSERT_EQUAL(lane.out.len, 7);
    lane_reason(&lane, reason, sizeof(reason));
    CU_ASSERT_STRING_EQUAL(reason, "a handshake message came out of its order");
    CU_ASSERT_FALSE(lane_write(&lane, "x", 1));
    lane_end_tls(&lane);
    CU_ASSERT_FALSE(lane_tls(&lane));
    lane_cleanup(&lane);
}

const struct unit_case unit_cases[] = {
    {"records in pieces", test_pieces},
    {"streams that end", test_ends},
    {"refusals", test_refusal},
    {NULL, NULL},
};
