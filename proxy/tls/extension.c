#include "proxy/tls/extension.h"

#include "logs/base/check.h"

enum {
    CH = EXT_IN_CH,
    SH = EXT_IN_SH,
    S12 = EXT_IN_S12,
    HRR = EXT_IN_HRR,
    EE = EXT_IN_EE,
    CT = EXT_IN_CT,
    CR = EXT_IN_CR,
    NST = EXT_IN_NST,
};

// clang-format off
static const struct {
    uint16_t type;
    uint16_t messages;
} places[] = {
    {EXT_SERVER_NAME,               CH | S12 | EE},
    {EXT_MAX_FRAGMENT_LENGTH,       CH | S12 | EE},
    {EXT_STATUS_REQUEST,            CH | S12 | CR | CT},
    {EXT_SUPPORTED_GROUPS,          CH | EE},
    {EXT_EC_POINT_FORMATS,          CH | S12},
    {EXT_SIGNATURE_ALGORITHMS,      CH | CR},
    {EXT_HEARTBEAT,                 CH | S12 | EE},
    {EXT_ALPN,                      CH | S12 | EE},
    {EXT_STATUS_REQUEST_V2,         CH | S12},
    {EXT_SCT,                       CH | S12 | CR | CT},
    {EXT_PADDING,                   CH},
    {EXT_ENCRYPT_THEN_MAC,          CH | S12},
    {EXT_EXTENDED_MASTER_SECRET,    CH | S12},
    {EXT_TOKEN_BINDING,             CH | S12 | EE},
    {EXT_COMPRESS_CERTIFICATE,      CH | CR},
    {EXT_RECORD_SIZE_LIMIT,         CH | S12 | EE},
    {EXT_DELEGATED_CREDENTIAL,      CH | CR | CT},
    {EXT_SESSION_TICKET,            CH | S12},
    {EXT_PRE_SHARED_KEY,            CH | SH},
    {EXT_EARLY_DATA,                CH | EE | NST},
    {EXT_SUPPORTED_VERSIONS,        CH | SH | HRR},
    {EXT_COOKIE,                    CH | HRR},
    {EXT_PSK_KEY_EXCHANGE_MODES,    CH},
    {EXT_CERTIFICATE_AUTHORITIES,   CH | CR},
    {EXT_OID_FILTERS,               CR},
    {EXT_POST_HANDSHAKE_AUTH,       CH},
    {EXT_SIGNATURE_ALGORITHMS_CERT, CH | CR},
    {EXT_KEY_SHARE,                 CH | SH | HRR},
    {EXT_QUIC_PARAMETERS,           CH | EE},
    {EXT_NEXT_PROTOCOL,             CH | S12},
    {EXT_ALPS_OLD,                  CH | EE},
    {EXT_ALPS,                      CH | EE},
    {EXT_CHANNEL_ID_OLD,            CH | S12},
    {EXT_CHANNEL_ID,                CH | S12 | EE},
    {EXT_ECH_OUTER_EXTENSIONS,      0},
    {EXT_ECH,                       CH | HRR | EE},
    {EXT_RENEGOTIATION_INFO,        CH | S12},
};
// clang-format on

bool extension_next(CBS *block, struct extension *out) {
    CBS rest = *block;
    if (!CBS_get_u16(&rest, &out->type) || !CBS_get_u16_length_prefixed(&rest, &out->body)) {
        return false;
    }
    *block = rest;
    return true;
}

bool extension_find(CBS *out_body, CBS block, uint16_t type) {
    struct extension ext;
    while (extension_next(&block, &ext)) {
        if (ext.type == type) {
            *out_body = ext.body;
            return true;
        }
    }
    return false;
}

bool extension_allowed(uint16_t type, unsigned message) {
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        if (places[i].type == type) {
            return (places[i].messages & message) != 0;
        }
    }
    return true;
}
