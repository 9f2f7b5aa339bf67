#include "proxy/tls/mlkem.h"

#include <string.h>

#include "proxy/tls/keccak.h"

enum { DU = 10, DV = 4, ETA = 2, POLY_LEN = 384, INVERSE_128 = 3303 };

// Powers of 17, the root of unity, in bit-reversed order (FIPS 203, appendix A).
// clang-format off
static const uint16_t zetas[128] = {
       1, 1729, 2580, 3289, 2642,  630, 1897,  848, 1062, 1919,  193,  797, 2786, 3260,  569, 1746,
     296, 2447, 1339, 1476, 3046,   56, 2240, 1333, 1426, 2094,  535, 2882, 2393, 2879, 1974,  821,
     289,  331, 3253, 1756, 1197, 2304, 2277, 2055,  650, 1977, 2513,  632, 2865,   33, 1320, 1915,
    2319, 1435,  807,  452, 1438, 2868, 1534, 2402, 2647, 2617, 1481,  648, 2474, 3110, 1227,  910,
      17, 2761,  583, 2649, 1637,  723, 2288, 1100, 1409, 2662, 3281,  233,  756, 2156, 3015, 3050,
    1703, 1651, 2789, 1789, 1847,  952, 1461, 2687,  939, 2308, 2437, 2388,  733, 2337,  268,  641,
    1584, 2298, 2037, 3220,  375, 2549, 2090, 1645, 1063,  319, 2773,  757, 2099,  561, 2466, 2594,
    2804, 1092,  403, 1026, 1143, 2150, 2775,  886, 1722, 1212, 1874, 1029, 2110, 2935,  885, 2154,
};
// clang-format on

struct poly {
    uint16_t c[MLKEM_N];
};

static uint16_t add(uint16_t a, uint16_t b) { return (uint16_t)((a + b) % MLKEM_Q); }
static uint16_t sub(uint16_t a, uint16_t b) { return (uint16_t)((a + MLKEM_Q - b) % MLKEM_Q); }
static uint16_t mul(uint16_t a, uint16_t b) { return (uint16_t)((uint32_t)a * b % MLKEM_Q); }

static void poly_add(struct poly *f, const struct poly *g) {
    for (size_t i = 0; i < MLKEM_N; i++) {
        f->c[i] = add(f->c[i], g->c[i]);
    }
}

static void poly_sub(struct poly *f, const struct poly *g) {
    for (size_t i = 0; i < MLKEM_N; i++) {
        f->c[i] = sub(f->c[i], g->c[i]);
    }
}

// Algorithm 9.
static void ntt(struct poly *f) {
    size_t k = 1;
    for (size_t len = 128; len >= 2; len /= 2) {
        for (size_t start = 0; start < MLKEM_N; start += 2 * len, k++) {
            for (size_t j = start; j < start + len; j++) {
                uint16_t t = mul(zetas[k], f->c[j + len]);
                f->c[j + len] = sub(f->c[j], t);
                f->c[j] = add(f->c[j], t);
            }
        }
    }
}

// Algorithm 10.
static void ntt_inverse(struct poly *f) {
    size_t k = 127;
    for (size_t len = 2; len <= 128; len *= 2) {
        for (size_t start = 0; start < MLKEM_N; start += 2 * len, k--) {
            for (size_t j = start; j < start + len; j++) {
                uint16_t t = f->c[j];
                f->c[j] = add(t, f->c[j + len]);
                f->c[j + len] = mul(zetas[k], sub(f->c[j + len], t));
            }
        }
    }
    for (size_t i = 0; i < MLKEM_N; i++) {
        f->c[i] = mul(f->c[i], INVERSE_128);
    }
}

// Algorithms 11 and 12, added to what is in `out`.
static void ntt_multiply_add(struct poly *out, const struct poly *f, const struct poly *g) {
    for (size_t i = 0; i < MLKEM_N; i += 2) {
        uint16_t root = zetas[64 + i / 4];
        uint16_t gamma = i % 4 == 0 ? root : sub(0, root);
        uint16_t high = mul(mul(f->c[i + 1], g->c[i + 1]), gamma);
        out->c[i] = add(out->c[i], add(mul(f->c[i], g->c[i]), high));
        out->c[i + 1] =
            add(out->c[i + 1], add(mul(f->c[i], g->c[i + 1]), mul(f->c[i + 1], g->c[i])));
    }
}

