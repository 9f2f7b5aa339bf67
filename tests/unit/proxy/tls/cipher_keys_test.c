#include "proxy/tls/cipher_keys.h"

#include "tests/unit/unit.h"

static bool keys_are(uint16_t cipher, const EVP_MD *digest, const EVP_AEAD *aead, int salt_len) {
    struct cipher_keys keys;
    return cipher_keys_find(&keys, cipher) && keys.digest == digest && keys.aead == aead &&
           keys.salt_len == salt_len;
}

static void test_known(void) {
    CU_ASSERT(keys_are(0x1301, EVP_sha256(), EVP_aead_aes_128_gcm(), 4));
    CU_ASSERT(keys_are(0x1302, EVP_sha384(), EVP_aead_aes_256_gcm(), 4));
    CU_ASSERT(keys_are(0x1303, EVP_sha256(), EVP_aead_chacha20_poly1305(), 12));
    CU_ASSERT(keys_are(0x009c, EVP_sha256(), EVP_aead_aes_128_gcm(), 4));
    CU_ASSERT(keys_are(0xc02b, EVP_sha256(), EVP_aead_aes_128_gcm(), 4));
    CU_ASSERT(keys_are(0xc030, EVP_sha384(), EVP_aead_aes_256_gcm(), 4));
    CU_ASSERT(keys_are(0xcca8, EVP_sha256(), EVP_aead_chacha20_poly1305(), 12));
}

// TLS 1.3 with CCM and with SM4, CBC, ARIA in GCM, the draft's ChaCha20, GREASE, nothing.
static void test_unknown(void) {
    static const uint16_t ciphers[] = {0x1304, 0x1305, 0x00c6, 0xc013, 0xc060,
                                       0xcc13, 0x002f, 0x0a0a, 0x0000};
    struct cipher_keys keys;
    for (size_t i = 0; i < ARRAY_LEN(ciphers); i++) {
        CU_ASSERT_FALSE(cipher_keys_find(&keys, ciphers[i]));
    }
}

const struct unit_case unit_cases[] = {
    {"suites that can be decrypted", test_known},
    {"suites that cannot", test_unknown},
    {NULL, NULL},
};
