// Records opened and sealed: AEAD protection of TLS 1.3 (RFC 8446, section 5.2) and TLS 1.2
// (RFC 5246, section 6.2.3.3), CBC and RC4 with a MAC of TLS 1.0 to 1.2 (section 6.2.3.2). One
// struct is one direction under one key.
#ifndef PROXY_TLS_RECORD_PROTECT_H_
#define PROXY_TLS_RECORD_PROTECT_H_

#include "proxy/tls/cipher_keys.h"
#include "proxy/tls/key_schedule.h"
#include "proxy/tls/record_mac.h"

enum {
    RECORD_PLAIN_MAX = 16384, // RFC 8446, section 5.1
    RECORD_SEALED_MAX =
        RECORD_PLAIN_MAX + 2048,      // the body; TLS 1.3 allows only 256 more than plain
    RECORD_PROTECT_KEY_MAX = 48 + 32, // MAC key, key and, where the MAC is shorter, IV
};

// struct record_protect is owned by its caller. A zeroed struct has no key: it may be cleaned up
// and initialised, no more.
struct record_protect {
    EVP_AEAD_CTX aead;
    struct record_mac mac; // in its place
    bool tls13, cbc;
    bool all; // up to TLS 1.2: application data is opened, too, and not only counted
    uint16_t version;
    uint8_t iv[KEY_SCHEDULE_IV_LEN];
    uint8_t nonce_len, sent_len; // bytes of nonce, and those of them that stand in the record
    uint8_t tag_min;             // the least that sealing adds behind the content
    uint64_t seq;                // of the next record
};

// record_protect_init13 takes the keys of a TLS 1.3 traffic secret, which has the length of the
// digest. record_protect_init12 takes a write key and the implicit part of the nonce from a key
// block, as long as `keys` says; with a MAC the key is MAC key, key and, in TLS 1.0, IV, and can
// only seal or only open. The struct may have had other keys.
void record_protect_init13(struct record_protect *protect, const struct cipher_keys *keys,
                           const uint8_t *secret);
void record_protect_init12(struct record_protect *protect, const struct cipher_keys *keys,
                           bool seals, const uint8_t *key, const uint8_t *salt);

void record_protect_cleanup(struct record_protect *protect);

// record_protect_overhead returns how many bytes more than its content the body of a record has at
// least: with an AEAD of TLS 1.2 exactly.
size_t record_protect_overhead(const struct record_protect *protect);

// record_protect_open opens the body of a record with this header. It sets `*out_type` to the type
// of its content and `*out` and `*out_len` to the content, without padding, which stands inside
// `body`: opening is done in place. It returns false, and counts no record, when the record was not
// sealed with this key at this place in the sequence; `body` then holds nothing of use. A TLS 1.3
// record of nothing but padding opens with `*out_type` 0.
WUNRES bool record_protect_open(struct record_protect *protect, uint8_t *out_type,
                                const uint8_t **out, size_t *out_len, const uint8_t header[5],
                                uint8_t *body, size_t body_len);

// record_protect_skip counts a record that is not opened.
void record_protect_skip(struct record_protect *protect);

// record_protect_seal writes a record, header and body, of `p_len` bytes of `type` followed by
// `padding` zeros (none in TLS 1.2), together RECORD_PLAIN_MAX at most, to `out`, which has room
// for RECORD_SEALED_MAX and a header and does not overlap `p`. It returns the record's length.
size_t record_protect_seal(struct record_protect *protect, uint8_t *out, uint8_t type,
                           const uint8_t *p, size_t p_len, size_t padding);

#endif // PROXY_TLS_RECORD_PROTECT_H_
