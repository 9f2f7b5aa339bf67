// ServerKeyExchange and CertificateVerify: what is signed in a handshake (RFC 5246, sections 7.4.3
// and 7.4.8; RFC 8422, section 5.4; RFC 4279; RFC 5054; RFC 8446, section 4.4.3). All views point
// into the caller's bytes.
#ifndef PROXY_TLS_KEY_EXCHANGE_H_
#define PROXY_TLS_KEY_EXCHANGE_H_

#include "proxy/tls/cipher.h"
#include "proxy/tls/note_sink.h"
#include "third_party/boringssl/boringssl.h"

// struct server_key_exchange: a view whose data is NULL means that this kind of exchange lacks it,
// or that it was not readable.
struct server_key_exchange {
    CBS raw;
    struct cipher_exchange exchange;
    CBS psk_hint;
    uint8_t curve_type; // 3: a named curve, the only one in use
    uint16_t group;     // of a named curve, else 0
    CBS public_key;     // point, Y, B of SRP or the modulus of an export RSA key
    CBS prime;          // of DHE and SRP
    CBS generator;      // of DHE and SRP; the exponent of an export RSA key
    uint16_t prime_bits;
    bool has_scheme; // from TLS 1.2 on, unless anonymous
    uint16_t scheme;
    CBS signature;
};

// server_key_exchange_parse reads the handshake message `p`, with its header of four bytes, as
// server_hello_parse does. The chosen `cipher` and `version` say what it has to hold; of a suite
// that is unknown or sends none nothing is read.
bool server_key_exchange_parse(struct server_key_exchange *out, struct note_sink *notes,
                               uint16_t version, uint16_t cipher, const uint8_t *p, size_t p_len);

struct certificate_verify {
    bool has_scheme; // from TLS 1.2 on
    uint16_t scheme;
    CBS signature;
};

// certificate_verify_parse reads a CertificateVerify likewise.
bool certificate_verify_parse(struct certificate_verify *out, struct note_sink *notes,
                              uint16_t version, const uint8_t *p, size_t p_len);

#endif // PROXY_TLS_KEY_EXCHANGE_H_
