// Behind the server's flight: whether a client in earnest goes on, and how.
#include <string.h>

#include "logs/record/codepoint.h"
#include "proxy/tls/cipher.h"
#include "proxy/tls/client_flight_state.h"
#include "proxy/tls/client_hello.h"
#include "proxy/tls/extension.h"
#include "proxy/tls/handshake.h"
#include "proxy/tls/hello_edit.h"

enum {
    TLS13 = 0x0304,
    CIPHER_SCSV = 0x00ff,
    PREMASTER_LEN = 48,
    PUBLIC_MAX = 2048, // bytes of what a ClientKeyExchange holds: of 16,384 bits
    VERIFY_LEN = 12,
    DH_BITS_MAX = 4096, // beyond that a hostile prime costs too much time
    ALERT_DECRYPT_ERROR = 51,
};

void flight_object(struct client_flight *flight, enum client_flight_status status,
                   const char *says) {
    if (flight->objection == CLIENT_FLIGHT_MORE) {
        flight->objection = status;
        flight->objects = says;
    }
}

static void malformed(struct client_flight *flight, const char *says) {
    flight_object(flight, CLIENT_FLIGHT_MALFORMED, says);
}

static void unspoken(struct client_flight *flight, const char *says) {
    flight_object(flight, CLIENT_FLIGHT_NO_KEY, says);
}

void flight_limit(struct client_flight *flight, uint8_t max_fragment_length,
                  uint16_t record_size_limit) {
    if (max_fragment_length >= 1 && max_fragment_length <= 4) {
        flight->plain_max = (size_t)256 << max_fragment_length;
    }
    if (record_size_limit >= 64 && record_size_limit < flight->plain_max) {
        flight->plain_max = record_size_limit - (flight->facts.version >= TLS13 ? 1 : 0);
    }
}

static bool codes_have(const uint8_t *p, size_t p_len, uint16_t code) {
    for (size_t i = 0; i + 2 <= p_len; i += 2) {
        if (p[i] == code >> 8 && p[i + 1] == (code & 0xff)) {
            return true;
        }
    }
    return false;
}

// Whether the list in an extension of the hello, behind a length of `prefix` bytes, has `code`;
// `absent` is for a hello without the extension.
static bool offered(const struct client_flight *flight, uint16_t type, size_t prefix, uint16_t code,
                    bool absent) {
    const struct hello_extension *extension = hello_edit_find(&flight->hello, type);
    if (extension == NULL) {
        return absent;
    }
    return extension->body.len >= prefix &&
           codes_have(extension->body.p + prefix, extension->body.len - prefix, code);
}

static bool cipher_offered(const struct client_flight *flight, uint16_t cipher) {
    return codes_have(flight->hello.ciphers.p, flight->hello.ciphers.len, cipher);
}

void flight_extensions_check(struct client_flight *flight, CBS block) {
    struct extension extension;
    while (extension_next(&block, &extension)) {
        bool scsv = extension.type == EXT_RENEGOTIATION_INFO && cipher_offered(flight, CIPHER_SCSV);
        if (!scsv && hello_edit_find(&flight->hello, extension.type) == NULL) {
            malformed(flight, "the server answers an extension that was not offered");
        }
    }
}

void flight_alpn(struct client_flight *flight, const CBS *name) {
    const struct hello_extension *extension = hello_edit_find(&flight->hello, EXT_ALPN);
    CBS body, names, one;
    size_t len = CBS_len(name);
    if (len == 0 || extension == NULL) {
        return; // one that was not asked for is objected to as an extension
    }
    CBS_init(&body, extension->body.p, extension->body.len);
    bool found = false;
    if (CBS_get_u16_length_prefixed(&body, &names)) {
        while (!found && name_next(&names, &one)) {
            found = CBS_mem_equal(&one, CBS_data(name), len);
        }
    }
    if (!found || len >= sizeof(flight->facts.alpn)) {
        malformed(flight, "the server chose a protocol that was not offered");
        return;
    }
    memcpy(flight->facts.alpn, CBS_data(name), len);
    flight->facts.alpn[len] = '\0';
}

