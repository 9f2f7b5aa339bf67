// The client leg of an emulated box: the library's knobs, and what only its records can show.
#include <stdlib.h>
#include <string.h>

#include "proxy/session/emulate.h"
#include "proxy/session/mirror.h"
#include "proxy/session/upstream.h"

enum {
    RANDOM_LEN = sizeof(((struct emulation *)NULL)->random),
    RANDOM_AT =
        5 + 4 + 2, // of a ServerHello, behind the headers of record and message, and a version
    SENTINEL_AT = 24,
    CCS_LEN = 6,
    STAPLE_MAX = 16 * 1024,
    RECORD_MIN = 512, // the library's
};

static const uint8_t sentinel[] = {'D', 'O', 'W', 'N', 'G', 'R', 'D'};

// sentinel_set decides on the downgrade marker of RFC 8446 section 4.1.3, or on the server's random
// where that holds one. The library takes no random of ours, so emulate_flight writes it over the
// library's own: clients that look at it go no further, and only those that offer TLS 1.3 do.
static void sentinel_set(struct session *s, const struct client_hello *hello, uint16_t version) {
    uint8_t *random = s->emulation.random;
    if (version > TLS1_2_VERSION || client_hello_max_version(hello) <= TLS1_2_VERSION) {
        return;
    }
    switch (s->profile->client_leg.sentinel) {
    case PROFILE_SENTINEL_OFF:
        return; // the library writes none where it was told the version
    case PROFILE_SENTINEL_FORCE:
        RAND_bytes(random, RANDOM_LEN);
        memcpy(random + SENTINEL_AT, sentinel, sizeof(sentinel));
        random[RANDOM_LEN - 1] = version == TLS1_2_VERSION;
        break;
    case PROFILE_SENTINEL_COPY_UPSTREAM:
        if (!lane_server_random(&s->lanes[SIDE_SERVER], random) ||
            memcmp(random + SENTINEL_AT, sentinel, sizeof(sentinel)) != 0) {
            return;
        }
    }
    s->emulation.random_due = true;
}

// groups_retry leaves only groups that the client offers without a share of them, so that it is
// asked for one.
static void groups_retry(SSL *ssl, const struct client_hello *hello) {
    int nids[8];
    size_t num = 0;
    for (size_t i = 0; i < hello->groups.num && num < ARRAY_LEN(nids); i++) {
        uint32_t group = code_list_at(&hello->groups, i);
        int nid = mirror_group(group);
        CBS shares = hello->key_shares;
        struct key_share share;
        bool sent = false;
        while (key_share_next(&shares, &share)) {
            sent = sent || share.group == group;
        }
        if (nid != NID_undef && nid != NID_CECPQ2 && !sent) {
            nids[num++] = nid;
        }
    }
    if (num != 0) {
        (void)SSL_set1_curves(ssl, nids, num);
    }
}

static void alpn_set(struct session *s, const struct client_hello *hello) {
    const struct profile_client_leg *leg = &s->profile->client_leg;
    if (leg->alpn == PROFILE_ALPN_MIRROR) {
        return;
    }
    s->alpn.len = 0;
    for (size_t i = 0; i < leg->alpn_protocols.num && s->alpn.len == 0; i++) {
        const char *wanted = leg->alpn_protocols.items[i];
        CBS names = hello->alpn, name;
        while (leg->alpn == PROFILE_ALPN_FIXED && name_next(&names, &name)) {
            if (CBS_mem_equal(&name, (const uint8_t *)wanted, strlen(wanted))) {
                s->alpn = (struct span){CBS_data(&name), CBS_len(&name)};
            }
        }
    }
}

static void staple_set(struct session *s, SSL *ssl) {
    const uint8_t *staple = NULL;
    size_t len = 0;
    uint8_t stale[STAPLE_MAX];
    lane_staple(&s->lanes[SIDE_SERVER], &staple, &len);
    if (s->profile->client_leg.staple == PROFILE_STAPLE_STALE) {
        len = memory_staple(s->shared->memory, stale, sizeof(stale), s->host, staple, len);
        staple = stale;
    }
    if (len != 0) {
        (void)SSL_set_ocsp_response(ssl, staple, len);
    }
}

