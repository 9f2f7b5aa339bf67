#include "tests/unit/proxy/observe/keyed_talk.h"

#include <stdlib.h>
#include <string.h>

#include "logs/record/json.h"

enum { BYTES_MAX = 4 << 20 };

static const char client_words[] = "GET / HTTP/1.1\r\n\r\n", server_words[] = "HTTP/1.1 200 OK";

static struct talk *talk_now; // BoringSSL's callbacks for keys and sessions have no argument

static void on_key(const SSL *ssl, const char *line) {
    struct err err;
    (void)ssl;
    CHECK(buf_printf(&talk_now->key_text, "%s\n", line));
    CHECK(key_log_line(talk_now->keys, line, strlen(line), &err));
}

// on_told is what a proxied leg does with msg_callback, here for the client's end.
static void on_told(int is_write, int version, int content_type, const void *p, size_t len,
                    SSL *ssl, void *arg) {
    struct talk *talk = arg;
    struct observe *observe = &talk->observe;
    (void)version;
    (void)ssl;
    if (content_type == SSL3_RT_ALERT) {
        observe_alert(observe, is_write, p, len, 0);
    } else if (content_type == SSL3_RT_HANDSHAKE &&
               (*(const uint8_t *)p != SSL3_MT_CLIENT_HELLO || observe->retry)) {
        observe_message(observe, is_write, p, len, 0);
    }
    if (content_type == SSL3_RT_HANDSHAKE && *(const uint8_t *)p == SSL3_MT_FINISHED &&
        (is_write || observe->version < TLS1_3_VERSION)) {
        bool full12 = observe->version < TLS1_3_VERSION && is_write;
        observe_step(observe, full12 ? STEP_CERTIFICATE : STEP_FINISHED, 0);
    }
}

static void on_piece(void *ctx, bool from_client, const uint8_t *p, size_t p_len) {
    struct talk *talk = ctx;
    CHECK(talk->num_pieces < TALK_PIECES_MAX && buf_append(&talk->bytes, p, p_len));
    if (talk->num_pieces == 0) {
        CHECK(from_client);
        // Behind the hello there may be 0-RTT data.
        talk->hello_len = 5 + ((size_t)p[3] << 8 | p[4]);
        observe_hello(&talk->observe, p, talk->hello_len, 1, 0);
    }
    talk->pieces[talk->num_pieces].from_client = from_client;
    talk->pieces[talk->num_pieces++].len = p_len;
}

static void pump(struct talk *talk) { peers_talk(talk->client, talk->server, on_piece, talk); }

static int on_session(SSL *ssl, SSL_SESSION *session) {
    (void)ssl;
    SSL_SESSION_free(talk_now->session);
    talk_now->session = session;
    return 1;
}

static const uint8_t ticket_keys[48] = "one key for the tickets of both connections";

