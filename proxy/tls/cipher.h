// What a cipher suite says about the messages of its handshake.
#ifndef PROXY_TLS_CIPHER_H_
#define PROXY_TLS_CIPHER_H_

#include <stdbool.h>
#include <stdint.h>

// The shape of a ServerKeyExchange (RFC 5246, section 7.4.3; RFC 8422; RFC 4279; RFC 5054).
enum key_exchange {
    KEY_EXCHANGE_UNKNOWN, // a suite that no registry knows
    KEY_EXCHANGE_NONE,    // no ServerKeyExchange: RSA, static DH, TLS 1.3
    KEY_EXCHANGE_ECDHE,
    KEY_EXCHANGE_DHE,
    KEY_EXCHANGE_RSA_EXPORT,
    KEY_EXCHANGE_SRP,
};

struct cipher_exchange {
    enum key_exchange kind;
    bool psk;  // begins with an identity hint
    bool anon; // carries no signature
};

// cipher_is_tls13 returns whether the suite belongs to TLS 1.3.
bool cipher_is_tls13(uint32_t cipher);

// cipher_needs_group returns whether the suite takes a group from supported_groups.
bool cipher_needs_group(uint32_t cipher);

// cipher_exchange returns the key exchange of the suite, told from its IANA name.
struct cipher_exchange cipher_exchange(uint16_t cipher);

#endif // PROXY_TLS_CIPHER_H_
