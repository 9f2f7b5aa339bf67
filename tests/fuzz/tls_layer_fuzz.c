// Target functions: tls_layer_new, tls_layer_open, tls_layer_seal, tls_layer_output.
//
// An input is a byte of options and a script of what a parent proxy does: a real server, whose
// bytes come in pieces, with some of them changed, and others between them. Whatever it does, what
// comes out is what the server said, and nothing after a failure; and a server whose bytes nobody
// touched is understood.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/session/tls_layer.h"
#include "tests/unit/proxy/session/tls_peer.h"

enum {
    OPTION_TLS12 = 1,
    OPTION_UNTRUSTED = 2,
    OPTION_ADDRESS = 4,

    STEP_OPEN = 0, // a length: that many of the server's bytes go in, 0: all
    STEP_WRITE,    // what the layer has to write goes to the server
    STEP_SAY,      // a length: the server says as much
    STEP_SEAL,     // a length: the user says as much
    STEP_CLOSE,    // the server says close_notify
    STEP_CHANGE,   // a place among the server's bytes, and what to change there
    STEP_INSERT,   // a length and bytes, which go in front of the server's
    STEP_SETTLE,   // everything goes to and fro until both are quiet
    STEP_KEYS,     // the server changes its keys, or asks for a handshake
    NUM_STEPS,

    WIRE_MAX = 1024 * 1024,
    PLAIN_MAX = 1024 * 1024,
    TIMES = 64, // a length of 255 is as much as 16 KB, the largest record
};

struct drive {
    struct tls_layer *layer;
    struct peer *peer;
    struct buf wire;  // from the server
    struct buf said;  // by the server, and not come out yet
    struct buf plain; // of the user, not sealed yet
    size_t num_sealed, num_asked;
    bool trusted, touched, closed, asked_again;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

static bool verify(void *ctx, const CBS *chain, size_t num_chain) {
    struct drive *d = ctx;
    CHECK(num_chain != 0 && CBS_len(&chain[0]) != 0);
    d->num_asked++;
    return d->trusted;
}

static void state_check(const struct drive *d) {
    const char *reason = tls_layer_reason(d->layer);
    CHECK(strnlen(reason, TLS_LAYER_REASON_MAX) < TLS_LAYER_REASON_MAX);
    CHECK(tls_layer_failed(d->layer) || reason[0] == '\0');
    CHECK(tls_layer_output(d->layer).len <= WIRE_MAX);
    if (!tls_layer_handshaking(d->layer)) {
        CHECK(d->trusted && d->num_asked == 1);
        CHECK(!tls_layer_ended(d->layer) || d->closed);
    }
}

static void open_bytes(struct drive *d, const uint8_t *p, size_t p_len) {
    bool failed = tls_layer_failed(d->layer);
    uint8_t *copy = xmemdup(p, p_len);
    struct span inside = tls_layer_open(d->layer, copy, p_len);
    free(copy);
    CHECK(!failed || tls_layer_failed(d->layer));
    CHECK(inside.len == 0 || (!tls_layer_failed(d->layer) && !tls_layer_handshaking(d->layer)));
    CHECK(inside.len <= d->said.len);
    CHECK(inside.len == 0 || memcmp(inside.p, buf_data(&d->said), inside.len) == 0);
    buf_consume(&d->said, inside.len);
    state_check(d);
}

static void open_some(struct drive *d, size_t len) {
    peer_take(d->peer, &d->wire);
    len = len == 0 || len > d->wire.len ? d->wire.len : len;
    if (len != 0) {
        open_bytes(d, buf_data(&d->wire), len);
        buf_consume(&d->wire, len);
    }
}

static bool write_all(struct drive *d) {
    struct span out = tls_layer_output(d->layer);
    if (out.len != 0) {
        peer_feed(d->peer, out.p, out.len);
        tls_layer_written(d->layer, out.len);
    }
    return out.len != 0;
}

static void seal(struct drive *d, size_t len) {
    static const uint8_t zeros[256 * TIMES];
    bool ready = !tls_layer_handshaking(d->layer) && !tls_layer_failed(d->layer);
    if (len > buf_room(&d->plain)) {
        return;
    }
    CHECK(buf_append(&d->plain, zeros, len));
    size_t before = d->plain.len;
    tls_layer_seal(d->layer, &d->plain);
    CHECK(ready || d->plain.len == before);
    d->num_sealed += before - d->plain.len;
    state_check(d);
}

static void settle(struct drive *d) {
    bool moved;
    do {
        seal(d, 0);
        moved = write_all(d);
        peer_take(d->peer, &d->wire);
        moved = moved || d->wire.len != 0;
        open_some(d, 0);
    } while (moved);
}

static bool peer_speaks(const struct drive *d) {
    return d->peer->established && !d->peer->failed && !d->closed && !d->asked_again;
}

static void say(struct drive *d, size_t len) {
    uint8_t bytes[256 * TIMES];
    if (!peer_speaks(d) || len == 0 || len > buf_room(&d->said)) {
        return;
    }
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)(i + d->said.len);
    }
    CHECK(buf_append(&d->said, bytes, len));
    peer_say(d->peer, bytes, len);
}

