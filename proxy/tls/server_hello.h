// ServerHello and HelloRetryRequest (RFC 8446, sections 4.1.3 and 4.1.4; RFC 5246,
// section 7.4.1.3). All views point into the caller's bytes.
#ifndef PROXY_TLS_SERVER_HELLO_H_
#define PROXY_TLS_SERVER_HELLO_H_

#include "proxy/tls/code_list.h"
#include "proxy/tls/note_sink.h"
#include "third_party/boringssl/boringssl.h"

// The sentinels at the end of the random (RFC 8446, section 4.1.3).
enum downgrade {
    DOWNGRADE_NONE,
    DOWNGRADE_TLS12,
    DOWNGRADE_TLS11,
    DOWNGRADE_JDK11, // not a downgrade: how BoringSSL recognises the TLS 1.3 of JDK 11
};

// struct server_hello: a view whose data is NULL or a false flag means not sent or not readable.
struct server_hello {
    CBS raw;
    bool retry; // it is a HelloRetryRequest
    uint16_t legacy_version;
    uint16_t version; // chosen: by supported_versions, or else legacy_version
    CBS random;
    enum downgrade downgrade;
    CBS session_id;
    uint16_t cipher;
    uint8_t compression;
    bool has_extensions;
    uint16_t num_extensions;
    CBS extensions; // extension_next
    CBS trailing;

    uint16_t supported_version; // of supported_versions, 0: not sent
    bool has_key_share;         // with `group`; a HelloRetryRequest that has it asks for that group
    uint16_t group;
    CBS key_share;
    bool has_psk;
    uint16_t psk_index;
    CBS cookie; // a HelloRetryRequest that has it wants it back
    CBS ech_confirmation;

    CBS alpn; // the chosen name
    CBS renegotiation_info;
    CBS scts;
    CBS npn;                        // protocols offered by NPN: name_next
    struct code_list point_formats; // width 1
    uint16_t record_size_limit;     // 0: not sent
    uint8_t max_fragment_length;    // 0: not sent
    uint8_t heartbeat_mode;         // 0: not sent
    bool server_name, session_ticket, status_request, status_request_v2;
    bool extended_master_secret, encrypt_then_mac, channel_id;
};

// server_hello_parse reads the handshake message `p`, with its header of four bytes, into `*out`
// and adds what is odd to `notes` (may be NULL), offsets counting from `p`. It returns false when a
// required part could not be read; `*out` then holds what could. `p` must outlive `*out`.
bool server_hello_parse(struct server_hello *out, struct note_sink *notes, const uint8_t *p,
                        size_t p_len);

#endif // PROXY_TLS_SERVER_HELLO_H_
