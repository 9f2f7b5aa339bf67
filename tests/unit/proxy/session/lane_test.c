#include "proxy/session/lane.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static const int64_t now_us = 5;

static struct lane open_lane(void) {
    struct lane lane;
    lane_init(&lane, &now_us);
    lane.open = true;
    return lane;
}

static void fresh(struct lane *lane, const char *text) {
    lane->fresh = (struct span){(const uint8_t *)text, strlen(text)};
}

static void bytes_are_one_stream(void) {
    struct lane lane = open_lane();
    uint8_t out[16];
    fresh(&lane, "abc");
    CU_ASSERT_EQUAL(lane_waiting(&lane), 3);
    CU_ASSERT_EQUAL(lane_peek(&lane).p, lane.fresh.p); // not copied
    lane_drop(&lane, 1);
    CU_ASSERT(lane_keep(&lane));
    CU_ASSERT_EQUAL(lane.fresh.len, 0);
    fresh(&lane, "def");
    CU_ASSERT_EQUAL(lane_waiting(&lane), 5);
    struct span span = lane_peek(&lane);
    CU_ASSERT(span.len == 5 && memcmp(span.p, "bcdef", 5) == 0);
    CU_ASSERT(lane_keep(&lane));
    CU_ASSERT_EQUAL(lane_take(&lane, out, 3), 3);
    CU_ASSERT(memcmp(out, "bcd", 3) == 0);
    fresh(&lane, "gh");
    lane_drop(&lane, 3);
    CU_ASSERT_EQUAL(lane_waiting(&lane), 1);
    CU_ASSERT_EQUAL(lane_take(&lane, out, sizeof(out)), 1);
    CU_ASSERT_EQUAL(out[0], 'h');
    CU_ASSERT_EQUAL(lane_take(&lane, out, sizeof(out)), 0);
    lane_cleanup(&lane);
}

static void drop_too_much(void) {
    struct lane lane = open_lane();
    fresh(&lane, "abc");
    lane_drop(&lane, 4);
}

static void dropping_what_is_not_there_is_a_mistake(void) {
    CU_ASSERT(unit_aborts(drop_too_much, "lane_waiting"));
}

static void input_has_a_ceiling(void) {
    struct lane lane = open_lane();
    uint8_t *bytes = xcalloc(1, LANE_IN_MAX);
    lane.fresh = (struct span){bytes, LANE_IN_MAX};
    CU_ASSERT(lane_keep(&lane));
    lane.fresh = (struct span){bytes, 2};
    CU_ASSERT_EQUAL(lane_peek(&lane).len, LANE_IN_MAX);
    CU_ASSERT_FALSE(lane_keep(&lane));
    CU_ASSERT_EQUAL(lane.in.len, LANE_IN_MAX);
    lane_cleanup(&lane);
    free(bytes);
}

static void output_has_a_ceiling(void) {
    struct lane lane = open_lane();
    uint8_t *bytes = xcalloc(1, LANE_OUT_MAX);
    CU_ASSERT(lane_put(&lane, bytes, LANE_OUT_MAX));
    CU_ASSERT_FALSE(lane_put(&lane, bytes, 1));
    CU_ASSERT_EQUAL(lane.out.len, LANE_OUT_MAX);
    lane_cleanup(&lane);
    free(bytes);
}

static void nobody_reads_behind_a_fin(void) {
    struct lane lane = open_lane();
    lane.shut = true;
    CU_ASSERT(lane_put(&lane, "x", 1));
    CU_ASSERT_EQUAL(lane.out.len, 0);
    lane.shut = lane.open = false;
    CU_ASSERT(lane_put(&lane, "x", 1));
    CU_ASSERT_EQUAL(lane.out.len, 0);
    lane_cleanup(&lane);
}

static void bytes_move_from_lane_to_lane(void) {
    struct lane from = open_lane(), to = open_lane();
    fresh(&from, "ab");
    CU_ASSERT(lane_keep(&from));
    fresh(&from, "cd");
    CU_ASSERT(lane_move(&to, &from));
    CU_ASSERT_EQUAL(lane_waiting(&from), 0);
    CU_ASSERT(to.out.len == 4 && memcmp(buf_data(&to.out), "abcd", 4) == 0);
    lane_cleanup(&from);
    lane_cleanup(&to);
}

// TLS over a lane: a hello comes out, and what is no answer is a failure with a reason.
static void tls_runs_over_a_lane(void) {
    struct lane lane = open_lane();
    BIO_METHOD *methods = lane_methods();
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);
    char reason[64];
    SSL_set_connect_state(ssl);
    lane_start_tls(&lane, ssl, methods);
    CU_ASSERT_EQUAL(lane_handshake(&lane), LANE_MORE);
    CU_ASSERT(lane.out.len > 50 && buf_data(&lane.out)[0] == SSL3_RT_HANDSHAKE);
    fresh(&lane, "HTTP/1.1 400 Bad Request\r\n\r\n");
    CU_ASSERT_EQUAL(lane_handshake(&lane), LANE_FAILED);
    lane_reason(&lane, reason, sizeof(reason));
    CU_ASSERT_STRING_EQUAL(reason, "WRONG_VERSION_NUMBER");
    lane_reason(&lane, reason, sizeof(reason));
    CU_ASSERT_STRING_EQUAL(reason, "");
    // Where the library has no word, its alert is one.
    struct record *record = record_new();
    observe_init(&lane.observe, record->root, false, 0);
    observe_alert(&lane.observe, false, (const uint8_t *)"\x02\x32", 2, 0);
    lane_reason(&lane, reason, sizeof(reason));
    CU_ASSERT_STRING_EQUAL(reason, "decode_error");
    record_free(record);
    lane_cleanup(&lane);
    SSL_CTX_free(ctx);
    BIO_meth_free(methods);
}

static void the_end_of_the_stream_fails_a_handshake(void) {
    struct lane lane = open_lane();
    BIO_METHOD *methods = lane_methods();
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);
    SSL_set_connect_state(ssl);
    lane_start_tls(&lane, ssl, methods);
    CU_ASSERT_EQUAL(lane_handshake(&lane), LANE_MORE);
    lane.eof = true;
    CU_ASSERT_EQUAL(lane_handshake(&lane), LANE_FAILED);
    ERR_clear_error();
    lane_cleanup(&lane);
    SSL_CTX_free(ctx);
    BIO_meth_free(methods);
}

const struct unit_case unit_cases[] = {
    {"bytes are one stream", bytes_are_one_stream},
    {"dropping what is not there is a mistake", dropping_what_is_not_there_is_a_mistake},
    {"input has a ceiling", input_has_a_ceiling},
    {"output has a ceiling", output_has_a_ceiling},
    {"nobody reads behind a FIN", nobody_reads_behind_a_fin},
    {"bytes move from lane to lane", bytes_move_from_lane_to_lane},
    {"TLS runs over a lane", tls_runs_over_a_lane},
    {"the end of the stream fails a handshake", the_end_of_the_stream_fails_a_handshake},
    {NULL, NULL},
};
