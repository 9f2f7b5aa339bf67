#include <stdlib.h>
#include <string.h>

#include "proxy/tls/certificate.h"
#include "proxy/tls/certificate_inflate.h"
#include "proxy/tls/certificate_request.h"
#include "proxy/tls/client_flight_state.h"
#include "proxy/tls/client_hello.h"
#include "proxy/tls/encrypted_extensions.h"
#include "proxy/tls/handshake.h"
#include "proxy/tls/hello_edit.h"
#include "proxy/tls/key_exchange.h"
#include "proxy/tls/signature_check.h"

enum {
    TLS12 = 0x0303,
    TLS13 = 0x0304,
    RANDOM_LEN = 32,
    ALERT_DECRYPT_ERROR = 51,
    ALERT_NO_RENEGOTIATION = 100,
};

static void malformed(struct client_flight *flight, const char *says) {
    flight_end(flight, CLIENT_FLIGHT_MALFORMED, says);
}

static void no_key(struct client_flight *flight, const char *says) {
    flight_end(flight, CLIENT_FLIGHT_NO_KEY, says);
}

static void decrypt_error(struct client_flight *flight, const char *says) {
    malformed(flight, says);
    flight->facts.refusal = ALERT_DECRYPT_ERROR;
}

// Whether the hello that was sent last has a share of `group`.
static bool has_share(const struct client_flight *flight, uint16_t group) {
    const struct hello_extension *extension = hello_edit_find(&flight->hello, EXT_KEY_SHARE);
    struct key_share share;
    CBS body, shares;
    if (extension == NULL) {
        return false;
    }
    CBS_init(&body, extension->body.p, extension->body.len);
    for (bool ok = CBS_get_u16_length_prefixed(&body, &shares);
         ok && key_share_next(&shares, &share);) {
        if (share.group == group) {
            return true;
        }
    }
    return false;
}

static void transcript_begin(struct client_flight *flight) {
    transcript_init(&flight->transcript, flight->cipher.digest);
    transcript_add(&flight->transcript, buf_data(&flight->message), flight->message.len);
    flight->has_transcript = true;
}

// The second hello is the first with what RFC 8446, section 4.1.2, has changed: the share that is
// asked for, the cookie, no early data. Binders of PSKs that nobody has stay what they are.
static void second_hello(struct client_flight *flight, const struct server_hello *retry) {
    struct hello_draft *hello = &flight->hello;
    struct err err;
    if (retry->has_key_share) {
        hello_keys_offer(flight->keys, hello, &retry->group, 1);
    }
    if (retry->cookie.data != NULL) {
        CBB cbb, child;
        uint8_t *body;
        size_t body_len;
        CHECK(CBB_init(&cbb, 64) && CBB_add_u16_length_prefixed(&cbb, &child) &&
              CBB_add_bytes(&child, CBS_data(&retry->cookie), CBS_len(&retry->cookie)) &&
              CBB_finish(&cbb, &body, &body_len));
        hello_edit_set(hello, EXT_COOKIE, body, body_len);
        OPENSSL_free(body);
    }
    hello_edit_remove(hello, EXT_EARLY_DATA);
    hello_edit_no_cuts(hello);
    hello->record_version = TLS12;
    buf_cleanup(&flight->message);
    if (!hello_draft_message(hello, &flight->message, &err)) {
        malformed(flight, "the cookie is longer than a hello can be");
        return;
    }
    flight_put_ccs(flight);
    CHECK(hello_draft_wire(hello, &flight->output, NULL, NULL));
    flight_tell(flight, true, buf_data(&flight->message), flight->message.len);
    transcript_add(&flight->transcript, buf_data(&flight->message), flight->message.len);
}

