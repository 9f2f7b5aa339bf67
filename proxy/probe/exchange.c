#include "proxy/probe/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/observe/observe.h"
#include "proxy/probe/outcome.h"
#include "proxy/session/internal.h"
#include "proxy/session/tls_layer.h"

enum {
    HEAD_MAX = 4096, // of an HTTP answer, for its Date
    FIRST_MAX = 64,  // bytes of an answer that is not TLS
    TLS13 = 0x0304,
    SETTLE_US = 400 * 1000, // how long an objection to our Finished may take, beside a round trip
};

//  DIALLING --> [PARENT] --> SENDING --> WAITING --> [SETTLING] --> OVER
//                   any of them ends in OVER
enum phase { DIALLING, PARENT, SENDING, WAITING, SETTLING, OVER };

struct exchange {
    struct exchange_config config; // its strings and its draft are not used after exchange_new
    struct record *record;         // of which only the server's leg is filled
    struct observe observe;
    enum phase phase;
    struct tls_layer *layer;      // with the parent proxy, around all that is said to it
    struct client_flight *flight; // EXCHANGE_SENDS_HELLO
    struct library *library;      // EXCHANGE_SENDS_LIBRARY
    char *host;
    struct buf out; // what is to be sent, or what a pause still holds back
    struct buf in;  // of a parent proxy's answer
    struct hello_segments segments;
    size_t segment;    // the next one to be sent
    int64_t resume_us; // not before that
    int64_t start_us, now_us, deadline_us;
    int64_t wall_ms, date_wall_ms;
    uint8_t first[FIRST_MAX]; // of the answer
    size_t first_len;
    char head[HEAD_MAX]; // of an HTTP answer
    size_t head_len;
    int64_t received, sent;
    char *hello; // as it is on the wire
    size_t hello_len;
};

// ---- what the flight tells

static void on_message(void *ctx, bool from_client, const uint8_t *p, size_t p_len) {
    struct exchange *x = ctx;
    observe_message(&x->observe, from_client, p, p_len, x->now_us);
}

static void on_alert(void *ctx, bool from_client, const uint8_t *p, size_t p_len) {
    struct exchange *x = ctx;
    observe_alert(&x->observe, from_client, p, p_len, x->now_us);
}

static void head_add(struct exchange *x, const void *p, size_t p_len) {
    size_t room = sizeof(x->head) - x->head_len;
    size_t n = p_len < room ? p_len : room;
    x->date_wall_ms = x->wall_ms;
    if (n != 0) {
        memcpy(x->head + x->head_len, p, n);
        x->head_len += n;
    }
}

static void on_data(void *ctx, const uint8_t *p, size_t p_len) {
    struct exchange *x = ctx;
    observe_step(&x->observe, STEP_DATA, x->now_us);
    head_add(x, p, p_len);
}

// ---- making

// connect_put asks the parent proxy for the host (RFC 9110 section 9.3.6).
static void connect_put(struct exchange *x, const struct exchange_config *config) {
    bool ipv6 = strchr(config->host, ':') != NULL;
    const char *open = ipv6 ? "[" : "", *close = ipv6 ? "]" : "";
    buf_printf(&x->in, "CONNECT %s%s%s:%u HTTP/1.1\r\nHost: %s%s%s:%u\r\n", open, config->host,
               close, config->port, open, config->host, close, config->port);
    if (config->parent_authorization != NULL && *config->parent_authorization != '\0') {
        buf_printf(&x->in, "Proxy-Authorization: %s\r\n", config->parent_authorization);
    }
    buf_printf(&x->in, "\r\n");
}

static bool library_prepare(struct exchange *x, const struct exchange_config *config,
                            struct err *err) {
    const struct client_flight_sink sink = {x, on_message, on_alert, on_data, NULL};
    x->library = library_new(&config->of_library, &sink, err);
    if (x->library == NULL) {
        return false;
    }
    const uint8_t *hello = library_output(x->library, &x->hello_len);
    x->hello = xmemdup(hello, x->hello_len);
    library_output_done(x->library, x->hello_len);
    return true;
}

