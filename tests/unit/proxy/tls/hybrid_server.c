#include "tests/unit/proxy/tls/hybrid_server.h"

#include <string.h>

#include "proxy/tls/client_hello.h"
#include "proxy/tls/extension.h"
#include "proxy/tls/handshake.h"
#include "proxy/tls/hello_keys.h"
#include "proxy/tls/mlkem.h"
#include "proxy/tls/signature_check.h"

enum { CIPHER = 0x1301, X25519_LEN = 32, ECDSA_P256 = 0x0403 };

static bool share_find(CBS *out, const struct client_hello *hello) {
    CBS shares = hello->key_shares;
    struct key_share share;
    while (key_share_next(&shares, &share)) {
        if (share.group == HELLO_GROUP_X25519MLKEM768 &&
            CBS_len(&share.key) == MLKEM_PUBLIC_LEN + X25519_LEN) {
            *out = share.key;
            return true;
        }
    }
    return false;
}

// Both halves: that of ML-KEM comes first, in the share and in the secret.
static void agree(uint8_t share[MLKEM_CIPHERTEXT_LEN + X25519_LEN], uint8_t secret[64],
                  const CBS *theirs) {
    uint8_t m[32] = {3}, private_key[X25519_LEN] = {5};
    const uint8_t *p = CBS_data(theirs);
    mlkem_encapsulate(share, secret, p, m);
    X25519_public_from_private(share + MLKEM_CIPHERTEXT_LEN, private_key);
    CHECK(X25519(secret + MLKEM_SECRET_LEN, private_key, p + MLKEM_PUBLIC_LEN));
}

static void put_record(struct hybrid_server *server, struct buf *out, bool sealed, const uint8_t *p,
                       size_t p_len) {
    uint8_t record[5 + RECORD_SEALED_MAX] = {CONTENT_HANDSHAKE, 3, 3, (uint8_t)(p_len >> 8),
                                             (uint8_t)p_len};
    size_t len = 5 + p_len;
    if (sealed) {
        len = record_protect_seal(&server->write, record, CONTENT_HANDSHAKE, p, p_len, 0);
    } else {
        memcpy(record + 5, p, p_len);
    }
    CHECK(buf_append(out, record, len));
}

// Puts a message of `type` out whose body is in `cbb`, and frees that.
static void put_message(struct hybrid_server *server, struct buf *out, bool sealed, uint8_t type,
                        CBB *cbb) {
    uint8_t *body, message[8192] = {type};
    size_t len;
    CHECK(CBB_finish(cbb, &body, &len) && len + 4 <= sizeof(message));
    message[2] = (uint8_t)(len >> 8);
    message[3] = (uint8_t)len;
    if (len != 0) {
        memcpy(message + 4, body, len);
    }
    OPENSSL_free(body);
    transcript_add(&server->transcript, message, len + 4);
    put_record(server, out, sealed, message, len + 4);
}

static void put_hello(struct hybrid_server *server, struct buf *out,
                      const struct client_hello *hello, const uint8_t *share, size_t share_len) {
    static const uint8_t random[32] = {7};
    CBB cbb, child, extension, list;
    CHECK(CBB_init(&cbb, 256) && CBB_add_u16(&cbb, 0x0303) && CBB_add_bytes(&cbb, random, 32) &&
          CBB_add_u8_length_prefixed(&cbb, &child) &&
          CBB_add_bytes(&child, CBS_data(&hello->session_id), CBS_len(&hello->session_id)) &&
          CBB_add_u16(&cbb, CIPHER) && CBB_add_u8(&cbb, 0) &&
          CBB_add_u16_length_prefixed(&cbb, &extension) &&
          CBB_add_u16(&extension, EXT_SUPPORTED_VERSIONS) && CBB_add_u16(&extension, 2) &&
          CBB_add_u16(&extension, 0x0304) && CBB_add_u16(&extension, EXT_KEY_SHARE) &&
          CBB_add_u16_length_prefixed(&extension, &child) &&
          CBB_add_u16(&child, HELLO_GROUP_X25519MLKEM768) &&
          CBB_add_u16_length_prefixed(&child, &list) && CBB_add_bytes(&list, share, share_len));
    put_message(server, out, false, HANDSHAKE_SERVER_HELLO, &cbb);
}

static void keys_make(struct hybrid_server *server, uint8_t *out_server_secret,
                      const uint8_t secret[64]) {
    struct key_schedule schedule;
    uint8_t hash[EVP_MAX_MD_SIZE];
    transcript_hash(hash, &server->transcript);
    key_schedule_init(&schedule, server->cipher.digest, NULL, 0);
    key_schedule_next(&schedule, secret, 64);
    key_schedule_secret(server->client_secret, &schedule, KEY_CLIENT_HANDSHAKE_TRAFFIC, hash);
    key_schedule_secret(out_server_secret, &schedule, KEY_SERVER_HANDSHAKE_TRAFFIC, hash);
    record_protect_init13(&server->write, &server->cipher, out_server_secret);
}

