// Whether what a server signed in its handshake is signed by the key of its certificate (RFC 8446,
// section 4.4.3; RFC 5246, section 7.4.3; RFC 9345 for delegated credentials).
#ifndef PROXY_TLS_SIGNATURE_CHECK_H_
#define PROXY_TLS_SIGNATURE_CHECK_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/check.h"
#include "third_party/boringssl/boringssl.h"

enum signature_check {
    SIGNATURE_GOOD,
    SIGNATURE_BAD,
    SIGNATURE_UNCHECKED, // no key could be read, or the scheme is not one of ours
};

// signature_key returns the public key of a certificate in DER, or of a delegated credential where
// that is not NULL. The caller frees it with EVP_PKEY_free. It returns NULL when BoringSSL knows no
// such key.
EVP_PKEY *signature_key(const CBS *certificate, const CBS *delegated_credential);

// signature_check verifies `signature` over `p` with `scheme`; 0 is that of before TLS 1.2: MD5 and
// SHA-1 for RSA, SHA-1 for ECDSA. `key` may be NULL. DSA, Ed448 and post-quantum schemes are not
// checked.
enum signature_check signature_check(EVP_PKEY *key, uint16_t scheme, const CBS *signature,
                                     const uint8_t *p, size_t p_len);

// signature_content13 writes what a server signs in TLS 1.3 over a transcript with this hash to
// `out` and returns its length.
enum { SIGNATURE_CONTENT_MAX = 64 + 34 + EVP_MAX_MD_SIZE };
size_t signature_content13(uint8_t out[SIGNATURE_CONTENT_MAX], const uint8_t *hash,
                           size_t hash_len);

#endif // PROXY_TLS_SIGNATURE_CHECK_H_