static void take_retry(struct client_flight *flight, const struct server_hello *retry,
                       const uint8_t *p, size_t p_len) {
    struct client_flight_facts *facts = &flight->facts;
    if (facts->retry) {
        malformed(flight, "a second HelloRetryRequest came");
        return;
    }
    facts->retry = true;
    facts->retry_group = retry->has_key_share ? retry->group : 0;
    facts->retry_cookie = retry->cookie.data != NULL;
    if (!retry->has_key_share && !facts->retry_cookie) {
        malformed(flight, "the HelloRetryRequest asks for no change");
    } else if (flight->keys == NULL) {
        no_key(flight, "a HelloRetryRequest came, and the hello is not ours");
    } else if (retry->has_key_share && has_share(flight, retry->group)) {
        malformed(flight, "the HelloRetryRequest asks for a share that was sent");
    } else if (retry->has_key_share && !hello_keys_can(retry->group)) {
        no_key(flight, "the HelloRetryRequest asks for a group whose keys cannot be made");
    } else if (!cipher_keys_find(&flight->cipher, retry->cipher)) {
        no_key(flight, "the server chose a cipher suite that cannot be opened");
    } else {
        transcript_begin(flight);
        transcript_retry(&flight->transcript);
        transcript_add(&flight->transcript, p, p_len);
        second_hello(flight, retry);
    }
}

static void handshake_keys(struct client_flight *flight, const uint8_t *secret, size_t secret_len) {
    uint8_t hash[EVP_MAX_MD_SIZE];
    transcript_hash(hash, &flight->transcript);
    key_schedule_init(&flight->schedule, flight->cipher.digest, NULL, 0);
    key_schedule_next(&flight->schedule, secret, secret_len);
    key_schedule_secret(flight->client_secret, &flight->schedule, KEY_CLIENT_HANDSHAKE_TRAFFIC,
                        hash);
    key_schedule_secret(flight->server_secret, &flight->schedule, KEY_SERVER_HANDSHAKE_TRAFFIC,
                        hash);
    size_t len = EVP_MD_size(flight->cipher.digest);
    flight_log(flight, "CLIENT_HANDSHAKE_TRAFFIC_SECRET", flight->client_secret, len);
    flight_log(flight, "SERVER_HANDSHAKE_TRAFFIC_SECRET", flight->server_secret, len);
    record_protect_init13(&flight->read, &flight->cipher, flight->server_secret);
    record_protect_init13(&flight->write, &flight->cipher, flight->client_secret);
    record_reader_open(&flight->reader, &flight->read, false);
    flight->write_keys = true;
}

static void take_hello13(struct client_flight *flight, const struct server_hello *hello,
                         const uint8_t *p, size_t p_len) {
    uint8_t secret[HELLO_SECRET_MAX];
    struct cipher_keys cipher;
    flight->facts.group = hello->has_key_share ? hello->group : 0;
    if (hello->has_psk) {
        no_key(flight, "the server chose a PSK");
        return;
    }
    if (!hello->has_key_share) {
        malformed(flight, "the ServerHello has neither a key share nor a PSK");
        return;
    }
    if (!cipher_keys_find(&cipher, hello->cipher)) {
        no_key(flight, "the server chose a cipher suite that cannot be opened");
        return;
    }
    if (flight->keys == NULL || !hello_keys_can(hello->group)) {
        no_key(flight, "the server chose a key share whose key we lack");
        return;
    }
    if (!has_share(flight, hello->group)) {
        malformed(flight, "the server chose a group without a key share");
        return;
    }
    size_t len = hello_keys_agree(flight->keys, secret, hello->group, CBS_data(&hello->key_share),
                                  CBS_len(&hello->key_share));
    if (len == 0) {
        malformed(flight, "the server's key share is not one");
        return;
    }
    if (flight->has_transcript && cipher.digest != flight->cipher.digest) {
        malformed(flight, "the server chose another cipher suite than it asked to retry with");
        return;
    }
    flight->cipher = cipher;
    if (!flight->has_transcript) {
        transcript_begin(flight);
    }
    transcript_add(&flight->transcript, p, p_len);
    handshake_keys(flight, secret, len);
    flight->expect = FLIGHT_EXTENSIONS;
}

