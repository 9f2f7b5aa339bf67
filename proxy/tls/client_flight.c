#include "proxy/tls/client_flight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/tls/client_flight_state.h"
#include "proxy/tls/handshake.h"
#include "proxy/tls/hello_edit.h"

enum {
    OUTPUT_MAX = 2 * HELLO_DRAFT_WIRE_MAX,
    ALERT_USER_CANCELED = 90,
    ALERT_BAD_RECORD_MAC = 20,
    ALERT_HANDSHAKE_FAILURE = 40,
    ALERT_ILLEGAL_PARAMETER = 47,
    TLS12 = 0x0303,
    TLS13 = 0x0304,
};

// clang-format off
static const char *const names[] = {
    [CLIENT_FLIGHT_MORE]      = "more",
    [CLIENT_FLIGHT_DONE]      = "done",
    [CLIENT_FLIGHT_RESUMED]   = "resumed",
    [CLIENT_FLIGHT_ALERT]     = "alert",
    [CLIENT_FLIGHT_MALFORMED] = "malformed",
    [CLIENT_FLIGHT_NOT_TLS]   = "not tls",
    [CLIENT_FLIGHT_NO_KEY]    = "no key",
    [CLIENT_FLIGHT_CLOSED]    = "closed",
};
// clang-format on

const char *client_flight_status_name(enum client_flight_status status) {
    CHECK((size_t)status < ARRAY_LEN(names));
    return names[status];
}

struct client_flight *client_flight_new(struct hello_keys *keys, const struct hello_draft *hello,
                                        const struct client_flight_sink *sink, struct err *err) {
    struct buf message;
    buf_init(&message, HELLO_DRAFT_MAX);
    if (!hello_draft_message(hello, &message, err)) {
        buf_cleanup(&message);
        return NULL;
    }
    struct client_flight *flight = xcalloc(1, sizeof(*flight));
    flight->keys = keys;
    flight->message = message;
    flight->sink = *sink;
    hello_draft_init(&flight->hello);
    hello_draft_copy(&flight->hello, hello);
    flight->plain_max = RECORD_PLAIN_MAX;
    record_reader_init(&flight->reader, 0, 0);
    buf_init(&flight->output, OUTPUT_MAX);
    return flight;
}

void client_flight_free(struct client_flight *flight) {
    if (flight == NULL) {
        return;
    }
    record_reader_cleanup(&flight->reader);
    record_protect_cleanup(&flight->read);
    record_protect_cleanup(&flight->write);
    hello_draft_cleanup(&flight->hello);
    buf_cleanup(&flight->message);
    buf_cleanup(&flight->output);
    if (flight->has_transcript) {
        transcript_cleanup(&flight->transcript);
    }
    EVP_PKEY_free(flight->server_key);
    sk_CRYPTO_BUFFER_pop_free(flight->chain, CRYPTO_BUFFER_free);
    free(flight->request_context.p);
    free(flight->peer_public.p);
    free(flight->prime.p);
    free(flight->generator.p);
    OPENSSL_cleanse(flight, sizeof(*flight));
    free(flight);
}

enum client_flight_status client_flight_status(const struct client_flight *flight) {
    return flight->status;
}

const struct client_flight_facts *client_flight_facts(const struct client_flight *flight) {
    return &flight->facts;
}

static bool is_over(const struct client_flight *flight) {
    return flight->status != CLIENT_FLIGHT_MORE && flight->status != CLIENT_FLIGHT_DONE;
}

void flight_end(struct client_flight *flight, enum client_flight_status status, const char *says) {
    flight->status = status;
    flight->facts.says = says;
    flight->facts.refusal = status == CLIENT_FLIGHT_NO_KEY      ? ALERT_HANDSHAKE_FAILURE
                            : status == CLIENT_FLIGHT_MALFORMED ? ALERT_ILLEGAL_PARAMETER
                                                                : 0;
}

void flight_tell(struct client_flight *flight, bool from_client, const uint8_t *p, size_t p_len) {
    if (flight->sink.message != NULL) {
        flight->sink.message(flight->sink.ctx, from_client, p, p_len);
    }
}

