// The TLS 1.3 key schedule (RFC 8446, section 7.1): secrets from a PSK, a shared secret and the
// transcript. For the hashes of the registered suites, SHA-256 and SHA-384.
#ifndef PROXY_TLS_KEY_SCHEDULE_H_
#define PROXY_TLS_KEY_SCHEDULE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/check.h"
#include "third_party/boringssl/boringssl.h"

enum {
    KEY_SCHEDULE_HASH_MAX = 48, // bytes of a secret or a transcript hash: those of the digest
    KEY_SCHEDULE_KEY_MAX = 32,
    KEY_SCHEDULE_IV_LEN = 12,
};

// The stages, in order. Each begins with an HKDF-Extract.
enum key_stage { KEY_STAGE_EARLY, KEY_STAGE_HANDSHAKE, KEY_STAGE_MASTER };

// The secrets that are derived, each at its stage, with the transcript that the RFC names.
enum key_secret {
    KEY_CLIENT_EARLY_TRAFFIC,     // ClientHello
    KEY_CLIENT_HANDSHAKE_TRAFFIC, // ClientHello to ServerHello
    KEY_SERVER_HANDSHAKE_TRAFFIC,
    KEY_CLIENT_TRAFFIC, // ClientHello to server Finished
    KEY_SERVER_TRAFFIC,
    KEY_EXPORTER,
    KEY_RESUMPTION, // ClientHello to client Finished
};

// struct key_schedule is the secret of the current stage.
struct key_schedule {
    const EVP_MD *digest;
    enum key_stage stage;
    uint8_t secret[KEY_SCHEDULE_HASH_MAX];
};

// struct key_material protects the records of one direction (RFC 8446, section 7.3).
struct key_material {
    uint8_t key[KEY_SCHEDULE_KEY_MAX];
    uint8_t key_len;
    uint8_t iv[KEY_SCHEDULE_IV_LEN];
};

// key_schedule_init begins with the early secret of `psk`, or of none where `psk_len` is 0.
void key_schedule_init(struct key_schedule *schedule, const EVP_MD *digest, const uint8_t *psk,
                       size_t psk_len);

// key_schedule_next goes on to the next stage with `input`: the shared secret of the key exchange
// for KEY_STAGE_HANDSHAKE (RFC 8446, section 7.4), nothing for KEY_STAGE_MASTER.
void key_schedule_next(struct key_schedule *schedule, const uint8_t *input, size_t input_len);

// key_schedule_secret derives `secret`, which belongs to the current stage, from the transcript
// hash that it asks for. Both have the length of the digest.
void key_schedule_secret(uint8_t *out, const struct key_schedule *schedule, enum key_secret secret,
                         const uint8_t *transcript_hash);

// key_schedule_label is HKDF-Expand-Label of a secret with the length of the digest. `label` comes
// without "tls13 " and has at most 12 bytes; the context has at most EVP_MAX_MD_SIZE.
void key_schedule_label(uint8_t *out, size_t out_len, const EVP_MD *digest, const uint8_t *secret,
                        const char *label, const uint8_t *context, size_t context_len);

// key_schedule_material sets `*out` to key and IV of a traffic secret, for a key of `key_len`
// bytes.
void key_schedule_material(struct key_material *out, const EVP_MD *digest, const uint8_t *secret,
                           size_t key_len);

// key_schedule_finished sets `out` to the verify_data of the Finished message that the owner of
// the traffic secret sends after a transcript with this hash (RFC 8446, section 4.4.4).
void key_schedule_finished(uint8_t *out, const EVP_MD *digest, const uint8_t *traffic_secret,
                           const uint8_t *transcript_hash);

// key_schedule_update turns an application traffic secret into the one after a KeyUpdate (RFC 8446,
// section 7.2).
void key_schedule_update(uint8_t *secret, const EVP_MD *digest);

#endif // PROXY_TLS_KEY_SCHEDULE_H_