static void peers_make(struct talk *talk, const struct talk_options *options) {
    talk->client = peer_new(true, &options->client);
    talk->server = peer_new(false, &options->server);
    SSL_CTX_set_tlsext_ticket_keys(talk->server->ctx, (void *)ticket_keys, sizeof(ticket_keys));
    SSL_CTX_set_session_cache_mode(talk->client->ctx, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(talk->client->ctx, on_session);
    SSL_set_early_data_enabled(talk->client->ssl, options->early);
    SSL_set_early_data_enabled(talk->server->ssl, options->early && !options->refuse_early);
}

// earlier_run makes the session that is resumed.
static void earlier_run(struct talk *talk, const struct talk_options *options) {
    struct talk_options first = *options;
    first.refuse_early = false;
    peers_make(talk, &first);
    peers_talk(talk->client, talk->server, NULL, NULL);
    // BoringSSL sends its tickets along with data.
    peer_say(talk->server, server_words, strlen(server_words));
    peers_talk(talk->client, talk->server, NULL, NULL);
    CHECK(talk->session != NULL && SSL_SESSION_early_data_capable(talk->session));
    peer_free(talk->client);
    peer_free(talk->server);
}

static void say(struct talk *talk, struct peer *peer, const char *words) {
    peer_say(peer, words, strlen(words));
    observe_step(&talk->observe, STEP_DATA, 0);
    pump(talk);
}

static void update(struct talk *talk, struct peer *peer, const char *words) {
    CHECK(SSL_key_update(peer->ssl, SSL_KEY_UPDATE_REQUESTED));
    say(talk, peer, words);
    // The answer to the request goes out with the other's next data.
    struct peer *other = peer == talk->client ? talk->server : talk->client;
    say(talk, other, words);
    CHECK(SSL_key_update(peer->ssl, SSL_KEY_UPDATE_NOT_REQUESTED));
    say(talk, peer, words);
}

void talk_run(struct talk *talk, const struct talk_options *options) {
    *talk = (struct talk){.told = record_new(), .keys = key_log_new(0)};
    talk_now = talk;
    buf_init(&talk->bytes, BYTES_MAX);
    buf_init(&talk->key_text, BYTES_MAX);
    observe_init(&talk->observe, talk->told->root, false, 0);
    if (options->early) {
        earlier_run(talk, options);
    }
    peers_make(talk, options);
    SSL_CTX_set_keylog_callback(talk->client->ctx, on_key);
    SSL_set_msg_callback(talk->client->ssl, on_told);
    SSL_set_msg_callback_arg(talk->client->ssl, talk);
    if (options->early) {
        CHECK(SSL_set_session(talk->client->ssl, talk->session));
        CHECK(SSL_do_handshake(talk->client->ssl) == 1 && SSL_in_early_data(talk->client->ssl));
        peer_say(talk->client, client_words, strlen(client_words));
        talk->client->established = true;
        if (options->refuse_early) {
            pump(talk);
            SSL_reset_early_data_reject(talk->client->ssl);
            talk->client->established = talk->client->failed = false;
        }
    }
    pump(talk);
    if (options->client_says) {
        say(talk, talk->client, client_words);
    }
    if (options->server_says) {
        say(talk, talk->server, server_words);
    }
    if (options->client_updates) {
        update(talk, talk->client, client_words);
    }
    if (options->server_updates) {
        update(talk, talk->server, server_words);
    }
    if (options->client_closes) {
        SSL_shutdown(talk->client->ssl);
    }
    if (options->server_closes) {
        SSL_shutdown(talk->server->ssl);
    }
    pump(talk);
}

void talk_cleanup(struct talk *talk) {
    record_free(talk->told);
    key_log_free(talk->keys);
    buf_cleanup(&talk->bytes);
    buf_cleanup(&talk->key_text);
    peer_free(talk->client);
    peer_free(talk->server);
    SSL_SESSION_free(talk->session);
}

struct record *talk_tap(const struct talk *talk, const struct key_log *keys, size_t part,
                        size_t max) {
    struct record *record = record_new();
    struct observe observe;
    struct wire_tap tap;
    const uint8_t *p = buf_data(&talk->bytes);
    observe_init(&observe, record->root, false, 0);
    observe_hello(&observe, p, talk->hello_len, 1, 0);
    wire_tap_init(&tap, &observe);
    wire_tap_keys(&tap, keys);
    for (size_t i = 0; i < talk->num_pieces; i++) {
        size_t left = talk->pieces[i].len < max ? talk->pieces[i].len : max;
        max -= left;
        while (left != 0) {
            size_t n = left < part ? left : part;
            // In memory of exactly that size, so that a sanitizer sees every overrun.
            uint8_t *copy = xmemdup(p, n);
            wire_tap_bytes(&tap, talk->pieces[i].from_client, copy, n, 0);
            free(copy);
            p += n;
            left -= n;
        }
    }
    wire_tap_finish(&tap);
    wire_tap_cleanup(&tap);
    return record;
}

char *talk_leg(const struct record *record) {
    struct buf json;
    buf_init(&json, BYTES_MAX);
    struct obj *leg = record_leg(record->root, false);
    // Only the tap sees records.
    obj_unset(leg, F_LEG_RECORDS_CLIENT);
    obj_unset(leg, F_LEG_RECORDS_SERVER);
    CHECK(json_write(&json, leg) && buf_append(&json, "", 1));
    char *text = xstrdup((const char *)buf_data(&json));
    buf_cleanup(&json);
    return text;
}

bool talk_noted(const struct record *record, enum note_id id) {
    for (size_t i = 0; i < obj_num(record->root, F_RECORD_NOTES); i++) {
        if (obj_str_is(obj_at(record->root, F_RECORD_NOTES, i), F_NOTE_ID, note_info(id)->id)) {
            return true;
        }
    }
    return false;
}
