// What is kept of the wire, by bytes that are made up and by real handshakes.
#include "proxy/session/wire_log.h"

#include <string.h>

#include "logs/record/record.h"
#include "tests/unit/proxy/session/playbook.h"

static const struct record_policy handshakes = {.handshake_bytes = true};

static struct wire_log begin(void) {
    struct wire_log log;
    wire_log_init(&log);
    wire_log_begin(&log);
    wire_log_policy(&log, &handshakes);
    return log;
}

// written writes the log to the client leg of a new record whose hello is "hello".
static struct record *written(struct wire_log *log, const struct record_policy *policy,
                              bool final) {
    struct record *record = record_new();
    struct obj *leg = obj_sub(record->root, F_RECORD_LEG_CLIENT);
    obj_set_bytes(leg, F_LEG_OFFER_RAW, "hello", 5);
    obj_set_int(leg, F_LEG_TLS_ESTABLISHED, true);
    const struct wire_log_leg to = {.leg = leg, .policy = policy, .start_us = 100};
    wire_log_write(log, &to, final);
    return record;
}

// expect_piece compares piece `i` of the client leg with "FROM US HELLO BYTES".
static void expect_piece(const struct record *record, size_t i, const char *want) {
    char text[256];
    const struct obj *leg = record_leg(record->root, false);
    CU_ASSERT_TRUE_FATAL(i < obj_num(leg, F_LEG_WIRE));
    const struct obj *piece = obj_at(leg, F_LEG_WIRE, i);
    int64_t us = -1, hello = 0;
    struct span bytes = obj_span(piece, F_PIECE_BYTES);
    (void)obj_int(piece, F_PIECE_MS, &us);
    (void)obj_int(piece, F_PIECE_HELLO, &hello);
    snprintf(text, sizeof(text), "%s %d %d %.*s", obj_str(piece, F_PIECE_FROM), (int)us, (int)hello,
             (int)bytes.len, bytes.len != 0 ? (const char *)bytes.p : "");
    CU_ASSERT_STRING_EQUAL(text, want);
}

static void pieces_are_by_time_and_direction(void) {
    struct wire_log log = begin();
    wire_log_bytes(&log, WIRE_FROM_PEER, "hel", 3, 100);
    wire_log_bytes(&log, WIRE_FROM_PEER, "lo, ", 4, 110);
    wire_log_bytes(&log, WIRE_FROM_PEER, "early", 5, 110);
    wire_log_bytes(&log, WIRE_TO_PEER, "answer", 6, 110);
    wire_log_bytes(&log, WIRE_FROM_PEER, "end", 3, 120);
    wire_log_sure(&log, WIRE_FROM_PEER, 15);
    struct record *record = written(&log, &handshakes, true);
    expect_piece(record, 0, "client 0 3 ");
    expect_piece(record, 1, "client 10 2 , early");
    expect_piece(record, 2, "server 10 0 answer");
    expect_piece(record, 3, "client 20 0 end");
    CU_ASSERT_FALSE(obj_has(record_leg(record->root, false), F_LEG_LEFT_OUT_CLIENT));
    record_free(record);
    wire_log_cleanup(&log);
}

static void secrets_that_nobody_wants_are_not_held(void) {
    const struct record_policy none = {.secrets = SECRETS_NONE};
    struct wire_log log = begin();
    wire_log_secret(&log, &handshakes, "EXPORTER_SECRET 00 04");
    wire_log_secret(&log, &handshakes, "CLIENT_RANDOMLY 00 05");
    wire_log_secret(&log, &none, "CLIENT_RANDOM 00 05");
    CU_ASSERT_EQUAL(log.secrets.len, 0);
    wire_log_secret(&log, &handshakes, "CLIENT_RANDOM 00 05");
    CU_ASSERT_EQUAL(log.secrets.len, 20);
    wire_log_cleanup(&log);
}

