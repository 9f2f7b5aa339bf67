// The server's answer, message by message.
#include <stdlib.h>
#include <string.h>

#include "policy/ca/cert_text.h"
#include "proxy/observe/internal.h"
#include "proxy/tls/certificate.h"
#include "proxy/tls/certificate_inflate.h"
#include "proxy/tls/certificate_request.h"
#include "proxy/tls/encrypted_extensions.h"
#include "proxy/tls/fingerprint_memo.h"
#include "proxy/tls/handshake.h"
#include "proxy/tls/key_exchange.h"
#include "proxy/tls/server_hello.h"
#include "proxy/tls/session_ticket.h"
#include "proxy/tls/short_message.h"

enum { AUTHORITIES_MAX = 20, TLS13 = 0x0304, TLS13_DRAFTS = 0x7f };

static void set_version(struct obj *leg, uint16_t version) {
    static const char *const names[] = {"3.0", "1.0", "1.1", "1.2", "1.3"};
    unsigned minor = version & 0xff;
    obj_set_int(leg, F_LEG_ANSWER_VERSION, version);
    if (version >> 8 == TLS13_DRAFTS) {
        obj_set_strf(leg, F_LEG_TLS_VERSION, "1.3-draft%u", minor);
        obj_set_str(leg, F_LEG_TLS_PROTOCOL, "tls");
    } else if (version >> 8 == 3 && minor < ARRAY_LEN(names)) {
        obj_set_str(leg, F_LEG_TLS_VERSION, names[minor]);
        obj_set_str(leg, F_LEG_TLS_PROTOCOL, minor == 0 ? "ssl" : "tls");
    }
}

static void set_alpn(struct obj *leg, CBS name) {
    if (CBS_data(&name) != NULL) {
        obj_set_strn(leg, F_LEG_TLS_NEXT_PROTOCOL, CBS_data(&name), CBS_len(&name));
    }
}

static const char *retry_reason(const struct server_hello *hello) {
    bool cookie = CBS_data(&hello->cookie) != NULL;
    if (hello->has_key_share) {
        return cookie ? "group and cookie" : "group";
    }
    return cookie ? "cookie" : "unknown";
}

// session_id_is_clients compares with the session id of the ClientHello.
static bool session_id_is_clients(const struct observe *observe, CBS id) {
    return CBS_len(&id) != 0 && !observe->sslv2 &&
           CBS_mem_equal(&id, observe->session_id.p, observe->session_id.len);
}

static void set_resumption(struct observe *observe, const struct server_hello *hello) {
    bool echoed = session_id_is_clients(observe, hello->session_id);
    obj_set_int(observe->leg, F_LEG_ANSWER_SESSION_ID, (int64_t)CBS_len(&hello->session_id));
    obj_set_int(observe->leg, F_LEG_ANSWER_ECHO, echoed);
    obj_set_int(observe->leg, F_LEG_TLS_RESUMED, hello->version >= TLS13 ? hello->has_psk : echoed);
}

// set_size sets a number that is 0 where it was not sent.
static void set_size(struct obj *leg, enum field field, size_t value) {
    if (value != 0) {
        obj_set_int(leg, field, (int64_t)value);
    }
}

static void set_true(struct obj *leg, enum field field, bool value) {
    if (value) {
        obj_set_int(leg, field, true);
    }
}

static void set_sentinel(struct obj *leg, enum downgrade downgrade) {
    static const char *const names[] = {
        [DOWNGRADE_TLS12] = "tls1.2", [DOWNGRADE_TLS11] = "tls1.1", [DOWNGRADE_JDK11] = "jdk11"};
    if (downgrade != DOWNGRADE_NONE) {
        obj_set_str(leg, F_LEG_ANSWER_SENTINEL, names[downgrade]);
    }
}

static void fingerprint(struct obj *leg, const struct server_hello *hello) {
    const struct fingerprints *prints = fingerprint_memo_server(hello);
    const struct buf *text = &prints->ja3_text;
    if (text->len != 0) {
        obj_set_str(leg, F_LEG_JA3S, prints->ja3);
        obj_set_strn(leg, F_LEG_JA3S_RAW, buf_data(text), text->len);
    }
}