static void put_certificate(struct hybrid_server *server, struct buf *out, const CBS *der) {
    CBB cbb, list, entry;
    CHECK(CBB_init(&cbb, 1024) && CBB_add_u8(&cbb, 0) && CBB_add_u24_length_prefixed(&cbb, &list) &&
          CBB_add_u24_length_prefixed(&list, &entry) &&
          CBB_add_bytes(&entry, CBS_data(der), CBS_len(der)) && CBB_add_u16(&list, 0));
    put_message(server, out, true, HANDSHAKE_CERTIFICATE, &cbb);
}

static void put_verify(struct hybrid_server *server, struct buf *out, EVP_PKEY *key) {
    uint8_t hash[EVP_MAX_MD_SIZE], content[SIGNATURE_CONTENT_MAX], signature[256];
    size_t len = signature_content13(content, hash, transcript_hash(hash, &server->transcript));
    size_t signature_len = sizeof(signature);
    EVP_MD_CTX ctx;
    CBB cbb, child;
    EVP_MD_CTX_init(&ctx);
    CHECK(EVP_DigestSignInit(&ctx, NULL, EVP_sha256(), NULL, key) &&
          EVP_DigestSign(&ctx, signature, &signature_len, content, len));
    EVP_MD_CTX_cleanup(&ctx);
    CHECK(CBB_init(&cbb, 128) && CBB_add_u16(&cbb, ECDSA_P256) &&
          CBB_add_u16_length_prefixed(&cbb, &child) &&
          CBB_add_bytes(&child, signature, signature_len));
    put_message(server, out, true, HANDSHAKE_CERTIFICATE_VERIFY, &cbb);
}

static void put_finished(struct hybrid_server *server, struct buf *out, const uint8_t *secret) {
    uint8_t hash[EVP_MAX_MD_SIZE], data[EVP_MAX_MD_SIZE];
    size_t len = transcript_hash(hash, &server->transcript);
    CBB cbb;
    key_schedule_finished(data, server->cipher.digest, secret, hash);
    CHECK(CBB_init(&cbb, 64) && CBB_add_bytes(&cbb, data, len));
    put_message(server, out, true, HANDSHAKE_FINISHED, &cbb);
}

bool hybrid_server_flight(struct hybrid_server *server, struct buf *out, const uint8_t *hello,
                          size_t hello_len, const CBS *der, EVP_PKEY *key) {
    struct client_hello parsed;
    uint8_t share[MLKEM_CIPHERTEXT_LEN + X25519_LEN], secret[64];
    uint8_t server_secret[KEY_SCHEDULE_HASH_MAX];
    CBS theirs;
    CBB cbb;
    if (!client_hello_parse(&parsed, NULL, hello, hello_len) || !share_find(&theirs, &parsed)) {
        return false;
    }
    *server = (struct hybrid_server){0};
    CHECK(cipher_keys_find(&server->cipher, CIPHER));
    transcript_init(&server->transcript, server->cipher.digest);
    transcript_add(&server->transcript, hello, hello_len);
    agree(share, secret, &theirs);
    put_hello(server, out, &parsed, share, sizeof(share));
    keys_make(server, server_secret, secret);
    CHECK(CBB_init(&cbb, 2) && CBB_add_u16(&cbb, 0));
    put_message(server, out, true, HANDSHAKE_ENCRYPTED_EXTENSIONS, &cbb);
    put_certificate(server, out, der);
    put_verify(server, out, key);
    put_finished(server, out, server_secret);
    return true;
}

bool hybrid_server_finished(struct hybrid_server *server, uint8_t *record, size_t record_len) {
    struct record_protect read = {0};
    uint8_t type, hash[EVP_MAX_MD_SIZE], data[EVP_MAX_MD_SIZE];
    const uint8_t *message;
    size_t message_len, len = transcript_hash(hash, &server->transcript);
    key_schedule_finished(data, server->cipher.digest, server->client_secret, hash);
    record_protect_init13(&read, &server->cipher, server->client_secret);
    bool ok = record_len > 5 &&
              record_protect_open(&read, &type, &message, &message_len, record, record + 5,
                                  record_len - 5) &&
              type == CONTENT_HANDSHAKE && message_len == 4 + len &&
              message[0] == HANDSHAKE_FINISHED && memcmp(message + 4, data, len) == 0;
    record_protect_cleanup(&read);
    return ok;
}

void hybrid_server_cleanup(struct hybrid_server *server) {
    transcript_cleanup(&server->transcript);
    record_protect_cleanup(&server->write);
}
