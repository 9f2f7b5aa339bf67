// The server leg's handshake: it goes first, so that the client can be answered alike.
#include "proxy/session/upstream.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/session/emulate.h"
#include "proxy/session/lane_own.h"
#include "proxy/session/mirror.h"
#include "proxy/session/verification.h"
#include "proxy/tls/banner.h"

enum { HELD_US = 10 * 1000 };

void upstream_free(struct upstream *upstream) {
    if (upstream != NULL) {
        verified_unref(upstream->verified);
        free(upstream);
    }
}

// verify keeps what is wrong with the chain for the record; the handshake goes on in any case.
static void verify(struct session *s) {
    struct upstream *upstream = s->upstream;
    const struct lane *server = &s->lanes[SIDE_SERVER];
    const STACK_OF(CRYPTO_BUFFER) *chain = lane_chain(server);
    size_t num = chain == NULL ? 0 : sk_CRYPTO_BUFFER_num(chain);
    if (upstream->verified != NULL || num == 0) {
        return;
    }
    CBS *ders = xcalloc(num, sizeof(*ders));
    for (size_t i = 0; i < num; i++) {
        CRYPTO_BUFFER_init_CBS(sk_CRYPTO_BUFFER_value(chain, i), &ders[i]);
    }
    observe_certificates(&s->lanes[SIDE_SERVER].observe, ders, num, s->now_us);
    // The SNI is the name that the client means, and will check; the CONNECT only says where to.
    const char *sni = lane_server_name(server);
    const char *name = sni != NULL ? sni : s->host;
    upstream->verified =
        verify_cache_get(s->shared->verifications, s->shared->trusts[s->rule->index], ders, num,
                         name, s->wall_ms / 1000);
    verification_record(obj_sub(s->lanes[SIDE_SERVER].observe.leg, F_LEG_VERIFICATION), name,
                        &upstream->verified->verification);
    if (CBS_len(&upstream->verified->verification.issuer) != 0) {
        observe_issuer(&s->lanes[SIDE_SERVER].observe, upstream->verified->verification.issuer);
    }
    free(ders);
}

static enum ssl_verify_result_t on_verify(SSL *ssl, uint8_t *out_alert) {
    struct session *s = SSL_get_app_data(ssl);
    verify(s);
    s->upstream->broken_off = emulate_breaks_off(s, out_alert);
    return s->upstream->broken_off ? ssl_verify_invalid : ssl_verify_ok;
}

static uint8_t on_chain(void *session) {
    struct session *s = session;
    uint8_t alert = 0;
    verify(s);
    s->upstream->broken_off = emulate_breaks_off(s, &alert);
    return s->upstream->broken_off ? alert : 0;
}

static bool defective(const struct session *s) {
    const struct upstream *upstream = s->upstream;
    return upstream->verified != NULL && !upstream->verified->verification.ok &&
           s->rule->server_leg.verify;
}

bool upstream_holds(const struct session *s) {
    return s->state == STATE_DOWNSTREAM && s->upstream != NULL &&
           s->now_us < s->upstream->held_until_us;
}

// hold_flight lets our Finished wait. The server has answered all there was to answer: it waits for
// a request now, and what it thinks of a certificate of ours is not put off.
static void hold_flight(struct session *s) {
    const struct lane *server = &s->lanes[SIDE_SERVER];
    if (lane_version(server) >= TLS1_3_VERSION && s->profile == NULL && s->outer == NULL &&
        !obj_has(server->observe.leg, F_LEG_ANSWER_CERT_REQUEST)) {
        s->upstream->held_until_us = s->now_us + HELD_US;
    }
}

static void finished(struct session *s) {
    struct lane *server = &s->lanes[SIDE_SERVER];
    observe_step(&server->observe, STEP_FINISHED, s->now_us);
    hold_flight(s);
    if (!emulate_answer(s)) {
        upstream_go_on(s);
    }
}

void upstream_go_on(struct session *s) {
    if (emulate_invalid(s)) {
        return;
    }
    if (emulate_shown(s) != NULL && defective(s) && s->rule->on_failure != ON_FAILURE_MIRROR) {
        s->upstream->failure = FAILURE_CERTIFICATE;
        end_set(s, SIDE_SERVER, "proxy", "fin", "the server's certificate is not good");
        failure_show(s);
        return;
    }
    downstream_begin(s);
}

// head_is_tls returns whether the first bytes of the server can be a TLS record.
static bool head_is_tls(const struct lane *lane) {
    return lane->head_len == 0 || (lane->head[0] >= SSL3_RT_CHANGE_CIPHER_SPEC &&
                                   lane->head[0] <= SSL3_RT_APPLICATION_DATA &&
                                   (lane->head_len == 1 || lane->head[1] == 3));
}

