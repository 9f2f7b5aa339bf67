// TLS between this proxy and its parent. What the session says to its server side goes through it,
// and the session itself never sees it.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/session/internal.h"

enum { PIECE = 16 * 1024 };

struct outer {
    SSL *ssl;
    BIO *in, *out;     // the library's, of `ssl`
    struct buf wire;   // to be written
    struct buf opened; // for the session, of the last event
    bool failed;
};

void outer_free(struct outer *outer) {
    if (outer != NULL) {
        SSL_free(outer->ssl);
        buf_cleanup(&outer->wire);
        buf_cleanup(&outer->opened);
        free(outer);
    }
}

static enum ssl_verify_result_t on_verify(SSL *ssl, uint8_t *out_alert) {
    struct session *s = SSL_get_app_data(ssl);
    const struct session_shared *shared = s->shared;
    const STACK_OF(CRYPTO_BUFFER) *chain = SSL_get0_peer_certificates(ssl);
    size_t num = chain == NULL ? 0 : sk_CRYPTO_BUFFER_num(chain);
    CBS *ders = xcalloc(num + 1, sizeof(*ders));
    for (size_t i = 0; i < num; i++) {
        CRYPTO_BUFFER_init_CBS(sk_CRYPTO_BUFFER_value(chain, i), &ders[i]);
    }
    struct verified *verified =
        verify_cache_get(shared->verifications, shared->trusts[shared->num_trusts - 1], ders, num,
                         shared->parent.host, s->wall_ms / 1000);
    const struct verification *found = &verified->verification;
    bool ok = found->ok;
    if (!ok && s->record != NULL) {
        parent_failed(s, "untrusted",
                      found->num_defects != 0 ? found->defects[0].says : "its certificate is bad");
    }
    verified_unref(verified);
    free(ders);
    *out_alert = SSL_AD_BAD_CERTIFICATE;
    return ok ? ssl_verify_ok : ssl_verify_invalid;
}

// flush moves the library's output to where it waits to be written.
static void flush(struct outer *outer) {
    const uint8_t *p;
    size_t len;
    if (BIO_mem_contents(outer->out, &p, &len) && len != 0) {
        outer->failed = !buf_append(&outer->wire, p, len) || outer->failed;
        (void)BIO_reset(outer->out);
    }
}

void outer_begin(struct session *s) {
    const struct session_shared *shared = s->shared;
    struct outer *outer = s->outer = xcalloc(1, sizeof(*outer));
    buf_init(&outer->wire, LANE_OUT_MAX);
    buf_init(&outer->opened, LANE_IN_MAX);
    outer->ssl = SSL_new(shared_client_ctx(shared, 0, false));
    outer->in = BIO_new(BIO_s_mem());
    outer->out = BIO_new(BIO_s_mem());
    CHECK(outer->ssl != NULL && outer->in != NULL && outer->out != NULL &&
          SSL_set_min_proto_version(outer->ssl, TLS1_2_VERSION));
    SSL_set_bio(outer->ssl, outer->in, outer->out);
    SSL_set_app_data(outer->ssl, s);
    uint8_t address[16];
    if (!network_parse_address(address, shared->parent.host)) {
        (void)SSL_set_tlsext_host_name(outer->ssl, shared->parent.host);
    }
    SSL_set_connect_state(outer->ssl);
    SSL_set_custom_verify(outer->ssl, SSL_VERIFY_PEER, on_verify);
    ERR_clear_error();
    (void)SSL_do_handshake(outer->ssl);
    flush(outer);
}

// read_all reads what there is, and returns whether the connection goes on.
static bool read_all(struct outer *outer) {
    uint8_t piece[PIECE];
    for (;;) {
        ERR_clear_error();
        int n = SSL_read(outer->ssl, piece, sizeof(piece));
        if (n > 0) {
            if (!buf_append(&outer->opened, piece, (size_t)n)) {
                return false;
            }
            continue;
        }
        int error = SSL_get_error(outer->ssl, n);
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ||
               error == SSL_ERROR_ZERO_RETURN;
    }
}

void outer_open(struct session *s, struct event *out, const struct event *wire) {
    struct outer *outer = s->outer;
    s->now_us = wire->now_us;
    s->wall_ms = wire->wall_ms;
    buf_consume(&outer->opened, outer->opened.len);
    CHECK(BIO_write_all(outer->in, wire->bytes.p, wire->bytes.len));
    *out = *wire;
    if (read_all(outer)) {
        out->bytes = (struct span){buf_data(&outer->opened), outer->opened.len};
    } else {
        char reason[128];
        bool handshake = SSL_in_init(outer->ssl);
        lane_reason(&s->lanes[SIDE_SERVER], reason, sizeof(reason));
        if (handshake && s->record != NULL) {
            parent_failed(s, "tls", reason);
        }
        out->kind = EVENT_BROKEN;
        out->errnum = EPROTO;
        outer->failed = true;
    }
    flush(outer);
}

void outer_seal(struct session *s) {
    struct outer *outer = s->outer;
    if (outer == NULL || outer->failed) {
        return;
    }
    struct buf *out = &s->lanes[SIDE_SERVER].out;
    while (out->len != 0 && outer->wire.len < RELAY_HIGH && !outer->failed &&
           !SSL_in_init(outer->ssl)) {
        int n = out->len < PIECE ? (int)out->len : PIECE;
        ERR_clear_error();
        if (SSL_write(outer->ssl, buf_data(out), n) != n) {
            outer->failed = true;
            break;
        }
        buf_consume(out, (size_t)n);
        flush(outer);
    }
}

struct span outer_output(const struct outer *outer) {
    return (struct span){outer->wire.len == 0 ? NULL : buf_data(&outer->wire), outer->wire.len};
}

void outer_written(struct outer *outer, size_t len) { buf_consume(&outer->wire, len); }
