// Certificate, CompressedCertificate and CertificateStatus (RFC 8446, section 4.4.2; RFC 5246,
// section 7.4.2; RFC 8879; RFC 6066, section 8; RFC 6961). All views point into the caller's bytes.
#ifndef PROXY_TLS_CERTIFICATE_H_
#define PROXY_TLS_CERTIFICATE_H_

#include "proxy/tls/note_sink.h"
#include "third_party/boringssl/boringssl.h"

struct certificate_message {
    CBS raw;
    bool tls13;
    CBS context; // of TLS 1.3
    CBS entries; // certificate_next
    uint16_t num_entries;
    CBS trailing;
};

// struct certificate_entry: a view whose data is NULL means not sent or not readable.
struct certificate_entry {
    CBS der;
    CBS extensions; // of TLS 1.3: extension_next
    uint16_t num_extensions;
    CBS staple; // the OCSP response
    CBS scts;   // the SCT list, each with a length of two bytes: dn_next
    CBS delegated_credential;
};

// certificate_parse reads the handshake message `p`, with its header of four bytes, as
// server_hello_parse does. `tls13` says which of the two formats it has: the bytes do not.
bool certificate_parse(struct certificate_message *out, struct note_sink *notes, bool tls13,
                       const uint8_t *p, size_t p_len);

// certificate_next takes the next entry of `entries`, a copy of `message->entries`. It returns
// false at the end. Notes on entries have been made by certificate_parse.
bool certificate_next(const struct certificate_message *message, CBS *entries,
                      struct certificate_entry *out);

struct compressed_certificate {
    uint16_t algorithm;
    uint32_t uncompressed_len; // as announced
    CBS compressed;
};

// compressed_certificate_parse reads a CompressedCertificate likewise. What it holds when
// decompressed is the body of a Certificate, without a header.
bool compressed_certificate_parse(struct compressed_certificate *out, struct note_sink *notes,
                                  const uint8_t *p, size_t p_len);

struct certificate_status {
    uint8_t type; // 1: OCSP; 2: OCSP, one response or none for each certificate
    CBS staple;   // the response for the leaf
    CBS staples;  // type 2: all of them, each with a length of three bytes
    uint16_t num_staples;
};

// certificate_status_parse reads a CertificateStatus of TLS 1.2 likewise.
bool certificate_status_parse(struct certificate_status *out, struct note_sink *notes,
                              const uint8_t *p, size_t p_len);

#endif // PROXY_TLS_CERTIFICATE_H_
