// The state of a client's flight. Private to this room: client_flight.c moves bytes,
// client_flight_take.c takes the messages, client_flight_end.c goes on behind the server's flight.
#ifndef PROXY_TLS_CLIENT_FLIGHT_STATE_H_
#define PROXY_TLS_CLIENT_FLIGHT_STATE_H_

#include "proxy/tls/client_flight.h"
#include "proxy/tls/key_block.h"
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
//                                                                                 |  TICKETS
//                          OPEN12 <-- FINISHED12 <-- ChangeCipherSpec -- CCS12 <--+ go on
enum flight_expect {
    FLIGHT_HELLO,
    FLIGHT_EXTENSIONS,
    FLIGHT_CERTIFICATE,
    FLIGHT_VERIFY,
    FLIGHT_FINISHED,
    FLIGHT_TICKETS,
    FLIGHT_FLIGHT12,
    FLIGHT_END12,
    FLIGHT_CCS12,
    FLIGHT_FINISHED12,
    FLIGHT_OPEN12,
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
    EVP_PKEY *server_key;               // of the leaf; NULL: not seen, or not one of ours
    struct hello_bytes request_context; // of a CertificateRequest
    bool ccs_sent, finished_sent, close_sent;

    // What only a connection in earnest cares about.
    STACK_OF(CRYPTO_BUFFER) * chain;     // NULL: none came
    enum client_flight_status objection; // how it will end, CLIENT_FLIGHT_MORE: not yet
    const char *objects;                 // why
    bool cipher12;                       // `cipher` is that of a suite up to TLS 1.2
    bool extended_master;                // RFC 7627
    bool key_exchange;                   // a ServerKeyExchange came
    struct hello_bytes peer_public;      // of it, and of DHE
    struct hello_bytes prime, generator;
    uint8_t rank; // of the last message, up to TLS 1.2
    uint8_t master[KEY_BLOCK_MASTER_LEN];
    size_t plain_max; // bytes of data in a record that the server takes
    bool update_due;  // it asked for a KeyUpdate
    bool renegotiation_refused;
};

// flight_end ends the flight; `says` is for CLIENT_FLIGHT_MALFORMED and CLIENT_FLIGHT_NO_KEY.
void flight_end(struct client_flight *flight, enum client_flight_status status, const char *says);

// flight_take takes a whole message from the server, which the sink has seen.
void flight_take(struct client_flight *flight, const uint8_t *p, size_t p_len);

// flight_put puts a plaintext or protected record out; flight_put_ccs a ChangeCipherSpec, once and
// where the session id asks for it (RFC 8446, appendix D.4).
void flight_put(struct client_flight *flight, uint8_t content_type, const uint8_t *p, size_t p_len);
void flight_put_ccs(struct client_flight *flight);

// flight_tell gives a message to the sink; flight_put_message puts it out, too, and hashes it.
void flight_tell(struct client_flight *flight, bool from_client, const uint8_t *p, size_t p_len);
void flight_put_message(struct client_flight *flight, const uint8_t *p, size_t p_len);

// flight_put_alert puts an alert out.
void flight_put_alert(struct client_flight *flight, uint8_t level, uint8_t code);

// flight_client_random is the client random as it is hashed.
void flight_client_random(const struct client_flight *flight, uint8_t out[KEY_BLOCK_RANDOM_LEN]);

// flight_log gives a line of the key log to the sink.
void flight_log(const struct client_flight *flight, const char *label, const uint8_t *secret,
                size_t secret_len);

// flight_object keeps why a connection in earnest will end; the first reason stays.
// flight_hello_check objects to a ServerHello that does not answer the hello.
void flight_object(struct client_flight *flight, enum client_flight_status status,
                   const char *says);
void flight_hello_check(struct client_flight *flight, const struct server_hello *hello);

// flight_extensions_check objects to extensions of the server that the hello does not have;
// flight_alpn keeps the protocol that the server chose, and objects to one that was not offered.
void flight_extensions_check(struct client_flight *flight, CBS block);
void flight_alpn(struct client_flight *flight, const CBS *name);

// flight_limit keeps how long the records may be that the server takes (RFC 6066, section 4;
// RFC 8449); zeros say nothing.
void flight_limit(struct client_flight *flight, uint8_t max_fragment_length,
                  uint16_t record_size_limit);

// flight_ccs takes the server's ChangeCipherSpec of TLS 1.2 and below; flight_finished12 its
// Finished.
void flight_ccs(struct client_flight *flight, const struct wire_event *event);
void flight_finished12(struct client_flight *flight, const uint8_t *p, size_t p_len);

#endif // PROXY_TLS_CLIENT_FLIGHT_STATE_H_
