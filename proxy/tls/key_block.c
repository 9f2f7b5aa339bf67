#include "proxy/tls/key_block.h"

#include <string.h>

enum {
    SEED_MAX = 128,
    PART_MAX = RECORD_PROTECT_KEY_MAX + KEY_SCHEDULE_IV_LEN,
    OUT_MAX = 2 * PART_MAX, // of the two halves of the old PRF
};

static unsigned hmac(uint8_t *out, const EVP_MD *digest, const uint8_t *secret, size_t secret_len,
                     const uint8_t *p, size_t p_len) {
    unsigned len;
    CHECK(HMAC(digest, secret, secret_len, p, p_len, out, &len) != NULL);
    return len;
}

// P_hash.
static void expand(uint8_t *out, size_t out_len, const EVP_MD *digest, const uint8_t *secret,
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
    if (seed2_len != 0) {
        memcpy(seed + label_len + seed1_len, seed2, seed2_len);
    }
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

void key_block_prf(uint8_t *out, size_t out_len, const EVP_MD *digest, const uint8_t *secret,
                   size_t secret_len, const char *label, const uint8_t *seed1, size_t seed1_len,
                   const uint8_t *seed2, size_t seed2_len) {
    uint8_t other[OUT_MAX];
    if (EVP_MD_type(digest) != NID_md5_sha1) {
        expand(out, out_len, digest, secret, secret_len, label, seed1, seed1_len, seed2, seed2_len);
        return;
    }
    // Half of the secret each; of an odd number of bytes both have the middle one.
    size_t half = secret_len - secret_len / 2;
    CHECK(out_len <= sizeof(other));
    expand(out, out_len, EVP_md5(), secret, half, label, seed1, seed1_len, seed2, seed2_len);
    expand(other, out_len, EVP_sha1(), secret + secret_len - half, half, label, seed1, seed1_len,
           seed2, seed2_len);
    for (size_t i = 0; i < out_len; i++) {
        out[i] ^= other[i];
    }
}

void key_block_protect(struct record_protect *out, bool client, bool seals,
                       const struct cipher_keys *keys, const uint8_t *master,
                       const uint8_t *client_random, const uint8_t *server_random) {
    // Of each kind the client's, then the server's: MAC keys, keys, salts or IVs.
    size_t mac_len = keys->mac_len, iv_len = keys->iv_len + keys->salt_len;
    size_t key_len = keys->aead == NULL ? EVP_CIPHER_key_length(keys->cipher)
                                        : EVP_AEAD_key_length(keys->aead) - mac_len - keys->iv_len;
    size_t len = 2 * (mac_len + key_len + iv_len);
    uint8_t block[2 * PART_MAX], key[PART_MAX];
    CHECK(len <= sizeof(block));
    key_block_prf(block, len, keys->digest, master, KEY_BLOCK_MASTER_LEN, "key expansion",
                  server_random, KEY_BLOCK_RANDOM_LEN, client_random, KEY_BLOCK_RANDOM_LEN);
    size_t second = client ? 0 : 1;
    const uint8_t *keys_at = block + 2 * mac_len, *ivs_at = keys_at + 2 * key_len;
    memcpy(key, block + second * mac_len, mac_len);
    memcpy(key + mac_len, keys_at + second * key_len, key_len);
    memcpy(key + mac_len + key_len, ivs_at + second * iv_len, iv_len);
    record_protect_init12(out, keys, seals, key, key + mac_len + key_len);
}
