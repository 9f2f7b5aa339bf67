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

// CBC, and AEADs where they are: not before TLS 1.2.
static void test_older(void) {
    struct cipher_keys keys;
    CU_ASSERT_FATAL(cipher_keys_find12(&keys, 0x0303, 0xc013));
    CU_ASSERT(keys.digest == EVP_sha256() && keys.aead == EVP_aead_aes_128_cbc_sha1_tls());
    CU_ASSERT(keys.mac_len == 20 && keys.iv_len == 0 && keys.version == 0x0303);
    CU_ASSERT_FATAL(cipher_keys_find12(&keys, 0x0302, 0x0035));
    CU_ASSERT(keys.digest == EVP_md5_sha1() && keys.aead == EVP_aead_aes_256_cbc_sha1_tls());
    CU_ASSERT_FATAL(cipher_keys_find12(&keys, 0x0301, 0x000a));
    CU_ASSERT(keys.aead == EVP_aead_des_ede3_cbc_sha1_tls_implicit_iv() && keys.iv_len == 8);
    CU_ASSERT(cipher_keys_find12(&keys, 0x0303, 0xc02f) && keys.mac_len == 0);
    CU_ASSERT_FALSE(cipher_keys_find12(&keys, 0x0302, 0xc02f));
    CU_ASSERT_FALSE(cipher_keys_find12(&keys, 0x0303, 0x1301));
    CU_ASSERT_FALSE(cipher_keys_find12(&keys, 0x0304, 0x002f));
    CU_ASSERT_FALSE(cipher_keys_find12(&keys, 0x0300, 0x002f));
    CU_ASSERT_FATAL(cipher_keys_find12(&keys, 0x0303, 0xc028));
    CU_ASSERT(keys.aead == NULL && keys.cipher == EVP_aes_256_cbc() && keys.mac == EVP_sha384());
    CU_ASSERT(keys.digest == EVP_sha384() && keys.mac_len == 48);
    CU_ASSERT_FALSE(cipher_keys_find12(&keys, 0x0302, 0x003c));
    CU_ASSERT(cipher_keys_find12(&keys, 0x0301, 0x0004) && keys.mac == EVP_md5());
    CU_ASSERT_FALSE(cipher_keys_find12(&keys, 0x0303, 0x0041)); // Camellia
    CU_ASSERT_FALSE(cipher_keys_find12(&keys, 0x0303, 0xc09c)); // CCM
}

const struct unit_case unit_cases[] = {
    {"suites that can be decrypted", test_known},
    {"suites that cannot", test_unknown},
    {"suites up to TLS 1.2", test_older},
    {NULL, NULL},
};
