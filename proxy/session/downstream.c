// The client leg's handshake: answered with what the server chose.
#include <string.h>

#include "policy/ca/cert_memo.h"
#include "policy/ca/host_name.h"
#include "proxy/session/emulate.h"
#include "proxy/session/mirror.h"
#include "proxy/session/staple.h"
#include "proxy/session/trial.h"
#include "proxy/session/upstream.h"

enum { SIGALG_ECDSA_P256_SHA256 = 0x0403, SIGALG_ECDSA_SHA1 = 0x0203 };

// hello_parse reads the client's hello again; its bytes live as long as the record.
static void hello_parse(struct session *s, struct client_hello *out) {
    const struct observe *client = &s->lanes[SIDE_CLIENT].observe;
    if (client->sslv2) {
        (void)client_hello_parse_sslv2(out, NULL, client->hello.p, client->hello.len);
    } else {
        (void)client_hello_parse(out, NULL, client->hello.p, client->hello.len);
    }
}

static bool offers_ecdsa_suite(const struct client_hello *hello) {
    for (size_t i = 0; i < hello->ciphers.num; i++) {
        uint32_t code = code_list_at(&hello->ciphers, i);
        const SSL_CIPHER *cipher =
            code <= UINT16_MAX ? SSL_get_cipher_by_value((uint16_t)code) : NULL;
        if (cipher != NULL && SSL_CIPHER_get_auth_nid(cipher) == NID_auth_ecdsa) {
            return true;
        }
    }
    return false;
}

// leaf_key_type chooses P-256 wherever the client can verify it, which is cheaper, and RSA
// elsewhere.
static enum cert_key_type leaf_key_type(const struct client_hello *hello, uint16_t version) {
    bool sigalgs = hello->sigalgs.p == NULL ||
                   code_list_has(&hello->sigalgs, SIGALG_ECDSA_P256_SHA256) ||
                   (version < TLS1_3_VERSION && code_list_has(&hello->sigalgs, SIGALG_ECDSA_SHA1));
    bool group = hello->groups.p == NULL || code_list_has(&hello->groups, SSL_CURVE_SECP256R1);
    if (version >= TLS1_3_VERSION) {
        return sigalgs ? CERT_KEY_P256 : CERT_KEY_RSA_2048;
    }
    return sigalgs && group && offers_ecdsa_suite(hello) ? CERT_KEY_P256 : CERT_KEY_RSA_2048;
}

static bool is_address(const char *host) {
    struct host_name name;
    return host_name_init(&name, host) && name.ip_len != 0;
}

static struct leaf *leaf_get(struct session *s, const struct client_hello *hello, uint16_t version,
                             bool mirrored) {
    const struct profile_reaction *page = s->emulation.page;
    struct leaf_request request = {
        .host = page != NULL && page->cert_host != NULL ? page->cert_host : s->host,
        .key_type = leaf_key_type(hello, version),
    };
    if (mirrored) {
        const STACK_OF(CRYPTO_BUFFER) *chain = lane_chain(&s->lanes[SIDE_SERVER]);
        if (chain != NULL && sk_CRYPTO_BUFFER_num(chain) != 0) {
            const CRYPTO_BUFFER *origin = sk_CRYPTO_BUFFER_value(chain, 0);
            request.origin = CRYPTO_BUFFER_data(origin);
            request.origin_len = CRYPTO_BUFFER_len(origin);
            CBS der;
            CRYPTO_BUFFER_init_CBS(origin, &der);
            request.origin_sha256 = cert_memo_facts(der)->sha256;
        }
        request.verification = emulate_shown(s);
    }
    struct leaf_cache *leaves = s->shared->leaves;
    if (s->forge != NULL) {
        leaves = forge_leaves(s->forge);
        request.sni = obj_str(s->lanes[SIDE_CLIENT].observe.leg, F_LEG_SERVER_NAME);
        request.address = s->server.port != 0 ? s->server.ip : NULL;
        request.issuer = s->emulation.issuer;
        // A page stands in for who was asked, and so does a box that is not asked for a name.
        bool unnamed = page == NULL && is_address(s->host);
        if (request.sni != NULL && (page != NULL ? page->cert_host == NULL : unnamed)) {
            request.host = request.sni;
        }
    }
    leaves = trial_leaf(s, &request, mirrored, leaves);
    return leaf_cache_get(leaves, &request, s->wall_ms / 1000);
}

// chain_set gives `ssl` its certificates. A root of ours needs not be sent; but where there is a
// staple and the server sent its leaf's issuer, so do we: curl looks for it there to check the
// staple.
static void chain_set(const struct session *s, SSL *ssl, const struct leaf *leaf, bool stapled) {
    CRYPTO_BUFFER *chain[ARRAY_LEN(leaf->chain) + 1];
    const struct obj *servers = s->lanes[SIDE_SERVER].observe.leg;
    size_t num = leaf->num_chain;
    memcpy(chain, leaf->chain, num * sizeof(*chain));
    if (stapled && s->shared->authority->is_root && obj_num(servers, F_LEG_CHAIN_ISSUERS) > 1 &&
        strchr("-0", obj_item(servers, F_LEG_CHAIN_ISSUERS, 0).p[0]) == NULL) {
        chain[num++] = s->shared->authority->chain[0];
    }
    CHECK(SSL_set_chain_and_key(ssl, chain, num, leaf->key, NULL));
}

// http1_offered returns whether a page of ours can be read: ALPN absent or with HTTP/1.1.
static bool http1_offered(const struct client_hello *hello) {
    CBS names = hello->alpn, name;
    while (hello->num_alpn != 0 && name_next(&names, &name)) {
        if (CBS_mem_equal(&name, (const uint8_t *)"http/1.1", 8)) {
            return true;
        }
    }
    return hello->num_alpn == 0;
}