// Algorithm 5: the lowest bit comes first.
static void encode(uint8_t *out, const struct poly *f, unsigned bits) {
    memset(out, 0, 32 * bits);
    for (size_t i = 0; i < MLKEM_N * bits; i++) {
        out[i / 8] |= (uint8_t)((f->c[i / bits] >> i % bits & 1) << i % 8);
    }
}

// Algorithm 6.
static void decode(struct poly *out, const uint8_t *p, unsigned bits) {
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < MLKEM_N * bits; i++) {
        out->c[i / bits] |= (uint16_t)((p[i / 8] >> i % 8 & 1) << i % bits);
    }
    for (size_t i = 0; i < MLKEM_N; i++) {
        out->c[i] %= MLKEM_Q;
    }
}

// Section 4.2.1.
static void compress(struct poly *f, unsigned bits) {
    for (size_t i = 0; i < MLKEM_N; i++) {
        uint32_t rounded = (((uint32_t)f->c[i] << bits) + MLKEM_Q / 2) / MLKEM_Q;
        f->c[i] = (uint16_t)(rounded & ((1u << bits) - 1));
    }
}

static void decompress(struct poly *f, unsigned bits) {
    for (size_t i = 0; i < MLKEM_N; i++) {
        f->c[i] = (uint16_t)(((uint32_t)f->c[i] * MLKEM_Q + (1u << (bits - 1))) >> bits);
    }
}

// Algorithm 7: the entry of the matrix at row `i` and column `j`, as NTT.
static void sample_matrix(struct poly *out, const uint8_t rho[32], uint8_t i, uint8_t j) {
    struct keccak xof;
    const uint8_t index[] = {j, i};
    keccak_init(&xof, KECCAK_SHAKE128);
    keccak_absorb(&xof, rho, 32);
    keccak_absorb(&xof, index, sizeof(index));
    for (size_t n = 0; n < MLKEM_N;) {
        uint8_t c[3];
        keccak_squeeze(&xof, c, sizeof(c));
        uint16_t d1 = (uint16_t)(c[0] | (c[1] & 15) << 8), d2 = (uint16_t)(c[1] >> 4 | c[2] << 4);
        if (d1 < MLKEM_Q) {
            out->c[n++] = d1;
        }
        if (d2 < MLKEM_Q && n < MLKEM_N) {
            out->c[n++] = d2;
        }
    }
}

// Algorithm 8 over the PRF of section 4.1: small coefficients.
static void sample_small(struct poly *out, const uint8_t seed[32], uint8_t n) {
    struct keccak prf;
    uint8_t bytes[64 * ETA];
    keccak_init(&prf, KECCAK_SHAKE256);
    keccak_absorb(&prf, seed, 32);
    keccak_absorb(&prf, &n, 1);
    keccak_squeeze(&prf, bytes, sizeof(bytes));
    for (size_t i = 0; i < MLKEM_N; i++) {
        unsigned bits = bytes[i / 2] >> 4 * (i % 2) & 15;
        out->c[i] = sub((uint16_t)((bits & 1) + (bits >> 1 & 1)),
                        (uint16_t)((bits >> 2 & 1) + (bits >> 3 & 1)));
    }
}

static void sha3_256(uint8_t out[32], const uint8_t *p, size_t p_len) {
    struct keccak keccak;
    keccak_init(&keccak, KECCAK_SHA3_256);
    keccak_absorb(&keccak, p, p_len);
    keccak_squeeze(&keccak, out, 32);
}

// The function G: two halves of a hash over both inputs.
static void hash_pair(uint8_t out[64], const uint8_t a[32], const uint8_t *b, size_t b_len) {
    struct keccak keccak;
    keccak_init(&keccak, KECCAK_SHA3_512);
    keccak_absorb(&keccak, a, 32);
    keccak_absorb(&keccak, b, b_len);
    keccak_squeeze(&keccak, out, 64);
}

// Algorithm 13, and what algorithm 16 adds to it.
void mlkem_key_init(struct mlkem_key *key, const uint8_t seed[MLKEM_SEED_LEN]) {
    static const uint8_t k = MLKEM_K;
    uint8_t hash[64];
    struct poly s[MLKEM_K], t, a;
    hash_pair(hash, seed, &k, 1);
    const uint8_t *rho = hash, *sigma = hash + 32;
    for (uint8_t i = 0; i < MLKEM_K; i++) {
        sample_small(&s[i], sigma, i);
        ntt(&s[i]);
        memcpy(key->s[i], s[i].c, sizeof(key->s[i]));
    }
    for (uint8_t i = 0; i < MLKEM_K; i++) {
        sample_small(&t, sigma, MLKEM_K + i);
        ntt(&t);
        for (uint8_t j = 0; j < MLKEM_K; j++) {
            sample_matrix(&a, rho, i, j);
            ntt_multiply_add(&t, &a, &s[j]);
        }
        encode(key->public_key + POLY_LEN * i, &t, 12);
    }
    memcpy(key->public_key + POLY_LEN * MLKEM_K, rho, 32);
    sha3_256(key->public_hash, key->public_key, MLKEM_PUBLIC_LEN);
    memcpy(key->z, seed + 32, 32);
}