void flight_hello_check(struct client_flight *flight, const struct server_hello *hello) {
    bool version = offered(flight, EXT_SUPPORTED_VERSIONS, 1, hello->version,
                           hello->version <= flight->hello.legacy_version);
    if (!version) {
        malformed(flight, "the server chose a version that was not offered");
    }
    if (!cipher_offered(flight, hello->cipher)) {
        malformed(flight, "the server chose a cipher suite that was not offered");
    }
    flight_extensions_check(flight, hello->extensions);
    if (hello->version >= TLS13 && !CBS_mem_equal(&hello->session_id, flight->hello.session_id.p,
                                                  flight->hello.session_id.len)) {
        malformed(flight, "the server does not echo the session id");
    }
    if (hello->compression != 0) {
        unspoken(flight, "the server chose compression, which is not spoken here");
    }
    if (hello->npn.data != NULL) {
        unspoken(flight, "the server chose next_protocol_negotiation, which is not spoken here");
    }
    if (hello->channel_id) {
        unspoken(flight, "the server chose channel_id, which is not spoken here");
    }
    struct cipher_keys keys;
    if (hello->encrypt_then_mac && cipher_keys_find12(&keys, hello->version, hello->cipher) &&
        keys.mac_len != 0) {
        unspoken(flight, "the server chose encrypt_then_mac, which is not spoken here");
    }
    flight->extended_master = hello->extended_master_secret;
    flight_limit(flight, hello->max_fragment_length, hello->record_size_limit);
}

static bool exchanges_rsa(uint16_t cipher) {
    static const char prefix[] = "TLS_RSA_WITH_";
    const struct codepoint *row = codepoint_find(REGISTRY_CIPHER, cipher);
    return row != NULL && strncmp(row->name, prefix, sizeof(prefix) - 1) == 0;
}

static bool is_rsa(const EVP_PKEY *key) { return key != NULL && EVP_PKEY_id(key) == EVP_PKEY_RSA; }

static void exchange_check(struct client_flight *flight) {
    struct cipher_exchange exchange = cipher_exchange(flight->facts.cipher);
    bool ecdhe = exchange.kind == KEY_EXCHANGE_ECDHE, dhe = exchange.kind == KEY_EXCHANGE_DHE;
    uint16_t group = flight->facts.group;
    if (!flight->cipher12 || exchange.psk || exchange.anon ||
        (!ecdhe && !dhe && !exchanges_rsa(flight->facts.cipher))) {
        unspoken(flight, "the server chose a cipher suite that is not spoken here");
    } else if ((ecdhe || dhe) != flight->key_exchange) {
        malformed(flight, flight->key_exchange ? "a ServerKeyExchange came where none belongs"
                                               : "no ServerKeyExchange came");
    } else if (!ecdhe && !dhe && !is_rsa(flight->server_key)) {
        malformed(flight, "the server's certificate has no key for its cipher suite");
    } else if (ecdhe && !offered(flight, EXT_SUPPORTED_GROUPS, 2, group, true)) {
        malformed(flight, "the server chose a group that was not offered");
    } else if (ecdhe && (!hello_keys_can(group) || group == HELLO_GROUP_X25519MLKEM768)) {
        unspoken(flight, "the server chose a group whose keys cannot be made");
    }
}

static void signature_check_whole(struct client_flight *flight) {
    const struct client_flight_facts *facts = &flight->facts;
    bool needed = facts->version >= TLS13 || flight->key_exchange;
    if (facts->signature == CLIENT_FLIGHT_BAD) {
        malformed(flight, "the server's signature is not by the key of its certificate");
    } else if (facts->scheme != 0 &&
               !offered(flight, EXT_SIGNATURE_ALGORITHMS, 2, facts->scheme, true)) {
        malformed(flight, "the server signs with an algorithm that was not offered");
    } else if (needed && facts->signature == CLIENT_FLIGHT_UNCHECKED) {
        unspoken(flight, "the server signs with what cannot be checked here");
    } else if (needed && facts->signature == CLIENT_FLIGHT_ABSENT) {
        malformed(flight, "the server signs nothing");
    }
}

static size_t ecdhe_make(struct client_flight *flight, uint8_t *secret, uint8_t *out) {
    uint8_t share[HELLO_SHARE_MAX];
    const struct hello_bytes *peer = &flight->peer_public;
    size_t len = hello_keys_share(flight->keys, flight->facts.group, share);
    CHECK(len != 0 && len <= UINT8_MAX);
    out[0] = (uint8_t)len;
    memcpy(out + 1, share, len);
    return hello_keys_agree(flight->keys, secret, flight->facts.group, peer->p, peer->len);
}

