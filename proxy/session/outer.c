// TLS between this proxy and its parent. What the session says to its server side goes through it,
// and the session itself never sees it.
#include <errno.h>
#include <stdio.h>

#include "proxy/session/internal.h"

bool shared_trusts_parent(const struct session_shared *shared, const CBS *chain, size_t num_chain,
                          int64_t now, char *says, size_t says_len) {
    struct verified *verified =
        verify_cache_get(shared->verifications, shared->trusts[shared->num_trusts - 1], chain,
                         num_chain, shared->parent.host, now);
    const struct verification *found = &verified->verification;
    bool ok = found->ok;
    snprintf(says, says_len, "%s",
             found->num_defects != 0 ? found->defects[0].says : "its certificate is bad");
    verified_unref(verified);
    return ok;
}

static bool on_verify(void *ctx, const CBS *chain, size_t num_chain) {
    struct session *s = ctx;
    char says[256];
    bool ok =
        shared_trusts_parent(s->shared, chain, num_chain, s->wall_ms / 1000, says, sizeof(says));
    if (!ok && s->record != NULL) {
        parent_failed(s, "untrusted", says);
    }
    return ok;
}

void outer_begin(struct session *s) {
    SSL *ssl = SSL_new(shared_client_ctx(s->shared, 0, false));
    CHECK(ssl != NULL);
    SSL_set_app_data(ssl, s);
    s->outer = tls_layer_new(ssl, s->shared->parent.host, on_verify, s);
}

void outer_open(struct session *s, struct event *out, const struct event *wire) {
    bool handshake = tls_layer_handshaking(s->outer);
    s->now_us = wire->now_us;
    s->wall_ms = wire->wall_ms;
    *out = *wire;
    out->bytes = tls_layer_open(s->outer, wire->bytes.p, wire->bytes.len);
    if (tls_layer_failed(s->outer)) {
        if (handshake && s->record != NULL) {
            parent_failed(s, "tls", tls_layer_reason(s->outer));
        }
        out->kind = EVENT_BROKEN;
        out->errnum = EPROTO;
    }
}

bool outer_ended(const struct session *s) {
    return s->outer != NULL && tls_layer_ended(s->outer) && !s->lanes[SIDE_SERVER].eof;
}

void outer_seal(struct session *s) {
    if (s->outer != NULL) {
        tls_layer_seal(s->outer, &s->lanes[SIDE_SERVER].out);
    }
}