static bool hello_prepare(struct exchange *x, const struct exchange_config *config,
                          struct err *err) {
    struct buf wire;
    const struct client_flight_sink sink = {
        .ctx = x, .message = on_message, .alert = on_alert, .data = on_data};
    buf_init(&wire, HELLO_DRAFT_WIRE_MAX);
    bool ok = hello_draft_wire(config->hello, &wire, &x->segments, err);
    if (ok) {
        x->flight = client_flight_new(config->keys, config->hello, &sink, err);
        x->hello = xmemdup(buf_data(&wire), wire.len);
        x->hello_len = wire.len;
    }
    buf_cleanup(&wire);
    return x->flight != NULL;
}

struct exchange *exchange_new(const struct exchange_config *config, int64_t now_us, int64_t wall_ms,
                              struct err *err) {
    struct exchange *x = xcalloc(1, sizeof(*x));
    x->config = *config;
    x->record = record_new();
    x->start_us = x->now_us = now_us;
    x->wall_ms = wall_ms;
    x->deadline_us = now_us + config->total_us;
    buf_init(&x->out, HELLO_DRAFT_WIRE_MAX + CLIENT_FLIGHT_REQUEST_MAX);
    buf_init(&x->in, EXCHANGE_HEAD_MAX);
    observe_init(&x->observe, x->record->root, true, now_us);
    observe_step(&x->observe, STEP_DNS, now_us);
    const char *named = config->of_library.server_name;
    x->host = xstrdup(named != NULL ? named : config->host);
    if ((config->sends == EXCHANGE_SENDS_HELLO && !hello_prepare(x, config, err)) ||
        (config->sends == EXCHANGE_SENDS_LIBRARY && !library_prepare(x, config, err))) {
        exchange_free(x);
        return NULL;
    }
    if (config->by_parent) {
        connect_put(x, config); // waits in `in`, which is empty until it is sent
    }
    if (config->sends == EXCHANGE_SENDS_PLAIN) {
        char text[512];
        int len =
            snprintf(text, sizeof(text), "GET / HTTP/1.0\r\nHost: %.255s\r\n\r\n", config->host);
        x->hello = xmemdup(text, (size_t)len);
        x->hello_len = (size_t)len;
    }
    return x;
}

void exchange_free(struct exchange *x) {
    if (x == NULL) {
        return;
    }
    client_flight_free(x->flight);
    tls_layer_free(x->layer);
    library_free(x->library);
    record_free(x->record);
    buf_cleanup(&x->out);
    buf_cleanup(&x->in);
    free(x->hello);
    free(x->host);
    free(x);
}

struct obj *exchange_leg(const struct exchange *x) {
    return x->observe.leg;
}

bool exchange_date(const struct exchange *x, int64_t *out_ahead) {
    int64_t date;
    if (!outcome_date(&date, x->head, x->head_len)) {
        return false;
    }
    *out_ahead = date - x->date_wall_ms / 1000;
    return true;
}

struct span exchange_head(const struct exchange *x) {
    return (struct span){(const uint8_t *)x->head, x->head_len};
}

const struct library_facts *exchange_library(const struct exchange *x) {
    return x->library == NULL ? NULL : library_facts(x->library);
}

// ---- the end

static void sample(struct exchange *x) {
    struct obj *leg = x->observe.leg;
    struct transport t = {-1, -1, -1, -1, -1};
    if (x->config.sample == NULL) {
        return;
    }
    x->config.sample(x->config.sample_ctx, &t);
    const struct {
        enum field field;
        int64_t value;
    } facts[] = {
        {F_LEG_RTT, t.rtt_us},
        {F_LEG_MIN_RTT, t.min_rtt_us},
        {F_LEG_RETRANSMITS, t.retransmits},
        {F_LEG_UNACKED, t.unacked},
        {F_LEG_OUTQ, t.outq},
    };
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        if (facts[i].value >= 0) {
            obj_set_int(leg, facts[i].field, facts[i].value);
        }
    }
}