// What is sure of an established handshake moves to the record, and later pieces follow it.
static void handshakes_settle_in_the_record(void) {
    struct wire_log log = begin();
    struct record *record = record_new();
    struct obj *leg = obj_sub(record->root, F_RECORD_LEG_CLIENT);
    const struct wire_log_leg to = {.leg = leg, .policy = &handshakes};
    obj_set_bytes(leg, F_LEG_OFFER_RAW, "hello", 5);
    wire_log_bytes(&log, WIRE_FROM_PEER, "hello", 5, 1);
    wire_log_sure(&log, WIRE_FROM_PEER, 5);
    wire_log_settle(&log, &to);
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_WIRE), 0);
    obj_set_int(leg, F_LEG_TLS_ESTABLISHED, true);
    wire_log_bytes(&log, WIRE_FROM_PEER, "unsure", 6, 2);
    wire_log_settle(&log, &to);
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_WIRE), 0);
    wire_log_data(&log, WIRE_FROM_PEER);
    wire_log_settle(&log, &to);
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_WIRE), 1);
    CU_ASSERT(log.bytes[0].cap == 0 && log.pieces == NULL);
    wire_log_bytes(&log, WIRE_TO_PEER, "alert", 5, 3);
    wire_log_write(&log, &to, true);
    expect_piece(record, 0, "client 1 5 ");
    expect_piece(record, 1, "server 3 0 alert");
    CU_ASSERT_TRUE(obj_is(leg, F_LEG_LEFT_OUT_CLIENT, 6));
    record_free(record);
    wire_log_cleanup(&log);
}

static void data_is_cut_off(void) {
    struct wire_log log = begin();
    wire_log_bytes(&log, WIRE_FROM_PEER, "hello", 5, 100);
    wire_log_bytes(&log, WIRE_FROM_PEER, "Finished", 8, 110);
    wire_log_bytes(&log, WIRE_TO_PEER, "answer", 6, 115);
    wire_log_sure(&log, WIRE_FROM_PEER, 10); // in the middle of a piece
    wire_log_bytes(&log, WIRE_FROM_PEER, "GET /", 5, 120);
    wire_log_data(&log, WIRE_FROM_PEER);
    wire_log_bytes(&log, WIRE_FROM_PEER, "more", 4, 130);
    wire_log_sure(&log, WIRE_TO_PEER, 6);
    wire_log_data(&log, WIRE_TO_PEER);
    wire_log_bytes(&log, WIRE_TO_PEER, "200", 3, 130);
    struct record *record = written(&log, &handshakes, true);
    const struct obj *leg = record_leg(record->root, false);
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_WIRE), 3);
    expect_piece(record, 1, "client 10 0 Finis");
    expect_piece(record, 2, "server 15 0 answer");
    CU_ASSERT_TRUE(obj_is(leg, F_LEG_LEFT_OUT_CLIENT, 3 + 5 + 4));
    CU_ASSERT_TRUE(obj_is(leg, F_LEG_LEFT_OUT_SERVER, 3));
    record_free(record);
    wire_log_cleanup(&log);
}

// What follows an established handshake unread may be data.
static void unread_bytes_are_cut_off_at_the_end(void) {
    struct wire_log log = begin();
    wire_log_bytes(&log, WIRE_FROM_PEER, "hello", 5, 100);
    wire_log_sure(&log, WIRE_FROM_PEER, 5);
    wire_log_bytes(&log, WIRE_FROM_PEER, "data", 4, 100);
    struct record *record = written(&log, &handshakes, true);
    CU_ASSERT_EQUAL(obj_num(record_leg(record->root, false), F_LEG_WIRE), 1);
    record_free(record);
    wire_log_cleanup(&log);
}

// What turns out to be data leaves no memory behind.
static void what_is_cut_off_is_not_held(void) {
    struct wire_log log = begin();
    wire_log_bytes(&log, WIRE_TO_PEER, "answer", 6, 100);
    wire_log_bytes(&log, WIRE_FROM_PEER, "data", 4, 100);
    wire_log_data(&log, WIRE_FROM_PEER);
    CU_ASSERT_EQUAL(log.bytes[WIRE_FROM_PEER].cap, 0);
    CU_ASSERT_EQUAL(log.num_pieces, 2);
    wire_log_data(&log, WIRE_TO_PEER); // before it was sure
    CU_ASSERT(log.bytes[WIRE_TO_PEER].cap == 0 && log.pieces == NULL);
    wire_log_cleanup(&log);
}

