#include "proxy/probe/exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/probe/outcome.h"
#include "proxy/tls/hello_edit.h"
#include "proxy/tls/hello_shape.h"
#include "tests/unit/proxy/session/tls_peer.h"
#include "tests/unit/unit.h"

static struct exchange *x;
static struct exchange_config config;
static struct hello_keys *keys;
static struct hello_draft hello;
static int64_t now;

static void begin(void) {
    keys = hello_keys_new(NULL, NULL);
    hello_draft_init(&hello);
    hello_shape_make(&hello, hello_shape_find("openssl"), "a.example", keys);
    config = (struct exchange_config){.sends = EXCHANGE_SENDS_HELLO,
                                      .hello = &hello,
                                      .keys = keys,
                                      .host = "a.example",
                                      .port = 443,
                                      .answer_us = 3000000,
                                      .total_us = 9000000};
    now = 1000000;
}

static void end(void) {
    exchange_free(x);
    hello_draft_cleanup(&hello);
    hello_keys_free(keys);
}

static void input(struct event event) {
    event.side = SIDE_SERVER;
    event.now_us = now += 1000;
    event.wall_ms = 1795000000000;
    exchange_input(x, &event);
}

static void start(void) {
    x = exchange_new(&config, now, 1795000000000, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(x);
}

static void open_tcp(void) {
    struct event event = {.kind = EVENT_CONNECTED};
    memcpy(event.tried.address.ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
    input(event);
}

static void bytes(const void *p, size_t len) {
    input((struct event){.kind = EVENT_BYTES, .bytes = {p, len}});
}

static size_t written;

static void write_all(void) {
    struct span out;
    while ((out = exchange_output(x)).len != 0) {
        written += out.len;
        exchange_output_done(x, out.len, now += 10);
    }
}

static bool is_done(void) {
    struct exchange_wishes wishes;
    exchange_wishes(x, &wishes);
    return wishes.done;
}

static void begin_sent(void) {
    begin();
    start();
    open_tcp();
    write_all();
}

static void check_result(const char *result) {
    CU_ASSERT_TRUE(is_done());
    CU_ASSERT_STRING_EQUAL(outcome_name(exchange_leg(x)), result);
}

static void test_ends(void) {
    static const uint8_t alert[] = {21, 3, 3, 0, 2, 2, 40};
    begin_sent();
    bytes(alert, sizeof(alert));
    check_result("alert");
    CU_ASSERT(obj_is(obj_at(exchange_leg(x), F_LEG_ALERTS, 0), F_ALERT_CODE, 40));
    CU_ASSERT_STRING_EQUAL(obj_str(exchange_leg(x), F_LEG_SERVER_NAME), "a.example");
    end();
    begin_sent();
    input((struct event){.kind = EVENT_EOF});
    check_result("closed");
    end();
    begin_sent();
    input((struct event){.kind = EVENT_BROKEN, .errnum = ECONNRESET});
    check_result("reset");
    end();
    begin_sent();
    now += 2000000;
    input((struct event){.kind = EVENT_TIMER});
    CU_ASSERT_FALSE(is_done());
    now += 2000000;
    input((struct event){.kind = EVENT_TIMER});
    check_result("silent");
    end();
    begin_sent();
    bytes("SSH-2.0-x\r\n", 11);
    input((struct event){.kind = EVENT_EOF});
    check_result("not-tls");
    CU_ASSERT_STRING_EQUAL(obj_str(exchange_leg(x), F_LEG_ANSWER_FIRST_KIND), "ssh");
    end();
    begin_sent();
    input((struct event){.kind = EVENT_STOP});
    check_result("unfinished");
    end();
}

static void test_no_connection(void) {
    begin();
    start();
    input((struct event){.kind = EVENT_UNRESOLVED, .dns_error = DNS_NOT_FOUND});
    check_result("unreachable");
    CU_ASSERT_STRING_EQUAL(obj_str(exchange_leg(x), F_LEG_DNS_ERROR), "not-found");
    end();
    begin();
    start();
    input((struct event){.kind = EVENT_DIAL_FAILED, .errnum = ECONNREFUSED});
    check_result("unreachable");
    CU_ASSERT_STRING_EQUAL(obj_str(exchange_leg(x), F_LEG_END_HOW), "refused");
    end();
    begin();
    start();
    now += 10000000;
    input((struct event){.kind = EVENT_TIMER});
    check_result("unreachable");
    end();
}

// Each segment is put out by itself, the next one after the pause.
static void test_segments(void) {
    begin();
    hello_edit_cut_segment(&hello, 10, 200);
    start();
    CU_ASSERT_EQUAL(exchange_output(x).len, 0);
    open_tcp();
    CU_ASSERT_EQUAL(exchange_output(x).len, 10);
    exchange_output_done(x, 4, now);
    CU_ASSERT_EQUAL(exchange_output(x).len, 6);
    exchange_output_done(x, 6, now);
    CU_ASSERT_EQUAL(exchange_output(x).len, 0);
    struct exchange_wishes wishes;
    exchange_wishes(x, &wishes);
    CU_ASSERT_EQUAL(wishes.deadline_us, now + 200000);
    now += 200000;
    input((struct event){.kind = EVENT_TIMER});
    CU_ASSERT_TRUE(exchange_output(x).len > 100);
    write_all();
    input((struct event){.kind = EVENT_EOF});
    CU_ASSERT(obj_is(exchange_leg(x), F_LEG_OFFER_SEGMENTS, 2));
    end();
}

// Who answers in the middle of the hello is heard.
static void test_an_early_answer(void) {
    begin();
    hello_edit_cut_segment(&hello, 10, 200);
    start();
    open_tcp();
    exchange_output_done(x, 10, now);
    input((struct event){.kind = EVENT_BROKEN, .errnum = ECONNRESET});
    check_result("reset");
    end();
}

static void test_parent(void) {
    begin();
    config.by_parent = true;
    config.parent_authorization = "Basic dTpw";
    start();
    open_tcp();
    struct span out = exchange_output(x);
    static const char request[] = "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n"
                                  "Proxy-Authorization: Basic dTpw\r\n\r\n";
    CU_ASSERT(out.len == strlen(request) && memcmp(out.p, request, out.len) == 0);
    write_all();
    bytes("HTTP/1.0 200 fine\r\nVia: x\r\n", 27);
    CU_ASSERT_EQUAL(exchange_output(x).len, 0);
    bytes("\r\n", 2);
    CU_ASSERT_TRUE(exchange_output(x).len > 200);
    end();
    static const struct {
        const char *answer, *detail;
    } bad[] = {
        {"HTTP/1.1 407 no\r\n\r\n", "the parent proxy answered CONNECT with 407"},
        {"SSH-2.0-x\r\n\r\n", "the parent proxy does not speak HTTP"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        begin();
        config.by_parent = true;
        start();
        open_tcp();
        write_all();
        bytes(bad[i].answer, strlen(bad[i].answer));
        check_result("unreachable");
        CU_ASSERT_STRING_EQUAL(obj_str(exchange_leg(x), F_LEG_END_DETAIL), bad[i].detail);
        end();
    }
}

static void test_no_parent(void) {
    begin();
    config.by_parent = true;
    start();
    input((struct event){.kind = EVENT_DIAL_FAILED, .errnum = ECONNREFUSED});
    check_result("unreachable");
    CU_ASSERT_STRING_EQUAL(obj_str(exchange_leg(x), F_LEG_END_AT), "front");
    CU_ASSERT_STRING_EQUAL(obj_str(exchange_leg(x), F_LEG_END_HOW), "error");
    end();
    begin();
    config.by_parent = true;
    start();
    input((struct event){.kind = EVENT_UNRESOLVED, .dns_error = DNS_NOT_FOUND});
    check_result("unreachable");
    CU_ASSERT_FALSE(obj_has(exchange_leg(x), F_LEG_DNS_ERROR));
    end();
}

static void test_plain_and_idle(void) {
    int64_t ahead;
    begin();
    config.sends = EXCHANGE_SENDS_PLAIN;
    start();
    open_tcp();
    CU_ASSERT(memcmp(exchange_output(x).p, "GET / HTTP/1.0\r\n", 16) == 0);
    write_all();
    static const char page[] = "HTTP/1.1 400 no\r\nDate: Wed, 18 Nov 2026 05:46:40 GMT\r\n\r\n";
    bytes(page, strlen(page));
    check_result("not-tls");
    CU_ASSERT_TRUE(exchange_date(x, &ahead));
    end();
    begin();
    config.sends = EXCHANGE_SENDS_NOTHING;
    start();
    open_tcp();
    CU_ASSERT_EQUAL(exchange_output(x).len, 0);
    bytes("220 mail.example ESMTP\r\n", 24);
    check_result("not-tls");
    end();
}

// What never ends is left.
static void test_floods(void) {
    static uint8_t record[5 + 16384] = {22, 3, 3, 0x40, 0, 2, 0xff, 0xff, 0xff};
    begin_sent();
    for (int i = 0; i < 100 && !is_done(); i++) {
        bytes(record, sizeof(record));
    }
    CU_ASSERT_TRUE(is_done());
    end();
    begin();
    config.by_parent = true;
    start();
    open_tcp();
    for (int i = 0; i < 10 && !is_done(); i++) {
        bytes(record, sizeof(record));
    }
    check_result("unreachable");
    end();
}

// pump moves bytes between the exchange and a real server until both are quiet.
static void pump(struct peer *server) {
    struct buf out;
    buf_init(&out, 1024 * 1024);
    for (int i = 0; i < 20 && !is_done(); i++) {
        struct span from = exchange_output(x);
        if (from.len != 0) {
            uint8_t *copy = xmemdup(from.p, from.len);
            exchange_output_done(x, from.len, now += 10);
            peer_feed(server, copy, from.len);
            free(copy);
        }
        peer_take(server, &out);
        if (out.len != 0) {
            bytes(buf_data(&out), out.len);
            buf_consume(&out, out.len);
        }
    }
    buf_cleanup(&out);
}

static void talk(struct peer_options *options) {
    struct pki_cert *cert = pki_leaf("a.example", NULL);
    options->chain[0] = cert;
    struct peer *server = peer_new(false, options);
    start();
    open_tcp();
    pump(server);
    if (!is_done()) {
        now += 20000000;
        input((struct event){.kind = EVENT_TIMER});
    }
    peer_free(server);
    pki_free(cert);
}

static bool parent_trusted;

static bool on_verify(void *ctx, const CBS *chain, size_t num_chain) {
    (void)ctx, (void)chain;
    return num_chain == 1 && parent_trusted;
}

// by_tls lets the exchange talk to `server` through a parent proxy in TLS, and returns how many
// times that passed something on.
static size_t by_tls(struct peer *parent, struct peer *server) {
    struct buf out;
    size_t num_passed = 0;
    buf_init(&out, 1024 * 1024);
    for (int i = 0; i < 30 && !is_done(); i++) {
        struct span from = exchange_output(x);
        if (from.len == 0) { // the hello's own pause
            now += 300000;
            input((struct event){.kind = EVENT_TIMER});
            from = exchange_output(x);
        }
        uint8_t *copy = xmemdup(from.p, from.len);
        exchange_output_done(x, from.len, now += 10);
        peer_feed(parent, copy, from.len);
        free(copy);
        if (num_passed == 0 && parent->heard.len != 0) {
            CU_ASSERT_NSTRING_EQUAL(buf_data(&parent->heard), "CONNECT a.example:443 HTTP/1.1", 30);
            peer_say(parent, "HTTP/1.1 200 OK\r\n\r\n", 19);
        } else if (parent->heard.len != 0) {
            peer_feed(server, buf_data(&parent->heard), parent->heard.len);
        }
        num_passed += parent->heard.len != 0;
        buf_consume(&parent->heard, parent->heard.len);
        peer_take(server, &out);
        if (out.len != 0) {
            peer_say(parent, buf_data(&out), out.len);
            buf_consume(&out, out.len);
        }
        peer_take(parent, &out);
        if (out.len != 0) {
            bytes(buf_data(&out), out.len);
            buf_consume(&out, out.len);
        }
    }
    buf_cleanup(&out);
    return num_passed;
}

static size_t talk_by_tls(const struct parent_tls *tls) {
    struct pki_cert *cert = pki_leaf("a.example", NULL), *gateway = pki_leaf("gw.example", NULL);
    const struct peer_options of_parent = {.chain = {gateway}}, of_server = {.chain = {cert}};
    struct peer *parent = peer_new(false, &of_parent), *server = peer_new(false, &of_server);
    config.by_parent = true;
    config.parent_tls = tls;
    config.finish = true;
    start();
    open_tcp();
    size_t num_passed = by_tls(parent, server);
    peer_free(parent);
    peer_free(server);
    pki_free(cert);
    pki_free(gateway);
    return num_passed;
}

static void test_parent_in_tls(void) {
    struct parent_tls *tls = parent_tls_new("gw.example", on_verify, NULL);
    parent_trusted = true;
    begin();
    hello_edit_cut_segment(&hello, 10, 200);
    // The CONNECT, the hello in its two pieces, and our Finished.
    CU_ASSERT_TRUE(talk_by_tls(tls) >= 4);
    if (!is_done()) {
        now += 20000000;
        input((struct event){.kind = EVENT_TIMER});
    }
    check_result("answered");
    CU_ASSERT_EQUAL(obj_num(exchange_leg(x), F_LEG_CHAIN), 1);
    CU_ASSERT(obj_is(exchange_leg(x), F_LEG_TLS_ESTABLISHED, true));
    end();
    parent_trusted = false;
    begin();
    CU_ASSERT_EQUAL(talk_by_tls(tls), 0);
    check_result("unreachable");
    CU_ASSERT_STRING_EQUAL(obj_str(exchange_leg(x), F_LEG_END_DETAIL),
                           "TLS with the parent proxy failed: CERTIFICATE_VERIFY_FAILED");
    end();
    parent_tls_free(tls);
}

static void test_servers(void) {
    begin();
    config.finish = true;
    talk(&(struct peer_options){0});
    check_result("answered");
    CU_ASSERT_STRING_EQUAL(obj_str(exchange_leg(x), F_LEG_TLS_VERSION), "1.3");
    CU_ASSERT(obj_is(exchange_leg(x), F_LEG_TLS_ESTABLISHED, true));
    CU_ASSERT_EQUAL(obj_num(exchange_leg(x), F_LEG_CHAIN), 1);
    end();
    begin();
    talk(&(struct peer_options){.max_version = TLS1_2_VERSION});
    check_result("answered");
    CU_ASSERT_STRING_EQUAL(obj_str(exchange_leg(x), F_LEG_TLS_VERSION), "1.2");
    CU_ASSERT_EQUAL(obj_num(exchange_leg(x), F_LEG_CHAIN), 1);
    end();
    // A server that wants a certificate says so after our Finished.
    begin();
    config.finish = true;
    talk(&(struct peer_options){.need = true});
    check_result("answered");
    CU_ASSERT(obj_is(obj_at(exchange_leg(x), F_LEG_ALERTS, 0), F_ALERT_CODE, 116));
    end();
    // Without the keys the ServerHello is all that can be read.
    begin();
    config.keys = NULL;
    talk(&(struct peer_options){0});
    check_result("answered");
    CU_ASSERT_EQUAL(obj_num(exchange_leg(x), F_LEG_CHAIN), 0);
    end();
    // Another group: a HelloRetryRequest is followed.
    begin();
    talk(&(struct peer_options){.curves = "P-384"});
    check_result("answered");
    CU_ASSERT_STRING_EQUAL(obj_str(exchange_leg(x), F_LEG_ANSWER_RETRY), "group");
    CU_ASSERT_TRUE(obj_has(exchange_leg(x), F_LEG_OFFER_RAW_2));
    end();
}

// ---- the library's own handshake

static void begin_library(void) {
    begin();
    config.sends = EXCHANGE_SENDS_LIBRARY;
    config.of_library = (struct library_config){.server_name = "a.example"};
}

static void test_library_ends(void) {
    static const uint8_t alert[] = {21, 3, 3, 0, 2, 2, 40},
                         nonsense[] = {22, 3, 3, 0, 4, 9, 0, 0, 0};
    static const struct {
        struct event event;
        const char *result;
    } ends[] = {
        {{.kind = EVENT_BYTES, .bytes = {alert, sizeof(alert)}}, "alert"},
        {{.kind = EVENT_BYTES, .bytes = {nonsense, sizeof(nonsense)}}, "not-tls"},
        {{.kind = EVENT_BYTES, .bytes = {(const uint8_t *)"SSH-2.0-x\r\n", 11}}, "not-tls"},
        {{.kind = EVENT_EOF}, "closed"},
        {{.kind = EVENT_BROKEN, .errnum = ECONNRESET}, "reset"},
        {{.kind = EVENT_STOP}, "unfinished"},
    };
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        begin_library();
        start();
        open_tcp();
        CU_ASSERT_TRUE(exchange_output(x).len > 100);
        write_all();
        input(ends[i].event);
        check_result(ends[i].result);
        CU_ASSERT_STRING_EQUAL(obj_str(exchange_leg(x), F_LEG_SERVER_NAME), "a.example");
        CU_ASSERT_TRUE(obj_has(exchange_leg(x), F_LEG_OFFER_RAW));
        end();
    }
    begin_library();
    start();
    open_tcp();
    write_all();
    now += 4000000;
    input((struct event){.kind = EVENT_TIMER});
    check_result("silent");
    end();
}

static void test_library(void) {
    for (uint16_t version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        begin_library();
        talk(&(struct peer_options){.max_version = version});
        check_result("answered");
        CU_ASSERT(exchange_library(x)->established && !exchange_library(x)->certificate_asked);
        CU_ASSERT(obj_is(exchange_leg(x), F_LEG_TLS_ESTABLISHED, true));
        CU_ASSERT(obj_str_is(exchange_leg(x), F_LEG_END_BY, "proxy"));
        CU_ASSERT_EQUAL(obj_num(exchange_leg(x), F_LEG_CHAIN), 1);
        end();
    }
    // One that wants a certificate: before TLS 1.3 it says so before its Finished.
    begin_library();
    talk(&(struct peer_options){.need = true, .max_version = TLS1_2_VERSION});
    check_result("broken-off");
    CU_ASSERT(exchange_library(x)->has_alert);
    end();
    begin_library();
    talk(&(struct peer_options){.need = true});
    check_result("answered");
    CU_ASSERT(obj_str_is(exchange_leg(x), F_LEG_END_HOW, "alert"));
    end();
    begin();
    CU_ASSERT_PTR_NULL((start(), exchange_library(x)));
    end();
}

// What is asked for is waited for; of a 400 more than the head.
static void test_library_page(void) {
    static const char *const pages[] = {"HTTP/1.1 200 OK\r\n\r\n",
                                        "HTTP/1.1 400 Bad\r\n\r\nThe SSL certificate error"};
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        struct pki_cert *cert = pki_leaf("a.example", NULL);
        struct peer_options options = {.chain = {cert}, .ask = true};
        begin_library();
        config.asks = EXCHANGE_ASKS_PAGE;
        struct peer *server = peer_new(false, &options);
        start();
        open_tcp();
        pump(server);
        CU_ASSERT_FALSE(is_done());
        CU_ASSERT(server->heard.len > 30 &&
                  memcmp(buf_data(&server->heard), "GET / HTTP/1.1\r\nHost: a.example\r\n", 33) ==
                      0);
        peer_say(server, pages[i], strlen(pages[i]));
        pump(server);
        CU_ASSERT_EQUAL(is_done(), i == 0);
        input((struct event){.kind = EVENT_EOF});
        check_result("answered");
        struct span head = exchange_head(x);
        CU_ASSERT(head.len == strlen(pages[i]) && memcmp(head.p, pages[i], head.len) == 0);
        CU_ASSERT_TRUE(exchange_library(x)->certificate_asked);
        end();
        peer_free(server);
        pki_free(cert);
    }
}

const struct unit_case unit_cases[] = {
    {"ends", test_ends},
    {"no connection", test_no_connection},
    {"segments", test_segments},
    {"an early answer", test_an_early_answer},
    {"parent", test_parent},
    {"no parent", test_no_parent},
    {"a parent in TLS", test_parent_in_tls},
    {"plain and idle", test_plain_and_idle},
    {"floods", test_floods},
    {"servers", test_servers},
    {"ends of the library's handshake", test_library_ends},
    {"the library's handshake", test_library},
    {"a page behind it", test_library_page},
    {NULL, NULL},
};