static void change_keys(struct drive *d) {
    if (!peer_speaks(d)) {
        return;
    }
    if (SSL_version(d->peer->ssl) == TLS1_3_VERSION) {
        CHECK(SSL_key_update(d->peer->ssl, SSL_KEY_UPDATE_REQUESTED));
    } else {
        peer_hello_request(d->peer);
        d->asked_again = d->touched = true;
    }
}

static void change(struct drive *d, uint8_t place, uint8_t with) {
    peer_take(d->peer, &d->wire);
    if (d->wire.len != 0 && with != 0) {
        d->wire.data[d->wire.off + place % d->wire.len] ^= with;
        d->touched = true;
    }
}

static void step(struct drive *d, uint8_t op, CBS *script) {
    uint8_t a = 0, b = 0;
    CBS bytes;
    switch (op % NUM_STEPS) {
    case STEP_WRITE:
        write_all(d);
        return;
    case STEP_CLOSE:
        if (peer_speaks(d)) {
            SSL_shutdown(d->peer->ssl);
            d->closed = true;
        }
        return;
    case STEP_SETTLE:
        settle(d);
        return;
    case STEP_KEYS:
        change_keys(d);
        return;
    default:
        (void)CBS_get_u8(script, &a);
    }
    switch (op % NUM_STEPS) {
    case STEP_OPEN:
        open_some(d, a);
        return;
    case STEP_SAY:
        say(d, (size_t)a * TIMES);
        return;
    case STEP_SEAL:
        seal(d, (size_t)a * TIMES);
        return;
    case STEP_CHANGE:
        (void)CBS_get_u8(script, &b);
        change(d, a, b);
        return;
    default:
        CHECK(CBS_get_bytes(script, &bytes, a < CBS_len(script) ? a : CBS_len(script)));
        d->touched = d->touched || CBS_len(&bytes) != 0;
        open_bytes(d, CBS_data(&bytes), CBS_len(&bytes));
    }
}

static void end_check(struct drive *d) {
    settle(d);
    if (!d->touched && d->trusted) {
        CHECK(!tls_layer_failed(d->layer) && !tls_layer_handshaking(d->layer));
        CHECK(d->said.len == 0 && d->plain.len == 0);
        CHECK(d->peer->heard.len == d->num_sealed && tls_layer_ended(d->layer) == d->closed);
    }
    CHECK(d->trusted || tls_layer_handshaking(d->layer));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len) {
    static struct peer_options options = {.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"};
    static SSL_CTX *ctx;
    CBS script;
    uint8_t flags, op;
    CBS_init(&script, data, data_len);
    if (!CBS_get_u8(&script, &flags)) {
        return 0;
    }
    if (ctx == NULL) {
        ctx = SSL_CTX_new(TLS_with_buffers_method());
        options.chain[0] = pki_leaf("a.example", NULL);
        CHECK(ctx != NULL);
    }
    options.max_version = flags & OPTION_TLS12 ? TLS1_2_VERSION : TLS1_3_VERSION;
    struct drive d = {.trusted = (flags & OPTION_UNTRUSTED) == 0};
    buf_init(&d.wire, 2 * WIRE_MAX);
    buf_init(&d.said, PLAIN_MAX);
    buf_init(&d.plain, PLAIN_MAX);
    d.peer = peer_new(false, &options);
    const char *host = flags & OPTION_ADDRESS ? "192.0.2.1" : "a.example";
    d.layer = tls_layer_new(SSL_new(ctx), host, verify, &d);
    while (CBS_get_u8(&script, &op)) {
        step(&d, op, &script);
    }
    end_check(&d);
    tls_layer_free(d.layer);
    peer_free(d.peer);
    buf_cleanup(&d.wire);
    buf_cleanup(&d.said);
    buf_cleanup(&d.plain);
    return 0;
}
