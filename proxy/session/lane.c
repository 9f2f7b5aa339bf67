#include "proxy/session/lane.h"

#include <stdio.h>
#include <string.h>

#include "proxy/session/lane_own.h"

void lane_init(struct lane *lane, const int64_t *now_us) {
    *lane = (struct lane){.now_us = now_us, .peer_alert = -1};
    buf_init(&lane->in, LANE_IN_MAX);
    buf_init(&lane->out, LANE_OUT_MAX);
    wire_log_init(&lane->wire);
}

void lane_cleanup(struct lane *lane) {
    lane_end_tls(lane);
    buf_cleanup(&lane->in);
    buf_cleanup(&lane->out);
    wire_log_cleanup(&lane->wire);
}

size_t lane_unsent(const struct lane *lane) { return lane->out.len + lane->spliced; }

void lane_drop_unsent(struct lane *lane) {
    buf_cleanup(&lane->out);
    lane->spliced = 0;
}

size_t lane_waiting(const struct lane *lane) { return lane->in.len + lane->fresh.len; }

struct span lane_peek(struct lane *lane) {
    if (lane->in.len == 0) {
        return lane->fresh;
    }
    if (lane->fresh.len != 0) {
        size_t room = buf_room(&lane->in);
        size_t n = lane->fresh.len < room ? lane->fresh.len : room;
        CHECK(buf_append(&lane->in, lane->fresh.p, n));
        lane->fresh = (struct span){lane->fresh.p + n, lane->fresh.len - n};
    }
    return (struct span){buf_data(&lane->in), lane->in.len};
}

size_t lane_take(struct lane *lane, void *out, size_t max) {
    struct span kept = {buf_data(&lane->in), lane->in.len};
    struct span from = kept.len != 0 ? kept : lane->fresh;
    size_t n = from.len < max ? from.len : max;
    if (n != 0) {
        memcpy(out, from.p, n);
        lane_drop(lane, n);
    }
    return n;
}

void lane_drop(struct lane *lane, size_t n) {
    CHECK(n <= lane_waiting(lane));
    size_t kept = n < lane->in.len ? n : lane->in.len;
    if (kept != 0) {
        buf_consume(&lane->in, kept);
    }
    if (n > kept) {
        lane->fresh = (struct span){lane->fresh.p + (n - kept), lane->fresh.len - (n - kept)};
    }
}

bool lane_keep(struct lane *lane) {
    bool ok = buf_append(&lane->in, lane->fresh.p, lane->fresh.len);
    lane->fresh = (struct span){NULL, 0};
    return ok;
}

void lane_restart(struct lane *lane) {
    struct span span = lane_peek(lane);
    lane->head_len = span.len < sizeof(lane->head) ? span.len : sizeof(lane->head);
    if (lane->head_len != 0) {
        memcpy(lane->head, span.p, lane->head_len);
    }
}

bool lane_put(struct lane *lane, const void *p, size_t p_len) {
    if (lane->shut || !lane->open) {
        return true; // nobody is there to read it
    }
    if (!buf_append(&lane->out, p, p_len)) {
        return false;
    }
    wire_log_bytes(&lane->wire, WIRE_TO_PEER, p, p_len, *lane->now_us);
    return true;
}

void lane_replace(struct lane *lane, const void *p, size_t p_len) {
    wire_log_undo(&lane->wire, WIRE_TO_PEER, lane->out.len);
    buf_consume(&lane->out, lane->out.len);
    CHECK(lane_put(lane, p, p_len));
}

bool lane_move(struct lane *to, struct lane *from) {
    bool ok = lane_put(to, buf_data(&from->in), from->in.len) &&
              lane_put(to, from->fresh.p, from->fresh.len);
    lane_drop(from, lane_waiting(from));
    return ok;
}

enum plain_alert { PLAIN_ALERT_NO, PLAIN_ALERT_MAYBE, PLAIN_ALERT_YES };

// plain_alert finds an alert in the clear where a TLS 1.3 handshake is encrypted already. OpenSSL's
// clients send theirs so: they take up their keys only for their Finished. BoringSSL, which reads
// `max` bytes of a record at a time, would take it for a broken record.
static enum plain_alert plain_alert(struct lane *lane, int max) {
    static const uint8_t head[] = {SSL3_RT_ALERT, 3, 3, 0, 2};
    if (max != (int)sizeof(head) || lane->observe.version < TLS1_3_VERSION ||
        !SSL_in_init(lane->ssl)) {
        return PLAIN_ALERT_NO;
    }
    struct span span = lane_peek(lane);
    size_t n = span.len < sizeof(head) ? span.len : sizeof(head);
    if (n == 0 || memcmp(span.p, head, n) != 0) {
        return PLAIN_ALERT_NO;
    }
    return span.len >= sizeof(head) + 2 ? PLAIN_ALERT_YES : PLAIN_ALERT_MAYBE;
}

