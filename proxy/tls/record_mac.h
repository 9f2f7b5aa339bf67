// Record protection of TLS 1.0 to 1.2 with a MAC and a cipher for which the library has no AEAD:
// RC4, and CBC with HMAC of SHA-256 and SHA-384 (RFC 5246, sections 6.2.3.1 and 6.2.3.2). Private
// to this room: record_protect uses it.
//
// Opening CBC takes as long as its padding says (RFC 5246, section 6.2.3.2, warns of that): who
// emulates an old box is as old.
#ifndef PROXY_TLS_RECORD_MAC_H_
#define PROXY_TLS_RECORD_MAC_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/check.h"
#include "third_party/boringssl/boringssl.h"

enum { RECORD_MAC_HEAD_LEN = 13, RECORD_MAC_MAX = 48 };

// struct record_mac is owned by its caller; a zeroed one may be cleaned up.
struct record_mac {
    EVP_CIPHER_CTX cipher;
    const EVP_MD *digest; // NULL: not in use
    uint8_t key[RECORD_MAC_MAX];
};

// record_mac_init takes the keys of one direction, each as long as `digest` and `cipher` say.
void record_mac_init(struct record_mac *mac, const EVP_CIPHER *cipher, const EVP_MD *digest,
                     bool seals, const uint8_t *mac_key, const uint8_t *key);
void record_mac_cleanup(struct record_mac *mac);

// record_mac_tag_len is what sealing adds behind `len` bytes of content: the MAC, and with CBC
// padding.
size_t record_mac_tag_len(const struct record_mac *mac, size_t len);

// record_mac_open opens `len` bytes at `p` in place and sets `*out_len` to how many of them are the
// content. `iv` is for CBC. `head` is sequence number, type and version, and room for the length.
WUNRES bool record_mac_open(struct record_mac *mac, size_t *out_len,
                            uint8_t head[RECORD_MAC_HEAD_LEN], const uint8_t *iv, uint8_t *p,
                            size_t len);

// record_mac_seal seals `len` bytes at `p` in place, behind which there is room for the rest.
void record_mac_seal(struct record_mac *mac, uint8_t head[RECORD_MAC_HEAD_LEN], const uint8_t *iv,
                     uint8_t *p, size_t len);

#endif // PROXY_TLS_RECORD_MAC_H_
