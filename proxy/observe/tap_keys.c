// Which keys open the records of a tapped connection, and when they change.
#include <string.h>

#include "proxy/observe/internal.h"
#include "proxy/tls/handshake.h"
#include "proxy/tls/key_block.h"
#include "proxy/tls/short_message.h"

enum { TLS12 = 0x0303, TLS13 = 0x0304, RANDOM_AT = 6 }; // the random in either hello

enum { FROM_CLIENT, FROM_SERVER };

static const enum key_log_label handshake_labels[] = {KEY_LOG_CLIENT_HANDSHAKE,
                                                      KEY_LOG_SERVER_HANDSHAKE};
static const enum key_log_label traffic_labels[] = {KEY_LOG_CLIENT_TRAFFIC, KEY_LOG_SERVER_TRAFFIC};

static void note(struct wire_tap *tap, enum note_id id) { note_sink_add(&tap->keys.notes, id, 0); }

// protect13 opens what comes from `from` with the traffic secret at hand.
static void protect13(struct wire_tap *tap, int from, bool pass_over) {
    struct tap_keys *keys = &tap->keys;
    record_protect_init13(&keys->protect[from], &keys->cipher, keys->secret[from]);
    record_reader_open(&tap->reader[from], &keys->protect[from], pass_over);
}

// secret_take goes over to the secret that the key log has for `label`.
static bool secret_take(struct wire_tap *tap, int from, enum key_log_label label, bool pass_over) {
    struct tap_keys *keys = &tap->keys;
    size_t len;
    const uint8_t *secret = key_log_find(keys->log, &len, label, keys->client_random);
    if (secret == NULL || len != EVP_MD_size(keys->cipher.digest)) {
        record_reader_open(&tap->reader[from], NULL, false);
        return false;
    }
    memcpy(keys->secret[from], secret, len);
    protect13(tap, from, pass_over);
    return true;
}

static bool offers_early_data(const struct observe *observe) {
    struct client_hello hello;
    (void)client_hello_parse(&hello, NULL, observe->hello.p, observe->hello.len);
    return hello.early_data;
}

static void answer13(struct wire_tap *tap) {
    struct tap_keys *keys = &tap->keys;
    bool early = offers_early_data(tap->observe);
    bool client = secret_take(tap, FROM_CLIENT, handshake_labels[FROM_CLIENT], early);
    bool server = secret_take(tap, FROM_SERVER, handshake_labels[FROM_SERVER], false);
    keys->missing[FROM_CLIENT] = !client;
    keys->missing[FROM_SERVER] = !server;
}

static void answer12(struct wire_tap *tap) {
    struct tap_keys *keys = &tap->keys;
    size_t len;
    const uint8_t *master =
        key_log_find(keys->log, &len, KEY_LOG_MASTER_SECRET, keys->client_random);
    keys->missing[FROM_CLIENT] = keys->missing[FROM_SERVER] = master == NULL;
    if (master != NULL) {
        memcpy(keys->master, master, len);
        keys->has_master = true;
    }
}

// randoms_take keeps the randoms of both hellos and returns whether they are there.
static bool randoms_take(struct wire_tap *tap, const uint8_t *p, size_t p_len) {
    const struct observe *observe = tap->observe;
    if (observe->leg == NULL || observe->sslv2 || observe->hello.p == NULL ||
        observe->hello.len < RANDOM_AT + KEY_LOG_RANDOM_LEN ||
        p_len < RANDOM_AT + KEY_LOG_RANDOM_LEN) {
        return false;
    }
    memcpy(tap->keys.client_random, observe->hello.p + RANDOM_AT, KEY_LOG_RANDOM_LEN);
    memcpy(tap->keys.server_random, p + RANDOM_AT, KEY_LOG_RANDOM_LEN);
    return true;
}

void tap_keys_answer(struct wire_tap *tap, const uint8_t *p, size_t p_len) {
    struct tap_keys *keys = &tap->keys;
    const struct observe *observe = tap->observe;
    if (observe->version >= TLS13) {
        record_reader_encrypted(&tap->reader[FROM_CLIENT]);
        record_reader_encrypted(&tap->reader[FROM_SERVER]);
    }
    if (keys->log == NULL || key_log_num(keys->log) == 0 || !randoms_take(tap, p, p_len)) {
        return;
    }
    if (observe->version < TLS12 || !cipher_keys_find(&keys->cipher, observe->cipher)) {
        note(tap, NOTE_KEY_CIPHER);
    } else if (observe->version >= TLS13) {
        answer13(tap);
    } else {
        answer12(tap);
    }
}

// After a renegotiation the keys would come from another ClientHello, which was not observed.
void tap_keys_ccs(struct wire_tap *tap, bool from_client) {
    struct tap_keys *keys = &tap->keys;
    int from = from_client ? FROM_CLIENT : FROM_SERVER;
    struct record_reader *reader = &tap->reader[from];
    if (!keys->has_master) {
        return;
    }
    if (reader->num_ccs > 1) {
        record_reader_open(reader, NULL, false);
        return;
    }
    key_block_protect(&keys->protect[from], from_client, false, &keys->cipher, keys->master,
                      keys->client_random, keys->server_random);
    record_reader_open(reader, &keys->protect[from], false);
}

static void finished_take(struct wire_tap *tap, int from) {
    struct tap_keys *keys = &tap->keys;
    if (tap->finished[from]) {
        note(tap, NOTE_HS_REPEATED);
        return;
    }
    tap->finished[from] = true;
    if (tap->observe->version >= TLS13) {
        keys->missing[from] = !secret_take(tap, from, traffic_labels[from], false);
    }
}

void tap_keys_opaque(struct wire_tap *tap, bool from_client) {
    if (tap->keys.missing[from_client ? FROM_CLIENT : FROM_SERVER]) {
        note(tap, NOTE_KEY_MISSING);
    }
}

static void key_update_take(struct wire_tap *tap, int from, const uint8_t *p, size_t p_len) {
    struct tap_keys *keys = &tap->keys;
    bool requested;
    if (!tap->finished[from]) {
        note(tap, NOTE_HS_OUT_OF_ORDER);
        return;
    }
    (void)key_update_parse(&requested, &keys->notes, p, p_len);
    key_schedule_update(keys->secret[from], keys->cipher.digest);
    protect13(tap, from, false);
}

bool tap_keys_message(struct wire_tap *tap, bool from_client, const uint8_t *p, size_t p_len) {
    int from = from_client ? FROM_CLIENT : FROM_SERVER;
    bool tls13 = tap->observe->version >= TLS13;
    switch (p[0]) {
    case HANDSHAKE_FINISHED:
        finished_take(tap, from);
        return true;
    case HANDSHAKE_KEY_UPDATE:
        if (tls13) {
            key_update_take(tap, from, p, p_len);
        }
        return true;
    case HANDSHAKE_HELLO_REQUEST:
        note(tap, tls13 ? NOTE_HS_OUT_OF_ORDER : NOTE_HS_HELLO_REQUEST);
        return false;
    case HANDSHAKE_CLIENT_HELLO:
        note(tap, tls13 ? NOTE_HS_OUT_OF_ORDER : NOTE_HS_RENEGOTIATION);
        return false;
    case HANDSHAKE_SERVER_HELLO:
        note(tap, NOTE_HS_OUT_OF_ORDER);
        return false;
    default:
        return true;
    }
}