static void put_length(uint8_t *out, size_t len) {
    out[0] = (uint8_t)(len >> 8);
    out[1] = (uint8_t)len;
}

// The shared secret goes without the zeros in front (RFC 5246, section 8.1.2).
static size_t dhe_make(struct client_flight *flight, uint8_t *secret, uint8_t *out) {
    const struct hello_bytes *peer = &flight->peer_public;
    DH *dh = DH_new();
    BIGNUM *prime = BN_bin2bn(flight->prime.p, flight->prime.len, NULL);
    BIGNUM *generator = BN_bin2bn(flight->generator.p, flight->generator.len, NULL);
    BIGNUM *theirs = BN_bin2bn(peer->p, peer->len, NULL);
    CHECK(dh != NULL && prime != NULL && generator != NULL && theirs != NULL);
    CHECK(DH_set0_pqg(dh, prime, NULL, generator));
    int len = -1;
    if (BN_num_bits(prime) >= 512 && BN_num_bits(prime) <= DH_BITS_MAX && BN_is_odd(prime) &&
        DH_generate_key(dh)) {
        const BIGNUM *ours = DH_get0_pub_key(dh);
        put_length(out, BN_num_bytes(ours));
        BN_bn2bin(ours, out + 2);
        len = DH_compute_key(secret, theirs, dh);
    }
    BN_free(theirs);
    DH_free(dh);
    ERR_clear_error();
    return len > 0 ? (size_t)len : 0;
}

// The version is that of the hello (RFC 5246, section 7.4.7.1).
static size_t rsa_make(struct client_flight *flight, uint8_t *secret, uint8_t *out) {
    size_t len;
    put_length(secret, flight->hello.legacy_version);
    hello_keys_random(flight->keys, secret + 2, PREMASTER_LEN - 2);
    bool ok = RSA_encrypt(EVP_PKEY_get0_RSA(flight->server_key), &len, out + 2, PUBLIC_MAX, secret,
                          PREMASTER_LEN, RSA_PKCS1_PADDING);
    ERR_clear_error();
    put_length(out, ok ? len : 0);
    return ok ? PREMASTER_LEN : 0;
}

// key_exchange_make writes what the server needs to `out`, behind its length, and the premaster
// secret to `secret`, whose length it returns; 0: the server's half is none.
static size_t key_exchange_make(struct client_flight *flight, uint8_t *secret, uint8_t *out) {
    switch (cipher_exchange(flight->facts.cipher).kind) {
    case KEY_EXCHANGE_ECDHE:
        return ecdhe_make(flight, secret, out);
    case KEY_EXCHANGE_DHE:
        return dhe_make(flight, secret, out);
    default:
        return rsa_make(flight, secret, out);
    }
}

static void master_make(struct client_flight *flight, const uint8_t *premaster, size_t len) {
    uint8_t hash[EVP_MAX_MD_SIZE], random[KEY_BLOCK_RANDOM_LEN];
    flight_client_random(flight, random);
    if (flight->extended_master) {
        size_t hash_len = transcript_hash(hash, &flight->transcript);
        key_block_prf(flight->master, sizeof(flight->master), flight->cipher.digest, premaster, len,
                      "extended master secret", hash, hash_len, NULL, 0);
    } else {
        key_block_prf(flight->master, sizeof(flight->master), flight->cipher.digest, premaster, len,
                      "master secret", random, sizeof(random), flight->facts.server_random,
                      sizeof(flight->facts.server_random));
    }
    flight_log(flight, "CLIENT_RANDOM", flight->master, sizeof(flight->master));
}

static void protect(struct client_flight *flight, struct record_protect *out, bool client) {
    uint8_t random[KEY_BLOCK_RANDOM_LEN];
    flight_client_random(flight, random);
    key_block_protect(out, client, client, &flight->cipher, flight->master, random,
                      flight->facts.server_random);
    out->all = true;
}

static void verify_make(struct client_flight *flight, uint8_t out[VERIFY_LEN], const char *label) {
    uint8_t hash[EVP_MAX_MD_SIZE];
    size_t len = transcript_hash(hash, &flight->transcript);
    key_block_prf(out, VERIFY_LEN, flight->cipher.digest, flight->master, sizeof(flight->master),
                  label, hash, len, NULL, 0);
}

