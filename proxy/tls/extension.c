#include "proxy/tls/extension.h"

#include <limits.h>

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

// messages_of returns where an extension may stand, which is anywhere for one that we do not know.
// clang-format off
static unsigned messages_of(uint16_t type) {
    switch (type) {
    case EXT_SERVER_NAME:                return CH | S12 | EE;
    case EXT_MAX_FRAGMENT_LENGTH:        return CH | S12 | EE;
    case EXT_STATUS_REQUEST:             return CH | S12 | CR | CT;
    case EXT_SUPPORTED_GROUPS:           return CH | EE;
    case EXT_EC_POINT_FORMATS:           return CH | S12;
    case EXT_SIGNATURE_ALGORITHMS:       return CH | CR;
    case EXT_HEARTBEAT:                  return CH | S12 | EE;
    case EXT_ALPN:                       return CH | S12 | EE;
    case EXT_STATUS_REQUEST_V2:          return CH | S12;
    case EXT_SCT:                        return CH | S12 | CR | CT;
    case EXT_PADDING:                    return CH;
    case EXT_ENCRYPT_THEN_MAC:           return CH | S12;
    case EXT_EXTENDED_MASTER_SECRET:     return CH | S12;
    case EXT_TOKEN_BINDING:              return CH | S12 | EE;
    case EXT_COMPRESS_CERTIFICATE:       return CH | CR;
    case EXT_RECORD_SIZE_LIMIT:          return CH | S12 | EE;
    case EXT_DELEGATED_CREDENTIAL:       return CH | CR | CT;
    case EXT_SESSION_TICKET:             return CH | S12;
    case EXT_PRE_SHARED_KEY:             return CH | SH;
    case EXT_EARLY_DATA:                 return CH | EE | NST;
    case EXT_SUPPORTED_VERSIONS:         return CH | SH | HRR;
    case EXT_COOKIE:                     return CH | HRR;
    case EXT_PSK_KEY_EXCHANGE_MODES:     return CH;
    case EXT_CERTIFICATE_AUTHORITIES:    return CH | CR;
    case EXT_OID_FILTERS:                return CR;
    case EXT_POST_HANDSHAKE_AUTH:        return CH;
    case EXT_SIGNATURE_ALGORITHMS_CERT:  return CH | CR;
    case EXT_KEY_SHARE:                  return CH | SH | HRR;
    case EXT_QUIC_PARAMETERS:            return CH | EE;
    case EXT_NEXT_PROTOCOL:              return CH | S12;
    case EXT_ALPS_OLD:                   return CH | EE;
    case EXT_ALPS:                       return CH | EE;
    case EXT_CHANNEL_ID_OLD:             return CH | S12;
    case EXT_CHANNEL_ID:                 return CH | S12 | EE;
    case EXT_ECH_OUTER_EXTENSIONS:       return 0;
    case EXT_ECH:                        return CH | HRR | EE;
    case EXT_RENEGOTIATION_INFO:         return CH | S12;
    default:                             return UINT_MAX;
    }
}
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

bool extension_known(uint16_t type) { return messages_of(type) != UINT_MAX; }

bool extension_allowed(uint16_t type, unsigned message) {
    return (messages_of(type) & message) != 0;
}
