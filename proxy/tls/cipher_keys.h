// What a cipher suite says about its keys: the hash of the key schedule and the record protection.
#ifndef PROXY_TLS_CIPHER_KEYS_H_
#define PROXY_TLS_CIPHER_KEYS_H_

#include <stdbool.h>

#include "logs/base/check.h"
#include "third_party/boringssl/boringssl.h"

// struct cipher_keys holds statics of BoringSSL's.
struct cipher_keys {
    const EVP_MD *digest;
    const EVP_AEAD *aead;     // NULL: `cipher` and `mac`, which only cipher_keys_find12 finds
    const EVP_CIPHER *cipher; // RC4 or CBC,
    const EVP_MD *mac;        // and the hash of its HMAC
    uint8_t salt_len; // bytes of nonce that TLS 1.2 takes from its key block; the rest it sends
    uint8_t mac_len;  // bytes of MAC key, CBC and RC4; else 0
    uint8_t iv_len;   // bytes of IV from the key block, CBC of TLS 1.0 alone; else 0
    uint16_t version; // of the records: 0x0301 to 0x0303
};

// cipher_keys_find sets `*out` to what `cipher`, a suite of TLS 1.3 or TLS 1.2, protects its
// records with. It returns false for every suite but those with AES-128-GCM, AES-256-GCM (RFC 5288)
// and ChaCha20-Poly1305 (RFC 7905).
WUNRES bool cipher_keys_find(struct cipher_keys *out, uint16_t cipher);

// cipher_keys_find12 does so for a connection of `version`, TLS 1.0 to 1.2, where the suites with
// AES-128-CBC, AES-256-CBC, 3DES-CBC (RFC 5246, section 6.2.3.2) and RC4 count, too. Before TLS 1.2
// the digest is EVP_md5_sha1.
WUNRES bool cipher_keys_find12(struct cipher_keys *out, uint16_t version, uint16_t cipher);

#endif // PROXY_TLS_CIPHER_KEYS_H_