static void end(struct exchange *x, const char *by, const char *how, const char *detail) {
    struct obj *leg = x->observe.leg;
    if (x->phase == OVER) {
        return;
    }
    // What a banner was cut to decides what it is; more of it may have come since.
    if (x->first_len != 0 && obj_has(leg, F_LEG_ANSWER_FIRST_KIND)) {
        observe_not_tls(&x->observe, x->first, x->first_len);
    }
    const struct library_facts *own = exchange_library(x);
    if (own != NULL && own->ech == LIBRARY_ECH_REJECTED) {
        by = "proxy", how = "alert", detail = own->says;
    }
    obj_set_str(leg, F_LEG_END_BY, by);
    obj_set_str(leg, F_LEG_END_HOW, how);
    bool at_parent = x->config.by_parent && x->phase < SENDING;
    obj_set_str(leg, F_LEG_END_AT, at_parent ? "front" : step_name(x->observe.step));
    if (detail != NULL && *detail != '\0') {
        obj_set_str(leg, F_LEG_END_DETAIL, detail);
    }
    observe_time(&x->observe, F_LEG_MS_END, x->now_us);
    obj_set_int(leg, F_LEG_BYTES_RECEIVED, x->received);
    obj_set_int(leg, F_LEG_BYTES_SENT, x->sent);
    sample(x);
    x->phase = OVER;
    x->deadline_us = INT64_MAX;
    buf_cleanup(&x->out);
}

// flight_put takes over what the flight, or the library, wants to send.
static void flight_put(struct exchange *x) {
    size_t len;
    const uint8_t *p = x->library != NULL ? library_output(x->library, &len)
                                          : client_flight_output(x->flight, &len);
    if (len == 0 || !buf_append(&x->out, p, len)) {
        return;
    }
    if (x->library != NULL) {
        library_output_done(x->library, len);
    } else {
        client_flight_output_done(x->flight, len);
    }
}

static void settle(struct exchange *x) {
    x->phase = SETTLING;
    int64_t due = x->config.asks == EXCHANGE_ASKS_PAGE
                      ? x->now_us + x->config.answer_us
                      : x->now_us + SETTLE_US + 2 * (x->now_us - x->start_us);
    int64_t last =
        x->config.asks == EXCHANGE_ASKS_PAGE ? x->start_us + x->config.total_us : x->deadline_us;
    x->deadline_us = due < last && x->config.asks != EXCHANGE_ASKS_DATE ? due : last;
}

// finish completes a handshake, and waits for who objects to it, or for what was asked.
static void finish(struct exchange *x) {
    static const char form[] = "%s / HTTP/1.1\r\nHost: %.255s\r\nConnection: close\r\n\r\n";
    const char *method = x->config.asks == EXCHANGE_ASKS_PAGE ? "GET" : "HEAD";
    const char *sni = obj_str(x->observe.leg, F_LEG_SERVER_NAME);
    const char *host = x->library != NULL ? x->host : sni;
    char request[512] = "";
    if (x->config.asks != EXCHANGE_ASKS_NOTHING && host != NULL) {
        snprintf(request, sizeof(request), form, method, host);
    }
    if (x->library == NULL) {
        client_flight_finish(x->flight, (const uint8_t *)request, strlen(request));
    } else if (*request != '\0') {
        library_request(x->library, (const uint8_t *)request, strlen(request));
    }
    flight_put(x);
    observe_step(&x->observe, STEP_FINISHED, x->now_us);
    settle(x);
}

static void not_tls(struct exchange *x) {
    observe_not_tls(&x->observe, x->first, x->first_len);
    end(x, "proxy", "error", "what came back is not TLS");
}

// done goes on behind the server's flight.
static void done(struct exchange *x) {
    const struct library_facts *own = exchange_library(x);
    size_t data_len = own != NULL ? own->data_len : client_flight_facts(x->flight)->data_len;
    bool more = own != NULL ? own->established
                            : x->config.finish && client_flight_facts(x->flight)->version >= TLS13;
    if (x->phase == SETTLING) {
        if (data_len != 0 && x->config.asks == EXCHANGE_ASKS_NOTHING) {
            end(x, "proxy", "fin", NULL);
        }
    } else if (more) {
        finish(x);
    } else if (own != NULL) {
        settle(x); // until our ech_required is out
    } else {
        end(x, "proxy", "fin", NULL);
    }
}

