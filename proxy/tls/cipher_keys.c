#include "proxy/tls/cipher_keys.h"

#include <string.h>

#include "logs/record/codepoint.h"
#include "proxy/tls/cipher.h"

enum { TLS10 = 0x0301, TLS12 = 0x0303, SHA1_LEN = 20 };

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

static const struct {
    const char *suffix;
    const EVP_AEAD *(*tls10)(void), *(*later)(void);
    uint8_t block_len;
} cbc_rows[] = {
    {"_AES_128_CBC_SHA",  EVP_aead_aes_128_cbc_sha1_tls_implicit_iv,  EVP_aead_aes_128_cbc_sha1_tls, 16},
    {"_AES_256_CBC_SHA",  EVP_aead_aes_256_cbc_sha1_tls_implicit_iv,  EVP_aead_aes_256_cbc_sha1_tls, 16},
    {"_3DES_EDE_CBC_SHA", EVP_aead_des_ede3_cbc_sha1_tls_implicit_iv, EVP_aead_des_ede3_cbc_sha1_tls, 8},
};

// Those for which the library has no AEAD.
static const struct {
    const char *suffix;
    uint16_t min_version;
    const EVP_CIPHER *(*cipher)(void);
    const EVP_MD *(*mac)(void), *(*digest12)(void);
} mac_rows[] = {
    {"_AES_128_CBC_SHA256", TLS12, EVP_aes_128_cbc, EVP_sha256, EVP_sha256},
    {"_AES_256_CBC_SHA256", TLS12, EVP_aes_256_cbc, EVP_sha256, EVP_sha256},
    {"_AES_256_CBC_SHA384", TLS12, EVP_aes_256_cbc, EVP_sha384, EVP_sha384},
    {"_RC4_128_SHA",        TLS10, EVP_rc4,         EVP_sha1,   EVP_sha256},
    {"_RC4_128_MD5",        TLS10, EVP_rc4,         EVP_md5,    EVP_sha256},
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
            *out = (struct cipher_keys){.digest = rows[i].digest(),
                                        .aead = rows[i].aead(),
                                        .salt_len = rows[i].salt_len,
                                        .version = TLS12};
            return true;
        }
    }
    return false;
}

static bool cbc_find(struct cipher_keys *out, uint16_t version, uint16_t cipher) {
    const struct codepoint *row = codepoint_find(REGISTRY_CIPHER, cipher);
    for (size_t i = 0; row != NULL && i < ARRAY_LEN(cbc_rows); i++) {
        if (has_suffix(row->name, cbc_rows[i].suffix)) {
            bool tls10 = version == TLS10;
            *out = (struct cipher_keys){
                .digest = version == TLS12 ? EVP_sha256() : EVP_md5_sha1(),
                .aead = tls10 ? cbc_rows[i].tls10() : cbc_rows[i].later(),
                .mac_len = SHA1_LEN,
                .iv_len = tls10 ? cbc_rows[i].block_len : 0,
                .version = version,
            };
            return true;
        }
    }
    return false;
}

static bool mac_find(struct cipher_keys *out, uint16_t version, uint16_t cipher) {
    const struct codepoint *row = codepoint_find(REGISTRY_CIPHER, cipher);
    for (size_t i = 0; row != NULL && i < ARRAY_LEN(mac_rows); i++) {
        if (has_suffix(row->name, mac_rows[i].suffix) && version >= mac_rows[i].min_version) {
            *out = (struct cipher_keys){
                .digest = version == TLS12 ? mac_rows[i].digest12() : EVP_md5_sha1(),
                .cipher = mac_rows[i].cipher(),
                .mac = mac_rows[i].mac(),
                .mac_len = (uint8_t)EVP_MD_size(mac_rows[i].mac()),
                .version = version,
            };
            return true;
        }
    }
    return false;
}

bool cipher_keys_find12(struct cipher_keys *out, uint16_t version, uint16_t cipher) {
    bool known = version >= TLS10 && version <= TLS12 && !cipher_is_tls13(cipher);
    return known && ((version == TLS12 && cipher_keys_find(out, cipher)) ||
                     cbc_find(out, version, cipher) || mac_find(out, version, cipher));
}