void flight_log(const struct client_flight *flight, const char *label, const uint8_t *secret,
                size_t secret_len) {
    char line[256], *at = line;
    uint8_t random[KEY_BLOCK_RANDOM_LEN];
    if (flight->sink.secret == NULL) {
        return;
    }
    flight_client_random(flight, random);
    at += snprintf(at, 64, "%s ", label);
    for (size_t i = 0; i < sizeof(random); i++, at += 2) {
        snprintf(at, 3, "%02x", random[i]);
    }
    *at++ = ' ';
    CHECK(secret_len <= KEY_SCHEDULE_HASH_MAX);
    for (size_t i = 0; i < secret_len; i++, at += 2) {
        snprintf(at, 3, "%02x", secret[i]);
    }
    flight->sink.secret(flight->sink.ctx, line);
}

// The end of the server's stream, before its flight is whole or after.
static void closed(struct client_flight *flight) {
    if (flight->status == CLIENT_FLIGHT_MORE) {
        flight_end(flight, CLIENT_FLIGHT_CLOSED, NULL);
    }
}

// Up to TLS 1.2 a warning ends nothing; in TLS 1.3 every alert but user_canceled does (RFC 8446,
// section 6).
static void on_alert(struct client_flight *flight, const struct wire_event *event) {
    struct alert alert;
    if (flight->sink.alert != NULL) {
        flight->sink.alert(flight->sink.ctx, false, event->p, event->len);
    }
    if (!alert_parse(&alert, NULL, event->p, event->len, event->announced)) {
        flight_end(flight, CLIENT_FLIGHT_MALFORMED, "an alert has not two bytes");
        return;
    }
    flight->facts.has_alert = true;
    flight->facts.alert = alert;
    bool warning = alert.level == ALERT_WARNING;
    if (warning && alert.code == ALERT_CLOSE_NOTIFY) {
        flight->facts.closed = true;
        closed(flight);
    } else if (!warning || (flight->facts.version >= TLS13 && alert.code != ALERT_USER_CANCELED)) {
        flight_end(flight, CLIENT_FLIGHT_ALERT, NULL);
    }
}

static void on_message(struct client_flight *flight, const struct wire_event *event) {
    flight_tell(flight, false, event->p, event->len);
    if (event->cut_off) {
        flight_end(flight, CLIENT_FLIGHT_MALFORMED, "a handshake message is longer than any is");
        return;
    }
    flight_take(flight, event->p, event->len);
}

static void on_data(struct client_flight *flight, const struct wire_event *event) {
    if (flight->status != CLIENT_FLIGHT_DONE || event->p == NULL) {
        flight_end(flight, CLIENT_FLIGHT_MALFORMED,
                   "application data came before the handshake's end");
        return;
    }
    flight->facts.data_len += event->len;
    if (flight->sink.data != NULL) {
        flight->sink.data(flight->sink.ctx, event->p, event->len);
    }
}

// Records of types that nobody knows are passed over, as observation goes on.
static void on_opaque(struct client_flight *flight, const struct wire_event *event) {
    bool keys = flight->facts.version >= TLS13 || flight->expect >= FLIGHT_FINISHED12;
    if (keys && !record_reader_opens(&flight->reader)) {
        flight_end(flight, CLIENT_FLIGHT_MALFORMED, "a record does not open with the agreed keys");
        flight->facts.refusal = ALERT_BAD_RECORD_MAC;
    } else if (event->content_type == CONTENT_APPLICATION_DATA) {
        flight_end(flight, CLIENT_FLIGHT_MALFORMED,
                   "application data came before the handshake's end");
    }
}

