// Hellos, alerts, steps and times.
#include "proxy/observe/observe.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/observe/internal.h"
#include "tests/unit/proxy/observe/flight.h"
#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

struct watched {
    struct record *record;
    struct observe observe;
    struct obj *leg;
};

static struct watched watch(void) {
    struct watched w = {.record = record_new()};
    observe_init(&w.observe, w.record->root, false, 1000);
    w.leg = record_leg(w.record->root, false);
    return w;
}

// hello_bytes is what a client of BoringSSL's says first, with its record header.
static struct made hello_bytes(void) {
    struct peer_options options = flight_client();
    struct peer *peer = peer_new(true, &options);
    struct buf bytes;
    buf_init(&bytes, 64 * 1024);
    peer_start(peer);
    peer_take(peer, &bytes);
    struct made made = made_copy(buf_data(&bytes), bytes.len);
    buf_cleanup(&bytes);
    peer_free(peer);
    return made;
}

static void a_hello_is_kept_and_read(void) {
    struct watched w = watch();
    struct made hello = hello_bytes();
    observe_hello(&w.observe, hello.p, hello.len, 2, 4000);
    leg_is(w.record, F_LEG_SERVER_NAME, WORLD_HOST);
    leg_is(w.record, F_LEG_OFFER_RECORDS, "1");
    leg_is(w.record, F_LEG_OFFER_SEGMENTS, "2");
    leg_is(w.record, F_LEG_OFFER_RECORD_VERSION, "TLS 1.0");
    CU_ASSERT(obj_is(w.leg, F_LEG_MS_HELLO, 3000));
    CU_ASSERT(obj_is(w.leg, F_LEG_OFFER_SIZE, (int64_t)hello.len - 5));
    struct span raw = obj_span(w.leg, F_LEG_OFFER_RAW);
    CU_ASSERT(raw.len == hello.len && memcmp(raw.p, hello.p, raw.len) == 0);
    CU_ASSERT(w.observe.client_hello);
    CU_ASSERT(w.observe.hello.len == hello.len - 5);
    CU_ASSERT(memcmp(w.observe.hello.p, hello.p + 5, hello.len - 5) == 0);
    CU_ASSERT_PTR_EQUAL(w.observe.hello.p, raw.p + 5); // and is not kept twice
    CU_ASSERT_EQUAL(w.observe.step, STEP_HELLO);
    record_free(w.record);
    made_free(&hello);
}

static void a_hello_may_be_split_over_records(void) {
    struct made hello = hello_bytes();
    static const size_t sizes[] = {1, 5, 100, 300};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct watched w = watch();
        struct made cut = made_records(22, hello.p + 5, hello.len - 5, sizes[i]);
        observe_hello(&w.observe, cut.p, cut.len, 1, 0);
        leg_is(w.record, F_LEG_SERVER_NAME, WORLD_HOST);
        CU_ASSERT(obj_is(w.leg, F_LEG_OFFER_RECORDS,
                         (int64_t)((hello.len - 5 + sizes[i] - 1) / sizes[i])));
        CU_ASSERT(w.observe.hello.len == hello.len - 5);
        CU_ASSERT_EQUAL(obj_span(w.leg, F_LEG_OFFER_RAW).len, cut.len);
        record_free(w.record);
        made_free(&cut);
    }
    made_free(&hello);
}

static void an_sslv2_hello(void) {
    struct watched w = watch();
    struct made hello = made_hex("801c 01 0301 0003 0000 0010 00002f"
                                 "30313233343536373839616263646566");
    observe_hello(&w.observe, hello.p, hello.len, 1, 0);
    CU_ASSERT(w.observe.sslv2);
    leg_is(w.record, F_LEG_OFFER_SSLV2, "yes");
    leg_is(w.record, F_LEG_OFFER_LEGACY_VERSION, "TLS 1.0");
    leg_is(w.record, F_LEG_OFFER_EXTENSIONS, "-");
    CU_ASSERT(obj_has(w.leg, F_LEG_OFFER_CIPHERS));
    record_free(w.record);
    made_free(&hello);
}

// The server's pieces count from the hello on, until the handshake is complete.
static void the_servers_segments(void) {
    struct watched w = watch();
    struct made hello = hello_bytes();
    observe_step(&w.observe, STEP_FRONT, 0);
    observe_segment(&w.observe, 39);
    CU_ASSERT_FALSE(obj_has(w.leg, F_LEG_SEGMENTS_SERVER));
    observe_step(&w.observe, STEP_HELLO, 0);
    observe_hello(&w.observe, hello.p, hello.len, 1, 0);
    observe_segment(&w.observe, 1448);
    observe_segment(&w.observe, 7);
    leg_is(w.record, F_LEG_SEGMENTS_SERVER, "1448, 7");
    for (int i = 0; i < 100; i++) {
        observe_segment(&w.observe, 1);
    }
    CU_ASSERT_EQUAL(obj_num(w.leg, F_LEG_SEGMENTS_SERVER), 16);
    record_free(w.record);
    w = watch();
    observe_hello(&w.observe, hello.p, hello.len, 1, 0);
    observe_step(&w.observe, STEP_FINISHED, 0);
    observe_segment(&w.observe, 1448);
    CU_ASSERT_FALSE(obj_has(w.leg, F_LEG_SEGMENTS_SERVER));
    record_free(w.record);
    made_free(&hello);
}

