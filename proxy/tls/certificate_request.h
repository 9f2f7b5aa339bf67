// CertificateRequest (RFC 8446, section 4.3.2; RFC 5246, section 7.4.4). All views point into the
// caller's bytes.
#ifndef PROXY_TLS_CERTIFICATE_REQUEST_H_
#define PROXY_TLS_CERTIFICATE_REQUEST_H_

#include "proxy/tls/code_list.h"
#include "proxy/tls/note_sink.h"
#include "third_party/boringssl/boringssl.h"

// struct certificate_request: a view whose data is NULL, a list whose `p` is NULL or a false flag
// means not sent or not readable.
struct certificate_request {
    CBS raw;
    CBS trailing;
    struct code_list types;   // certificate types, width 1; up to TLS 1.2
    struct code_list sigalgs; // from TLS 1.2 on
    CBS authorities;          // distinguished names in DER: dn_next
    uint16_t num_authorities;

    // TLS 1.3 only.
    CBS context;
    CBS extensions; // extension_next
    uint16_t num_extensions;
    struct code_list sigalgs_cert, cert_compressions, delegated;
    CBS oid_filters;
    bool status_request, sct;
};

// certificate_request_parse reads the handshake message `p`, with its header of four bytes, as
// server_hello_parse does. `version` is the negotiated one: the bytes do not tell the format.
bool certificate_request_parse(struct certificate_request *out, struct note_sink *notes,
                               uint16_t version, const uint8_t *p, size_t p_len);

#endif // PROXY_TLS_CERTIFICATE_REQUEST_H_