static void on_server_hello(struct observe *observe, struct note_sink *notes, const uint8_t *p,
                            size_t p_len, int64_t now_us) {
    struct obj *leg = observe->leg;
    struct server_hello hello;
    bool whole = server_hello_parse(&hello, notes, p, p_len);
    if (hello.retry) {
        observe->retry = true;
        obj_set_str(leg, F_LEG_ANSWER_RETRY, retry_reason(&hello));
        if (hello.has_key_share) {
            obj_set_int(leg, F_LEG_ANSWER_RETRY_GROUP, hello.group);
        }
        set_size(leg, F_LEG_ANSWER_COOKIE, CBS_len(&hello.cookie));
        // That of the ServerHello takes its place, if one comes.
        fingerprint(leg, &hello);
        return;
    }
    observe_time(observe, F_LEG_MS_ANSWER, now_us);
    observe_step(observe, STEP_ANSWER, now_us);
    obj_set_bytes(leg, F_LEG_ANSWER_RAW, p, p_len);
    obj_set_int(leg, F_LEG_ANSWER_LEGACY_VERSION, hello.legacy_version);
    if (!whole) {
        return;
    }
    observe->version = hello.version;
    observe->cipher = hello.cipher;
    set_version(leg, hello.version);
    obj_set_int(leg, F_LEG_TLS_CIPHER, hello.cipher);
    if (hello.has_key_share) {
        obj_set_int(leg, F_LEG_TLS_CURVE, hello.group);
    }
    set_alpn(leg, hello.alpn);
    if (hello.has_extensions) {
        observe_extensions(observe, F_LEG_ANSWER_EXTENSIONS, hello.extensions);
    }
    scts_add(leg, "tls", hello.scts);
    set_resumption(observe, &hello);
    set_sentinel(leg, hello.downgrade);
    set_true(leg, F_LEG_ANSWER_EMS, hello.extended_master_secret);
    set_true(leg, F_LEG_ANSWER_ETM, hello.encrypt_then_mac);
    set_true(leg, F_LEG_ANSWER_RENEGOTIATION, CBS_data(&hello.renegotiation_info) != NULL);
    set_size(leg, F_LEG_ANSWER_RECORD_LIMIT, hello.record_size_limit);
    set_size(leg, F_LEG_ANSWER_FRAGMENT, hello.max_fragment_length);
    fingerprint(leg, &hello);
}

static void on_encrypted_extensions(struct observe *observe, struct note_sink *notes,
                                    const uint8_t *p, size_t p_len, int64_t now_us) {
    struct encrypted_extensions extensions;
    (void)now_us;
    (void)encrypted_extensions_parse(&extensions, notes, p, p_len);
    if (CBS_data(&extensions.extensions) != NULL) {
        observe_extensions(observe, F_LEG_ANSWER_ENCRYPTED, extensions.extensions);
    }
    set_alpn(observe->leg, extensions.alpn);
    set_true(observe->leg, F_LEG_ANSWER_EARLY_DATA, extensions.early_data);
    observe_codes(observe, F_LEG_ANSWER_GROUPS, &extensions.groups);
    set_size(observe->leg, F_LEG_ANSWER_RECORD_LIMIT, extensions.record_size_limit);
    set_size(observe->leg, F_LEG_ANSWER_FRAGMENT, extensions.max_fragment_length);
}

static void on_certificate(struct observe *observe, struct note_sink *notes, const uint8_t *p,
                           size_t p_len, int64_t now_us) {
    struct certificate_message message;
    struct certificate_entry entry;
    (void)certificate_parse(&message, notes, observe->version >= TLS13, p, p_len);
    observe_time(observe, F_LEG_MS_CERTIFICATE, now_us);
    observe_step(observe, STEP_CERTIFICATE, now_us);
    obj_set_int(observe->leg, F_LEG_TLS_RESUMED, false);
    if (obj_has(observe->leg, F_LEG_CHAIN)) {
        return;
    }
    chain_begin(observe, false);
    CBS entries = message.entries, staple, scts;
    CBS_init(&staple, NULL, 0);
    CBS_init(&scts, NULL, 0);
    for (size_t i = 0;
         CBS_data(&message.entries) != NULL && certificate_next(&message, &entries, &entry); i++) {
        chain_add(observe, false, entry.der);
        staple = i == 0 ? entry.staple : staple;
        scts = i == 0 ? entry.scts : scts;
        set_true(observe->leg, F_LEG_ANSWER_DELEGATED,
                 CBS_data(&entry.delegated_credential) != NULL);
    }
    chain_link(observe);
    scts_add(observe->leg, "tls", scts);
    if (CBS_data(&staple) != NULL) {
        staple_take(observe, staple);
    }
}

