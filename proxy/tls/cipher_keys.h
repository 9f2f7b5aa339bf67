// What a cipher suite says about its keys: the hash of the key schedule and the record protection.
#ifndef PROXY_TLS_CIPHER_KEYS_H_
#define PROXY_TLS_CIPHER_KEYS_H_

#include <stdbool.h>

#include "logs/base/check.h"
#include "third_party/boringssl/boringssl.h"

// struct cipher_keys holds statics of BoringSSL's.
struct cipher_keys {
    const EVP_MD *digest;
    const EVP_AEAD *aead;
    uint8_t salt_len; // bytes of nonce that TLS 1.2 takes from its key block; the rest it sends
};

// cipher_keys_find sets `*out` to what `cipher`, a suite of TLS 1.3 or TLS 1.2, protects its
// records with. It returns false for every suite but those with AES-128-GCM, AES-256-GCM (RFC 5288)
// and ChaCha20-Poly1305 (RFC 7905).
WUNRES bool cipher_keys_find(struct cipher_keys *out, uint16_t cipher);

#endif // PROXY_TLS_CIPHER_KEYS_H_