static void take_hello12(struct client_flight *flight, const struct server_hello *hello,
                         const uint8_t *p, size_t p_len) {
    flight_alpn(flight, &hello->alpn);
    flight->cipher12 = cipher_keys_find12(&flight->cipher, hello->version, hello->cipher);
    if (flight->cipher12) {
        transcript_begin(flight);
        transcript_add(&flight->transcript, p, p_len);
    }
    flight->expect = FLIGHT_FLIGHT12;
}

static void take_hello(struct client_flight *flight, const uint8_t *p, size_t p_len) {
    struct server_hello hello;
    if (!server_hello_parse(&hello, NULL, p, p_len)) {
        malformed(flight, "the ServerHello cannot be read");
        return;
    }
    flight->facts.version = hello.version;
    flight->facts.cipher = hello.cipher;
    memcpy(flight->facts.server_random, CBS_data(&hello.random), RANDOM_LEN);
    if (!hello.retry) {
        flight_hello_check(flight, &hello);
    }
    if (hello.retry) {
        take_retry(flight, &hello, p, p_len);
    } else if (hello.version >= TLS13) {
        take_hello13(flight, &hello, p, p_len);
    } else if (flight->facts.retry) {
        malformed(flight, "after a HelloRetryRequest the server chose an older version");
    } else {
        take_hello12(flight, &hello, p, p_len);
    }
}

static void take_extensions(struct client_flight *flight, const uint8_t *p, size_t p_len) {
    struct encrypted_extensions extensions;
    if (encrypted_extensions_parse(&extensions, NULL, p, p_len)) {
        flight_extensions_check(flight, extensions.extensions);
        flight_alpn(flight, &extensions.alpn);
        flight_limit(flight, extensions.max_fragment_length, extensions.record_size_limit);
    } else {
        flight_object(flight, CLIENT_FLIGHT_MALFORMED, "the EncryptedExtensions cannot be read");
    }
    transcript_add(&flight->transcript, p, p_len);
    flight->expect = FLIGHT_CERTIFICATE;
}

static void chain_keep(struct client_flight *flight, const struct certificate_message *message) {
    struct certificate_entry entry;
    CBS entries = message->entries;
    flight->chain = sk_CRYPTO_BUFFER_new_null();
    CHECK(flight->chain != NULL);
    while (certificate_next(message, &entries, &entry)) {
        CRYPTO_BUFFER *buffer = CRYPTO_BUFFER_new_from_CBS(&entry.der, NULL);
        CHECK(buffer != NULL && sk_CRYPTO_BUFFER_push(flight->chain, buffer));
    }
}

// Of a second chain, which nobody sends, the first leaf stays.
static void leaf_keep(struct client_flight *flight, const uint8_t *p, size_t p_len) {
    struct certificate_message message;
    struct certificate_entry entry;
    bool tls13 = flight->facts.version >= TLS13;
    if (certificate_parse(&message, NULL, tls13, p, p_len) && !flight->facts.certificate) {
        CBS entries = message.entries;
        if (certificate_next(&message, &entries, &entry)) {
            bool delegated = entry.delegated_credential.data != NULL;
            flight->facts.certificate = true;
            flight->server_key =
                signature_key(&entry.der, delegated ? &entry.delegated_credential : NULL);
            chain_keep(flight, &message);
        }
    }
}

static void take_certificate(struct client_flight *flight, const uint8_t *p, size_t p_len) {
    leaf_keep(flight, p, p_len);
    if (!flight->facts.certificate) {
        malformed(flight, "the Certificate holds none");
        return;
    }
    if (flight->expect == FLIGHT_CERTIFICATE) {
        transcript_add(&flight->transcript, p, p_len);
        flight->expect = FLIGHT_VERIFY;
    }
}