static void data_is_kept_where_policy_asks_for_it(void) {
    const struct record_policy all = {.handshake_bytes = true, .application_data = true};
    struct wire_log log = begin();
    wire_log_policy(&log, &all);
    wire_log_bytes(&log, WIRE_FROM_PEER, "hello", 5, 100);
    wire_log_sure(&log, WIRE_FROM_PEER, 5);
    wire_log_data(&log, WIRE_FROM_PEER);
    wire_log_bytes(&log, WIRE_FROM_PEER, "data", 4, 110);
    struct record *record = written(&log, &all, true);
    expect_piece(record, 1, "client 10 0 data");
    record_free(record);
    wire_log_cleanup(&log);
}

static void nothing_is_kept_where_policy_says_so(void) {
    const struct record_policy none = {.handshake_bytes = false};
    struct wire_log log = begin();
    wire_log_bytes(&log, WIRE_FROM_PEER, "hello", 5, 100);
    wire_log_policy(&log, &none);
    wire_log_bytes(&log, WIRE_FROM_PEER, "more", 4, 110);
    struct record *record = written(&log, &none, true);
    CU_ASSERT_FALSE(obj_has(record_leg(record->root, false), F_LEG_WIRE));
    CU_ASSERT_FALSE(obj_has(record_leg(record->root, false), F_LEG_LEFT_OUT_CLIENT));
    record_free(record);
    wire_log_cleanup(&log);
}

static void what_passes_unseen_is_counted(void) {
    const struct record_policy all = {.handshake_bytes = true, .application_data = true};
    struct wire_log log = begin();
    CU_ASSERT_FALSE(wire_log_wants(&log));
    wire_log_policy(&log, &all);
    CU_ASSERT_TRUE(wire_log_wants(&log));
    wire_log_bytes(&log, WIRE_FROM_PEER, "hello", 5, 100);
    wire_log_sure(&log, WIRE_FROM_PEER, 5);
    wire_log_pass(&log, WIRE_FROM_PEER, 1000);
    wire_log_bytes(&log, WIRE_FROM_PEER, "behind a gap", 12, 100);
    struct record *record = written(&log, &handshakes, true);
    const struct obj *leg = record_leg(record->root, false);
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_WIRE), 1);
    CU_ASSERT_TRUE(obj_is(leg, F_LEG_LEFT_OUT_CLIENT, 1012));
    record_free(record);
    wire_log_cleanup(&log);
}

static void there_is_a_ceiling(void) {
    static const uint8_t bytes[1000];
    struct wire_log log = begin();
    for (int i = 0; i < 100; i++) {
        wire_log_bytes(&log, WIRE_FROM_PEER, bytes, sizeof(bytes), i);
    }
    wire_log_sure(&log, WIRE_FROM_PEER, 100 * sizeof(bytes));
    CU_ASSERT_EQUAL(log.bytes[WIRE_FROM_PEER].len, WIRE_LOG_MAX);
    wire_log_cleanup(&log);
    log = begin();
    for (int i = 0; i < 2 * WIRE_LOG_PIECES; i++) {
        wire_log_bytes(&log, WIRE_FROM_PEER, "x", 1, i);
    }
    wire_log_sure(&log, WIRE_FROM_PEER, 2 * WIRE_LOG_PIECES);
    struct record *record = written(&log, &handshakes, true);
    const struct obj *leg = record_leg(record->root, false);
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_WIRE), WIRE_LOG_PIECES);
    CU_ASSERT_TRUE(obj_is(leg, F_LEG_LEFT_OUT_CLIENT, WIRE_LOG_PIECES));
    record_free(record);
    wire_log_cleanup(&log);
}

