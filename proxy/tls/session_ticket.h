// NewSessionTicket (RFC 8446, section 4.6.1; RFC 5077, section 3.3). All views point into the
// caller's bytes.
#ifndef PROXY_TLS_SESSION_TICKET_H_
#define PROXY_TLS_SESSION_TICKET_H_

#include "proxy/tls/note_sink.h"
#include "third_party/boringssl/boringssl.h"

struct session_ticket {
    CBS raw;
    uint32_t lifetime; // seconds; up to TLS 1.2 only a hint
    CBS ticket;

    // TLS 1.3 only.
    uint32_t age_add; // milliseconds
    CBS nonce;
    CBS extensions; // extension_next
    uint16_t num_extensions;
    bool has_early_data;
    uint32_t early_data_max; // bytes of early data the ticket allows
};

// session_ticket_parse reads the handshake message `p`, with its header of four bytes, as
// server_hello_parse does. `tls13` says which of the two formats it has: the bytes do not.
bool session_ticket_parse(struct session_ticket *out, struct note_sink *notes, bool tls13,
                          const uint8_t *p, size_t p_len);

#endif // PROXY_TLS_SESSION_TICKET_H_
