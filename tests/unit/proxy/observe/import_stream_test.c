#include "proxy/observe/import_stream.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

enum { START_US = 1000000 };

static const struct import_start whole_start = {
    .client = {{[10] = 0xff, [11] = 0xff, [12] = 192, [15] = 1}, 40000},
    .server = {{[10] = 0xff, [11] = 0xff, [12] = 198, [15] = 2}, 8443},
    .roles_known = true,
    .whole = true,
    .start_us = START_US,
    .connect_us = 20000,
};

static struct import_stream *stream;
static struct record *record;
static const struct obj *leg;
static int64_t now_us;

static void begin(void) {
    stream = import_stream_new(&whole_start);
    now_us = START_US;
}

// begin_inside begins a stream whose SYN was not seen and whose ends may be the other way round.
static void begin_inside(void) {
    struct import_start start = whole_start;
    start.whole = start.roles_known = false;
    start.connect_us = -1;
    stream = import_stream_new(&start);
    now_us = START_US;
}

static bool send(bool from_client, const void *p, size_t len) {
    uint8_t *copy = xmemdup(p, len);
    now_us += 10000;
    bool more = import_stream_bytes(stream, from_client, copy, len, now_us);
    free(copy);
    return more;
}

static bool send_text(bool from_client, const char *text) {
    return send(from_client, text, strlen(text));
}

static void send_made(bool from_client, struct made made) {
    CU_ASSERT_TRUE(send(from_client, made.p, made.len));
    made_free(&made);
}

static struct made records_of(const char *sample) {
    const struct sample *s = sample_get(sample);
    return made_records(22, s->p, s->len, 16384);
}

static enum import_kind finish(struct import_finish end) {
    enum import_kind kind;
    record = import_stream_end(stream, &kind, &end);
    leg = record != NULL ? record_leg(record->root, false) : NULL;
    CU_ASSERT_EQUAL(record != NULL, kind == IMPORT_TLS);
    return kind;
}

static const struct import_finish open_end = {.rtt_us = -1};

static void server_flight12(void) {
    static const char *const names[] = {"server-hello12", "certificate12",
                                        "server-key-exchange-ecdhe12", "server-hello-done"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        send_made(false, records_of(names[i]));
    }
}

static bool has_note(const char *id) {
    for (size_t i = 0; i < obj_num(record->root, F_RECORD_NOTES); i++) {
        if (obj_str_is(obj_at(record->root, F_RECORD_NOTES, i), F_NOTE_ID, id)) {
            return true;
        }
    }
    return false;
}

static bool has_hello(void) { return obj_has(leg, F_LEG_JA3); }
static bool has_answer(void) { return obj_str_is(leg, F_LEG_TLS_VERSION, "1.2"); }

