// The PRF and the key block of TLS 1.0 to 1.2 (RFC 5246, sections 5 and 6.3; RFC 2246).
#ifndef PROXY_TLS_KEY_BLOCK_H_
#define PROXY_TLS_KEY_BLOCK_H_

#include "proxy/tls/record_protect.h"

enum { KEY_BLOCK_MASTER_LEN = 48, KEY_BLOCK_RANDOM_LEN = 32 };

// key_block_prf is the PRF of TLS 1.2 with the digest of the suite, or with EVP_md5_sha1 that of
// before (RFC 2246, section 5). The label and the two seeds together have at most 128 bytes.
void key_block_prf(uint8_t *out, size_t out_len, const EVP_MD *digest, const uint8_t *secret,
                   size_t secret_len, const char *label, const uint8_t *seed1, size_t seed1_len,
                   const uint8_t *seed2, size_t seed2_len);

// key_block_protect sets up what protects the records of one direction, the client's or the
// server's, from the connection's master secret and randoms; `seals` says what it is to do.
void key_block_protect(struct record_protect *out, bool client, bool seals,
                       const struct cipher_keys *keys, const uint8_t *master,
                       const uint8_t *client_random, const uint8_t *server_random);

#endif // PROXY_TLS_KEY_BLOCK_H_