// plain_alert_take takes the alert as the library takes an encrypted one. The library then sees the
// end of the stream, and has nothing to say about it.
static void plain_alert_take(struct lane *lane) {
    uint8_t record[SSL3_RT_HEADER_LENGTH + 2];
    CHECK(lane_take(lane, record, sizeof(record)) == sizeof(record));
    const uint8_t *alert = record + SSL3_RT_HEADER_LENGTH;
    observe_alert(&lane->observe, !lane->observe.server_leg, alert, 2, *lane->now_us);
    lane->peer_alert = alert[1];
    OPENSSL_PUT_ERROR(SSL, SSL_AD_REASON_OFFSET + alert[1]);
}

static int bio_read(BIO *bio, char *out, int max) {
    struct lane *lane = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    switch (plain_alert(lane, max)) {
    case PLAIN_ALERT_YES:
        plain_alert_take(lane);
        return 0;
    case PLAIN_ALERT_MAYBE:
        if (!lane->eof) {
            BIO_set_retry_read(bio);
            return -1;
        }
        break;
    case PLAIN_ALERT_NO:
        break;
    }
    size_t n = lane_take(lane, out, (size_t)max);
    if (n != 0) {
        return (int)n;
    }
    if (lane->eof) {
        return 0;
    }
    BIO_set_retry_read(bio);
    return -1;
}

static int bio_write(BIO *bio, const char *p, int len) {
    struct lane *lane = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (!lane_put(lane, p, (size_t)len)) {
        BIO_set_retry_write(bio);
        return -1;
    }
    return len;
}

static long bio_ctrl(BIO *bio, int cmd, long num, void *ptr) {
    (void)bio;
    (void)num;
    (void)ptr;
    return cmd == BIO_CTRL_FLUSH;
}

BIO_METHOD *lane_methods(void) {
    BIO_METHOD *methods = BIO_meth_new(0, "lane");
    CHECK(methods != NULL && BIO_meth_set_read(methods, bio_read) &&
          BIO_meth_set_write(methods, bio_write) && BIO_meth_set_ctrl(methods, bio_ctrl));
    return methods;
}

// observe_library hears of every message and alert of a leg that we terminate, decrypted. A first
// ClientHello is observed by its bytes on the wire instead.
static void observe_library(int is_write, int version, int content_type, const void *p, size_t len,
                            SSL *ssl, void *arg) {
    (void)ssl;
    struct lane *lane = arg;
    struct observe *observe = &lane->observe;
    bool from_client = observe->server_leg == (is_write != 0);
    if (!is_write && content_type != SSL3_RT_HEADER) {
        // The library reads a record at a time: what it has taken ends with this one.
        wire_log_sure(&lane->wire, WIRE_FROM_PEER,
                      lane->wire.total[WIRE_FROM_PEER] - lane_waiting(lane));
    }
    if (observe->leg == NULL) {
        return; // the record is written
    }
    const uint8_t *header = p;
    if (content_type == SSL3_RT_HEADER && len == SSL3_RT_HEADER_LENGTH) {
        observe_record(observe, from_client, header[0], (uint16_t)(header[1] << 8 | header[2]),
                       (uint16_t)(header[3] << 8 | header[4]));
    } else if (content_type == SSL3_RT_ALERT) {
        const uint8_t *alert = p;
        observe_alert(observe, from_client, p, len, *lane->now_us);
        if (!is_write && len == 2 && alert[1] != SSL_AD_CLOSE_NOTIFY &&
            (alert[0] == SSL3_AL_FATAL || version == TLS1_3_VERSION)) {
            lane->peer_alert = alert[1];
        }
    } else if (content_type == SSL3_RT_HANDSHAKE && len != 0) {
        if (*(const uint8_t *)p != SSL3_MT_CLIENT_HELLO || observe->retry) {
            observe_message(observe, from_client, p, len, *lane->now_us);
        }
    }
}

void lane_wire_begin(struct lane *lane) {
    struct span span = lane_peek(lane);
    wire_log_begin(&lane->wire);
    wire_log_bytes(&lane->wire, WIRE_FROM_PEER, span.p, span.len, *lane->now_us);
}

void lane_start_tls(struct lane *lane, SSL *ssl, const BIO_METHOD *methods) {
    BIO *bio = BIO_new(methods);
    CHECK(bio != NULL);
    BIO_set_data(bio, lane);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_msg_callback(ssl, observe_library);
    SSL_set_msg_callback_arg(ssl, lane);
    lane->ssl = ssl;
    lane->dry = false;
}

bool lane_write(struct lane *lane, const void *p, size_t p_len) {
    if (p_len == 0) {
        return true;
    }
    wire_log_sure(&lane->wire, WIRE_TO_PEER, lane->wire.total[WIRE_TO_PEER]);
    wire_log_data(&lane->wire, WIRE_TO_PEER);
    bool ok = lane->own != NULL ? own_write(lane, p, p_len)
                                : SSL_write(lane->ssl, p, (int)p_len) == (int)p_len;
    lane->data_sent += ok ? (int64_t)p_len : 0;
    return ok;
}