static void flight_look(struct exchange *x, enum client_flight_status status) {
    flight_put(x);
    switch (status) {
    case CLIENT_FLIGHT_MORE:
        return;
    case CLIENT_FLIGHT_DONE:
        done(x);
        return;
    case CLIENT_FLIGHT_RESUMED:
    case CLIENT_FLIGHT_NO_KEY:
        end(x, "proxy", "fin", NULL);
        return;
    case CLIENT_FLIGHT_ALERT:
        end(x, "server", "alert", NULL);
        return;
    case CLIENT_FLIGHT_MALFORMED:
        end(x, "proxy", "error",
            x->library != NULL ? library_facts(x->library)->says
                               : client_flight_facts(x->flight)->says);
        return;
    case CLIENT_FLIGHT_NOT_TLS:
        not_tls(x);
        return;
    case CLIENT_FLIGHT_CLOSED:
        end(x, "server", "fin", NULL);
        return;
    }
}

// ---- what comes back

static void send_begin(struct exchange *x);

// parent_look reads the parent proxy's answer to CONNECT.
static void parent_look(struct exchange *x, const struct span *bytes) {
    if (!buf_append(&x->in, bytes->p, bytes->len)) {
        end(x, "network", "error", "the parent proxy's answer has no end");
        return;
    }
    const char *head = (const char *)buf_data(&x->in);
    const char *blank = memmem(head, x->in.len, "\r\n\r\n", 4);
    int status = 0;
    if (blank == NULL) {
        return;
    }
    char line[64];
    size_t len = x->in.len < sizeof(line) - 1 ? x->in.len : sizeof(line) - 1;
    memcpy(line, head, len);
    line[len] = '\0';
    if (sscanf(line, "HTTP/1.%*1[01] %3d", &status) != 1 || status / 100 != 2) {
        char says[64];
        snprintf(says, sizeof(says), "the parent proxy answered CONNECT with %d", status);
        end(x, "network", "refused", status == 0 ? "the parent proxy does not speak HTTP" : says);
        return;
    }
    buf_cleanup(&x->in);
    send_begin(x);
}

static void first_keep(struct exchange *x, const struct span *bytes) {
    size_t room = sizeof(x->first) - x->first_len;
    size_t n = bytes->len < room ? bytes->len : room;
    memcpy(x->first + x->first_len, bytes->p, n);
    x->first_len += n;
}

// plain_look takes what answers clear text, or silence: it may be anything.
static void plain_look(struct exchange *x, const struct span *bytes) {
    head_add(x, bytes->p, bytes->len);
    if (x->first[0] >= 0x14 && x->first[0] <= 0x17 && x->first_len >= 7) {
        if (x->first[0] == 0x15) {
            observe_alert(&x->observe, false, x->first + 5, 2, x->now_us);
        }
        end(x, "server", "alert", NULL);
    } else if (x->config.sends == EXCHANGE_SENDS_NOTHING || x->head_len == sizeof(x->head) ||
               memmem(x->head, x->head_len, "\r\n\r\n", 4) != NULL) {
        not_tls(x);
    }
}

// has_reply returns whether what was asked for is there. A page with 400 is worth reading on.
static bool has_reply(const struct exchange *x) {
    int64_t ahead;
    int status = outcome_status(x->head, x->head_len);
    bool whole = memmem(x->head, x->head_len, "\r\n\r\n", 4) != NULL;
    return (x->config.asks == EXCHANGE_ASKS_DATE && exchange_date(x, &ahead)) ||
           (x->config.asks == EXCHANGE_ASKS_PAGE &&
            (x->head_len == sizeof(x->head) || (whole && status != 400)));
}

// opened returns what is inside of bytes from the wire.
static struct span opened(struct exchange *x, const struct span *bytes) {
    if (x->layer == NULL) {
        return *bytes;
    }
    struct span inside = tls_layer_open(x->layer, bytes->p, bytes->len);
    if (tls_layer_failed(x->layer)) {
        char says[192];
        const char *reason = tls_layer_reason(x->layer);
        snprintf(says, sizeof(says), "TLS with the parent proxy failed: %s",
                 *reason != '\0' ? reason : "it sent too much");
        end(x, "network", "error", says);
    }
    return inside;
}

