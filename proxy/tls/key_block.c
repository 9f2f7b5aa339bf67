#include "proxy/tls/key_block.h"

#include <string.h>

enum { SEED_MAX = 128, BLOCK_MAX = 2 * (KEY_SCHEDULE_KEY_MAX + KEY_SCHEDULE_IV_LEN) };

static unsigned hmac(uint8_t *out, const EVP_MD *digest, const uint8_t *secret, size_t secret_len,
                     const uint8_t *p, size_t p_len) {
    unsigned len;
    CHECK(HMAC(digest, secret, secret_len, p, p_len, out, &len) != NULL);
    return len;
}

void key_block_prf(uint8_t *out, size_t out_len, const EVP_MD *digest, const uint8_t *secret,
                   size_t secret_len, const char *label, const uint8_t *seed1, size_t seed1_len,
                   const uint8_t *seed2, size_t seed2_len) {
    // A(i) and, behind it, label and seeds.
    uint8_t text[EVP_MAX_MD_SIZE + SEED_MAX], part[EVP_MAX_MD_SIZE];
    size_t label_len = strlen(label), hash_len = EVP_MD_size(digest);
    size_t seed_len = label_len + seed1_len + seed2_len;
    CHECK(seed_len <= SEED_MAX);
    uint8_t *seed = text + hash_len;
    memcpy(seed, label, label_len);
    memcpy(seed + label_len, seed1, seed1_len);
    memcpy(seed + label_len + seed1_len, seed2, seed2_len);
    hmac(text, digest, secret, secret_len, seed, seed_len);
    while (out_len != 0) {
        hmac(part, digest, secret, secret_len, text, hash_len + seed_len);
        size_t n = out_len < hash_len ? out_len : hash_len;
        memcpy(out, part, n);
        out += n;
        out_len -= n;
        hmac(part, digest, secret, secret_len, text, hash_len);
        memcpy(text, part, hash_len);
    }
}

void key_block_protect(struct record_protect *out, bool client, const struct cipher_keys *keys,
                       const uint8_t *master, const uint8_t *client_random,
                       const uint8_t *server_random) {
    // The client's key, the server's, the client's salt, the server's.
    uint8_t block[BLOCK_MAX];
    size_t key_len = EVP_AEAD_key_length(keys->aead), salt_len = keys->salt_len;
    CHECK(2 * (key_len + salt_len) <= sizeof(block));
    key_block_prf(block, 2 * (key_len + salt_len), keys->digest, master, KEY_BLOCK_MASTER_LEN,
                  "key expansion", server_random, KEY_BLOCK_RANDOM_LEN, client_random,
                  KEY_BLOCK_RANDOM_LEN);
    size_t second = client ? 0 : 1;
    record_protect_init12(out, keys, block + second * key_len,
                          block + 2 * key_len + second * salt_len);
}
