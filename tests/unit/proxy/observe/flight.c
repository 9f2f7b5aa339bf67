#include "tests/unit/proxy/observe/flight.h"

#include <stdlib.h>
#include <string.h>

#include "logs/record/text.h"
#include "tests/unit/unit.h"

enum { TEXT_MAX = 1024 * 1024 };

static void keep(struct piece *pieces, size_t *num, bool from_client, bool alert, const void *p,
                 size_t p_len) {
    CHECK(*num < PIECES_MAX);
    pieces[(*num)++] = (struct piece){from_client, alert, xmemdup(p, p_len), p_len};
}

static void on_wire(void *ctx, bool from_client, const uint8_t *p, size_t p_len) {
    struct flight *flight = ctx;
    keep(flight->wire, &flight->num_wire, from_client, false, p, p_len);
}

static void on_message(int is_write, int version, int content_type, const void *p, size_t len,
                       SSL *ssl, void *arg) {
    (void)version;
    (void)ssl;
    struct flight *flight = arg;
    if (content_type == SSL3_RT_HANDSHAKE || content_type == SSL3_RT_ALERT) {
        keep(flight->messages, &flight->num_messages, is_write != 0, content_type == SSL3_RT_ALERT,
             p, len);
    }
}

void flight_make(struct flight *flight, const struct peer_options *client_options,
                 const struct peer_options *server_options, const char *say) {
    *flight = (struct flight){0};
    struct peer *client = peer_new(true, client_options), *server = peer_new(false, server_options);
    SSL_set_msg_callback(client->ssl, on_message);
    SSL_set_msg_callback_arg(client->ssl, flight);
    peers_talk(client, server, on_wire, flight);
    if (say != NULL) {
        CHECK(client->established && server->established);
        peer_say(client, say, strlen(say));
        peer_say(server, say, strlen(say));
        peers_talk(client, server, on_wire, flight);
        SSL_shutdown(client->ssl);
        SSL_shutdown(server->ssl);
        peers_talk(client, server, on_wire, flight);
    }
    peer_free(client);
    peer_free(server);
}

void flight_free(struct flight *flight) {
    for (size_t i = 0; i < flight->num_wire; i++) {
        free(flight->wire[i].p);
    }
    for (size_t i = 0; i < flight->num_messages; i++) {
        free(flight->messages[i].p);
    }
}

struct record *flight_wire(const struct flight *flight, size_t max) {
    struct record *record = record_new();
    obj_set_int(record->root, F_RECORD_TIMESTAMP, PKI_NOW * 1000);
    struct observe observe;
    struct wire_tap tap;
    int64_t now_us = 1000;
    observe_init(&observe, record->root, false, 0);
    wire_tap_init(&tap, &observe);
    for (size_t i = 0; i < flight->num_wire; i++) {
        const struct piece *piece = &flight->wire[i];
        for (size_t at = 0; at < piece->len; at += max) {
            size_t n = piece->len - at < max ? piece->len - at : max;
            // As large as it says, so that a sanitizer sees a read past its end.
            uint8_t *copy = xmalloc(n);
            memcpy(copy, piece->p + at, n);
            wire_tap_bytes(&tap, piece->from_client, copy, n, now_us += 1000);
            free(copy);
        }
    }
    wire_tap_finish(&tap);
    wire_tap_cleanup(&tap);
    return record;
}

struct record *flight_messages(const struct flight *flight) {
    struct record *record = record_new();
    obj_set_int(record->root, F_RECORD_TIMESTAMP, PKI_NOW * 1000);
    struct observe observe;
    int64_t now_us = 1000;
    observe_init(&observe, record->root, false, 0);
    observe_hello(&observe, flight->wire[0].p, flight->wire[0].len, 1, now_us);
    for (size_t i = 0; i < flight->num_messages; i++) {
        const struct piece *piece = &flight->messages[i];
        now_us += 1000;
        if (piece->alert) {
            observe_alert(&observe, piece->from_client, piece->p, piece->len, now_us);
        } else if (piece->p[0] != SSL3_MT_CLIENT_HELLO || observe.retry) {
            observe_message(&observe, piece->from_client, piece->p, piece->len, now_us);
        }
    }
    return record;
}

struct peer_options flight_client(void) {
    return (struct peer_options){.host = WORLD_HOST};
}

struct peer_options flight_server(void) {
    return (struct peer_options){.chain = {world_get()->leaf}};
}

char *leg_text(const struct record *record, enum field field) {
    const struct obj *leg = record_leg(record->root, false);
    struct buf text;
    if (!obj_has(leg, field)) {
        return xstrdup("-");
    }
    buf_init(&text, TEXT_MAX);
    text_write(&text, leg, field);
    char *copy = text.len == 0 ? xstrdup("") : xmemdup(buf_data(&text), text.len);
    buf_cleanup(&text);
    return copy;
}

void leg_is(const struct record *record, enum field field, const char *wanted) {
    char *text = leg_text(record, field);
    if (strcmp(text, wanted) != 0) {
        printf("\n    %s is %s\n    and not %s\n", field_row(field)->path, text, wanted);
    }
    CU_ASSERT_STRING_EQUAL(text, wanted);
    free(text);
}

bool has_note(const struct record *record, const char *id) {
    for (size_t i = 0; i < obj_num(record->root, F_RECORD_NOTES); i++) {
        if (obj_str_is(obj_at(record->root, F_RECORD_NOTES, i), F_NOTE_ID, id)) {
            return true;
        }
    }
    return false;
}