static void finish12(struct client_flight *flight) {
    static const uint8_t ccs = 1;
    static const uint8_t certificate[] = {HANDSHAKE_CERTIFICATE, 0, 0, 3, 0, 0, 0};
    uint8_t message[4 + 2 + PUBLIC_MAX] = {HANDSHAKE_CLIENT_KEY_EXCHANGE}, secret[PUBLIC_MAX];
    uint8_t finished[4 + VERIFY_LEN] = {HANDSHAKE_FINISHED, 0, 0, VERIFY_LEN};
    bool short_length = cipher_exchange(flight->facts.cipher).kind == KEY_EXCHANGE_ECDHE;
    size_t secret_len = key_exchange_make(flight, secret, message + 4);
    if (secret_len == 0) {
        flight_end(flight, CLIENT_FLIGHT_MALFORMED, "the server's key cannot be used");
        return;
    }
    size_t len = short_length ? 1u + message[4] : 2u + (size_t)(message[4] << 8 | message[5]);
    put_length(message + 2, len);
    if (flight->facts.certificate_request) {
        flight_put_message(flight, certificate, sizeof(certificate));
    }
    flight_put_message(flight, message, 4 + len);
    master_make(flight, secret, secret_len);
    OPENSSL_cleanse(secret, sizeof(secret));
    flight_put(flight, CONTENT_CHANGE_CIPHER_SPEC, &ccs, 1);
    protect(flight, &flight->write, true);
    flight->write_keys = true;
    verify_make(flight, finished + 4, "client finished");
    flight_put_message(flight, finished, sizeof(finished));
    flight->finished_sent = true;
    flight->expect = FLIGHT_CCS12;
    flight_end(flight, CLIENT_FLIGHT_MORE, NULL);
}

void flight_ccs(struct client_flight *flight, const struct wire_event *event) {
    bool whole = event->p != NULL && event->len == 1 && event->announced == 1 && event->p[0] == 1;
    if (flight->expect != FLIGHT_CCS12 || !whole || message_join_pending(&flight->reader.join)) {
        flight_end(flight, CLIENT_FLIGHT_MALFORMED, "a ChangeCipherSpec came out of its order");
        return;
    }
    protect(flight, &flight->read, false);
    record_reader_open(&flight->reader, &flight->read, false);
    flight->expect = FLIGHT_FINISHED12;
}

void flight_finished12(struct client_flight *flight, const uint8_t *p, size_t p_len) {
    uint8_t expected[VERIFY_LEN];
    CBS verify_data;
    verify_make(flight, expected, "server finished");
    bool good = finished_parse(&verify_data, NULL, p, p_len) &&
                CBS_mem_equal(&verify_data, expected, sizeof(expected));
    flight->facts.finished = good ? CLIENT_FLIGHT_GOOD : CLIENT_FLIGHT_BAD;
    if (!good) {
        flight_end(flight, CLIENT_FLIGHT_MALFORMED,
                   "the server's Finished is not of this handshake");
        flight->facts.refusal = ALERT_DECRYPT_ERROR;
        return;
    }
    flight->expect = FLIGHT_OPEN12;
    flight->facts.established = true;
    flight_end(flight, CLIENT_FLIGHT_DONE, NULL);
}

void client_flight_go_on(struct client_flight *flight) {
    CHECK(flight->status == CLIENT_FLIGHT_DONE && !flight->finished_sent && flight->keys != NULL);
    bool tls13 = flight->facts.version >= TLS13;
    if (!tls13) {
        exchange_check(flight);
    }
    if (!flight->facts.certificate) {
        malformed(flight, "no Certificate came");
    }
    signature_check_whole(flight);
    if (flight->objection != CLIENT_FLIGHT_MORE) {
        bool bad = flight->facts.signature == CLIENT_FLIGHT_BAD;
        flight_end(flight, flight->objection, flight->objects);
        flight->facts.refusal = bad ? ALERT_DECRYPT_ERROR : flight->facts.refusal;
    } else if (tls13) {
        client_flight_finish(flight, NULL, 0);
        flight->facts.established = true;
    } else {
        finish12(flight);
    }
}