static void test_tls12_from_syn_to_fin(void) {
    begin();
    send_made(true, records_of("hello-openssl12"));
    server_flight12();
    send_made(true, made_hex("1603030003 100000 1403030001 01 1603030008 1122334455667788"));
    send_made(false, made_hex("1403030001 01 1603030008 1122334455667788"));
    send_made(true, made_hex("1703030009 112233445566778899"));
    const struct import_finish end = {.ended = true,
                                      .from_client = true,
                                      .fin = {true, true},
                                      .end_us = START_US + 500000,
                                      .bytes = {700, 4000},
                                      .rtt_us = 20000,
                                      .retransmits = 3};
    CU_ASSERT_EQUAL_FATAL(finish(end), IMPORT_TLS);
    const struct obj *root = record->root;
    CU_ASSERT_TRUE(obj_str_is(root, F_RECORD_MODE, "import"));
    CU_ASSERT_TRUE(obj_is(root, F_RECORD_TIMESTAMP, 1000));
    CU_ASSERT_TRUE(obj_is(root, F_RECORD_PORT, 8443));
    CU_ASSERT_EQUAL(strlen(obj_str(root, F_RECORD_ID)), 16);
    CU_ASSERT_FALSE(obj_has(root, F_RECORD_FRONT));
    CU_ASSERT_STRING_EQUAL(obj_str(root, F_RECORD_HOST), obj_str(leg, F_LEG_SERVER_NAME));
    CU_ASSERT_TRUE(obj_str_is(leg, F_LEG_ADDRESS, "192.0.0.1"));
    CU_ASSERT_TRUE(obj_is(leg, F_LEG_PORT, 40000));
    CU_ASSERT_TRUE(has_hello() && has_answer());
    CU_ASSERT_TRUE(obj_is(leg, F_LEG_OFFER_SEGMENTS, 1));
    CU_ASSERT_TRUE(obj_is(leg, F_LEG_TLS_ESTABLISHED, true));
    CU_ASSERT_TRUE(obj_num(leg, F_LEG_CHAIN) != 0);
    CU_ASSERT_TRUE(obj_is(leg, F_LEG_DATA_RECEIVED, 9));
    CU_ASSERT_TRUE(obj_is(leg, F_LEG_BYTES_RECEIVED, 700));
    CU_ASSERT_TRUE(obj_is(leg, F_LEG_BYTES_SENT, 4000));
    CU_ASSERT_TRUE(obj_is(leg, F_LEG_RTT, 20000));
    CU_ASSERT_TRUE(obj_is(leg, F_LEG_RETRANSMITS, 3));
    CU_ASSERT_TRUE(obj_is(leg, F_LEG_MS_CONNECT, 20000));
    CU_ASSERT_TRUE(obj_is(leg, F_LEG_MS_HELLO, 10000));
    CU_ASSERT_TRUE(obj_is(leg, F_LEG_MS_END, 500000));
    CU_ASSERT_TRUE(obj_str_is(leg, F_LEG_END_BY, "client"));
    CU_ASSERT_TRUE(obj_str_is(leg, F_LEG_END_HOW, "fin"));
    CU_ASSERT_TRUE(obj_str_is(leg, F_LEG_END_AT, "data"));
    const struct obj *tried = obj_at(leg, F_LEG_TRIED, 0);
    CU_ASSERT_TRUE(obj_str_is(tried, F_TRIED_ADDRESS, "198.0.0.2"));
    CU_ASSERT_FALSE(has_note("cap-gap") || has_note("cap-midstream") || has_note("cap-overlap"));
    record_free(record);
}

// However the hello is cut, the same is recorded of it.
static void test_hello_in_segments(void) {
    struct made hello = records_of("hello-boringssl");
    const size_t pieces[] = {1, 5, 100, 10000};
    char ja3[64] = "";
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        size_t num = 0;
        begin();
        for (size_t at = 0; at < hello.len; at += pieces[i], num++) {
            size_t n = hello.len - at < pieces[i] ? hello.len - at : pieces[i];
            CU_ASSERT_TRUE(send(true, hello.p + at, n));
        }
        CU_ASSERT_EQUAL_FATAL(finish(open_end), IMPORT_TLS);
        CU_ASSERT_TRUE(has_hello());
        // The first few bytes may still be anything: they are one with what follows them.
        CU_ASSERT_TRUE(pieces[i] < 6 || obj_is(leg, F_LEG_OFFER_SEGMENTS, (int64_t)num));
        CU_ASSERT_TRUE(ja3[0] == '\0' || obj_str_is(leg, F_LEG_JA3, ja3));
        strcpy(ja3, obj_str(leg, F_LEG_JA3));
        CU_ASSERT_FALSE(obj_has(record->root, F_RECORD_FRONT));
        record_free(record);
    }
    made_free(&hello);
}

static void test_hello_that_is_cut_or_broken(void) {
    struct made hello = records_of("hello-openssl12");
    begin();
    CU_ASSERT_TRUE(send(true, hello.p, hello.len - 10));
    CU_ASSERT_EQUAL_FATAL(finish(open_end), IMPORT_TLS);
    CU_ASSERT_FALSE(obj_has(leg, F_LEG_END_BY));
    CU_ASSERT_TRUE(obj_num(record->root, F_RECORD_NOTES) != 0);
    record_free(record);
    made_free(&hello);
    begin();
    send_made(true, made_hex("1603010004 01000000 1603010004 01000000"));
    send_made(false, made_hex("15030100020232"));
    CU_ASSERT_EQUAL_FATAL(finish(open_end), IMPORT_TLS);
    CU_ASSERT_TRUE(obj_str_is(leg, F_LEG_END_BY, "server"));
    CU_ASSERT_TRUE(obj_str_is(leg, F_LEG_END_HOW, "alert"));
    record_free(record);
}