static void alpn_set(struct session *s, const struct client_hello *hello, bool mirrored) {
    const uint8_t *name = (const uint8_t *)"http/1.1";
    unsigned len = hello->num_alpn != 0 ? 8 : 0;
    if (mirrored) {
        lane_alpn(&s->lanes[SIDE_SERVER], &name, &len);
    }
    CHECK(len <= UINT8_MAX);
    s->alpn = (struct span){arena_dup(&s->record->arena, name, len), len};
}

static void finished(struct session *s) {
    observe_step(&s->lanes[SIDE_CLIENT].observe, STEP_FINISHED, s->now_us);
    emulate_flight_end(s);
    if (!emulate_established(s)) {
        downstream_finished(s);
    }
}

void downstream_finished(struct session *s) {
    if (s->emulation.page != NULL || s->upstream == NULL || s->upstream->failure != FAILURE_NONE) {
        local_begin(s);
    } else if (!trial_canary(s)) {
        relay_begin(s);
    }
}

static void failed(struct session *s) {
    struct lane *client = &s->lanes[SIDE_CLIENT], *server = &s->lanes[SIDE_SERVER];
    char reason[128];
    lane_reason(client, reason, sizeof(reason));
    if (client->peer_alert >= 0) {
        end_set(s, SIDE_CLIENT, "client", "alert", reason);
    } else if (client->eof && lane_waiting(client) == 0) {
        end_set(s, SIDE_CLIENT, "client", client->closed ? end_how_errno(client->errnum) : "fin",
                NULL);
    } else {
        end_set(s, SIDE_CLIENT, "proxy", "alert", reason);
    }
    if (lane_tls(server) && !lane_in_handshake(server)) {
        lane_look(server); // tickets, or an alert, came meanwhile
    }
    end_set(s, SIDE_SERVER, "client", "fin", NULL);
    if (lane_tls(server) && server->open) {
        lane_say_closed(server);
    }
    session_close(s);
}

void downstream_go_on(struct session *s) {
    if (s->state == STATE_HELD) {
        session_enter(s, STATE_DOWNSTREAM, s->shared->limits.handshake_us);
    }
    enum lane_result result = lane_handshake(&s->lanes[SIDE_CLIENT]);
    if (emulate_second_hello(s)) {
        return;
    }
    emulate_flight(s);
    switch (result) {
    case LANE_DONE:
        finished(s);
        return;
    case LANE_FAILED:
        failed(s);
        return;
    case LANE_MORE:
        return;
    }
}

// version_choose finds the version nearest to the server's choice that the client has offered and
// its leg's policy allows. Where there is none, the client is to fail at what policy allows.
static uint16_t version_choose(uint16_t version, const struct client_hello *hello,
                               const struct leg_policy *leg) {
    uint16_t min, max;
    if (!mirror_versions(hello, leg, &min, &max)) {
        min = leg->min_version;
        max = leg->max_version != 0 ? leg->max_version : TLS1_3_VERSION;
    }
    return version < min ? min : version > max ? max : version;
}

void downstream_begin(struct session *s) {
    struct lane *client = &s->lanes[SIDE_CLIENT];
    bool mirrored =
        s->upstream != NULL && s->upstream->failure == FAILURE_NONE && s->emulation.page == NULL;
    struct client_hello hello;
    hello_parse(s, &hello);
    uint16_t min, max;
    struct leg_policy bounds = emulate_bounds(s, SIDE_CLIENT), *leg = &bounds;
    if (emulate_ticket(s, &hello)) {
        return;
    }
    if (mirrored) {
        min = max = version_choose(lane_version(&s->lanes[SIDE_SERVER]), &hello, leg);
    } else if (!mirror_versions(&hello, leg, &min, &max) || !http1_offered(&hello)) {
        end_set(s, SIDE_CLIENT, "proxy", "alert", "a page cannot be shown to this client");
        alert_send(s, SSL_AD_HANDSHAKE_FAILURE);
        session_close(s);
        return;
    }
    SSL *ssl = SSL_new(s->shared->server_ctx);
    CHECK(ssl != NULL && SSL_set_min_proto_version(ssl, min) &&
          SSL_set_max_proto_version(ssl, max));
    struct leaf *leaf = leaf_get(s, &hello, max, mirrored);
    bool stapled = mirrored && staple_show(s, ssl, &hello, leaf);
    chain_set(s, ssl, leaf, stapled);
    leaf_unref(leaf);
    alpn_set(s, &hello, mirrored);
    SSL_set_app_data(ssl, s);
    SSL_set_accept_state(ssl);
    emulate_client_leg(s, ssl, &hello, max);
    SSL_set_shed_handshake_config(ssl, 1);
    lane_start_tls(client, ssl, s->shared->lane_methods);
    session_enter(s, STATE_DOWNSTREAM, s->shared->limits.handshake_us);
    downstream_go_on(s);
}

// downstream_input heeds only the client. What the server says or does meanwhile waits for the
// relay.
void downstream_input(struct session *s, const struct event *event) {
    if (event->kind == EVENT_TIMER) {
        end_both(s, "client", "timeout", NULL);
        session_close(s);
    } else if (event->side == SIDE_CLIENT) {
        downstream_go_on(s);
    }
}

int downstream_alpn(SSL *ssl, const uint8_t **out, uint8_t *out_len, const uint8_t *in,
                    unsigned in_len, void *arg) {
    (void)in;
    (void)in_len;
    (void)arg;
    const struct session *s = SSL_get_app_data(ssl);
    *out = s->alpn.p;
    *out_len = (uint8_t)s->alpn.len;
    return s->alpn.len != 0 ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}
