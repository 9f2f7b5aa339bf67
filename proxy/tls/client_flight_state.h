// The state of a client's flight. Private to this room: client_flight.c moves bytes, and
// client_flight_take.c takes the messages.
#ifndef PROXY_TLS_CLIENT_FLIGHT_STATE_H_
#define PROXY_TLS_CLIENT_FLIGHT_STATE_H_

#include "proxy/tls/client_flight.h"
#include "proxy/tls/key_schedule.h"
#include "proxy/tls/record_reader.h"
#include "proxy/tls/server_hello.h"
#include "proxy/tls/transcript.h"

// What comes next from the server.
//
//                 HelloRetryRequest
//                    +-----+
//                    v     |
//     HELLO ---------+-----+-- TLS 1.3 --> EXTENSIONS --> CERTIFICATE --> VERIFY --> FINISHED
//                    |                                                                  |
//                    +-- up to TLS 1.2 --> FLIGHT12 ------- ServerHelloDone --> END12   v
//                                                                                    TICKETS
enum flight_expect {
    FLIGHT_HELLO,
    FLIGHT_EXTENSIONS,
    FLIGHT_CERTIFICATE,
    FLIGHT_VERIFY,
    FLIGHT_FINISHED,
    FLIGHT_TICKETS,
    FLIGHT_FLIGHT12,
    FLIGHT_END12,
};

struct client_flight {
    struct hello_keys *keys; // borrowed; NULL: the hello is not ours
    struct hello_draft hello;
    struct buf message; // the hello that was sent last, as it is hashed
    struct client_flight_sink sink;
    enum client_flight_status status;
    enum flight_expect expect;
    struct client_flight_facts facts;
    struct record_reader reader;
    struct record_protect read, write;
    bool write_keys; // `write` has keys
    struct buf output;

    struct cipher_keys cipher;
    struct transcript transcript;
    bool has_transcript;
    struct key_schedule schedule;
    uint8_t client_secret[KEY_SCHEDULE_HASH_MAX]; // traffic secrets in use
    uint8_t server_secret[KEY_SCHEDULE_HASH_MAX];
    uint8_t server_random[32];
    EVP_PKEY *server_key;               // of the leaf; NULL: not seen, or not one of ours
    struct hello_bytes request_context; // of a CertificateRequest
    bool ccs_sent, finished_sent, close_sent;
};

// flight_end ends the flight; `says` is for CLIENT_FLIGHT_MALFORMED and CLIENT_FLIGHT_NO_KEY.
void flight_end(struct client_flight *flight, enum client_flight_status status, const char *says);

// flight_take takes a whole message from the server, which the sink has seen.
void flight_take(struct client_flight *flight, const uint8_t *p, size_t p_len);

// flight_put puts a plaintext or protected record out; flight_put_ccs a ChangeCipherSpec, once and
// where the session id asks for it (RFC 8446, appendix D.4).
void flight_put(struct client_flight *flight, uint8_t content_type, const uint8_t *p, size_t p_len);
void flight_put_ccs(struct client_flight *flight);

// flight_tell gives a message to the sink.
void flight_tell(struct client_flight *flight, bool from_client, const uint8_t *p, size_t p_len);

#endif // PROXY_TLS_CLIENT_FLIGHT_STATE_H_