// dialogue plays lines "C: …" and "S: …" before a handshake.
static void dialogue(const char *const *lines) {
    begin();
    for (; *lines != NULL; lines++) {
        CU_ASSERT_TRUE(send_text((*lines)[0] == 'C', *lines + 3));
    }
}

static void tls_follows(const char *front) {
    send_made(true, records_of("hello-openssl12"));
    server_flight12();
    CU_ASSERT_EQUAL_FATAL(finish(open_end), IMPORT_TLS);
    CU_ASSERT_TRUE(has_hello() && has_answer());
    CU_ASSERT_TRUE(obj_str_is(record->root, F_RECORD_FRONT, front));
    CU_ASSERT_FALSE(has_note("rec-not-tls") || has_note("rec-plain-http"));
    record_free(record);
}

static void test_starttls(void) {
    dialogue((const char *const[]){"S: 220 mx.test ESMTP\r\n", "C: EHLO a\r\n",
                                   "S: 250-mx\r\n250 STARTTLS\r\n", "C: STARTTLS\r\n",
                                   "S: 220 go\r\n", NULL});
    tls_follows("starttls-smtp");
    dialogue((const char *const[]){"S: * OK ready\r\n", "C: a STARTTLS\r\n", "S: a OK\r\n", NULL});
    tls_follows("starttls-imap");
    dialogue((const char *const[]){"S: +OK ready\r\n", "C: STLS\r\n", "S: +OK\r\n", NULL});
    tls_follows("starttls-pop3");
    dialogue((const char *const[]){"S: 220 ftp\r\n", "C: AUTH TLS\r\n", "S: 234 go\r\n", NULL});
    tls_follows("starttls-ftp");
    dialogue((const char *const[]){"C: <?xml version='1.0'?><stream:stream>", "S: <features/>",
                                   "C: <starttls/>", "S: <proceed/>", NULL});
    tls_follows("starttls-xmpp");
    begin();
    send_made(true, made_hex("00000008 04d2162f"));
    CU_ASSERT_TRUE(send_text(false, "S"));
    tls_follows("starttls-postgresql");
    begin();
    send_made(true, made_hex("301d 020101 7718 8016 312e332e362e312e342e312e313436362e3230303337"));
    send_made(false, made_hex("300c 020101 7807 0a0100 0400 0400"));
    tls_follows("starttls-ldap");
    begin();
    send_made(true, made_hex("050100"));
    send_made(false, made_hex("0500"));
    send_made(true, made_hex("050100 01 0a000001 01bb"));
    send_made(false, made_hex("050000 01 00000000 0000"));
    tls_follows("socks5");
}

static void test_mysql_hello_in_the_segment_of_its_request(void) {
    struct made segment =
        made_hex("20000001 85ae0f00 00000001 21 0000000000000000000000000000000000000000000000");
    made_join(&segment, records_of("hello-openssl12"));
    begin();
    send_made(false, made_hex("4a000000 0a 382e302e333600 0000"));
    send_made(true, segment);
    server_flight12();
    CU_ASSERT_EQUAL_FATAL(finish(open_end), IMPORT_TLS);
    CU_ASSERT_TRUE(has_hello() && has_answer());
    CU_ASSERT_TRUE(obj_str_is(record->root, F_RECORD_FRONT, "starttls-mysql"));
    record_free(record);
}

static void test_connect(void) {
    dialogue((const char *const[]){
        "C: CONNECT example.test:443 HTTP/1.1\r\nHost: x\r\nUser-Agent: me/1\r\n\r\n",
        "S: HTTP/1.1 200 OK\r\n\r\n", NULL});
    send_made(true, records_of("hello-openssl12"));
    server_flight12();
    CU_ASSERT_EQUAL_FATAL(finish(open_end), IMPORT_TLS);
    const struct obj *root = record->root;
    CU_ASSERT_TRUE(has_hello() && has_answer());
    CU_ASSERT_TRUE(obj_str_is(root, F_RECORD_FRONT, "connect"));
    CU_ASSERT_TRUE(obj_str_is(root, F_RECORD_HOST, "example.test"));
    CU_ASSERT_TRUE(obj_is(root, F_RECORD_PORT, 443));
    CU_ASSERT_TRUE(obj_str_is(root, F_RECORD_USER_AGENT, "me/1"));
    CU_ASSERT_TRUE(obj_is(root, F_RECORD_RESPONSE_STATUS, 200));
    record_free(record);
}

