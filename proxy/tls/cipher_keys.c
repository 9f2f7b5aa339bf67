#include "proxy/tls/cipher_keys.h"

#include <string.h>

#include "logs/record/codepoint.h"

// The end of the suite's IANA name says it all. Suites with an integrity tag of 8 bytes, with CCM
// or CBC end otherwise.
// clang-format off
static const struct {
    const char *suffix;
    const EVP_MD *(*digest)(void);
    const EVP_AEAD *(*aead)(void);
    uint8_t salt_len;
} rows[] = {
    {"_AES_128_GCM_SHA256",       EVP_sha256, EVP_aead_aes_128_gcm,       4},
    {"_AES_256_GCM_SHA384",       EVP_sha384, EVP_aead_aes_256_gcm,       4},
    {"_CHACHA20_POLY1305_SHA256", EVP_sha256, EVP_aead_chacha20_poly1305, 12},
};
// clang-format on

static bool has_suffix(const char *name, const char *suffix) {
    size_t name_len = strlen(name), suffix_len = strlen(suffix);
    return name_len >= suffix_len && strcmp(name + name_len - suffix_len, suffix) == 0;
}

bool cipher_keys_find(struct cipher_keys *out, uint16_t cipher) {
    const struct codepoint *row = codepoint_find(REGISTRY_CIPHER, cipher);
    for (size_t i = 0; row != NULL && i < ARRAY_LEN(rows); i++) {
        if (has_suffix(row->name, rows[i].suffix)) {
            *out = (struct cipher_keys){rows[i].digest(), rows[i].aead(), rows[i].salt_len};
            return true;
        }
    }
    return false;
}