uint8_t *certificate_uncompress(size_t *out_len, struct note_sink *notes,
                                const struct compressed_certificate *message) {
    enum { HEADER_LEN = 4 };
    size_t len = message->uncompressed_len;
    if (len > RECORD_CERTIFICATE_MAX - HEADER_LEN) {
        note_sink_add(notes, NOTE_CERT_COMPRESSION_TOO_LARGE, 0);
        return NULL;
    }
    uint8_t *p = xmalloc(HEADER_LEN + len);
    p[0] = HANDSHAKE_CERTIFICATE;
    p[1] = (uint8_t)(len >> 16);
    p[2] = (uint8_t)(len >> 8);
    p[3] = (uint8_t)len;
    if (certificate_inflate(p + HEADER_LEN, len, message->algorithm, CBS_data(&message->compressed),
                            CBS_len(&message->compressed))) {
        *out_len = HEADER_LEN + len;
        return p;
    }
    if (message->algorithm == CERTIFICATE_ZLIB || message->algorithm == CERTIFICATE_BROTLI) {
        note_sink_add(notes, NOTE_CERT_COMPRESSION_MALFORMED, 0);
    }
    free(p);
    return NULL;
}

static void on_compressed_certificate(struct observe *observe, struct note_sink *notes,
                                      const uint8_t *p, size_t p_len, int64_t now_us) {
    struct compressed_certificate message;
    size_t len;
    observe_time(observe, F_LEG_MS_CERTIFICATE, now_us);
    observe_step(observe, STEP_CERTIFICATE, now_us);
    if (compressed_certificate_parse(&message, notes, p, p_len)) {
        obj_set_int(observe->leg, F_LEG_ANSWER_CERT_COMPRESSION, message.algorithm);
        uint8_t *plain = certificate_uncompress(&len, notes, &message);
        if (plain != NULL) {
            on_certificate(observe, notes, plain, len, now_us);
        }
        free(plain);
    }
}

static void on_certificate_status(struct observe *observe, struct note_sink *notes,
                                  const uint8_t *p, size_t p_len, int64_t now_us) {
    struct certificate_status status;
    (void)now_us;
    if (certificate_status_parse(&status, notes, p, p_len)) {
        staple_take(observe, status.staple);
    }
}

static void add_authorities(struct obj *leg, CBS authorities) {
    CBS element, name;
    while (obj_num(leg, F_LEG_ANSWER_CERT_REQUEST_NAMES) < AUTHORITIES_MAX &&
           dn_next(&authorities, &element)) {
        const char *text;
        if (CBS_get_asn1(&element, &name, CBS_ASN1_SEQUENCE) &&
            cert_text_name(name, obj_arena(leg), &text)) {
            obj_add_str(leg, F_LEG_ANSWER_CERT_REQUEST_NAMES, text, strlen(text));
        }
    }
}

static void on_certificate_request(struct observe *observe, struct note_sink *notes,
                                   const uint8_t *p, size_t p_len, int64_t now_us) {
    struct certificate_request request;
    (void)now_us;
    (void)certificate_request_parse(&request, notes, observe->version, p, p_len);
    obj_set_int(observe->leg, F_LEG_ANSWER_CERT_REQUEST, true);
    obj_set_int(observe->leg, F_LEG_ANSWER_CERT_REQUEST_CAS, request.num_authorities);
    observe_codes(observe, F_LEG_ANSWER_CERT_REQUEST_SIGALGS, &request.sigalgs);
    observe_codes(observe, F_LEG_ANSWER_CERT_REQUEST_TYPES, &request.types);
    add_authorities(observe->leg, request.authorities);
}