static void on_said(struct exchange *x, const struct span *bytes) {
    if (x->phase == PARENT) {
        parent_look(x, bytes);
        return;
    }
    if (x->phase < SENDING || x->phase == OVER) {
        return;
    }
    first_keep(x, bytes);
    if (x->library != NULL) {
        flight_look(x, library_input(x->library, bytes->p, bytes->len));
    } else if (x->flight != NULL) {
        flight_look(x, client_flight_input(x->flight, bytes->p, bytes->len));
    } else {
        plain_look(x, bytes);
    }
    if (x->phase == SETTLING && has_reply(x)) {
        end(x, "proxy", "fin", NULL);
    }
    if (x->received > EXCHANGE_BYTES_MAX) {
        end(x, "proxy", "error", "it goes on and on");
    }
}

static void on_eof(struct exchange *x) {
    bool tls = x->flight != NULL || x->library != NULL;
    if (!tls && x->first_len != 0) {
        not_tls(x);
    } else if (x->library != NULL && x->phase >= SENDING) {
        flight_look(x, library_eof(x->library));
    } else if (x->flight != NULL && x->phase >= SENDING && x->phase < SETTLING) {
        flight_look(x, client_flight_eof(x->flight));
    }
    end(x, "server", "fin", NULL);
}

static void on_bytes(struct exchange *x, const struct span *wire) {
    x->received += (int64_t)wire->len;
    const struct span said = opened(x, wire);
    if (said.len != 0) {
        on_said(x, &said);
    }
    if (x->layer != NULL && tls_layer_ended(x->layer)) {
        on_eof(x);
    }
}

static void on_broken(struct exchange *x, int errnum) {
    end(x, errnum == ETIMEDOUT || errnum == ECONNRESET || errnum == EPIPE ? "server" : "network",
        end_how_errno(errnum), NULL);
}

// ---- what is sent

// send_next puts the next segment out, or says that all of the hello is.
static void send_next(struct exchange *x) {
    size_t at = 0;
    if (x->segment == x->segments.num) {
        x->phase = WAITING;
        int64_t due = x->now_us + x->config.answer_us;
        x->deadline_us = due < x->deadline_us ? due : x->deadline_us;
        observe_step(&x->observe, STEP_HELLO, x->now_us);
        if (x->flight != NULL || x->library != NULL) {
            observe_hello(&x->observe, (uint8_t *)x->hello, x->hello_len, x->segments.num,
                          x->now_us);
        }
        return;
    }
    for (size_t i = 0; i < x->segment; i++) {
        at += x->segments.segments[i].len;
    }
    const struct hello_segment *segment = &x->segments.segments[x->segment++];
    x->resume_us = x->now_us + (int64_t)segment->pause_ms * 1000;
    CHECK(buf_append(&x->out, x->hello + at, segment->len));
}

static void send_begin(struct exchange *x) {
    observe_time(&x->observe, F_LEG_MS_CONNECT, x->now_us);
    x->phase = SENDING;
    if (x->config.sends == EXCHANGE_SENDS_PLAIN || x->library != NULL) {
        x->segments.num = 1;
        x->segments.segments[0] = (struct hello_segment){(uint32_t)x->hello_len, 0};
    }
    send_next(x);
}

static void on_connected(struct exchange *x, const struct event *event) {
    leg_set_ends(x->observe.leg, &event->tried.address, &event->tried.local);
    observe_step(&x->observe, STEP_CONNECT, x->now_us);
    if (!x->config.by_parent) {
        send_begin(x);
        return;
    }
    x->phase = PARENT;
    x->layer = x->config.parent_tls != NULL ? parent_tls_begin(x->config.parent_tls) : NULL;
    CHECK(buf_append(&x->out, buf_data(&x->in), x->in.len));
    buf_cleanup(&x->in);
}

// parent_unreachable ends an exchange that did not even get to the parent proxy: that says nothing
// about the host.
static void parent_unreachable(struct exchange *x, const struct event *event) {
    char says[128];
    snprintf(says, sizeof(says), "the parent proxy cannot be reached: %s",
             event->kind == EVENT_UNRESOLVED ? dns_error_name(event->dns_error)
                                             : strerror(event->errnum));
    end(x, "network", "error", says);
}

