// ClientHello: everything its bytes say (RFC 8446, section 4.1.2; SSLv2 format: RFC 5246, appendix
// E.2). All views point into the caller's bytes; nothing is allocated or copied.
#ifndef PROXY_TLS_CLIENT_HELLO_H_
#define PROXY_TLS_CLIENT_HELLO_H_

#include "proxy/tls/code_list.h"
#include "proxy/tls/note_sink.h"
#include "third_party/boringssl/boringssl.h"

// Where a hello carries GREASE (RFC 8701).
enum {
    GREASE_CIPHER = 1 << 0,
    GREASE_EXTENSION = 1 << 1,
    GREASE_GROUP = 1 << 2,
    GREASE_VERSION = 1 << 3,
    GREASE_ALPN = 1 << 4,
    GREASE_SIGALG = 1 << 5,
    GREASE_KEY_SHARE = 1 << 6,
    GREASE_PSK_MODE = 1 << 7,
};

enum ech_form {
    ECH_NONE,
    ECH_OUTER,
    ECH_INNER,
    ECH_UNREADABLE,
};

// What the sizes of an outer ECH extension suggest. Real ECH and GREASE are made to look alike, so
// most of what is seen is ECH_LOOKS_EITHER.
enum ech_looks {
    ECH_LOOKS_EITHER,
    ECH_LOOKS_GREASE, // `enc` fits no KEM, or `payload` is too short or unpadded for a ClientHello
    ECH_LOOKS_REAL,   // `payload` is longer than GREASE of the known stacks
};

struct ech {
    enum ech_form form;
    enum ech_looks looks;
    uint16_t kdf, aead; // HPKE ids (RFC 9180, section 7)
    uint16_t kem;       // the KEM whose `enc` has this length, or 0: it is not on the wire
    uint8_t config_id;
    CBS enc, payload;
};

// struct client_hello: a view whose data is NULL, a list whose `p` is NULL or a false flag means
// that the extension was not sent or not readable. What was sent, readable or not, is in
// `extensions`.
struct client_hello {
    CBS raw; // the whole message as given
    bool sslv2;
    uint16_t legacy_version;
    CBS random; // 32 bytes; 16 to 32 in SSLv2 format
    CBS session_id;
    struct code_list ciphers; // width 2; width 3 in SSLv2 format, TLS suites being below 0x10000
    struct code_list compressions; // width 1
    bool has_extensions;           // the extension block is there, maybe empty
    uint16_t num_extensions;
    CBS extensions;  // the block without its length: extension_next
    CBS trailing;    // what follows the last field inside the message
    uint16_t grease; // GREASE_ bits

    CBS sni;          // the first host_name as sent, not NUL-terminated, of any bytes
    uint16_t num_sni; // names in the list, of all types

    struct code_list versions;          // supported_versions
    struct code_list groups;            // supported_groups
    struct code_list point_formats;     // width 1
    struct code_list sigalgs;           // signature_algorithms
    struct code_list sigalgs_cert;      // signature_algorithms_cert
    struct code_list psk_modes;         // psk_key_exchange_modes, width 1
    struct code_list cert_compressions; // compress_certificate
    struct code_list delegated;         // delegated_credential
    struct code_list token_binding;     // key parameters of token_binding, width 1

    CBS key_shares; // key_share_next
    uint16_t num_key_shares;
    CBS alpn; // name_next
    uint16_t num_alpn;
    CBS alps; // application_settings: name_next
    uint16_t num_alps;
    uint16_t alps_type; // the code point it was sent with
    CBS psk_identities; // psk_identity_next
    uint16_t num_psk_identities;
    CBS psk_binders; // name_next
    uint16_t num_psk_binders;
    CBS authorities; // certificate_authorities: dn_next
    uint16_t num_authorities;
    CBS quic_parameters;
    uint16_t num_status_v2; // requests in status_request_v2

    CBS cookie;
    CBS session_ticket; // empty asks for a ticket
    CBS renegotiation_info;
    struct ech ech;

    uint16_t record_size_limit; // 0: not sent
    uint16_t padding_len;
    uint16_t token_binding_version;
    uint8_t max_fragment_length; // 0: not sent
    uint8_t heartbeat_mode;      // 0: not sent
    uint8_t status_type;         // of status_request, 0: not sent; 1 is OCSP

    bool has_padding, has_status_v2;
    bool early_data, sct, npn, channel_id, post_handshake_auth;
    bool extended_master_secret, encrypt_then_mac;
};

// client_hello_parse reads the handshake message `p`, with its header of four bytes, into `*out`
// and adds what is odd to `notes` (may be NULL), offsets counting from `p`. It returns false when a
// required part could not be read; `*out` then holds what could. `p` must outlive `*out`.
bool client_hello_parse(struct client_hello *out, struct note_sink *notes, const uint8_t *p,
                        size_t p_len);

// client_hello_parse_sslv2 does the same for a hello in SSLv2 format, `p` being its record with the
// header of two bytes.
bool client_hello_parse_sslv2(struct client_hello *out, struct note_sink *notes, const uint8_t *p,
                              size_t p_len);

// client_hello_max_version is the highest version on offer: of supported_versions, GREASE aside,
// or else legacy_version.
uint16_t client_hello_max_version(const struct client_hello *hello);

struct key_share {
    uint16_t group;
    CBS key;
};

struct psk_identity {
    CBS identity;
    uint32_t obfuscated_age; // ticket age in milliseconds plus ticket_age_add, modulo 2^32
};

// key_share_next, psk_identity_next, name_next and dn_next take the next element of a view that is
// passed by copy. They return false at the end, and where the rest is not a whole element (which
// then stays in the view).
bool key_share_next(CBS *shares, struct key_share *out);
bool psk_identity_next(CBS *identities, struct psk_identity *out);
bool name_next(CBS *names, CBS *out); // length of one byte
bool dn_next(CBS *names, CBS *out);   // length of two bytes

#endif // PROXY_TLS_CLIENT_HELLO_H_
