// The sponge of SHA-3 and SHAKE (FIPS 202), for ML-KEM.
#ifndef PROXY_TLS_KECCAK_H_
#define PROXY_TLS_KECCAK_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/check.h"

enum keccak_function { KECCAK_SHA3_256, KECCAK_SHA3_512, KECCAK_SHAKE128, KECCAK_SHAKE256 };

// struct keccak is owned by its caller; there is nothing to free.
struct keccak {
    uint64_t state[25];
    size_t rate, at; // bytes of a block, and of the current one
    uint8_t suffix;
    bool squeezing;
};

// keccak_init begins. Then come any number of keccak_absorb, and any number of keccak_squeeze, each
// of which goes on where the one before ended.
void keccak_init(struct keccak *keccak, enum keccak_function function);
void keccak_absorb(struct keccak *keccak, const uint8_t *p, size_t p_len);
void keccak_squeeze(struct keccak *keccak, uint8_t *out, size_t out_len);

#endif // PROXY_TLS_KECCAK_H_