void emulate_client_leg(struct session *s, SSL *ssl, const struct client_hello *hello,
                        uint16_t version) {
    if (s->profile == NULL) {
        return;
    }
    const struct profile_client_leg *leg = &s->profile->client_leg;
    mirror_ciphers(ssl, &leg->ciphers);
    mirror_groups(ssl, &leg->groups);
    if (leg->ciphers.num != 0 || leg->groups.num != 0) {
        (void)SSL_set_options(ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
    }
    if (leg->sigalgs.num != 0) {
        (void)SSL_set_signing_algorithm_prefs(ssl, leg->sigalgs.ids, leg->sigalgs.num);
    }
    if (leg->force_hrr) {
        groups_retry(ssl, hello);
    }
    if (leg->tickets == PROFILE_TICKETS_BAD) {
        SSL_clear_options(ssl, SSL_OP_NO_TICKET);
    }
    if (leg->record_max != 0) {
        size_t max = leg->record_max < RECORD_MIN ? RECORD_MIN : leg->record_max;
        (void)SSL_set_max_send_fragment(ssl, max);
    }
    if (leg->staple != PROFILE_STAPLE_NONE) {
        staple_set(s, ssl);
    }
    alpn_set(s, hello);
    sentinel_set(s, hello, version);
    if (leg->flight_split != 0) {
        valve_cut(&session_valves(s)[SIDE_CLIENT], leg->flight_split,
                  leg->flight_delay_ms * INT64_C(1000));
    }
}

int emulate_wants_client_cert(const struct session *s) {
    switch (s->profile == NULL ? PROFILE_CLIENT_CERT_IGNORE : s->profile->client_leg.client_cert) {
    case PROFILE_CLIENT_CERT_REQUEST:
        return SSL_VERIFY_PEER;
    case PROFILE_CLIENT_CERT_REQUIRE:
        return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    default:
        return SSL_VERIFY_NONE;
    }
}

bool emulate_ticket(struct session *s, const struct client_hello *hello) {
    if (s->profile == NULL || s->profile->client_leg.tickets != PROFILE_TICKETS_BAD ||
        (hello->num_psk_identities == 0 && CBS_len(&hello->session_ticket) == 0)) {
        return false;
    }
    emulate_did(s, NULL, "ticket");
    end_both(s, "proxy", "alert", "as the emulated box does");
    alert_send(s, SSL_AD_DECRYPT_ERROR);
    session_close(s);
    return true;
}

int emulate_session(const SSL_CLIENT_HELLO *hello) {
    const struct session *s = SSL_get_app_data(hello->ssl);
    SSL_SESSION *session = SSL_get_session(hello->ssl);
    if (s->profile != NULL && s->profile->client_leg.echo_session_id && session != NULL &&
        hello->session_id_len != 0) {
        (void)SSL_SESSION_set1_id(session, hello->session_id, hello->session_id_len);
    }
    return 1;
}

// ccs_find returns where the first change_cipher_spec record of `p` begins, or `len`.
static size_t ccs_find(const uint8_t *p, size_t len) {
    for (size_t at = 0; len - at >= SSL3_RT_HEADER_LENGTH;) {
        size_t body = (size_t)p[at + 3] << 8 | p[at + 4];
        if (p[at] == SSL3_RT_CHANGE_CIPHER_SPEC && body == 1) {
            return at;
        }
        if (body > len - at - SSL3_RT_HEADER_LENGTH) {
            return len;
        }
        at += SSL3_RT_HEADER_LENGTH + body;
    }
    return len;
}

// random_write puts the random that is due into the ServerHello that waits, which is the first of
// what waits.
static void random_write(struct session *s) {
    struct lane *client = &s->lanes[SIDE_CLIENT];
    const uint8_t *p = buf_data(&client->out);
    size_t len = client->out.len;
    if (!s->emulation.random_due || len < RANDOM_AT + RANDOM_LEN || p[0] != SSL3_RT_HANDSHAKE ||
        p[SSL3_RT_HEADER_LENGTH] != SSL3_MT_SERVER_HELLO) {
        return;
    }
    s->emulation.random_due = false;
    uint8_t *copy = xmemdup(p, len);
    memcpy(copy + RANDOM_AT, s->emulation.random, RANDOM_LEN);
    lane_replace(client, copy, len);
    if (client->observe.leg != NULL) {
        size_t message =
            4 + ((size_t)copy[SSL3_RT_HEADER_LENGTH + 2] << 8 | copy[SSL3_RT_HEADER_LENGTH + 3]);
        obj_set_bytes(client->observe.leg, F_LEG_ANSWER_RAW, copy + SSL3_RT_HEADER_LENGTH,
                      message < len - SSL3_RT_HEADER_LENGTH ? message
                                                            : len - SSL3_RT_HEADER_LENGTH);
        obj_set_str(client->observe.leg, F_LEG_ANSWER_SENTINEL,
                    s->emulation.random[RANDOM_LEN - 1] != 0 ? "tls1.2" : "tls1.1");
    }
    free(copy);
}

void emulate_flight(struct session *s) {
    struct lane *client = &s->lanes[SIDE_CLIENT];
    random_write(s);
    enum profile_ccs ccs = s->profile == NULL ? PROFILE_CCS_AUTO : s->profile->client_leg.ccs;
    if (ccs == PROFILE_CCS_AUTO || s->emulation.ccs_done ||
        client->observe.version != TLS1_3_VERSION) {
        return;
    }
    static const uint8_t record[CCS_LEN] = {SSL3_RT_CHANGE_CIPHER_SPEC, 3, 3, 0, 1, 1};
    size_t len = client->out.len, at = ccs_find(buf_data(&client->out), len);
    if (at == len) {
        return;
    }
    s->emulation.ccs_done = true;
    bool extra = ccs == PROFILE_CCS_EXTRA;
    size_t rest = extra ? at : at + CCS_LEN;
    uint8_t *out = xmalloc(len + CCS_LEN);
    memcpy(out, buf_data(&client->out), at);
    memcpy(out + at, record, CCS_LEN);
    memcpy(out + at + (extra ? CCS_LEN : 0), buf_data(&client->out) + rest, len - rest);
    lane_replace(client, out, extra ? len + CCS_LEN : len - CCS_LEN);
    free(out);
    observe_ccs_edit(&client->observe, extra);
}

void emulate_flight_end(struct session *s) {
    if (s->profile != NULL && s->profile->client_leg.flight_split != 0) {
        valve_cut(&session_valves(s)[SIDE_CLIENT], 0, 0);
    }
}