// What SSL 2.0 calls a cipher kind is no suite of TLS, though its last two bytes may be one.
static void sslv2_cipher_kinds(void) {
    struct watched w = watch();
    struct made hello = made_hex("8025 01 0301 000c 0000 0010 010080 00002f 0700c0 080080"
                                 "30313233343536373839616263646566");
    observe_hello(&w.observe, hello.p, hello.len, 1, 0);
    leg_is(w.record, F_LEG_OFFER_CIPHERS, "TLS_RSA_WITH_AES_128_CBC_SHA");
    CU_ASSERT_EQUAL_FATAL(obj_num(w.leg, F_LEG_OFFER_SSLV2_KINDS), 3);
    static const char *const names[] = {"SSL_CK_RC4_128_WITH_MD5",
                                        "SSL_CK_DES_192_EDE3_CBC_WITH_MD5", "0x080080 (unknown)"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        CU_ASSERT(obj_has_str(w.leg, F_LEG_OFFER_SSLV2_KINDS, names[i]));
    }
    record_free(w.record);
    made_free(&hello);
}

static void every_hello_cut_or_changed_is_recorded(void) {
    struct made hello = hello_bytes();
    for (size_t len = 0; len < hello.len; len++) {
        struct watched w = watch();
        struct made cut = made_copy(hello.p, len);
        observe_hello(&w.observe, cut.p, cut.len, 1, 0);
        CU_ASSERT_EQUAL(obj_span(w.leg, F_LEG_OFFER_RAW).len, len);
        CU_ASSERT_FALSE(obj_has(w.leg, F_LEG_JA3) || obj_has(w.leg, F_LEG_JA4));
        record_free(w.record);
        made_free(&cut);
    }
    for (size_t at = 0; at < hello.len; at++) {
        struct watched w = watch();
        struct made changed = made_copy(hello.p, hello.len);
        changed.p[at] ^= 0xff;
        observe_hello(&w.observe, changed.p, changed.len, 1, 0);
        CU_ASSERT_EQUAL(obj_span(w.leg, F_LEG_OFFER_RAW).len, hello.len);
        record_free(w.record);
        made_free(&changed);
    }
    made_free(&hello);
}

// Another message in the place of the hello has no versions, and no fingerprint.
static void another_message_is_no_hello(void) {
    struct made hello = hello_bytes();
    struct watched w = watch();
    hello.p[5] = 42;
    observe_hello(&w.observe, hello.p, hello.len, 1, 0);
    CU_ASSERT(has_note(w.record, "hs-type-unknown"));
    CU_ASSERT_EQUAL(obj_span(w.leg, F_LEG_OFFER_RAW).len, hello.len);
    leg_is(w.record, F_LEG_OFFER_LEGACY_VERSION, "-");
    leg_is(w.record, F_LEG_JA3, "-");
    record_free(w.record);
    made_free(&hello);
}

static void the_hello_after_a_retry_is_kept_beside_the_first(void) {
    struct peer_options client = flight_client(), server = flight_server();
    struct flight flight;
    client.curves = "X25519:P-384";
    server.curves = "P-384";
    server.chain[0] = world_get()->rsa;
    flight_make(&flight, &client, &server, "x");
    struct record *record = flight_messages(&flight);
    const struct obj *leg = record_leg(record->root, false);
    leg_is(record, F_LEG_ANSWER_RETRY, "group");
    leg_is(record, F_LEG_OFFER_KEY_SHARES, "x25519 32");
    leg_is(record, F_LEG_TLS_CURVE, "secp384r1");
    CU_ASSERT(obj_span(leg, F_LEG_OFFER_RAW_2).len > 100);
    record_free(record);
    flight_free(&flight);
}

static void alerts_have_a_place(void) {
    static const struct {
        enum step step;
        const char *after;
    } rows[] = {
        {STEP_FRONT, "connect"},
        {STEP_ANSWER, "server_hello"},
        {STEP_CERTIFICATE, "certificate"},
        {STEP_FINISHED, "finished"},
        {STEP_DATA, "data"},
    };
    static const uint8_t fatal[] = {2, 48}, warning[] = {1, 0}, odd[] = {7, 200};
    struct watched w = watch();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        observe_step(&w.observe, rows[i].step, 2000);
        observe_alert(&w.observe, true, fatal, sizeof(fatal), 5000);
        const struct obj *alert = obj_at(w.leg, F_LEG_ALERTS, i);
        CU_ASSERT(obj_str_is(alert, F_ALERT_AFTER, rows[i].after));
        CU_ASSERT(obj_str_is(alert, F_ALERT_FROM, "client"));
        CU_ASSERT(obj_str_is(alert, F_ALERT_LEVEL, "fatal"));
        CU_ASSERT(obj_str_is(alert, F_ALERT_NAME, "unknown_ca"));
        CU_ASSERT(obj_is(alert, F_ALERT_CODE, 48));
        CU_ASSERT(obj_is(alert, F_ALERT_MS, 4000));
    }
    observe_alert(&w.observe, false, warning, sizeof(warning), 5000);
    const struct obj *alert = obj_at(w.leg, F_LEG_ALERTS, ARRAY_LEN(rows));
    CU_ASSERT(obj_str_is(alert, F_ALERT_FROM, "server"));
    CU_ASSERT(obj_str_is(alert, F_ALERT_LEVEL, "warning"));
    CU_ASSERT(obj_str_is(alert, F_ALERT_NAME, "close_notify"));
    observe_alert(&w.observe, false, odd, sizeof(odd), 5000);
    observe_alert(&w.observe, false, odd, 1, 5000);
    observe_alert(&w.observe, false, odd, 0, 5000);
    CU_ASSERT(obj_num(w.record->root, F_RECORD_NOTES) != 0);
    record_free(w.record);
}