// What cannot be inflated leaves the signature unchecked.
static void take_compressed(struct client_flight *flight, const uint8_t *p, size_t p_len) {
    struct compressed_certificate compressed;
    transcript_add(&flight->transcript, p, p_len);
    flight->expect = FLIGHT_VERIFY;
    if (!compressed_certificate_parse(&compressed, NULL, p, p_len) ||
        compressed.uncompressed_len > RECORD_CERTIFICATE_MAX) {
        malformed(flight, "the CompressedCertificate cannot be read");
        return;
    }
    size_t len = compressed.uncompressed_len;
    uint8_t *message = xmalloc(4 + len);
    const uint8_t header[] = {HANDSHAKE_CERTIFICATE, (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                              (uint8_t)len};
    memcpy(message, header, sizeof(header));
    if (certificate_inflate(message + 4, len, compressed.algorithm,
                            CBS_data(&compressed.compressed), CBS_len(&compressed.compressed))) {
        leaf_keep(flight, message, 4 + len);
    }
    free(message);
}

static void take_request(struct client_flight *flight, const uint8_t *p, size_t p_len) {
    struct certificate_request request;
    flight->facts.certificate_request = true;
    if (flight->expect != FLIGHT_CERTIFICATE) {
        return;
    }
    transcript_add(&flight->transcript, p, p_len);
    if (certificate_request_parse(&request, NULL, flight->facts.version, p, p_len)) {
        hello_bytes_set(&flight->request_context, CBS_data(&request.context),
                        CBS_len(&request.context));
    }
}

static enum client_flight_check check(struct client_flight *flight, uint16_t scheme,
                                      const CBS *signature, const uint8_t *p, size_t p_len) {
    flight->facts.scheme = scheme;
    switch (signature_check(flight->server_key, scheme, signature, p, p_len)) {
    case SIGNATURE_GOOD:
        return CLIENT_FLIGHT_GOOD;
    case SIGNATURE_BAD:
        return CLIENT_FLIGHT_BAD;
    case SIGNATURE_UNCHECKED:
        break;
    }
    return CLIENT_FLIGHT_UNCHECKED;
}

static void take_verify(struct client_flight *flight, const uint8_t *p, size_t p_len) {
    struct certificate_verify verify;
    uint8_t hash[EVP_MAX_MD_SIZE], content[SIGNATURE_CONTENT_MAX];
    if (!certificate_verify_parse(&verify, NULL, TLS13, p, p_len)) {
        malformed(flight, "the CertificateVerify cannot be read");
        return;
    }
    size_t hash_len = transcript_hash(hash, &flight->transcript);
    size_t len = signature_content13(content, hash, hash_len);
    flight->facts.signature = check(flight, verify.scheme, &verify.signature, content, len);
    transcript_add(&flight->transcript, p, p_len);
    flight->expect = FLIGHT_FINISHED;
}

static void take_finished(struct client_flight *flight, const uint8_t *p, size_t p_len) {
    uint8_t hash[EVP_MAX_MD_SIZE], expected[EVP_MAX_MD_SIZE];
    CBS verify_data;
    size_t len = transcript_hash(hash, &flight->transcript);
    key_schedule_finished(expected, flight->cipher.digest, flight->server_secret, hash);
    bool good =
        finished_parse(&verify_data, NULL, p, p_len) && CBS_mem_equal(&verify_data, expected, len);
    flight->facts.finished = good ? CLIENT_FLIGHT_GOOD : CLIENT_FLIGHT_BAD;
    if (!good) {
        decrypt_error(flight, "the server's Finished is not of this handshake");
        return;
    }
    transcript_add(&flight->transcript, p, p_len);
    transcript_hash(hash, &flight->transcript);
    key_schedule_next(&flight->schedule, NULL, 0);
    key_schedule_secret(flight->server_secret, &flight->schedule, KEY_SERVER_TRAFFIC, hash);
    flight_log(flight, "SERVER_TRAFFIC_SECRET_0", flight->server_secret, len);
    record_protect_init13(&flight->read, &flight->cipher, flight->server_secret);
    record_reader_open(&flight->reader, &flight->read, false);
    flight->expect = FLIGHT_TICKETS;
    flight_end(flight, CLIENT_FLIGHT_DONE, NULL);
}

// The server's keys change; ours need not until it asks (RFC 8446, section 4.6.3).
static void take_key_update(struct client_flight *flight, const uint8_t *p, size_t p_len) {
    bool asked;
    if (!key_update_parse(&asked, NULL, p, p_len)) {
        malformed(flight, "the KeyUpdate cannot be read");
        return;
    }
    flight->update_due = flight->update_due || asked;
    key_schedule_update(flight->server_secret, flight->cipher.digest);
    record_protect_init13(&flight->read, &flight->cipher, flight->server_secret);
    record_reader_open(&flight->reader, &flight->read, false);
}

static void take_nothing(struct client_flight *flight, const uint8_t *p, size_t p_len) {
    (void)flight;
    (void)p;
    (void)p_len;
}

// The challenge of SSLv2 format is put at the end of a random of zeros (RFC 5246, appendix E.2).
void flight_client_random(const struct client_flight *flight, uint8_t out[RANDOM_LEN]) {
    size_t len = flight->hello.random_len;
    memset(out, 0, RANDOM_LEN);
    memcpy(out + RANDOM_LEN - len, flight->hello.random, len);
}

static void take_key_exchange(struct client_flight *flight, const uint8_t *p, size_t p_len) {
    enum { HEADER_LEN = 4 };
    struct server_key_exchange exchange;
    uint16_t version = flight->facts.version;
    if (!server_key_exchange_parse(&exchange, NULL, version, flight->facts.cipher, p, p_len)) {
        malformed(flight, "the ServerKeyExchange cannot be read");
        return;
    }
    flight->facts.group = exchange.group;
    flight->key_exchange = true;
    hello_bytes_set(&flight->peer_public, CBS_data(&exchange.public_key),
                    CBS_len(&exchange.public_key));
    hello_bytes_set(&flight->prime, CBS_data(&exchange.prime), CBS_len(&exchange.prime));
    hello_bytes_set(&flight->generator, CBS_data(&exchange.generator),
                    CBS_len(&exchange.generator));
    if (exchange.signature.data == NULL) {
        return;
    }
    size_t behind = exchange.has_scheme ? 4 : 2; // scheme and length of the signature
    size_t len = (size_t)(CBS_data(&exchange.signature) - p) - behind - HEADER_LEN;
    uint8_t *content = xmalloc(2 * RANDOM_LEN + len);
    flight_client_random(flight, content);
    memcpy(content + RANDOM_LEN, flight->facts.server_random, RANDOM_LEN);
    memcpy(content + 2 * RANDOM_LEN, p + HEADER_LEN, len);
    flight->facts.signature = check(flight, exchange.has_scheme ? exchange.scheme : 0,
                                    &exchange.signature, content, 2 * RANDOM_LEN + len);
    free(content);
}

static void take_done(struct client_flight *flight, const uint8_t *p, size_t p_len) {
    (void)p;
    (void)p_len;
    flight->expect = FLIGHT_END12;
    flight_end(flight, CLIENT_FLIGHT_DONE, NULL);
}

static void take_renegotiation(struct client_flight *flight, const uint8_t *p, size_t p_len) {
    (void)p;
    (void)p_len;
    if (!flight->renegotiation_refused) {
        flight->renegotiation_refused = true;
        flight_put_alert(flight, ALERT_WARNING, ALERT_NO_RENEGOTIATION);
    }
}

// The place of a message in the server's flight up to TLS 1.2 (RFC 5246, section 7.3); 0: none.
static uint8_t rank_of(uint8_t type) {
    static const uint8_t order[] = {HANDSHAKE_SUPPLEMENTAL_DATA,   HANDSHAKE_CERTIFICATE,
                                    HANDSHAKE_CERTIFICATE_STATUS,  HANDSHAKE_SERVER_KEY_EXCHANGE,
                                    HANDSHAKE_CERTIFICATE_REQUEST, HANDSHAKE_SERVER_HELLO_DONE,
                                    HANDSHAKE_NEW_SESSION_TICKET};
    for (uint8_t i = 0; i < ARRAY_LEN(order); i++) {
        if (order[i] == type) {
            return i + 1;
        }
    }
    return 0;
}

// A HelloRequest is no part of the handshake (RFC 5246, section 7.4.1.1).
static void hash12(struct client_flight *flight, const uint8_t *p, size_t p_len) {
    if (p[0] == HANDSHAKE_HELLO_REQUEST) {
        return;
    }
    uint8_t rank = rank_of(p[0]);
    if (rank <= flight->rank) {
        flight_object(flight, CLIENT_FLIGHT_MALFORMED,
                      "a handshake message came twice or out of its order");
    }
    flight->rank = rank;
    if (flight->has_transcript) {
        transcript_add(&flight->transcript, p, p_len);
    }
}

// clang-format off
static const struct {
    enum flight_expect expect;
    uint8_t type;
    void (*take)(struct client_flight *flight, const uint8_t *p, size_t p_len);
} transitions[] = {
    {FLIGHT_HELLO,       HANDSHAKE_SERVER_HELLO,           take_hello},
    {FLIGHT_EXTENSIONS,  HANDSHAKE_ENCRYPTED_EXTENSIONS,   take_extensions},
    {FLIGHT_CERTIFICATE, HANDSHAKE_CERTIFICATE_REQUEST,    take_request},
    {FLIGHT_CERTIFICATE, HANDSHAKE_CERTIFICATE,            take_certificate},
    {FLIGHT_CERTIFICATE, HANDSHAKE_COMPRESSED_CERTIFICATE, take_compressed},
    {FLIGHT_VERIFY,      HANDSHAKE_CERTIFICATE_VERIFY,     take_verify},
    {FLIGHT_FINISHED,    HANDSHAKE_FINISHED,               take_finished},
    {FLIGHT_TICKETS,     HANDSHAKE_NEW_SESSION_TICKET,     take_nothing},
    {FLIGHT_TICKETS,     HANDSHAKE_KEY_UPDATE,             take_key_update},
    {FLIGHT_TICKETS,     HANDSHAKE_CERTIFICATE_REQUEST,    take_nothing}, // after the handshake
    {FLIGHT_FLIGHT12,    HANDSHAKE_HELLO_REQUEST,          take_nothing},
    {FLIGHT_FLIGHT12,    HANDSHAKE_SUPPLEMENTAL_DATA,      take_nothing},
    {FLIGHT_FLIGHT12,    HANDSHAKE_CERTIFICATE,            take_certificate},
    {FLIGHT_FLIGHT12,    HANDSHAKE_CERTIFICATE_STATUS,     take_nothing},
    {FLIGHT_FLIGHT12,    HANDSHAKE_SERVER_KEY_EXCHANGE,    take_key_exchange},
    {FLIGHT_FLIGHT12,    HANDSHAKE_CERTIFICATE_REQUEST,    take_request},
    {FLIGHT_FLIGHT12,    HANDSHAKE_NEW_SESSION_TICKET,     take_nothing}, // before a resumption
    {FLIGHT_FLIGHT12,    HANDSHAKE_SERVER_HELLO_DONE,      take_done},
    {FLIGHT_END12,       HANDSHAKE_HELLO_REQUEST,          take_nothing},
    {FLIGHT_CCS12,       HANDSHAKE_HELLO_REQUEST,          take_nothing},
    {FLIGHT_CCS12,       HANDSHAKE_NEW_SESSION_TICKET,     take_nothing},
    {FLIGHT_FINISHED12,  HANDSHAKE_FINISHED,               flight_finished12},
    {FLIGHT_OPEN12,      HANDSHAKE_HELLO_REQUEST,          take_renegotiation},
};
// clang-format on

void flight_take(struct client_flight *flight, const uint8_t *p, size_t p_len) {
    if (flight->expect == FLIGHT_FLIGHT12 || flight->expect == FLIGHT_CCS12) {
        hash12(flight, p, p_len);
    }
    for (size_t i = 0; i < ARRAY_LEN(transitions); i++) {
        if (transitions[i].expect == flight->expect && transitions[i].type == p[0]) {
            transitions[i].take(flight, p, p_len);
            return;
        }
    }
    malformed(flight, "a handshake message came out of its order");
}
