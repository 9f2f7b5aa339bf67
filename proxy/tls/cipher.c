#include "proxy/tls/cipher.h"

#include <string.h>

#include "logs/record/codepoint.h"

// The first match counts. What matches none has no ServerKeyExchange.
// clang-format off
static const struct {
    const char *prefix;
    struct cipher_exchange exchange;
} exchanges[] = {
    //                          kind                     psk    anon
    {"TLS_ECDHE_PSK_",         {KEY_EXCHANGE_ECDHE,      true,  true}},
    {"TLS_ECDHE_",             {KEY_EXCHANGE_ECDHE,      false, false}},
    {"TLS_ECDH_anon_",         {KEY_EXCHANGE_ECDHE,      false, true}},
    {"TLS_DHE_PSK_",           {KEY_EXCHANGE_DHE,        true,  true}},
    {"TLS_PSK_DHE_",           {KEY_EXCHANGE_DHE,        true,  true}},
    {"TLS_DHE_",               {KEY_EXCHANGE_DHE,        false, false}},
    {"TLS_DH_anon_",           {KEY_EXCHANGE_DHE,        false, true}},
    {"TLS_PSK_",               {KEY_EXCHANGE_NONE,       true,  true}},
    {"TLS_RSA_PSK_",           {KEY_EXCHANGE_NONE,       true,  true}},
    {"TLS_RSA_EXPORT",         {KEY_EXCHANGE_RSA_EXPORT, false, false}},
    {"TLS_SRP_SHA_WITH_",      {KEY_EXCHANGE_SRP,        false, true}},
    {"TLS_SRP_",               {KEY_EXCHANGE_SRP,        false, false}},
    {"TLS_CECPQ1_",            {KEY_EXCHANGE_UNKNOWN,    false, false}},
    {"TLS_ECCPWD_",            {KEY_EXCHANGE_UNKNOWN,    false, false}},
    {"TLS_ECJPAKE_",           {KEY_EXCHANGE_UNKNOWN,    false, false}},
};
// clang-format on

bool cipher_is_tls13(uint32_t cipher) {
    return cipher >> 8 == 0x13 || cipher == 0x00c6 || cipher == 0x00c7 || // SM4 (RFC 8998)
           cipher == 0xc0b4 || cipher == 0xc0b5;                          // RFC 9150
}

bool cipher_needs_group(uint32_t cipher) {
    return cipher_is_tls13(cipher) ||
           (cipher <= UINT16_MAX && cipher_exchange((uint16_t)cipher).kind == KEY_EXCHANGE_ECDHE);
}

struct cipher_exchange cipher_exchange(uint16_t cipher) {
    const struct codepoint *row = codepoint_find(REGISTRY_CIPHER, cipher);
    if (row == NULL) {
        return (struct cipher_exchange){.kind = KEY_EXCHANGE_UNKNOWN};
    }
    for (size_t i = 0; i < ARRAY_LEN(exchanges); i++) {
        if (strncmp(row->name, exchanges[i].prefix, strlen(exchanges[i].prefix)) == 0) {
            return exchanges[i].exchange;
        }
    }
    return (struct cipher_exchange){.kind = KEY_EXCHANGE_NONE};
}
