// Extensions: their code points as far as we decode them, and the walk over a block of them.
#ifndef PROXY_TLS_EXTENSION_H_
#define PROXY_TLS_EXTENSION_H_

#include <stdbool.h>
#include <stdint.h>

#include "third_party/boringssl/boringssl.h"

// clang-format off
enum {
    EXT_SERVER_NAME              = 0,
    EXT_MAX_FRAGMENT_LENGTH      = 1,
    EXT_STATUS_REQUEST           = 5,
    EXT_SUPPORTED_GROUPS         = 10,
    EXT_EC_POINT_FORMATS         = 11,
    EXT_SIGNATURE_ALGORITHMS     = 13,
    EXT_HEARTBEAT                = 15,
    EXT_ALPN                     = 16,
    EXT_STATUS_REQUEST_V2        = 17,
    EXT_SCT                      = 18,
    EXT_PADDING                  = 21,
    EXT_ENCRYPT_THEN_MAC         = 22,
    EXT_EXTENDED_MASTER_SECRET   = 23,
    EXT_TOKEN_BINDING            = 24,
    EXT_COMPRESS_CERTIFICATE     = 27,
    EXT_RECORD_SIZE_LIMIT        = 28,
    EXT_DELEGATED_CREDENTIAL     = 34,
    EXT_SESSION_TICKET           = 35,
    EXT_PRE_SHARED_KEY           = 41,
    EXT_EARLY_DATA               = 42,
    EXT_SUPPORTED_VERSIONS       = 43,
    EXT_COOKIE                   = 44,
    EXT_PSK_KEY_EXCHANGE_MODES   = 45,
    EXT_CERTIFICATE_AUTHORITIES  = 47,
    EXT_OID_FILTERS              = 48,
    EXT_POST_HANDSHAKE_AUTH      = 49,
    EXT_SIGNATURE_ALGORITHMS_CERT = 50,
    EXT_KEY_SHARE                = 51,
    EXT_QUIC_PARAMETERS          = 57,
    EXT_NEXT_PROTOCOL            = 13172,
    EXT_ALPS_OLD                 = 17513,
    EXT_ALPS                     = 17613,
    EXT_CHANNEL_ID_OLD           = 30031,
    EXT_CHANNEL_ID               = 30032,
    EXT_ECH_OUTER_EXTENSIONS     = 0xfd00,
    EXT_ECH                      = 0xfe0d,
    EXT_ESNI                     = 0xffce,
    EXT_QUIC_PARAMETERS_DRAFT    = 0xffa5,
    EXT_RENEGOTIATION_INFO       = 0xff01,
};

// The messages an extension may stand in (RFC 8446, section 4.2, and what came after).
enum {
    EXT_IN_CH  = 1 << 0, // ClientHello
    EXT_IN_SH  = 1 << 1, // ServerHello, of TLS 1.3
    EXT_IN_S12 = 1 << 2, // ServerHello, of TLS 1.2 and below
    EXT_IN_HRR = 1 << 3, // HelloRetryRequest
    EXT_IN_EE  = 1 << 4, // EncryptedExtensions
    EXT_IN_CT  = 1 << 5, // an entry of Certificate
    EXT_IN_CR  = 1 << 6, // CertificateRequest
    EXT_IN_NST = 1 << 7, // NewSessionTicket
};
// clang-format on

enum { EXTENSION_HEADER_LEN = 4 };

struct extension {
    uint16_t type;
    CBS body; // behind a header of EXTENSION_HEADER_LEN bytes
};

// extension_next takes the next extension from `block`, a view of a block without its length. It
// returns false at the end, and where the rest is not a whole extension (which stays in `block`).
bool extension_next(CBS *block, struct extension *out);

// extension_find sets `*out_body` to the body of the first extension of `type` in `block`.
bool extension_find(CBS *out_body, CBS block, uint16_t type);

// extension_known returns whether `type` is in our table of where extensions may stand.
bool extension_known(uint16_t type);

// extension_allowed returns whether an extension of `type` may stand in the message that has the
// bit `message`. What is not in our table may.
bool extension_allowed(uint16_t type, unsigned message);

#endif // PROXY_TLS_EXTENSION_H_