static void on_event(struct client_flight *flight, const struct wire_event *event) {
    switch (event->type) {
    case WIRE_MESSAGE:
        on_message(flight, event);
        break;
    case WIRE_ALERT:
        on_alert(flight, event);
        break;
    case WIRE_CCS:
        if (flight->expect == FLIGHT_FLIGHT12) {
            flight_end(flight, CLIENT_FLIGHT_RESUMED, NULL);
        } else if (flight->expect >= FLIGHT_CCS12) {
            flight_ccs(flight, event);
        }
        break;
    case WIRE_DATA:
        on_data(flight, event);
        break;
    case WIRE_OPAQUE:
        on_opaque(flight, event);
        break;
    case WIRE_NOT_TLS:
        flight->facts.banner = event->banner;
        flight_end(flight, CLIENT_FLIGHT_NOT_TLS, NULL);
        break;
    case WIRE_SSLV2_HELLO:
        flight_end(flight, CLIENT_FLIGHT_MALFORMED, "a ClientHello came from the server");
        break;
    case WIRE_MORE:
        break;
    }
}

// Our keys change after the message that says so (RFC 8446, section 4.6.3).
static void put_update(struct client_flight *flight) {
    static const uint8_t message[] = {HANDSHAKE_KEY_UPDATE, 0, 0, 1, 0};
    flight->update_due = false;
    flight_tell(flight, true, message, sizeof(message));
    flight_put(flight, CONTENT_HANDSHAKE, message, sizeof(message));
    key_schedule_update(flight->client_secret, flight->cipher.digest);
    record_protect_init13(&flight->write, &flight->cipher, flight->client_secret);
}

enum client_flight_status client_flight_input(struct client_flight *flight, const uint8_t *p,
                                              size_t p_len) {
    struct wire_event event;
    enum wire_event_type type = WIRE_MESSAGE;
    while (!is_over(flight) && type != WIRE_MORE) {
        size_t len = p_len;
        type = record_reader_next(&flight->reader, &event, p, &len);
        p += len;
        p_len -= len;
        on_event(flight, &event);
    }
    if (!is_over(flight) && flight->update_due && flight->finished_sent) {
        put_update(flight);
    }
    return flight->status;
}

enum client_flight_status client_flight_eof(struct client_flight *flight) {
    struct wire_event event;
    while (!is_over(flight) && record_reader_eof(&flight->reader, &event) != WIRE_MORE) {
        if (event.type == WIRE_MESSAGE) {
            flight_tell(flight, false, event.p, event.len); // as far as it came
        } else {
            on_event(flight, &event);
        }
    }
    closed(flight);
    return flight->status;
}

const uint8_t *client_flight_output(const struct client_flight *flight, size_t *out_len) {
    *out_len = flight->output.len;
    return buf_data(&flight->output);
}

void client_flight_output_done(struct client_flight *flight, size_t n) {
    buf_consume(&flight->output, n);
}

// What stands in the headers of records in the clear.
static uint16_t record_version(const struct client_flight *flight) {
    uint16_t version = flight->facts.version;
    return version != 0 && version < TLS12 ? version : TLS12;
}

void flight_put(struct client_flight *flight, uint8_t content_type, const uint8_t *p,
                size_t p_len) {
    uint8_t record[RECORD_HEADER_LEN + RECORD_SEALED_MAX];
    CHECK(p_len <= RECORD_PLAIN_MAX);
    size_t len = RECORD_HEADER_LEN + p_len;
    if (flight->write_keys) {
        len = record_protect_seal(&flight->write, record, content_type, p, p_len, 0);
    } else {
        uint16_t version = record_version(flight);
        uint8_t header[] = {content_type, (uint8_t)(version >> 8), (uint8_t)version,
                            (uint8_t)(p_len >> 8), (uint8_t)p_len};
        memcpy(record, header, sizeof(header));
        memcpy(record + sizeof(header), p, p_len);
    }
    CHECK(buf_append(&flight->output, record, len));
}

void flight_put_ccs(struct client_flight *flight) {
    static const uint8_t ccs[] = {CONTENT_CHANGE_CIPHER_SPEC, 3, 3, 0, 1, 1};
    if (!flight->ccs_sent && flight->hello.session_id.len != 0) {
        CHECK(buf_append(&flight->output, ccs, sizeof(ccs)));
        flight->ccs_sent = true;
    }
}

void flight_put_message(struct client_flight *flight, const uint8_t *p, size_t p_len) {
    flight_tell(flight, true, p, p_len);
    flight_put(flight, CONTENT_HANDSHAKE, p, p_len);
    transcript_add(&flight->transcript, p, p_len);
}

