// EncryptedExtensions (RFC 8446, section 4.3.1). All views point into the caller's bytes.
#ifndef PROXY_TLS_ENCRYPTED_EXTENSIONS_H_
#define PROXY_TLS_ENCRYPTED_EXTENSIONS_H_

#include "proxy/tls/code_list.h"
#include "proxy/tls/note_sink.h"
#include "third_party/boringssl/boringssl.h"

// struct encrypted_extensions: a view whose data is NULL or a false flag means not sent or not
// readable.
struct encrypted_extensions {
    CBS raw;
    uint16_t num_extensions;
    CBS extensions; // extension_next
    CBS trailing;

    CBS alpn;                // the chosen name
    struct code_list groups; // what the server would rather have had
    CBS alps;                // the server's settings for the protocol
    uint16_t alps_type;      // the code point they were sent with
    CBS quic_parameters;
    CBS ech_retry_configs;
    uint16_t record_size_limit;  // 0: not sent
    uint8_t max_fragment_length; // 0: not sent
    bool server_name, early_data;
};

// encrypted_extensions_parse reads the handshake message `p`, with its header of four bytes, as
// server_hello_parse does.
bool encrypted_extensions_parse(struct encrypted_extensions *out, struct note_sink *notes,
                                const uint8_t *p, size_t p_len);

#endif // PROXY_TLS_ENCRYPTED_EXTENSIONS_H_
