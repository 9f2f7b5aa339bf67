#include "proxy/tls/mlkem.h"

#include <string.h>

#include "proxy/tls/keccak.h"
#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

// Keys, messages and bad ciphertexts come out of one SHAKE128, and all that is made goes into
// another: what comes out of that is known from other implementations (Go's crypto/mlkem,
// TestAccumulated).
static void test_accumulated(void) {
    struct keccak in, out;
    struct made expected =
        made_hex("1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415");
    uint8_t hash[32];
    keccak_init(&in, KECCAK_SHAKE128);
    keccak_init(&out, KECCAK_SHAKE128);
    for (int i = 0; i < 100; i++) {
        struct mlkem_key key;
        uint8_t seed[MLKEM_SEED_LEN], m[32], ciphertext[MLKEM_CIPHERTEXT_LEN];
        uint8_t secret[MLKEM_SECRET_LEN], theirs[MLKEM_SECRET_LEN];
        keccak_squeeze(&in, seed, sizeof(seed));
        mlkem_key_init(&key, seed);
        keccak_absorb(&out, key.public_key, sizeof(key.public_key));
        keccak_squeeze(&in, m, sizeof(m));
        mlkem_encapsulate(ciphertext, theirs, key.public_key, m);
        keccak_absorb(&out, ciphertext, sizeof(ciphertext));
        keccak_absorb(&out, theirs, sizeof(theirs));
        mlkem_decapsulate(secret, &key, ciphertext);
        CU_ASSERT(memcmp(secret, theirs, sizeof(secret)) == 0);
        keccak_squeeze(&in, ciphertext, sizeof(ciphertext));
        mlkem_decapsulate(secret, &key, ciphertext);
        keccak_absorb(&out, secret, sizeof(secret));
    }
    keccak_squeeze(&out, hash, sizeof(hash));
    CU_ASSERT(memcmp(hash, expected.p, expected.len) == 0);
    made_free(&expected);
}

// One bit more or less, and the secret is another; the same other one each time.
static void test_rejection(void) {
    struct mlkem_key key;
    uint8_t seed[MLKEM_SEED_LEN] = {1}, m[32] = {2}, ciphertext[MLKEM_CIPHERTEXT_LEN];
    uint8_t right[MLKEM_SECRET_LEN], wrong[MLKEM_SECRET_LEN], again[MLKEM_SECRET_LEN];
    mlkem_key_init(&key, seed);
    mlkem_encapsulate(ciphertext, right, key.public_key, m);
    for (size_t i = 0; i < sizeof(ciphertext); i += 97) {
        ciphertext[i] ^= 0x10;
        mlkem_decapsulate(wrong, &key, ciphertext);
        mlkem_decapsulate(again, &key, ciphertext);
        CU_ASSERT(memcmp(wrong, right, sizeof(wrong)) != 0);
        CU_ASSERT(memcmp(wrong, again, sizeof(wrong)) == 0);
        ciphertext[i] ^= 0x10;
    }
}

const struct unit_case unit_cases[] = {
    {"a hundred keys, against other implementations", test_accumulated},
    {"a ciphertext that was changed", test_rejection},
    {NULL, NULL},
};
