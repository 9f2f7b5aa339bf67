// Code points: the numbers of TLS and the names its registries give them.
#ifndef LOGS_RECORD_CODEPOINT_H_
#define LOGS_RECORD_CODEPOINT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/check.h"

enum registry {
    REGISTRY_VERSION,
    REGISTRY_CIPHER,
    REGISTRY_GROUP,
    REGISTRY_SIGNATURE_SCHEME, // also the hash and signature pairs of TLS 1.2
    REGISTRY_EXTENSION,        // up to here GREASE is two bytes
    REGISTRY_ALERT,
    REGISTRY_HANDSHAKE_TYPE,
    REGISTRY_CONTENT_TYPE,
    REGISTRY_CERT_COMPRESSION,
    REGISTRY_COMPRESSION_METHOD,
    REGISTRY_POINT_FORMAT,
    REGISTRY_PSK_MODE,
    REGISTRY_CLIENT_CERTIFICATE_TYPE,
    REGISTRY_HPKE_KEM,
    REGISTRY_HPKE_KDF,
    REGISTRY_HPKE_AEAD,
    REGISTRY_COUNT
};

// struct codepoint is one assigned value. `mark` is IANA's column "Recommended" (RFC 9847): 'Y'
// recommended, 'N' not evaluated or of limited use, 'D' discouraged, '-' where there is no such
// column. Values that IANA does not list but peers send are here too, the obsolete ones as 'D'.
struct codepoint {
    uint16_t code;
    char mark;
    uint8_t name_len;
    const char *name;
};

// CODEPOINT_NAME_MAX holds the longest text that `codepoint_name` composes, with its NUL.
#define CODEPOINT_NAME_MAX 24

// codepoint_find returns the row of `code`, a static that is never freed, or NULL when the code is
// GREASE or unassigned.
const struct codepoint *codepoint_find(enum registry registry, uint16_t code);

// codepoint_is_grease returns whether `code` is one of the values that RFC 8701, section 2,
// reserves in `registry` so that peers learn to ignore what they do not know: two equal bytes 0x?a,
// or one byte 0x0b + 0x1f * n.
static inline bool codepoint_is_grease(enum registry registry, uint16_t code) {
    if (registry == REGISTRY_PSK_MODE) {
        return code <= 0xe4 && code % 0x1f == 0x0b;
    }
    return registry <= REGISTRY_EXTENSION && (code & 0x0f0f) == 0x0a0a &&
           code >> 8 == (code & 0xff);
}

// codepoint_name returns the name of `code`: "TLS_AES_128_GCM_SHA256", "GREASE (0x1a1a)" or
// "0x1234 (unknown)". The text is a static, or is composed in `out` and lives as long as that.
const char *codepoint_name(enum registry registry, uint16_t code, char out[CODEPOINT_NAME_MAX]);

// codepoint_sslv2_name does the same for a cipher kind of SSL 2.0, which has three bytes:
// "SSL_CK_RC4_128_WITH_MD5" or "0x080080 (unknown)".
const char *codepoint_sslv2_name(uint32_t kind, char out[CODEPOINT_NAME_MAX]);

// codepoint_parse sets `*out_code` to the code that `name` stands for. It takes what
// `codepoint_name` returns, in any case, and a bare "0x1301". It returns false and changes nothing
// for anything else. What is unknown to one version of the program may be known to the next, so
// "0x1301 (unknown)" is taken even though the code has a name.
WUNRES bool codepoint_parse(enum registry registry, uint16_t *out_code, const char *name);

// codepoint_list returns the rows of `registry`, sorted by code, and sets `*out_num` to how many.
const struct codepoint *codepoint_list(enum registry registry, size_t *out_num);

#endif // LOGS_RECORD_CODEPOINT_H_
