// A client's handshake as the proxy's own TLS library makes it, sans I/O: the whole of it, with a
// client certificate where the server asks for one, and with Encrypted Client Hello where there is
// a configuration for it. Every server certificate is taken. It reads like client_flight.h, whose
// words it uses.
//
//     output: the hello --> MORE --+--> DONE --(request)--> DONE, data ...
//                                  +--> ALERT, MALFORMED, NOT_TLS, CLOSED
#ifndef PROXY_PROBE_LIBRARY_H_
#define PROXY_PROBE_LIBRARY_H_

#include "policy/ca/client_cert.h"
#include "proxy/tls/client_flight.h"

// struct library_config is what differs from an ordinary handshake. All of it is borrowed and must
// outlive the handshake.
struct library_config {
    const char *server_name;         // NULL: none
    const struct client_cert *shown; // where the server asks; NULL: an empty one
    const uint8_t *ech;              // an ECHConfigList; NULL: none
    size_t ech_len;
};

enum library_ech {
    LIBRARY_ECH_NONE,     // not offered, or nothing came back
    LIBRARY_ECH_ACCEPTED, //
    LIBRARY_ECH_REJECTED, // the handshake was finished for the public name, and then ended with
                          // ech_required (RFC 9849 section 6.1.6)
};

struct library_facts {
    bool established;
    bool certificate_asked;
    bool certificate_shown; // and it was not empty
    bool unsuitable;        // the key cannot sign in any way that the server takes
    enum library_ech ech;
    const uint8_t *retry; // LIBRARY_ECH_REJECTED: the ECHConfigList offered instead, or NULL
    size_t retry_len;
    bool has_alert;
    uint8_t alert;   // the last error alert of the server
    char says[96];   // CLIENT_FLIGHT_MALFORMED: why
    size_t data_len; // bytes of application data that came
};

struct library;

// library_new begins a handshake: its hello is in the output. A copy of `sink` is kept, which hears
// of everything but that first hello. It returns NULL when the library refuses the configuration.
WUNRES struct library *library_new(const struct library_config *config,
                                   const struct client_flight_sink *sink, struct err *err);
void library_free(struct library *library);

// library_input takes bytes from the server, and library_eof that its stream has ended; both return
// where the handshake stands. LIBRARY_ECH_REJECTED is CLIENT_FLIGHT_DONE: nothing can follow it.
enum client_flight_status library_input(struct library *library, const uint8_t *p, size_t p_len);
enum client_flight_status library_eof(struct library *library);

// library_facts returns what is known, valid as long as the handshake.
const struct library_facts *library_facts(const struct library *library);

// library_output is what the caller has to send, `*out_len` bytes valid until the next call;
// library_output_done drops the first `n` of them.
const uint8_t *library_output(const struct library *library, size_t *out_len);
void library_output_done(struct library *library, size_t n);

// library_request puts out application data, after CLIENT_FLIGHT_DONE.
void library_request(struct library *library, const uint8_t *p, size_t p_len);

#endif // PROXY_PROBE_LIBRARY_H_