// An interim record has what is sure so far, and the final one all of it, once.
static void an_interim_record_goes_first(void) {
    struct wire_log log = begin();
    struct record *record = record_new();
    struct obj *leg = obj_sub(record->root, F_RECORD_LEG_CLIENT);
    obj_set_bytes(leg, F_LEG_OFFER_RAW, "hello", 5);
    obj_set_int(leg, F_LEG_TLS_ESTABLISHED, true);
    const struct wire_log_leg to = {.leg = leg, .policy = &handshakes, .start_us = 0};
    wire_log_bytes(&log, WIRE_FROM_PEER, "hello", 5, 1);
    wire_log_write(&log, &to, false);
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_WIRE), 0); // nobody has read it
    wire_log_sure(&log, WIRE_FROM_PEER, 5);
    wire_log_write(&log, &to, false);
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_WIRE), 1);
    wire_log_bytes(&log, WIRE_FROM_PEER, "alert", 5, 2);
    wire_log_sure(&log, WIRE_FROM_PEER, 10);
    wire_log_write(&log, &to, true);
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_WIRE), 2);
    expect_piece(record, 1, "client 2 0 alert");
    record_free(record);
    wire_log_cleanup(&log);
}

static void secrets(struct wire_log *log) {
    const struct record_policy all = {.secrets = SECRETS_ALL};
    wire_log_secret(log, &all, "CLIENT_HANDSHAKE_TRAFFIC_SECRET 00 01");
    wire_log_secret(log, &all, "CLIENT_TRAFFIC_SECRET_0 00 02");
    wire_log_secret(log, &all, "SERVER_TRAFFIC_SECRET_0 00 03");
    wire_log_secret(log, &all, "EXPORTER_SECRET 00 04");
    wire_log_secret(log, &all, "CLIENT_RANDOM 00 05");
}

// expect_secrets expects those whose last digits are in `want`, in order.
static void expect_secrets(struct wire_log *log, enum policy_secrets policy, bool final,
                           const char *want) {
    const struct record_policy keep = {.handshake_bytes = true, .secrets = policy};
    struct record *record = written(log, &keep, final);
    const struct obj *leg = record_leg(record->root, false);
    char got[16] = {0};
    for (size_t i = 0; i < obj_num(leg, F_LEG_SECRETS); i++) {
        struct span line = obj_item(leg, F_LEG_SECRETS, i);
        got[i] = (char)line.p[line.len - 1];
    }
    CU_ASSERT_STRING_EQUAL(got, want);
    record_free(record);
}

static void secrets_that_open_data_are_not_kept(void) {
    struct wire_log log = begin();
    secrets(&log);
    expect_secrets(&log, SECRETS_HANDSHAKE, false, "1");
    expect_secrets(&log, SECRETS_HANDSHAKE, true, "1235");
    wire_log_data(&log, WIRE_TO_PEER); // the server's, on this leg
    expect_secrets(&log, SECRETS_HANDSHAKE, true, "12");
    wire_log_data(&log, WIRE_FROM_PEER);
    expect_secrets(&log, SECRETS_HANDSHAKE, true, "1");
    expect_secrets(&log, SECRETS_ALL, true, "12345");
    expect_secrets(&log, SECRETS_NONE, true, "");
    wire_log_cleanup(&log);
}

// Once data has begun both ways they are not held either, unless policy wants them.
static void secrets_that_open_data_are_forgotten(void) {
    struct record *record = record_new();
    struct obj *leg = obj_sub(record->root, F_RECORD_LEG_CLIENT);
    const struct record_policy kept = {.secrets = SECRETS_HANDSHAKE},
                               all = {.secrets = SECRETS_ALL};
    const struct wire_log_leg to = {.leg = leg, .policy = &kept}, to_all = {leg, &all, false, 0};
    struct wire_log log = begin();
    secrets(&log);
    size_t len = log.secrets.len;
    wire_log_data(&log, WIRE_TO_PEER);
    wire_log_settle(&log, &to);
    CU_ASSERT_EQUAL(log.secrets.len, len); // the client may still say why it refuses
    wire_log_data(&log, WIRE_FROM_PEER);
    wire_log_settle(&log, &to_all);
    CU_ASSERT(log.secrets.len == len && log.secrets.cap == len);
    wire_log_settle(&log, &to);
    CU_ASSERT(log.secrets.len < len && log.secrets.cap == log.secrets.len);
    expect_secrets(&log, SECRETS_ALL, true, "14");
    wire_log_secret(&log, &kept, "SERVER_HANDSHAKE_TRAFFIC_SECRET 00 06");
    expect_secrets(&log, SECRETS_ALL, true, "146");
    wire_log_cleanup(&log);
    record_free(record);
}

