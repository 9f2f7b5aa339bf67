#include "proxy/tls/keccak.h"

enum { ROUNDS = 24 };

static const struct {
    uint8_t rate, suffix;
} functions[] = {
    [KECCAK_SHA3_256] = {136, 0x06},
    [KECCAK_SHA3_512] = {72, 0x06},
    [KECCAK_SHAKE128] = {168, 0x1f},
    [KECCAK_SHAKE256] = {136, 0x1f},
};

// FIPS 202, section 3.2.5: what step iota adds.
static const uint64_t constants[ROUNDS] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
    0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
    0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

// Steps rho and pi walk over all lanes but the first: the next lane, and how far it is turned.
// clang-format off
static const struct {
    uint8_t lane, turn;
} walk[24] = {
    {10,  1}, { 7,  3}, {11,  6}, {17, 10}, {18, 15}, { 3, 21}, { 5, 28}, {16, 36},
    { 8, 45}, {21, 55}, {24,  2}, { 4, 14}, {15, 27}, {23, 41}, {19, 56}, {13,  8},
    {12, 25}, { 2, 43}, {20, 62}, {14, 18}, {22, 39}, { 9, 61}, { 6, 20}, { 1, 44},
};
// clang-format on

static uint64_t turn_left(uint64_t lane, unsigned n) { return lane << n | lane >> (64 - n); }

static void theta(uint64_t a[25]) {
    uint64_t columns[5];
    for (size_t x = 0; x < 5; x++) {
        columns[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
    }
    for (size_t x = 0; x < 5; x++) {
        uint64_t d = columns[(x + 4) % 5] ^ turn_left(columns[(x + 1) % 5], 1);
        for (size_t y = 0; y < 25; y += 5) {
            a[x + y] ^= d;
        }
    }
}

static void rho_and_pi(uint64_t a[25]) {
    uint64_t moved = a[1];
    for (size_t i = 0; i < 24; i++) {
        uint64_t next = a[walk[i].lane];
        a[walk[i].lane] = turn_left(moved, walk[i].turn);
        moved = next;
    }
}

static void chi(uint64_t a[25]) {
    for (size_t y = 0; y < 25; y += 5) {
        uint64_t row[5];
        for (size_t x = 0; x < 5; x++) {
            row[x] = a[y + x];
        }
        for (size_t x = 0; x < 5; x++) {
            a[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
        }
    }
}

static void permute(uint64_t a[25]) {
    for (size_t round = 0; round < ROUNDS; round++) {
        theta(a);
        rho_and_pi(a);
        chi(a);
        a[0] ^= constants[round];
    }
}

void keccak_init(struct keccak *keccak, enum keccak_function function) {
    *keccak =
        (struct keccak){.rate = functions[function].rate, .suffix = functions[function].suffix};
}

static void byte_add(struct keccak *keccak, size_t at, uint8_t byte) {
    keccak->state[at / 8] ^= (uint64_t)byte << (8 * (at % 8));
}

void keccak_absorb(struct keccak *keccak, const uint8_t *p, size_t p_len) {
    CHECK(!keccak->squeezing);
    for (size_t i = 0; i < p_len; i++) {
        byte_add(keccak, keccak->at++, p[i]);
        if (keccak->at == keccak->rate) {
            permute(keccak->state);
            keccak->at = 0;
        }
    }
}

void keccak_squeeze(struct keccak *keccak, uint8_t *out, size_t out_len) {
    if (!keccak->squeezing) {
        byte_add(keccak, keccak->at, keccak->suffix);
        byte_add(keccak, keccak->rate - 1, 0x80);
        keccak->squeezing = true;
        keccak->at = keccak->rate;
    }
    for (size_t i = 0; i < out_len; i++) {
        if (keccak->at == keccak->rate) {
            permute(keccak->state);
            keccak->at = 0;
        }
        out[i] = (uint8_t)(keccak->state[keccak->at / 8] >> (8 * (keccak->at % 8)));
        keccak->at++;
    }
}
