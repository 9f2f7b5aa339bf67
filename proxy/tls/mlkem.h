// ML-KEM-768 (FIPS 203), which our BoringSSL lacks, so that a server which chooses X25519MLKEM768
// can be read. It takes no care of timing: no key lives longer than one experiment, and nothing
// that is secret to anybody is sent under it.
#ifndef PROXY_TLS_MLKEM_H_
#define PROXY_TLS_MLKEM_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MLKEM_N = 256, // coefficients of a polynomial
    MLKEM_K = 3,   // polynomials of a vector
    MLKEM_Q = 3329,
    MLKEM_SEED_LEN = 64, // d and z
    MLKEM_PUBLIC_LEN = 384 * MLKEM_K + 32,
    MLKEM_CIPHERTEXT_LEN = 32 * (10 * MLKEM_K + 4),
    MLKEM_SECRET_LEN = 32,
};

// struct mlkem_key is a decapsulation key, with its encapsulation key; owned by its caller.
struct mlkem_key {
    uint16_t s[MLKEM_K][MLKEM_N]; // as NTT
    uint8_t public_key[MLKEM_PUBLIC_LEN];
    uint8_t public_hash[32];
    uint8_t z[32];
};

// mlkem_key_init makes the key of a seed (algorithm 16).
void mlkem_key_init(struct mlkem_key *key, const uint8_t seed[MLKEM_SEED_LEN]);

// mlkem_encapsulate makes ciphertext and secret for the 32 random bytes `m` (algorithm 17).
void mlkem_encapsulate(uint8_t out_ciphertext[MLKEM_CIPHERTEXT_LEN],
                       uint8_t out_secret[MLKEM_SECRET_LEN],
                       const uint8_t public_key[MLKEM_PUBLIC_LEN], const uint8_t m[32]);

// mlkem_decapsulate gets the secret out of a ciphertext (algorithm 18). One that was not made for
// this key gives a secret that nobody else has.
void mlkem_decapsulate(uint8_t out_secret[MLKEM_SECRET_LEN], const struct mlkem_key *key,
                       const uint8_t ciphertext[MLKEM_CIPHERTEXT_LEN]);

#endif // PROXY_TLS_MLKEM_H_