// head_is_hello returns whether the server, of all things, said a ClientHello.
static bool head_is_hello(const struct lane *lane) {
    return lane->head_len > SSL3_RT_HEADER_LENGTH && lane->head[0] == SSL3_RT_HANDSHAKE &&
           lane->head[SSL3_RT_HEADER_LENGTH] == SSL3_MT_CLIENT_HELLO;
}

// failed tells how the handshake failed. `timeout` says that nothing came in time.
static void failed(struct session *s, bool timeout) {
    struct lane *lane = &s->lanes[SIDE_SERVER];
    struct upstream *upstream = s->upstream;
    char reason[128];
    lane_reason(lane, reason, sizeof(reason));
    if (own_unspoken(lane)) {
        emulate_did(s, NULL, "template_unspoken");
    }
    if (timeout) {
        upstream->failure = FAILURE_TIMEOUT;
        end_set(s, SIDE_SERVER, "server", "timeout", NULL);
    } else if (!head_is_tls(lane) || head_is_hello(lane)) {
        upstream->failure = FAILURE_NOT_TLS;
        observe_not_tls(&lane->observe, lane->head, lane->head_len);
        end_set(s, SIDE_SERVER, "proxy", "error", reason);
    } else if (lane->peer_alert >= 0) {
        upstream->failure = FAILURE_ALERT;
        upstream->alert = (uint8_t)lane->peer_alert;
        end_set(s, SIDE_SERVER, "server", "alert", reason);
    } else if (lane->eof && lane_waiting(lane) == 0) {
        upstream->failure = lane->closed ? FAILURE_RST : FAILURE_FIN;
        end_set(s, SIDE_SERVER, "server", lane->closed ? end_how_errno(lane->errnum) : "fin", NULL);
    } else {
        upstream->failure = FAILURE_PROTOCOL;
        end_set(s, SIDE_SERVER, "proxy", "alert", reason);
    }
    failure_show(s);
}

static void go_on(struct session *s) {
    switch (lane_handshake(&s->lanes[SIDE_SERVER])) {
    case LANE_DONE:
        finished(s);
        return;
    case LANE_FAILED:
        if (s->upstream->broken_off) {
            end_set(s, SIDE_SERVER, "proxy", "alert", "as the emulated box does");
            CHECK(emulate_invalid(s));
        } else {
            failed(s, false);
        }
        return;
    case LANE_MORE:
        return;
    }
}

static void library_start(struct session *s, const struct client_hello *hello) {
    SSL *ssl = emulate_server_leg(s, hello);
    ssl = ssl != NULL ? ssl : mirror_new(s->shared, hello, &s->rule->server_leg);
    SSL_set_app_data(ssl, s);
    SSL_set_connect_state(ssl);
    SSL_set_shed_handshake_config(ssl, 1);
    SSL_set_custom_verify(ssl, SSL_VERIFY_PEER, on_verify);
    lane_start_tls(&s->lanes[SIDE_SERVER], ssl, s->shared->lane_methods);
}

void upstream_begin(struct session *s) {
    struct lane *server = &s->lanes[SIDE_SERVER];
    const struct observe *client = &s->lanes[SIDE_CLIENT].observe;
    struct client_hello hello;
    if (client->sslv2) {
        (void)client_hello_parse_sslv2(&hello, NULL, client->hello.p, client->hello.len);
    } else {
        (void)client_hello_parse(&hello, NULL, client->hello.p, client->hello.len);
    }
    s->upstream = xcalloc(1, sizeof(*s->upstream));
    lane_wire_begin(server);
    wire_log_policy(&server->wire, record_policy(s));
    bool own = emulate_hello_template(s, &hello, on_chain);
    if (!own) {
        library_start(s, &hello);
    }
    observe_step(&server->observe, STEP_HELLO, s->now_us);
    session_enter(s, STATE_UPSTREAM, s->shared->limits.handshake_us);
    if (!own && lane_handshake(server) == LANE_FAILED) {
        failed(s, false);
        return;
    }
    observe_hello(&server->observe, buf_data(&server->out), server->out.len, 1, s->now_us);
    if (lane_waiting(server) != 0 || server->eof) {
        go_on(s);
    }
}

void upstream_redial(struct session *s) {
    struct lane *server = &s->lanes[SIDE_SERVER];
    lane_say_closed(server);
    lane_end_tls(server);
    server->open = server->eof = false;
    lane_drop(server, lane_waiting(server));
    buf_cleanup(&server->out);
    s->emulation.pass_through = true;
    session_dial(s, s->host, s->port);
    session_enter(s, STATE_DIALLING, INT64_MAX);
}

void upstream_input(struct session *s, const struct event *event) {
    const struct lane *client = &s->lanes[SIDE_CLIENT];
    if (event->kind == EVENT_TIMER) {
        failed(s, true);
    } else if (client->eof) {
        end_both(s, "client", client->closed ? "rst" : "fin", NULL);
        session_close(s);
    } else if (event->side == SIDE_SERVER) {
        go_on(s);
    }
}