// The same with real handshakes: `path` is a leg, and its messages stop where data begins.
static void expect_kept(const struct obj *leg, size_t num_secrets, bool left_out) {
    CU_ASSERT_TRUE(obj_num(leg, F_LEG_WIRE) >= 3);
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_SECRETS), num_secrets);
    CU_ASSERT_EQUAL(obj_has(leg, F_LEG_LEFT_OUT_CLIENT), left_out);
    CU_ASSERT_EQUAL(obj_has(leg, F_LEG_LEFT_OUT_SERVER), left_out);
}

static size_t wire_bytes(const struct obj *leg) {
    size_t total = 0;
    for (size_t i = 0; i < obj_num(leg, F_LEG_WIRE); i++) {
        const struct obj *piece = obj_at(leg, F_LEG_WIRE, i);
        int64_t hello = 0;
        (void)obj_int(piece, F_PIECE_HELLO, &hello);
        total += obj_span(piece, F_PIECE_BYTES).len + (size_t)hello;
    }
    return total;
}

static void handshakes_of(uint16_t version, const char *policy, bool talk, size_t num_secrets,
                          bool left_out) {
    struct setup setup = {SETUP_TLS, .policy = policy};
    setup.server.max_version = version;
    struct play *p = play_new(&setup);
    play_run(p, HANDSHAKE);
    if (talk) {
        play_run(p, ">> client says ping\n"
                    "<< server hears ping\n"
                    ">> server says pong\n"
                    "<< client hears pong\n");
    }
    play_run(p, ">> client notify\n"
                ">> client eof\n"
                "<< server notified\n"
                ">> server notify\n"
                ">> server eof\n"
                "<< record final\n");
    const struct obj *root = play_record(p);
    for (int side = 0; side < 2; side++) {
        const struct obj *leg = record_leg(root, side != 0);
        expect_kept(leg, num_secrets, left_out);
        if (!left_out) {
            // The client leg's bytes count the CONNECT and its answer as well.
            int64_t received = 0, sent = 0;
            (void)obj_int(leg, F_LEG_BYTES_RECEIVED, &received);
            (void)obj_int(leg, F_LEG_BYTES_SENT, &sent);
            size_t front = side == 0 ? strlen("CONNECT example.test:443 HTTP/1.1\r\n"
                                              "Host: example.test\r\n\r\n"
                                              "HTTP/1.1 200 Connection established\r\n\r\n")
                                     : 0;
            CU_ASSERT_EQUAL(wire_bytes(leg) + front, (size_t)(received + sent));
        }
    }
    play_free(p);
}

static void a_session_keeps_its_handshakes(void) {
    static const char all[] = "{\"default\": {\"record\": {\"secrets\": \"all\", "
                              "\"application_data\": true}}}";
    handshakes_of(TLS1_3_VERSION, NULL, true, 2, true);
    handshakes_of(TLS1_3_VERSION, NULL, false, 4, false);
    handshakes_of(TLS1_2_VERSION, NULL, true, 0, true);
    handshakes_of(TLS1_2_VERSION, NULL, false, 1, false);
    handshakes_of(TLS1_3_VERSION, all, true, 5, false);
    handshakes_of(TLS1_2_VERSION, all, true, 1, false);
}