static void test_hello_before_the_answer_to_connect(void) {
    struct made segment = {.len = 0};
    segment = made_copy((const uint8_t *)"CONNECT a.test:443 HTTP/1.1\r\n\r\n", 31);
    made_join(&segment, records_of("hello-openssl12"));
    begin();
    send_made(true, segment);
    CU_ASSERT_TRUE(send_text(false, "HTTP/1.1 200 Con"));
    struct made rest = made_copy((const uint8_t *)"nected\r\nVia: x\r\n\r\n", 18);
    made_join(&rest, records_of("server-hello12"));
    send_made(false, rest);
    CU_ASSERT_EQUAL_FATAL(finish(open_end), IMPORT_TLS);
    CU_ASSERT_TRUE(has_hello() && has_answer());
    CU_ASSERT_TRUE(obj_is(record->root, F_RECORD_RESPONSE_STATUS, 200));
    record_free(record);
}

static void test_answer_that_is_not_tls(void) {
    const struct import_finish end = {
        .ended = true, .reset = true, .fin = {false, true}, .rtt_us = -1};
    begin();
    send_made(true, records_of("hello-openssl12"));
    CU_ASSERT_TRUE(send_text(false, "HTTP/1.1 400 Bad Request\r\n\r\n"));
    CU_ASSERT_EQUAL_FATAL(finish(end), IMPORT_TLS);
    CU_ASSERT_TRUE(obj_str_is(leg, F_LEG_ANSWER_FIRST_KIND, "http answer"));
    CU_ASSERT_TRUE(obj_str_is(leg, F_LEG_END_HOW, "rst"));
    CU_ASSERT_TRUE(obj_str_is(leg, F_LEG_END_BY, "server"));
    CU_ASSERT_TRUE(obj_str_is(leg, F_LEG_END_AT, "hello"));
    record_free(record);
    // Too short to tell anything until it ends.
    begin();
    send_made(true, records_of("hello-openssl12"));
    CU_ASSERT_TRUE(send_text(false, "no"));
    CU_ASSERT_EQUAL_FATAL(finish(end), IMPORT_TLS);
    CU_ASSERT_TRUE(obj_has(leg, F_LEG_ANSWER_FIRST_KIND));
    record_free(record);
}

static void test_what_is_not_tls(void) {
    begin();
    CU_ASSERT_FALSE(send_text(true, "GET / HTTP/1.1\r\n\r\n"));
    CU_ASSERT_EQUAL(finish(open_end), IMPORT_NOT_TLS);
    begin();
    CU_ASSERT_FALSE(send_text(false, "SSH-2.0-OpenSSH_9\r\n"));
    CU_ASSERT_EQUAL(finish(open_end), IMPORT_NOT_TLS);
    begin();
    bool more = true;
    size_t num = 0;
    for (; more && num < 100; num++) {
        more = send(true, "\x99\x01 something of its own\n", 24);
    }
    CU_ASSERT_EQUAL(num, 86); // 2 KiB and no more
    CU_ASSERT_EQUAL(finish(open_end), IMPORT_NOT_TLS);
}

static void test_tls_that_was_refused(void) {
    dialogue((const char *const[]){"S: 220 mx\r\n", "C: EHLO a\r\n", "S: 250 mx\r\n",
                                   "C: STARTTLS\r\n", "S: 454 no\r\n", NULL});
    CU_ASSERT_EQUAL(finish(open_end), IMPORT_REFUSED);
    dialogue((const char *const[]){"C: CONNECT a:443 HTTP/1.1\r\n\r\n",
                                   "S: HTTP/1.1 502 Bad Gateway\r\n\r\n", NULL});
    CU_ASSERT_EQUAL(finish(open_end), IMPORT_REFUSED);
    dialogue((const char *const[]){"S: 220 mx\r\n", "C: EHLO a\r\n", "S: 250 mx\r\n", NULL});
    CU_ASSERT_EQUAL(finish(open_end), IMPORT_NOT_TLS);
}