static void on_dial(struct exchange *x, const struct event *event) {
    struct obj *leg = x->observe.leg;
    bool failed = event->kind == EVENT_UNRESOLVED || event->kind == EVENT_DIAL_FAILED;
    if (x->config.by_parent && failed) {
        parent_unreachable(x, event);
        return;
    }
    switch (event->kind) {
    case EVENT_RESOLVED:
        for (size_t i = 0; i < event->resolved.num; i++) {
            char text[IP_TEXT_MAX];
            const char *ip = ip_text(text, &event->resolved.addresses[i]);
            obj_add_str(leg, F_LEG_DNS_ANSWERS, ip, strlen(ip));
        }
        observe_time(&x->observe, F_LEG_MS_DNS, x->now_us);
        observe_step(&x->observe, STEP_CONNECT, x->now_us);
        return;
    case EVENT_TRIED:
        tried_add(leg, event);
        return;
    case EVENT_UNRESOLVED:
        obj_set_str(leg, F_LEG_DNS_ERROR, dns_error_name(event->dns_error));
        end(x, "network", "dns", NULL);
        return;
    case EVENT_DIAL_FAILED:
        observe_step(&x->observe, STEP_CONNECT, x->now_us);
        end(x, event->errnum == ECONNREFUSED ? "server" : "network", end_how_errno(event->errnum),
            strerror(event->errnum));
        return;
    default:
        on_connected(x, event);
    }
}

static void on_timer(struct exchange *x) {
    if (x->phase == SETTLING) {
        end(x, "proxy", "fin", NULL);
    } else if (x->now_us >= x->deadline_us) {
        end(x, x->phase < SENDING ? "network" : "server", "timeout", NULL);
    }
}

static bool pausing(const struct exchange *x) {
    return x->phase == SENDING && x->now_us < x->resume_us;
}

// seal hands what may be sent now over to TLS with the parent proxy, where there is that.
static void seal(struct exchange *x) {
    if (x->layer != NULL && !pausing(x)) {
        tls_layer_seal(x->layer, &x->out);
    }
}

static void take(struct exchange *x, const struct event *event) {
    switch (event->kind) {
    case EVENT_BYTES:
        on_bytes(x, &event->bytes);
        return;
    case EVENT_EOF:
        on_eof(x);
        return;
    case EVENT_BROKEN:
        on_broken(x, event->errnum);
        return;
    case EVENT_TIMER:
        on_timer(x);
        return;
    case EVENT_STOP:
        end(x, "proxy", "fin", "stopped");
        return;
    default:
        on_dial(x, event);
    }
}

void exchange_input(struct exchange *x, const struct event *event) {
    x->now_us = event->now_us;
    x->wall_ms = event->wall_ms;
    if (x->phase != OVER) {
        take(x, event);
        seal(x);
    }
}

struct span exchange_output(const struct exchange *x) {
    if (x->layer != NULL) {
        return tls_layer_output(x->layer);
    }
    return pausing(x) ? (struct span){NULL, 0} : (struct span){buf_data(&x->out), x->out.len};
}

// unsent is what is still to be written of what was said.
static size_t unsent(const struct exchange *x) {
    return x->out.len + (x->layer != NULL ? tls_layer_output(x->layer).len : 0);
}

void exchange_output_done(struct exchange *x, size_t len, int64_t now_us) {
    x->now_us = now_us;
    x->sent += (int64_t)len;
    if (x->layer != NULL) {
        tls_layer_written(x->layer, len);
    } else {
        buf_consume(&x->out, len);
    }
    seal(x);
    if (x->phase == SENDING && unsent(x) == 0) {
        send_next(x);
        seal(x);
    }
}

void exchange_wishes(const struct exchange *x, struct exchange_wishes *out) {
    bool pause = pausing(x);
    *out = (struct exchange_wishes){
        .deadline_us = pause && x->resume_us < x->deadline_us ? x->resume_us : x->deadline_us,
        .sending = x->phase >= SENDING,
        .answered = x->first_len != 0,
        .done = x->phase == OVER,
    };
}