static void a_tunnel_keeps_its_handshake(void) {
    struct setup setup = {SETUP_TLS, .policy = "{\"default\": {\"action\": \"tunnel\"}}"};
    setup.client.ca = NULL;
    for (uint16_t version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        setup.server.max_version = version;
        struct play *p = play_new(&setup);
        play_run(p, OPEN ">> server tls\n"
                         ">> client tls\n"
                         "<< client established * * *\n"
                         ">> client says a long and secret request\n"
                         "<< server hears a long and secret request\n"
                         ">> server says a long and secret answer\n"
                         "<< client hears a long and secret answer\n"
                         ">> stop\n"
                         "<< record final\n");
        const struct obj *leg = record_leg(play_record(p), false);
        CU_ASSERT_TRUE(obj_num(leg, F_LEG_WIRE) >= 3);
        CU_ASSERT_TRUE(obj_has(leg, F_LEG_LEFT_OUT_CLIENT));
        CU_ASSERT_TRUE(obj_has(leg, F_LEG_LEFT_OUT_SERVER));
        CU_ASSERT_FALSE(obj_has(leg, F_LEG_SECRETS));
        CU_ASSERT_FALSE(obj_has(record_leg(play_record(p), true), F_LEG_WIRE));
        play_free(p);
    }
}

static void what_is_not_tls_is_not_kept(void) {
    play(NULL, OPEN ">> client bytes SSH-2.0-test|\n"
                    "<< server gets SSH-2.0-test|\n"
                    ">> stop\n"
                    "<< record final\n"
                    "== legs.client.wire -\n");
}

static void what_is_taken_back_is_not_there(void) {
    struct wire_log log = begin();
    wire_log_bytes(&log, WIRE_FROM_PEER, "hello", 5, 100);
    wire_log_bytes(&log, WIRE_TO_PEER, "one two", 7, 200);
    wire_log_undo(&log, WIRE_TO_PEER, 3);
    wire_log_bytes(&log, WIRE_TO_PEER, "three", 5, 300);
    CU_ASSERT_EQUAL(log.total[WIRE_TO_PEER], 9);
    CU_ASSERT_EQUAL(log.bytes[WIRE_TO_PEER].len, 9);
    CU_ASSERT_EQUAL(memcmp(buf_data(&log.bytes[WIRE_TO_PEER]), "one three", 9), 0);
    CU_ASSERT_EQUAL(log.total[WIRE_FROM_PEER], 5);
    // Not more than there is.
    wire_log_undo(&log, WIRE_TO_PEER, 100);
    CU_ASSERT_EQUAL(log.total[WIRE_TO_PEER], 0);
    CU_ASSERT_EQUAL(log.bytes[WIRE_TO_PEER].len, 0);
    wire_log_cleanup(&log);
}

const struct unit_case unit_cases[] = {
    {"what is taken back is not there", what_is_taken_back_is_not_there},
    {"pieces are by time and direction", pieces_are_by_time_and_direction},
    {"secrets that nobody wants are not held", secrets_that_nobody_wants_are_not_held},
    {"handshakes settle in the record", handshakes_settle_in_the_record},
    {"data is cut off", data_is_cut_off},
    {"unread bytes are cut off at the end", unread_bytes_are_cut_off_at_the_end},
    {"what is cut off is not held", what_is_cut_off_is_not_held},
    {"data is kept where policy asks for it", data_is_kept_where_policy_asks_for_it},
    {"nothing is kept where policy says so", nothing_is_kept_where_policy_says_so},
    {"what passes unseen is counted", what_passes_unseen_is_counted},
    {"there is a ceiling", there_is_a_ceiling},
    {"an interim record goes first", an_interim_record_goes_first},
    {"secrets that open data are not kept", secrets_that_open_data_are_not_kept},
    {"secrets that open data are forgotten", secrets_that_open_data_are_forgotten},
    {"a session keeps its handshakes", a_session_keeps_its_handshakes},
    {"a tunnel keeps its handshake", a_tunnel_keeps_its_handshake},
    {"what is not TLS is not kept", what_is_not_tls_is_not_kept},
    {NULL, NULL},
};
