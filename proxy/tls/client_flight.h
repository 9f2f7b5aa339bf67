// The client's side of a handshake around a ClientHello draft, sans I/O: it reads the server's
// whole flight in the clear and checks what the server signs (RFC 8446; RFC 5246 and before it down
// to TLS 1.0). It trusts every certificate.
//
// The caller sends the hello (hello_draft_wire), then moves bytes both ways. A probe only listens,
// or finishes TLS 1.3 whatever it heard. A connection goes on: what the server said is then held
// against the hello, and data flows both ways once `established`.
//
//     hello sent --> MORE --+--> RETRY (output: second hello) --> MORE --+
//                           |                                           |
//                           +--> DONE --(finish: TLS 1.3)--> DONE, data ...
//                           |      +----(go_on)--> [MORE -->] DONE, established, data ...
//                           +--> ALERT, MALFORMED, NOT_TLS, NO_KEY, CLOSED
#ifndef PROXY_TLS_CLIENT_FLIGHT_H_
#define PROXY_TLS_CLIENT_FLIGHT_H_

#include "proxy/tls/banner.h"
#include "proxy/tls/hello_keys.h"
#include "proxy/tls/short_message.h"

enum { CLIENT_FLIGHT_REQUEST_MAX = 4096 }; // bytes of application data to be sent

enum client_flight_status {
    CLIENT_FLIGHT_MORE,      // more bytes are needed
    CLIENT_FLIGHT_DONE,      // the server's flight is whole and its Finished is right; up to
                             // TLS 1.2: ServerHelloDone
    CLIENT_FLIGHT_RESUMED,   // TLS 1.2: the server resumes a session that we don't have
    CLIENT_FLIGHT_ALERT,     // the server sent a fatal alert, or closed with one
    CLIENT_FLIGHT_MALFORMED, // what came is against the standard: `says`
    CLIENT_FLIGHT_NOT_TLS,   // what came is not TLS
    CLIENT_FLIGHT_NO_KEY,    // the server chose a share or PSK whose key we lack, or what is not
                             // spoken here: the rest is opaque
    CLIENT_FLIGHT_CLOSED,    // the stream ended before the flight did
};

// client_flight_status_name returns a static lower-case word: "done", "no key".
const char *client_flight_status_name(enum client_flight_status status);

enum client_flight_check {
    CLIENT_FLIGHT_ABSENT,    // did not come
    CLIENT_FLIGHT_GOOD,      // came and is right
    CLIENT_FLIGHT_BAD,       // came and is wrong
    CLIENT_FLIGHT_UNCHECKED, // came, and we lack the algorithm
};

// struct client_flight_facts is what the flight has told so far.
struct client_flight_facts {
    uint16_t version, cipher; // chosen; 0: no ServerHello came
    uint16_t group;           // of the key exchange; 0: none, or not seen
    uint8_t server_random[32];
    bool retry;           // a HelloRetryRequest came and was answered
    uint16_t retry_group; // what it asked for; 0: no other group
    bool retry_cookie;    // it had a cookie
    bool certificate;     // a chain was seen
    bool certificate_request;
    uint16_t scheme;                    // of the signature below, from TLS 1.2 on
    enum client_flight_check signature; // CertificateVerify or ServerKeyExchange
    enum client_flight_check finished;  // the server's
    bool established;                   // by client_flight_go_on
    char alpn[256];                     // what the server chose; "": nothing
    bool has_alert;
    struct alert alert; // the last one from the server
    bool closed;        // the server sent close_notify
    enum banner banner; // CLIENT_FLIGHT_NOT_TLS: what it is instead
    const char *says;   // CLIENT_FLIGHT_MALFORMED and _NO_KEY: why, a static sentence; else NULL
    uint8_t refusal;    // likewise: the alert that a client says then
    size_t data_len;    // bytes of application data that came
};

