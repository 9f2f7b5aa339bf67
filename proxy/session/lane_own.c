#include "proxy/session/lane_own.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/tls/handshake.h"
#include "proxy/tls/record_protect.h"

enum { HEADER_LEN = 5 };

struct own_leg {
    struct client_flight *flight;
    struct hello_keys *keys;
    struct buf plain; // application data that came and was not read: of one record
    struct own_config hooks;
    bool gone_on; // behind the server's flight
    bool refused; // an alert said why it ended
    bool closed;  // close_notify was said
    bool eof;     // the flight was told of the stream's end
};

static void on_message(void *ctx, bool from_client, const uint8_t *p, size_t p_len) {
    struct lane *lane = ctx;
    struct observe *observe = &lane->observe;
    if (observe->leg != NULL && (p[0] != HANDSHAKE_CLIENT_HELLO || observe->retry)) {
        observe_message(observe, from_client, p, p_len, *lane->now_us);
    }
}

static void on_alert(void *ctx, bool from_client, const uint8_t *p, size_t p_len) {
    struct lane *lane = ctx;
    if (lane->observe.leg != NULL) {
        observe_alert(&lane->observe, from_client, p, p_len, *lane->now_us);
    }
    if (!from_client && p_len == 2 && p[1] != ALERT_CLOSE_NOTIFY &&
        (p[0] == ALERT_FATAL || own_facts(lane)->version >= TLS1_3_VERSION)) {
        lane->peer_alert = p[1];
    }
}

static void on_data(void *ctx, const uint8_t *p, size_t p_len) {
    struct lane *lane = ctx;
    CHECK(buf_append(&lane->own->plain, p, p_len));
}

static void on_secret(void *ctx, const char *line) {
    struct lane *lane = ctx;
    lane->own->hooks.secret(lane->own->hooks.ctx, line);
}

static void record_tell(struct lane *lane, bool from_client, const uint8_t *p) {
    if (lane->observe.leg != NULL) {
        observe_record(&lane->observe, from_client, p[0], (uint16_t)(p[1] << 8 | p[2]),
                       (uint16_t)(p[3] << 8 | p[4]));
    }
}

// put moves what the client has put out to the lane. The ceiling of the lane's output is far above
// what one record can call for.
static void put(struct lane *lane) {
    size_t len;
    const uint8_t *p = client_flight_output(lane->own->flight, &len);
    for (size_t at = 0; at + HEADER_LEN <= len;
         at += HEADER_LEN + ((size_t)p[at + 3] << 8 | p[at + 4])) {
        record_tell(lane, true, p + at);
    }
    if (len != 0) {
        (void)!lane_put(lane, p, len);
        client_flight_output_done(lane->own->flight, len);
    }
}

void own_start(struct lane *lane, const struct own_config *config) {
    struct own_leg *own = xcalloc(1, sizeof(*own));
    const struct client_flight_sink sink = {
        .ctx = lane,
        .message = on_message,
        .alert = on_alert,
        .data = on_data,
        .secret = on_secret,
    };
    struct err err;
    struct buf wire;
    own->keys = config->keys;
    own->hooks = *config;
    own->hooks.hello = NULL;
    own->flight = client_flight_new(config->keys, config->hello, &sink, &err);
    CHECK(own->flight != NULL);
    buf_init(&own->plain, RECORD_SEALED_MAX);
    buf_init(&wire, HELLO_DRAFT_WIRE_MAX);
    CHECK(hello_draft_wire(config->hello, &wire, NULL, &err));
    lane->own = own;
    record_tell(lane, true, buf_data(&wire));
    (void)!lane_put(lane, buf_data(&wire), wire.len);
    buf_cleanup(&wire);
}

void own_free(struct own_leg *own) {
    if (own == NULL) {
        return;
    }
    client_flight_free(own->flight);
    hello_keys_free(own->keys);
    buf_cleanup(&own->plain);
    free(own);
}

const struct client_flight_facts *own_facts(const struct lane *lane) {
    return client_flight_facts(lane->own->flight);
}

const STACK_OF(CRYPTO_BUFFER) * own_chain(const struct lane *lane) {
    return client_flight_chain(lane->own->flight);
}

bool own_unspoken(const struct lane *lane) {
    return lane->own != NULL && client_flight_status(lane->own->flight) == CLIENT_FLIGHT_NO_KEY;
}

