#include "proxy/tls/record_protect.h"

#include <string.h>

#include "proxy/tls/handshake.h"

enum {
    TLS12 = 0x0303,
    HEADER_LEN = 5,
    AAD_MAX = 13,
    CBC_AAD_LEN = 11, // without the length, which nobody knows before it is opened
    NONCE_LEN = KEY_SCHEDULE_IV_LEN,
    NONCE_MAX = 16,
    TAG_LEN = 16, // of all suites with an AEAD
};

static void protect_init(struct record_protect *protect, const struct cipher_keys *keys,
                         const uint8_t *key, const uint8_t *iv, size_t iv_len) {
    record_protect_cleanup(protect);
    CHECK(EVP_AEAD_nonce_length(keys->aead) == NONCE_LEN && iv_len <= NONCE_LEN);
    CHECK(EVP_AEAD_CTX_init(&protect->aead, keys->aead, key, EVP_AEAD_key_length(keys->aead),
                            TAG_LEN, NULL));
    memcpy(protect->iv, iv, iv_len);
    protect->nonce_len = NONCE_LEN;
    protect->sent_len = (uint8_t)(NONCE_LEN - iv_len);
    protect->tag_min = TAG_LEN;
    protect->version = TLS12;
}

void record_protect_init13(struct record_protect *protect, const struct cipher_keys *keys,
                           const uint8_t *secret) {
    struct key_material material;
    key_schedule_material(&material, keys->digest, secret, EVP_AEAD_key_length(keys->aead));
    protect_init(protect, keys, material.key, material.iv, sizeof(material.iv));
    protect->tls13 = true;
}

void record_protect_init12(struct record_protect *protect, const struct cipher_keys *keys,
                           bool seals, const uint8_t *key, const uint8_t *salt) {
    if (keys->mac_len == 0) {
        protect_init(protect, keys, key, salt, keys->salt_len);
        return;
    }
    record_protect_cleanup(protect);
    size_t nonce_len =
        keys->aead != NULL ? EVP_AEAD_nonce_length(keys->aead) : EVP_CIPHER_iv_length(keys->cipher);
    CHECK(nonce_len <= NONCE_MAX);
    if (keys->aead == NULL) {
        record_mac_init(&protect->mac, keys->cipher, keys->mac, seals, key, key + keys->mac_len);
    } else {
        CHECK(EVP_AEAD_CTX_init_with_direction(
            &protect->aead, keys->aead, key, EVP_AEAD_key_length(keys->aead),
            EVP_AEAD_DEFAULT_TAG_LENGTH, seals ? evp_aead_seal : evp_aead_open));
    }
    protect->cbc = true;
    protect->nonce_len = protect->sent_len = (uint8_t)nonce_len;
    bool stream = keys->aead == NULL && nonce_len == 0;
    protect->tag_min = keys->mac_len + (stream ? 0 : 1); // a byte says that there is no padding
    protect->version = keys->version;
}

void record_protect_cleanup(struct record_protect *protect) {
    EVP_AEAD_CTX_cleanup(&protect->aead);
    record_mac_cleanup(&protect->mac);
    *protect = (struct record_protect){0};
}

size_t record_protect_overhead(const struct record_protect *protect) {
    return protect->sent_len + (size_t)protect->tag_min + (protect->tls13 ? 1 : 0);
}

static void put_u64(uint8_t out[8], uint64_t v) {
    for (int i = 0; i < 8; i++) {
        out[i] = (uint8_t)(v >> (56 - 8 * i));
    }
}

// The nonce is the IV xor the sequence number, what TLS 1.2's AES-GCM puts together from salt and
// record, or with CBC the IV of the record.
static void nonce_make(uint8_t out[NONCE_MAX], const struct record_protect *protect,
                       const uint8_t *sent) {
    if (protect->sent_len != 0) {
        size_t salt_len = protect->nonce_len - protect->sent_len;
        memcpy(out, protect->iv, salt_len);
        memcpy(out + salt_len, sent, protect->sent_len);
        return;
    }
    uint8_t seq[8];
    memcpy(out, protect->iv, NONCE_LEN);
    put_u64(seq, protect->seq);
    for (size_t i = 0; i < sizeof(seq); i++) {
        out[NONCE_LEN - sizeof(seq) + i] ^= seq[i];
    }
}