static void alerts_after_a_hello(void) {
    struct watched w = watch();
    struct made hello = hello_bytes();
    static const uint8_t fatal[] = {2, 40};
    observe_hello(&w.observe, hello.p, hello.len, 1, 2000);
    observe_alert(&w.observe, false, fatal, sizeof(fatal), 5000);
    CU_ASSERT(obj_str_is(obj_at(w.leg, F_LEG_ALERTS, 0), F_ALERT_AFTER, "client_hello"));
    record_free(w.record);
    made_free(&hello);
}

static void steps_never_go_back(void) {
    struct watched w = watch();
    observe_step(&w.observe, STEP_FINISHED, 2000);
    observe_step(&w.observe, STEP_HELLO, 3000);
    CU_ASSERT_EQUAL(w.observe.step, STEP_FINISHED);
    observe_step(&w.observe, STEP_FINISHED, 9000);
    CU_ASSERT(obj_is(w.leg, F_LEG_MS_FINISHED, 1000));
    CU_ASSERT(obj_is(w.leg, F_LEG_TLS_ESTABLISHED, true));
    observe_step(&w.observe, STEP_DATA, 5000);
    CU_ASSERT(obj_is(w.leg, F_LEG_MS_FIRST_DATA, 4000));
    for (int step = STEP_DNS; step <= STEP_DATA; step++) {
        CU_ASSERT(*step_name((enum step)step) != '\0');
    }
    record_free(w.record);
}

// After a record is written its observer has no leg, and events may still come.
static void nothing_is_observed_without_a_leg(void) {
    struct observe observe = {0};
    static const uint8_t bytes[] = {2, 0, 0, 0};
    observe_step(&observe, STEP_DATA, 0);
    observe_alert(&observe, true, bytes, 2, 0);
    observe_message(&observe, true, bytes, sizeof(bytes), 0);
    observe_message(&observe, false, bytes, sizeof(bytes), 0);
    observe_certificates(&observe, NULL, 0, 0);
    CU_ASSERT_EQUAL(observe.step, STEP_DNS);
}

static void what_is_not_tls(void) {
    static const struct {
        const char *bytes, *kind;
    } rows[] = {
        {"HTTP/1.0 400 Bad Request\r\n", "http answer"},
        {"SSH-2.0-OpenSSH_9.2\r\n", "ssh"},
        {"220 mail.test ESMTP\r\n", "smtp"},
        {"<html>", "html"},
        {"\x16\x03\x01\x02\x05\x01\x01", "client-hello"},
        {"\x16\x03\x01\x02\x05\x02\x01", "tls"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct watched w = watch();
        observe_not_tls(&w.observe, (const uint8_t *)rows[i].bytes, strlen(rows[i].bytes));
        leg_is(w.record, F_LEG_ANSWER_FIRST_KIND, rows[i].kind);
        CU_ASSERT_EQUAL(obj_span(w.leg, F_LEG_ANSWER_FIRST_BYTES).len, strlen(rows[i].bytes));
        record_free(w.record);
    }
    struct watched w = watch();
    static const uint8_t zeros[100];
    observe_not_tls(&w.observe, zeros, sizeof(zeros));
    CU_ASSERT_EQUAL(obj_span(w.leg, F_LEG_ANSWER_FIRST_BYTES).len, 64);
    record_free(w.record);
}

const struct unit_case unit_cases[] = {
    {"a hello is kept and read", a_hello_is_kept_and_read},
    {"a hello may be split over records", a_hello_may_be_split_over_records},
    {"an SSLv2 hello", an_sslv2_hello},
    {"the server's segments", the_servers_segments},
    {"cipher kinds of SSL 2.0", sslv2_cipher_kinds},
    {"every hello, cut or changed, is recorded", every_hello_cut_or_changed_is_recorded},
    {"another message is no hello", another_message_is_no_hello},
    {"the hello after a retry is kept beside the first",
     the_hello_after_a_retry_is_kept_beside_the_first},
    {"alerts have a place", alerts_have_a_place},
    {"alerts after a hello", alerts_after_a_hello},
    {"steps never go back", steps_never_go_back},
    {"nothing is observed without a leg", nothing_is_observed_without_a_leg},
    {"what is not TLS", what_is_not_tls},
    {NULL, NULL},
};
