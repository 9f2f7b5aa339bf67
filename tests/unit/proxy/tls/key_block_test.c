#include "proxy/tls/key_block.h"

#include <string.h>

#include "proxy/tls/handshake.h"
#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

// The vector for P_SHA256 that the IETF's TLS list has agreed on; its output is 100 bytes long, so
// that the last part is cut.
static void test_prf(void) {
    struct made secret = made_hex("9bbe436ba940f017b17652849a71db35");
    struct made seed = made_hex("a0ba9f936cda311827a6f796ffd5198c");
    struct made expected = made_hex(
        "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e"
        "14baf9af0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5"
        "a72e5a5110fff70187347b66");
    uint8_t out[100];
    // Where the seed is cut in two makes no difference.
    for (size_t i = 0; i <= seed.len; i += 8) {
        memset(out, 0, sizeof(out));
        key_block_prf(out, sizeof(out), EVP_sha256(), secret.p, secret.len, "test label", seed.p, i,
                      seed.p + i, seed.len - i);
        CU_ASSERT_EQUAL(expected.len, sizeof(out));
        CU_ASSERT_EQUAL(memcmp(out, expected.p, sizeof(out)), 0);
    }
    made_free(&secret);
    made_free(&seed);
    made_free(&expected);
}

// The vector for the PRF of TLS 1.0 that the IETF's TLS list has agreed on, its first 104 bytes.
static void test_prf10(void) {
    struct made expected = made_hex(
        "d3d4d1e349b5d515044666d51de32bab258cb521b6b053463e354832fd976754443bcf9a296519bc289abcbc"
        "1187e4ebd31e602353776c408aafb74cbc85eff69255f9788faa184cbb957a9819d84a5d7eb006eb459d3ae8"
        "de9810454b8b2d8f1afbc655a8c9a013");
    uint8_t secret[48], seed[64], out[104];
    memset(secret, 0xab, sizeof(secret));
    memset(seed, 0xcd, sizeof(seed));
    CU_ASSERT_EQUAL_FATAL(expected.len, sizeof(out));
    key_block_prf(out, sizeof(out), EVP_md5_sha1(), secret, sizeof(secret), "PRF Testvector", seed,
                  32, seed + 32, 32);
    CU_ASSERT_EQUAL(memcmp(out, expected.p, sizeof(out)), 0);
    made_free(&expected);
}

static uint8_t master[KEY_BLOCK_MASTER_LEN] = "a master secret", client_random[32] = "client",
               server_random[32] = "server";

static size_t seal(uint8_t *out, bool client, const struct cipher_keys *keys) {
    struct record_protect protect = {0};
    key_block_protect(&protect, client, true, keys, master, client_random, server_random);
    size_t len = record_protect_seal(&protect, out, CONTENT_ALERT, (const uint8_t *)"\1\0", 2, 0);
    record_protect_cleanup(&protect);
    return len;
}

static bool opens(bool client, const struct cipher_keys *keys, const uint8_t *record, size_t len) {
    struct record_protect protect = {0};
    struct made copy = made_copy(record, len);
    uint8_t type;
    const uint8_t *content;
    size_t content_len;
    key_block_protect(&protect, client, false, keys, master, client_random, server_random);
    bool ok = record_protect_open(&protect, &type, &content, &content_len, copy.p, copy.p + 5,
                                  copy.len - 5);
    ok = ok && type == CONTENT_ALERT && content_len == 2 && memcmp(content, "\1\0", 2) == 0;
    record_protect_cleanup(&protect);
    made_free(&copy);
    return ok;
}

static void test_directions(void) {
    static const uint16_t ciphers[] = {0xc02f, 0xc030, 0xcca8};
    static uint8_t record[RECORD_SEALED_MAX + 5];
    for (size_t i = 0; i < ARRAY_LEN(ciphers); i++) {
        struct cipher_keys keys;
        CU_ASSERT_FATAL(cipher_keys_find(&keys, ciphers[i]));
        for (int client = 0; client < 2; client++) {
            size_t len = seal(record, client, &keys);
            CU_ASSERT_EQUAL(len, 5 + 2 + (keys.salt_len == 4 ? 24u : 16u));
            CU_ASSERT(opens(client, &keys, record, len));
            CU_ASSERT_FALSE(opens(!client, &keys, record, len));
            server_random[31] ^= 1;
            CU_ASSERT_FALSE(opens(client, &keys, record, len));
            server_random[31] ^= 1;
        }
    }
}

// The records of a direction in order, in each version: TLS 1.0 has an IV for the first alone.
static void test_cbc(void) {
    static const uint16_t ciphers[] = {0x002f, 0x0035, 0x000a, 0x0004,
                                       0x0005, 0x003c, 0x003d, 0xc028};
    static uint8_t record[RECORD_SEALED_MAX + 5];
    static const uint8_t text[RECORD_PLAIN_MAX] = "text";
    for (uint16_t version = 0x0301; version <= 0x0303; version++) {
        for (size_t i = 0; i < ARRAY_LEN(ciphers); i++) {
            struct record_protect to = {0}, from = {0};
            struct cipher_keys keys;
            bool since12 = ciphers[i] >= 0x003c;
            CU_ASSERT_EQUAL_FATAL(cipher_keys_find12(&keys, version, ciphers[i]),
                                  version == 0x0303 || !since12);
            if (version != 0x0303 && since12) {
                continue;
            }
            key_block_protect(&to, true, true, &keys, master, client_random, server_random);
            key_block_protect(&from, true, false, &keys, master, client_random, server_random);
            size_t lens[] = {0, 1, 11, 12, sizeof(text)};
            for (size_t n = 0; n < ARRAY_LEN(lens); n++) {
                uint8_t type;
                const uint8_t *content;
                size_t content_len;
                size_t len = record_protect_seal(&to, record, 23, text, lens[n], 0);
                CU_ASSERT(record[1] == 3 && record[2] == (version & 0xff));
                CU_ASSERT_FATAL(record_protect_open(&from, &type, &content, &content_len, record,
                                                    record + 5, len - 5));
                CU_ASSERT(type == 23 && content_len == lens[n]);
                CU_ASSERT(memcmp(content, text, content_len) == 0);
            }
            size_t len = record_protect_seal(&to, record, 23, text, 5, 0);
            record[len - 1] ^= 1; // of the padding, or the MAC
            uint8_t type;
            const uint8_t *content;
            size_t content_len;
            CU_ASSERT_FALSE(record_protect_open(&from, &type, &content, &content_len, record,
                                                record + 5, len - 5));
            record_protect_cleanup(&to);
            record_protect_cleanup(&from);
        }
    }
}

const struct unit_case unit_cases[] = {
    {"the PRF", test_prf},
    {"the PRF of before TLS 1.2", test_prf10},
    {"each direction has its keys", test_directions},
    {"CBC and RC4", test_cbc},
    {NULL, NULL},
};