static void test_capture_that_starts_inside(void) {
    begin_inside();
    send_made(false, records_of("server-hello12"));
    send_made(false, records_of("certificate12"));
    CU_ASSERT_EQUAL_FATAL(finish(open_end), IMPORT_TLS);
    CU_ASSERT_TRUE(has_answer() && !has_hello());
    CU_ASSERT_TRUE(obj_num(leg, F_LEG_CHAIN) != 0);
    CU_ASSERT_TRUE(has_note("cap-midstream"));
    CU_ASSERT_TRUE(obj_str_is(record->root, F_RECORD_HOST, "198.0.0.2"));
    record_free(record);
    // In the middle of a record, then an alert.
    begin_inside();
    send_made(true, made_hex("00010203 0405060708 1703030004 11223344 15030300020100"));
    CU_ASSERT_EQUAL_FATAL(finish(open_end), IMPORT_TLS);
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_ALERTS), 1);
    CU_ASSERT_TRUE(obj_is(leg, F_LEG_DATA_RECEIVED, 4));
    record_free(record);
    begin_inside();
    send_made(true, made_hex("00010203 0405060708 1703030004 11223344"));
    CU_ASSERT_EQUAL(finish(open_end), IMPORT_UNDER_WAY);
    begin_inside();
    send_made(true, made_hex("00010203"));
    CU_ASSERT_EQUAL(finish(open_end), IMPORT_NOT_TLS);
}

static void test_search_for_a_record_ends(void) {
    uint8_t nothing[8000] = {0};
    size_t num = 0;
    begin_inside();
    while (send(true, nothing, sizeof(nothing)) && num < 100) {
        num++;
    }
    CU_ASSERT_EQUAL(num, 8);
    CU_ASSERT_EQUAL(finish(open_end), IMPORT_NOT_TLS);
}

static void test_only_a_retry(void) {
    begin();
    send_made(true, records_of("hello-retry-first"));
    send_made(false, records_of("retry-request"));
    CU_ASSERT_EQUAL_FATAL(finish(open_end), IMPORT_TLS);
    CU_ASSERT_TRUE(obj_has(leg, F_LEG_ANSWER_RETRY) && obj_has(leg, F_LEG_JA3S));
    CU_ASSERT_FALSE(obj_has(leg, F_LEG_TLS_VERSION));
    record_free(record);
}

static void test_ends_the_other_way_round(void) {
    begin_inside();
    send_made(false, records_of("hello-openssl12"));
    send_made(true, records_of("server-hello12"));
    const struct import_finish end = {
        .ended = true, .from_client = true, .bytes = {1, 2}, .rtt_us = -1};
    CU_ASSERT_EQUAL_FATAL(finish(end), IMPORT_TLS);
    CU_ASSERT_TRUE(has_hello() && has_answer());
    CU_ASSERT_TRUE(obj_str_is(leg, F_LEG_ADDRESS, "198.0.0.2"));
    CU_ASSERT_TRUE(obj_is(record->root, F_RECORD_PORT, 40000));
    CU_ASSERT_TRUE(obj_str_is(leg, F_LEG_END_BY, "server"));
    CU_ASSERT_TRUE(obj_is(leg, F_LEG_BYTES_RECEIVED, 2));
    record_free(record);
}

static void test_gap_in_the_hello(void) {
    struct made hello = records_of("hello-openssl12");
    begin();
    CU_ASSERT_TRUE(send(true, hello.p, 100));
    CU_ASSERT_TRUE(import_stream_gap(stream, true, 50));
    CU_ASSERT_TRUE(send(true, hello.p + 150, hello.len - 150));
    server_flight12();
    CU_ASSERT_EQUAL_FATAL(finish(open_end), IMPORT_TLS);
    CU_ASSERT_TRUE(has_answer() && !has_hello());
    CU_ASSERT_TRUE(has_note("cap-gap") && !has_note("cap-midstream"));
    record_free(record);
    made_free(&hello);
}

