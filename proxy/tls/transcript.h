// The hash over the messages of a handshake (RFC 8446, section 4.4.1).
#ifndef PROXY_TLS_TRANSCRIPT_H_
#define PROXY_TLS_TRANSCRIPT_H_

#include "logs/base/check.h"
#include "third_party/boringssl/boringssl.h"

// struct transcript is owned by its caller.
struct transcript {
    EVP_MD_CTX ctx;
};

// transcript_init makes an empty transcript; transcript_cleanup frees it.
void transcript_init(struct transcript *transcript, const EVP_MD *digest);
void transcript_cleanup(struct transcript *transcript);

// transcript_add appends a handshake message with its header.
void transcript_add(struct transcript *transcript, const uint8_t *p, size_t p_len);

// transcript_retry puts the message_hash in place of the first ClientHello, which is all that was
// added so far: the HelloRetryRequest comes next.
void transcript_retry(struct transcript *transcript);

// transcript_hash sets `out` to the hash so far and returns its length, EVP_MAX_MD_SIZE at most.
size_t transcript_hash(uint8_t *out, const struct transcript *transcript);

#endif // PROXY_TLS_TRANSCRIPT_H_
