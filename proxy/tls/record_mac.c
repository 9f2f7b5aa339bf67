#include "proxy/tls/record_mac.h"

#include <string.h>

void record_mac_init(struct record_mac *mac, const EVP_CIPHER *cipher, const EVP_MD *digest,
                     bool seals, const uint8_t *mac_key, const uint8_t *key) {
    CHECK(EVP_MD_size(digest) <= sizeof(mac->key));
    EVP_CIPHER_CTX_init(&mac->cipher);
    CHECK(EVP_CipherInit_ex(&mac->cipher, cipher, NULL, key, NULL, seals) &&
          EVP_CIPHER_CTX_set_padding(&mac->cipher, 0));
    mac->digest = digest;
    memcpy(mac->key, mac_key, EVP_MD_size(digest));
}

void record_mac_cleanup(struct record_mac *mac) {
    EVP_CIPHER_CTX_cleanup(&mac->cipher);
    *mac = (struct record_mac){0};
}

static bool is_cbc(const struct record_mac *mac) {
    return EVP_CIPHER_CTX_mode(&mac->cipher) == EVP_CIPH_CBC_MODE;
}

size_t record_mac_tag_len(const struct record_mac *mac, size_t len) {
    size_t size = EVP_MD_size(mac->digest), block = EVP_CIPHER_CTX_block_size(&mac->cipher);
    return is_cbc(mac) ? size + block - (len + size) % block : size;
}

static void cipher_run(struct record_mac *mac, const uint8_t *iv, uint8_t *p, size_t len) {
    int done;
    CHECK(!is_cbc(mac) || EVP_CipherInit_ex(&mac->cipher, NULL, NULL, NULL, iv, -1));
    CHECK(EVP_CipherUpdate(&mac->cipher, p, &done, p, (int)len) && done == (int)len);
}

// The MAC is over the head, with the content's length, and the content.
static void mac_make(uint8_t out[EVP_MAX_MD_SIZE], const struct record_mac *mac,
                     uint8_t head[RECORD_MAC_HEAD_LEN], const uint8_t *p, size_t len) {
    HMAC_CTX ctx;
    head[11] = (uint8_t)(len >> 8);
    head[12] = (uint8_t)len;
    HMAC_CTX_init(&ctx);
    CHECK(HMAC_Init_ex(&ctx, mac->key, EVP_MD_size(mac->digest), mac->digest, NULL) &&
          HMAC_Update(&ctx, head, RECORD_MAC_HEAD_LEN) && HMAC_Update(&ctx, p, len) &&
          HMAC_Final(&ctx, out, NULL));
    HMAC_CTX_cleanup(&ctx);
}

// padding_len returns the length of the padding with its own byte; a wrong one counts as a byte,
// and sets `*ok` to false.
static size_t padding_len(bool *ok, const uint8_t *p, size_t len, size_t mac_len) {
    size_t padding = (size_t)p[len - 1] + 1;
    if (padding + mac_len > len) {
        *ok = false;
        return 1;
    }
    uint8_t wrong = 0;
    for (size_t i = len - padding; i < len; i++) {
        wrong |= p[i] ^ p[len - 1];
    }
    *ok = wrong == 0;
    return *ok ? padding : 1;
}

bool record_mac_open(struct record_mac *mac, size_t *out_len, uint8_t head[RECORD_MAC_HEAD_LEN],
                     const uint8_t *iv, uint8_t *p, size_t len) {
    uint8_t expected[EVP_MAX_MD_SIZE];
    size_t mac_len = EVP_MD_size(mac->digest), padding = 0;
    bool cbc = is_cbc(mac), ok = true;
    if (len < mac_len + (cbc ? 1 : 0) || len % EVP_CIPHER_CTX_block_size(&mac->cipher) != 0) {
        return false;
    }
    cipher_run(mac, iv, p, len);
    if (cbc) {
        padding = padding_len(&ok, p, len, mac_len);
    }
    *out_len = len - padding - mac_len;
    mac_make(expected, mac, head, p, *out_len);
    return (CRYPTO_memcmp(expected, p + *out_len, mac_len) == 0) & ok;
}

void record_mac_seal(struct record_mac *mac, uint8_t head[RECORD_MAC_HEAD_LEN], const uint8_t *iv,
                     uint8_t *p, size_t len) {
    uint8_t made[EVP_MAX_MD_SIZE];
    size_t mac_len = EVP_MD_size(mac->digest), tag_len = record_mac_tag_len(mac, len);
    mac_make(made, mac, head, p, len);
    memcpy(p + len, made, mac_len);
    memset(p + len + mac_len, (int)(tag_len - mac_len - 1), tag_len - mac_len);
    cipher_run(mac, iv, p, len + tag_len);
}