static void test_gap_in_a_message(void) {
    struct made chain = records_of("certificate12");
    begin();
    send_made(true, records_of("hello-openssl12"));
    send_made(false, records_of("server-hello12"));
    CU_ASSERT_TRUE(send(false, chain.p, 100));
    CU_ASSERT_TRUE(import_stream_gap(stream, false, 200));
    CU_ASSERT_TRUE(send(false, chain.p + 300, chain.len - 300));
    send_made(false, records_of("server-key-exchange-ecdhe12"));
    CU_ASSERT_EQUAL_FATAL(finish(open_end), IMPORT_TLS);
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_CHAIN), 0);
    CU_ASSERT_TRUE(obj_has(leg, F_LEG_ANSWER_SIGNATURE)); // of the message behind it
    record_free(record);
    made_free(&chain);
}

static void test_gap_over_several_records(void) {
    begin();
    send_made(true, records_of("hello-openssl12"));
    send_made(false, records_of("server-hello12"));
    CU_ASSERT_TRUE(import_stream_gap(stream, false, 5000));
    CU_ASSERT_TRUE(send_text(false, "the rest of something"));
    send_made(false, records_of("server-key-exchange-ecdhe12"));
    send_made(false, made_hex("15030300020228"));
    CU_ASSERT_EQUAL_FATAL(finish(open_end), IMPORT_TLS);
    CU_ASSERT_TRUE(obj_has(leg, F_LEG_ANSWER_SIGNATURE));
    CU_ASSERT_TRUE(obj_str_is(leg, F_LEG_END_HOW, "alert"));
    CU_ASSERT_TRUE(has_note("cap-gap"));
    CU_ASSERT_FALSE(has_note("rec-not-tls"));
    record_free(record);
}

static void test_gap_in_data_keeps_the_place(void) {
    begin();
    send_made(true, records_of("hello-openssl12"));
    server_flight12();
    send_made(false, made_hex("1703030100 00112233"));
    CU_ASSERT_TRUE(import_stream_gap(stream, false, 0x100 - 4));
    send_made(false, made_hex("1703030002 0011 1703030003 001122"));
    CU_ASSERT_EQUAL_FATAL(finish(open_end), IMPORT_TLS);
    CU_ASSERT_TRUE(obj_is(leg, F_LEG_DATA_SENT, 0x105));
    record_free(record);
}

static void test_missing_hello_is_told_by_the_answer(void) {
    begin();
    CU_ASSERT_TRUE(import_stream_gap(stream, true, 517));
    send_made(false, records_of("server-hello12"));
    CU_ASSERT_EQUAL_FATAL(finish(open_end), IMPORT_TLS);
    CU_ASSERT_TRUE(has_answer());
    record_free(record);
}

const struct unit_case unit_cases[] = {
    {"TLS 1.2 from SYN to FIN", test_tls12_from_syn_to_fin},
    {"a hello in segments", test_hello_in_segments},
    {"a hello that is cut or broken", test_hello_that_is_cut_or_broken},
    {"STARTTLS and SOCKS", test_starttls},
    {"MySQL: the hello in the segment of its request",
     test_mysql_hello_in_the_segment_of_its_request},
    {"CONNECT", test_connect},
    {"the hello before the answer to CONNECT", test_hello_before_the_answer_to_connect},
    {"an answer that is not TLS", test_answer_that_is_not_tls},
    {"what is not TLS", test_what_is_not_tls},
    {"TLS that was refused", test_tls_that_was_refused},
    {"a capture that starts inside", test_capture_that_starts_inside},
    {"the search for a record ends", test_search_for_a_record_ends},
    {"only a HelloRetryRequest", test_only_a_retry},
    {"ends the other way round", test_ends_the_other_way_round},
    {"a gap in the hello", test_gap_in_the_hello},
    {"a gap in a message", test_gap_in_a_message},
    {"a gap over several records", test_gap_over_several_records},
    {"a gap in data keeps the place", test_gap_in_data_keeps_the_place},
    {"a missing hello is told by the answer", test_missing_hello_is_told_by_the_answer},
    {NULL, NULL},
};