// aad_make returns the length of the additional data: in TLS 1.3 the header, before that the
// sequence number and the header of a record with `plain_len` bytes.
static size_t aad_make(uint8_t out[AAD_MAX], const struct record_protect *protect,
                       const uint8_t header[HEADER_LEN], size_t plain_len) {
    if (protect->tls13) {
        memcpy(out, header, HEADER_LEN);
        return HEADER_LEN;
    }
    put_u64(out, protect->seq);
    memcpy(out + 8, header, 3);
    out[11] = (uint8_t)(plain_len >> 8);
    out[12] = (uint8_t)plain_len;
    return protect->cbc ? CBC_AAD_LEN : AAD_MAX;
}

// unpad finds the type behind the content: the last byte that is not zero.
static uint8_t unpad(const uint8_t *p, size_t *len) {
    while (*len != 0 && p[*len - 1] == 0) {
        --*len;
    }
    return *len != 0 ? p[--*len] : 0;
}

bool record_protect_open(struct record_protect *protect, uint8_t *out_type, const uint8_t **out,
                         size_t *out_len, const uint8_t header[5], uint8_t *body, size_t body_len) {
    uint8_t nonce[NONCE_MAX], aad[AAD_MAX];
    size_t in_front = protect->sent_len, around = in_front + protect->tag_min;
    if (body_len < around || body_len > RECORD_SEALED_MAX || protect->seq == UINT64_MAX) {
        return false;
    }
    nonce_make(nonce, protect, body);
    size_t aad_len = aad_make(aad, protect, header, body_len - around);
    uint8_t *p = body + in_front;
    size_t sealed = body_len - in_front;
    bool ok = protect->mac.digest != NULL
                  ? record_mac_open(&protect->mac, out_len, aad, nonce, p, sealed)
                  : EVP_AEAD_CTX_open(&protect->aead, p, out_len, sealed, nonce, protect->nonce_len,
                                      p, sealed, aad, aad_len);
    if (!ok) {
        ERR_clear_error();
        return false;
    }
    protect->seq++;
    *out = p;
    *out_type = protect->tls13 ? unpad(p, out_len) : header[0];
    return true;
}

void record_protect_skip(struct record_protect *protect) {
    protect->seq += protect->seq != UINT64_MAX;
}

// The part of the nonce that is sent: with CBC what nobody can foretell, with AES-GCM a counter.
static void sent_make(uint8_t *out, const struct record_protect *protect) {
    if (protect->cbc) {
        RAND_bytes(out, protect->sent_len);
    } else if (protect->sent_len != 0) {
        CHECK(protect->sent_len == 8);
        put_u64(out, protect->seq);
    }
}

size_t record_protect_seal(struct record_protect *protect, uint8_t *out, uint8_t type,
                           const uint8_t *p, size_t p_len, size_t padding) {
    uint8_t nonce[NONCE_MAX], aad[AAD_MAX];
    size_t in_front = protect->sent_len, plain_len = p_len + padding + (protect->tls13 ? 1 : 0);
    size_t tag_len, sealed;
    CHECK(p_len <= RECORD_PLAIN_MAX && padding <= RECORD_PLAIN_MAX - p_len);
    CHECK((protect->tls13 || padding == 0) && protect->seq != UINT64_MAX);
    bool mac = protect->mac.digest != NULL;
    if (mac) {
        tag_len = record_mac_tag_len(&protect->mac, plain_len);
    } else {
        CHECK(EVP_AEAD_CTX_tag_len(&protect->aead, &tag_len, plain_len, 0));
    }
    size_t body_len = in_front + plain_len + tag_len;
    out[0] = protect->tls13 ? CONTENT_APPLICATION_DATA : type;
    out[1] = (uint8_t)(protect->version >> 8);
    out[2] = (uint8_t)protect->version;
    out[3] = (uint8_t)(body_len >> 8);
    out[4] = (uint8_t)body_len;
    uint8_t *body = out + HEADER_LEN, *plain = body + in_front;
    sent_make(body, protect);
    if (p_len != 0) {
        memcpy(plain, p, p_len);
    }
    if (protect->tls13) {
        plain[p_len] = type;
        memset(plain + p_len + 1, 0, padding);
    }
    nonce_make(nonce, protect, body);
    size_t aad_len = aad_make(aad, protect, out, plain_len);
    if (mac) {
        record_mac_seal(&protect->mac, aad, nonce, plain, plain_len);
    } else {
        CHECK(EVP_AEAD_CTX_seal(&protect->aead, plain, &sealed, plain_len + tag_len, nonce,
                                protect->nonce_len, plain, plain_len, aad, aad_len));
        CHECK(sealed == plain_len + tag_len);
    }
    protect->seq++;
    return HEADER_LEN + body_len;
}