void lane_look(struct lane *lane) {
    uint8_t byte;
    ERR_clear_error();
    if (lane->own != NULL ? own_look(lane) : SSL_peek(lane->ssl, &byte, 1) > 0) {
        wire_log_data(&lane->wire, WIRE_FROM_PEER);
    }
    ERR_clear_error();
}

int lane_read(struct lane *lane, void *out, size_t max) {
    if (lane->own != NULL) {
        ERR_clear_error(); // as the library does
    }
    int n = lane->own != NULL ? own_read(lane, out, max) : SSL_read(lane->ssl, out, (int)max);
    if (n > 0) {
        wire_log_data(&lane->wire, WIRE_FROM_PEER);
        lane->data_received += n;
    }
    lane->dry = n <= 0 && lane->own == NULL && SSL_get_error(lane->ssl, n) == SSL_ERROR_WANT_READ;
    return n;
}

enum lane_read lane_read_state(const struct lane *lane, int n) {
    if (lane->own != NULL) {
        return own_read_state(lane);
    }
    switch (SSL_get_error(lane->ssl, n)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return LANE_READ_MORE;
    case SSL_ERROR_ZERO_RETURN:
        return LANE_READ_CLOSED;
    default:
        return LANE_READ_FAILED;
    }
}

bool lane_may_read(const struct lane *lane) {
    return !lane->dry || lane->eof || lane_waiting(lane) != 0;
}

enum lane_result lane_handshake(struct lane *lane) {
    if (lane->own != NULL) {
        ERR_clear_error(); // as the library does
        return own_handshake(lane);
    }
    int ret = SSL_do_handshake(lane->ssl);
    if (ret == 1) {
        return LANE_DONE;
    }
    int error = SSL_get_error(lane->ssl, ret);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? LANE_MORE : LANE_FAILED;
}

bool lane_tls(const struct lane *lane) { return lane->ssl != NULL || lane->own != NULL; }

bool lane_in_handshake(const struct lane *lane) {
    return lane->own != NULL ? !own_facts(lane)->established : SSL_in_init(lane->ssl);
}

void lane_say_closed(struct lane *lane) {
    if (lane->own != NULL) {
        own_close(lane);
    } else {
        SSL_shutdown(lane->ssl);
    }
}

void lane_alert(struct lane *lane, uint8_t alert) {
    if (lane->own != NULL) {
        own_alert(lane, alert);
    } else {
        (void)SSL_send_fatal_alert(lane->ssl, alert);
    }
}

void lane_end_tls(struct lane *lane) {
    SSL_free(lane->ssl);
    lane->ssl = NULL;
    own_free(lane->own);
    lane->own = NULL;
}

const char *lane_server_name(const struct lane *lane) {
    return lane->own != NULL ? obj_str(lane->observe.leg, F_LEG_SERVER_NAME)
                             : SSL_get_servername(lane->ssl, TLSEXT_NAMETYPE_host_name);
}

uint16_t lane_version(const struct lane *lane) {
    return lane->own != NULL ? own_facts(lane)->version : (uint16_t)SSL_version(lane->ssl);
}

const STACK_OF(CRYPTO_BUFFER) * lane_chain(const struct lane *lane) {
    return lane->own != NULL ? own_chain(lane) : SSL_get0_peer_certificates(lane->ssl);
}

void lane_alpn(const struct lane *lane, const uint8_t **out, unsigned *out_len) {
    if (lane->own != NULL) {
        *out = (const uint8_t *)own_facts(lane)->alpn;
        *out_len = (unsigned)strlen(own_facts(lane)->alpn);
    } else {
        SSL_get0_alpn_selected(lane->ssl, out, out_len);
    }
}

void lane_staple(const struct lane *lane, const uint8_t **out, size_t *out_len) {
    *out_len = 0;
    if (lane->own != NULL) {
        *out = lane->observe.staple.p;
        *out_len = lane->observe.staple.len;
    } else if (lane->ssl != NULL) {
        SSL_get0_ocsp_response(lane->ssl, out, out_len);
    }
}

bool lane_server_random(const struct lane *lane, uint8_t out[SSL3_RANDOM_SIZE]) {
    if (lane->own != NULL) {
        memcpy(out, own_facts(lane)->server_random, SSL3_RANDOM_SIZE);
        return own_facts(lane)->version != 0;
    }
    return lane->ssl != NULL &&
           SSL_get_server_random(lane->ssl, out, SSL3_RANDOM_SIZE) == SSL3_RANDOM_SIZE;
}

void lane_reason(const struct lane *lane, char *out, size_t out_len) {
    uint32_t code = ERR_peek_error();
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);
    size_t num_alerts = obj_num(lane->observe.leg, F_LEG_ALERTS);
    if (lane->own != NULL && own_facts(lane)->says != NULL) {
        reason = own_facts(lane)->says;
    } else if (reason == NULL && num_alerts != 0) {
        // The library refuses some malformed extensions with an alert and without a word.
        reason = obj_str(obj_at(lane->observe.leg, F_LEG_ALERTS, num_alerts - 1), F_ALERT_NAME);
    }
    snprintf(out, out_len, "%s", reason != NULL ? reason : "");
    ERR_clear_error();
}