static void on_server_key_exchange(struct observe *observe, struct note_sink *notes,
                                   const uint8_t *p, size_t p_len, int64_t now_us) {
    struct server_key_exchange exchange;
    (void)now_us;
    (void)server_key_exchange_parse(&exchange, notes, observe->version, observe->cipher, p, p_len);
    if (exchange.group != 0) {
        obj_set_int(observe->leg, F_LEG_TLS_CURVE, exchange.group);
    }
    if (exchange.prime_bits != 0) {
        obj_set_int(observe->leg, F_LEG_ANSWER_DH_BITS, exchange.prime_bits);
    }
    if (exchange.has_scheme) {
        obj_set_int(observe->leg, F_LEG_ANSWER_SIGNATURE, exchange.scheme);
    }
}

static void on_certificate_verify(struct observe *observe, struct note_sink *notes,
                                  const uint8_t *p, size_t p_len, int64_t now_us) {
    struct certificate_verify verify;
    (void)now_us;
    if (certificate_verify_parse(&verify, notes, observe->version, p, p_len) && verify.has_scheme) {
        obj_set_int(observe->leg, F_LEG_ANSWER_SIGNATURE, verify.scheme);
    }
}

static void on_ticket(struct observe *observe, struct note_sink *notes, const uint8_t *p,
                      size_t p_len, int64_t now_us) {
    struct session_ticket ticket;
    (void)now_us;
    (void)session_ticket_parse(&ticket, notes, observe->version >= TLS13, p, p_len);
    if (observe->num_tickets == 0) {
        set_size(observe->leg, F_LEG_ANSWER_TICKET_LIFETIME, ticket.lifetime);
        set_size(observe->leg, F_LEG_ANSWER_TICKET_EARLY, ticket.early_data_max);
    }
    obj_set_int(observe->leg, F_LEG_ANSWER_TICKETS, ++observe->num_tickets);
}

static void on_hello_request(struct observe *observe, struct note_sink *notes, const uint8_t *p,
                             size_t p_len, int64_t now_us) {
    (void)now_us;
    (void)empty_message_parse(notes, HANDSHAKE_HELLO_REQUEST, p, p_len);
    obj_set_int(observe->leg, F_LEG_ANSWER_HELLO_REQUEST, true);
}

// ends_staples returns whether a stapled response can no longer come once the server has said this.
static bool ends_staples(uint8_t type) {
    return type == HANDSHAKE_SERVER_KEY_EXCHANGE || type == HANDSHAKE_SERVER_HELLO_DONE ||
           type == HANDSHAKE_CERTIFICATE_VERIFY;
}

void answer_message(struct observe *observe, const uint8_t *p, size_t p_len, int64_t now_us) {
    static const struct {
        uint8_t type;
        void (*take)(struct observe *observe, struct note_sink *notes, const uint8_t *p,
                     size_t p_len, int64_t now_us);
    } rows[] = {
        {HANDSHAKE_SERVER_HELLO, on_server_hello},
        {HANDSHAKE_ENCRYPTED_EXTENSIONS, on_encrypted_extensions},
        {HANDSHAKE_CERTIFICATE, on_certificate},
        {HANDSHAKE_COMPRESSED_CERTIFICATE, on_compressed_certificate},
        {HANDSHAKE_CERTIFICATE_STATUS, on_certificate_status},
        {HANDSHAKE_CERTIFICATE_REQUEST, on_certificate_request},
        {HANDSHAKE_SERVER_KEY_EXCHANGE, on_server_key_exchange},
        {HANDSHAKE_CERTIFICATE_VERIFY, on_certificate_verify},
        {HANDSHAKE_NEW_SESSION_TICKET, on_ticket},
        {HANDSHAKE_HELLO_REQUEST, on_hello_request},
    };
    if (ends_staples(p[0])) {
        staple_miss(observe);
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].type == p[0]) {
            struct note_sink notes = {0};
            rows[i].take(observe, &notes, p, p_len, now_us);
            observe_notes(observe, &notes);
            return;
        }
    }
}