static bool is_over(const struct own_leg *own) {
    enum client_flight_status status = client_flight_status(own->flight);
    return status != CLIENT_FLIGHT_MORE && status != CLIENT_FLIGHT_DONE;
}

// settle does what the bytes just taken ask for: the client's side of the handshake, or its alert.
static void settle(struct lane *lane) {
    struct own_leg *own = lane->own;
    if (client_flight_status(own->flight) == CLIENT_FLIGHT_DONE && !own->gone_on) {
        own->gone_on = true;
        uint8_t alert = own->hooks.chain(own->hooks.ctx);
        if (alert != 0) {
            own_alert(lane, alert);
            return;
        }
        client_flight_go_on(own->flight);
    }
    if (is_over(own) && own_facts(lane)->refusal != 0 && !own->refused) {
        own->refused = true;
        client_flight_refuse(own->flight, own_facts(lane)->refusal);
    }
    put(lane);
}

// record_len returns how many of the bytes that wait are a record, 0 for not a whole one yet. An
// answer that is not TLS, and the beginning of a record that is all that will come, are taken as
// they are.
static size_t record_len(const struct lane *lane, struct span span) {
    if (own_facts(lane)->version == 0 && span.len != 0 &&
        (span.p[0] < CONTENT_CHANGE_CIPHER_SPEC || span.p[0] > CONTENT_HEARTBEAT ||
         (span.len > 1 && span.p[1] != 3))) {
        return span.len;
    }
    size_t need =
        span.len < HEADER_LEN ? HEADER_LEN : HEADER_LEN + ((size_t)span.p[3] << 8 | span.p[4]);
    return span.len >= need ? need : lane->eof ? span.len : 0;
}

// take takes the next record, or the end of the stream, and returns whether there was one.
static bool take(struct lane *lane) {
    struct own_leg *own = lane->own;
    struct span span = lane_peek(lane);
    size_t len = record_len(lane, span), plain = own->plain.len;
    if (is_over(own) || own_facts(lane)->closed || (len == 0 && (!lane->eof || own->eof))) {
        return false;
    }
    if (len == 0) {
        own->eof = true;
        client_flight_eof(own->flight);
    } else {
        if (len >= HEADER_LEN && span.p[1] == 3) {
            record_tell(lane, false, span.p);
        }
        client_flight_input(own->flight, span.p, len);
        lane_drop(lane, len);
        if (own->plain.len == plain) {
            wire_log_sure(&lane->wire, WIRE_FROM_PEER,
                          lane->wire.total[WIRE_FROM_PEER] - lane_waiting(lane));
        }
    }
    settle(lane);
    return true;
}

enum lane_result own_handshake(struct lane *lane) {
    const struct client_flight_facts *facts = own_facts(lane);
    while (!facts->established && take(lane)) {
    }
    bool over = is_over(lane->own) || facts->closed || lane->own->closed;
    return facts->established ? LANE_DONE : over ? LANE_FAILED : LANE_MORE;
}

bool own_write(struct lane *lane, const uint8_t *p, size_t p_len) {
    struct own_leg *own = lane->own;
    if (own->closed || is_over(own) || lane->shut || !lane->open) {
        return false;
    }
    while (p_len != 0) {
        size_t n = p_len < RECORD_PLAIN_MAX ? p_len : RECORD_PLAIN_MAX;
        client_flight_write(own->flight, p, n);
        put(lane);
        p += n;
        p_len -= n;
    }
    return true;
}

bool own_look(struct lane *lane) {
    while (lane->own->plain.len == 0 && take(lane)) {
    }
    return lane->own->plain.len != 0;
}

int own_read(struct lane *lane, uint8_t *out, size_t max) {
    struct buf *plain = &lane->own->plain;
    if (!own_look(lane)) {
        return 0;
    }
    size_t n = plain->len < max ? plain->len : max;
    memcpy(out, buf_data(plain), n);
    buf_consume(plain, n);
    return (int)n;
}

enum lane_read own_read_state(const struct lane *lane) {
    if (own_facts(lane)->closed) {
        return LANE_READ_CLOSED;
    }
    return is_over(lane->own) || lane->own->eof ? LANE_READ_FAILED : LANE_READ_MORE;
}

void own_close(struct lane *lane) {
    lane->own->closed = true;
    client_flight_close(lane->own->flight);
    put(lane);
}

void own_alert(struct lane *lane, uint8_t alert) {
    lane->own->closed = true;
    client_flight_refuse(lane->own->flight, alert);
    put(lane);
}