// Algorithm 14.
static void encrypt(uint8_t out[MLKEM_CIPHERTEXT_LEN], const uint8_t public_key[MLKEM_PUBLIC_LEN],
                    const uint8_t m[32], const uint8_t r[32]) {
    const uint8_t *rho = public_key + POLY_LEN * MLKEM_K;
    struct poly y[MLKEM_K], a, e, u, v = {{0}};
    for (uint8_t i = 0; i < MLKEM_K; i++) {
        sample_small(&y[i], r, i);
        ntt(&y[i]);
    }
    for (uint8_t i = 0; i < MLKEM_K; i++) {
        memset(&u, 0, sizeof(u));
        for (uint8_t j = 0; j < MLKEM_K; j++) {
            sample_matrix(&a, rho, j, i); // transposed
            ntt_multiply_add(&u, &a, &y[j]);
        }
        ntt_inverse(&u);
        sample_small(&e, r, MLKEM_K + i);
        poly_add(&u, &e);
        compress(&u, DU);
        encode(out + 32 * DU * i, &u, DU);
        decode(&a, public_key + POLY_LEN * i, 12);
        ntt_multiply_add(&v, &a, &y[i]);
    }
    ntt_inverse(&v);
    sample_small(&e, r, 2 * MLKEM_K);
    poly_add(&v, &e);
    decode(&a, m, 1);
    decompress(&a, 1);
    poly_add(&v, &a);
    compress(&v, DV);
    encode(out + 32 * DU * MLKEM_K, &v, DV);
}

// Algorithm 15.
static void decrypt(uint8_t out[32], const struct mlkem_key *key,
                    const uint8_t ciphertext[MLKEM_CIPHERTEXT_LEN]) {
    struct poly u, s, w = {{0}}, v;
    for (size_t i = 0; i < MLKEM_K; i++) {
        decode(&u, ciphertext + 32 * DU * i, DU);
        decompress(&u, DU);
        ntt(&u);
        memcpy(s.c, key->s[i], sizeof(s.c));
        ntt_multiply_add(&w, &s, &u);
    }
    ntt_inverse(&w);
    decode(&v, ciphertext + 32 * DU * MLKEM_K, DV);
    decompress(&v, DV);
    poly_sub(&v, &w);
    compress(&v, 1);
    encode(out, &v, 1);
}

void mlkem_encapsulate(uint8_t out_ciphertext[MLKEM_CIPHERTEXT_LEN],
                       uint8_t out_secret[MLKEM_SECRET_LEN],
                       const uint8_t public_key[MLKEM_PUBLIC_LEN], const uint8_t m[32]) {
    uint8_t hash[32], pair[64];
    sha3_256(hash, public_key, MLKEM_PUBLIC_LEN);
    hash_pair(pair, m, hash, sizeof(hash));
    memcpy(out_secret, pair, MLKEM_SECRET_LEN);
    encrypt(out_ciphertext, public_key, m, pair + 32);
}

void mlkem_decapsulate(uint8_t out_secret[MLKEM_SECRET_LEN], const struct mlkem_key *key,
                       const uint8_t ciphertext[MLKEM_CIPHERTEXT_LEN]) {
    uint8_t m[32], pair[64], again[MLKEM_CIPHERTEXT_LEN];
    struct keccak reject;
    decrypt(m, key, ciphertext);
    hash_pair(pair, m, key->public_hash, sizeof(key->public_hash));
    encrypt(again, key->public_key, m, pair + 32);
    if (memcmp(again, ciphertext, sizeof(again)) == 0) {
        memcpy(out_secret, pair, MLKEM_SECRET_LEN);
        return;
    }
    keccak_init(&reject, KECCAK_SHAKE256);
    keccak_absorb(&reject, key->z, sizeof(key->z));
    keccak_absorb(&reject, ciphertext, MLKEM_CIPHERTEXT_LEN);
    keccak_squeeze(&reject, out_secret, MLKEM_SECRET_LEN);
}