// struct client_flight_sink is told what passes, both ways, in the clear. Views live as long as the
// call. Each function may be NULL.
struct client_flight_sink {
    void *ctx;
    void (*message)(void *ctx, bool from_client, const uint8_t *p, size_t p_len); // with header
    void (*alert)(void *ctx, bool from_client, const uint8_t *p, size_t p_len);
    void (*data)(void *ctx, const uint8_t *p, size_t p_len); // application data from the server
    void (*secret)(void *ctx, const char *line);             // of an NSS key log
};

struct client_flight;

// client_flight_new begins a handshake with `hello`, which is copied. Its shares are of `keys`,
// borrowed; NULL is for a hello that is not ours, of which only the plaintext answer is read. A
// copy of `sink` is kept. It returns NULL when the hello cannot be written. The caller sends the
// hello itself: it is neither in the output nor told to the sink, but the second one that a
// HelloRetryRequest calls for is both.
struct client_flight *client_flight_new(struct hello_keys *keys, const struct hello_draft *hello,
                                        const struct client_flight_sink *sink, struct err *err);
void client_flight_free(struct client_flight *flight);

// client_flight_input takes bytes from the server and returns where the flight stands. Once that is
// neither CLIENT_FLIGHT_MORE nor CLIENT_FLIGHT_DONE, it stays and further bytes are ignored.
enum client_flight_status client_flight_input(struct client_flight *flight, const uint8_t *p,
                                              size_t p_len);

// client_flight_eof says that the server's stream has ended.
enum client_flight_status client_flight_eof(struct client_flight *flight);

enum client_flight_status client_flight_status(const struct client_flight *flight);

// client_flight_facts returns what is known, valid as long as the flight.
const struct client_flight_facts *client_flight_facts(const struct client_flight *flight);

// client_flight_output is what the caller has to send, `*out_len` bytes valid until the next call;
// client_flight_output_done drops the first `n` of them.
const uint8_t *client_flight_output(const struct client_flight *flight, size_t *out_len);
void client_flight_output_done(struct client_flight *flight, size_t n);

// client_flight_finish, after CLIENT_FLIGHT_DONE of TLS 1.3, puts out our Finished, an empty
// Certificate before it where one was asked for, and `request_len` bytes of application data, at
// most CLIENT_FLIGHT_REQUEST_MAX. What the server answers goes to the sink.
void client_flight_finish(struct client_flight *flight, const uint8_t *request, size_t request_len);

// client_flight_go_on, after CLIENT_FLIGHT_DONE, is for a connection in earnest: it ends the flight
// where the server answered what the hello did not offer, signed nothing or wrongly
// (CLIENT_FLIGHT_MALFORMED), or chose what is not spoken here (CLIENT_FLIGHT_NO_KEY). Otherwise it
// puts out our side of the handshake, with an empty Certificate where one was asked for. Up to
// TLS 1.2 the status is then CLIENT_FLIGHT_MORE until the server's Finished. There is no resumption
// and no renegotiation, which is refused with a warning.
void client_flight_go_on(struct client_flight *flight);

// client_flight_write puts out application data of a flight that is established: RECORD_PLAIN_MAX
// bytes at most, and the caller has taken what was put out before.
void client_flight_write(struct client_flight *flight, const uint8_t *p, size_t p_len);

// client_flight_chain returns the certificates that the server sent, leaf first, valid as long as
// the flight; NULL: none.
const STACK_OF(CRYPTO_BUFFER) * client_flight_chain(const struct client_flight *flight);

// client_flight_refuse puts out a fatal alert with `code`, as a client does that goes no further.
// Nothing follows it.
void client_flight_refuse(struct client_flight *flight, uint8_t code);

// client_flight_close puts out the end: close_notify, after user_canceled (RFC 8446, section 6.1)
// where the handshake was not finished. Nothing where the server's end has come as a fatal alert.
void client_flight_close(struct client_flight *flight);

#endif // PROXY_TLS_CLIENT_FLIGHT_H_