// An empty Certificate refuses to be authenticated (RFC 8446, section 4.4.2).
static void put_certificate(struct client_flight *flight) {
    uint8_t message[4 + 1 + UINT8_MAX + 3] = {HANDSHAKE_CERTIFICATE};
    size_t len = flight->request_context.len;
    CHECK(len <= UINT8_MAX);
    message[2] = (uint8_t)((1 + len + 3) >> 8);
    message[3] = (uint8_t)(1 + len + 3);
    message[4] = (uint8_t)len;
    if (len != 0) {
        memcpy(message + 5, flight->request_context.p, len);
    }
    flight_put_message(flight, message, 4 + 1 + len + 3);
}

static void put_finished(struct client_flight *flight) {
    uint8_t message[4 + EVP_MAX_MD_SIZE] = {HANDSHAKE_FINISHED}, hash[EVP_MAX_MD_SIZE];
    size_t len = transcript_hash(hash, &flight->transcript);
    message[3] = (uint8_t)len;
    key_schedule_finished(message + 4, flight->cipher.digest, flight->client_secret, hash);
    flight_put_message(flight, message, 4 + len);
}

void client_flight_finish(struct client_flight *flight, const uint8_t *request,
                          size_t request_len) {
    CHECK(flight->status == CLIENT_FLIGHT_DONE && flight->expect == FLIGHT_TICKETS);
    CHECK(!flight->finished_sent && request_len <= CLIENT_FLIGHT_REQUEST_MAX);
    uint8_t hash[EVP_MAX_MD_SIZE], secret[KEY_SCHEDULE_HASH_MAX];
    transcript_hash(hash, &flight->transcript); // up to the server's Finished
    key_schedule_secret(secret, &flight->schedule, KEY_CLIENT_TRAFFIC, hash);
    flight_log(flight, "CLIENT_TRAFFIC_SECRET_0", secret, EVP_MD_size(flight->cipher.digest));
    flight_put_ccs(flight);
    if (flight->facts.certificate_request) {
        put_certificate(flight);
    }
    put_finished(flight);
    memcpy(flight->client_secret, secret, sizeof(secret));
    record_protect_init13(&flight->write, &flight->cipher, flight->client_secret);
    flight->finished_sent = true;
    if (request_len != 0) {
        flight_put(flight, CONTENT_APPLICATION_DATA, request, request_len);
    }
}

void client_flight_write(struct client_flight *flight, const uint8_t *p, size_t p_len) {
    CHECK(flight->facts.established && p_len <= RECORD_PLAIN_MAX);
    while (p_len != 0) {
        size_t n = p_len < flight->plain_max ? p_len : flight->plain_max;
        flight_put(flight, CONTENT_APPLICATION_DATA, p, n);
        p += n;
        p_len -= n;
    }
}

const STACK_OF(CRYPTO_BUFFER) * client_flight_chain(const struct client_flight *flight) {
    return flight->chain;
}

void flight_put_alert(struct client_flight *flight, uint8_t level, uint8_t code) {
    const uint8_t alert[] = {level, code};
    if (flight->sink.alert != NULL) {
        flight->sink.alert(flight->sink.ctx, true, alert, sizeof(alert));
    }
    flight_put(flight, CONTENT_ALERT, alert, sizeof(alert));
}

void client_flight_refuse(struct client_flight *flight, uint8_t code) {
    if (!flight->close_sent) {
        flight->close_sent = true;
        flight_put_alert(flight, ALERT_FATAL, code);
    }
}

void client_flight_close(struct client_flight *flight) {
    bool gone = flight->status == CLIENT_FLIGHT_ALERT || flight->status == CLIENT_FLIGHT_NOT_TLS ||
                flight->status == CLIENT_FLIGHT_CLOSED;
    if (gone || flight->close_sent) {
        return;
    }
    flight->close_sent = true;
    if (!flight->finished_sent) {
        flight_put_alert(flight, ALERT_WARNING, ALERT_USER_CANCELED);
    }
    flight_put_alert(flight, ALERT_WARNING, ALERT_CLOSE_NOTIFY);
}
