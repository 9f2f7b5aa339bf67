// Bytes and messages become observations: one `struct observe` a leg. The same functions serve the
// wire, the messages that BoringSSL decrypts, and captures.
#ifndef PROXY_OBSERVE_OBSERVE_H_
#define PROXY_OBSERVE_OBSERVE_H_

#include "logs/record/record.h"
#include "proxy/tls/key_log.h"
#include "proxy/tls/record_reader.h"
#include "proxy/tls/record_sync.h"
#include "third_party/boringssl/boringssl.h"

// The steps of a leg, in order.
enum step {
    STEP_DNS,         // the name is being looked up
    STEP_CONNECT,     // TCP is being opened
    STEP_FRONT,       // the request to the proxy is awaited
    STEP_HELLO,       // the ClientHello is awaited, or sent and not answered
    STEP_ANSWER,      // the ServerHello was seen
    STEP_CERTIFICATE, // the server's Certificate was seen
    STEP_FINISHED,    // the handshake is complete
    STEP_DATA,        // application data was seen
};

// step_name returns the word of LEG.end.at.
const char *step_name(enum step step);

// struct observe is owned by its caller and allocates only in the record's arena.
struct observe {
    struct obj *root, *leg;
    bool server_leg;
    int64_t start_us; // when the connection was accepted: all times count from here
    enum step step;
    bool client_hello; // the ClientHello was seen on this leg
    bool retry;        // a HelloRetryRequest was seen
    bool sslv2;        // `hello` is in SSLv2 format
    uint16_t version;  // chosen by the ServerHello; 0 before
    uint16_t cipher;   // likewise
    bool chain_cut;    // more certificates came than are kept
    size_t chain_bytes;
    size_t num_messages;    // taken, both ways
    uint8_t num_records[2]; // told, of the server, of the client
    uint8_t num_segments;   // likewise, of the server
    int64_t num_tickets;
    struct span hello;      // the ClientHello message, in the record's arena
    struct span session_id; // inside it
    struct span staple;     // the OCSP response, in the record's arena
    bool staple_scts;       // its timestamps are in the record
};

// observe_init makes `observe` write to the leg of `root` that `server_leg` names.
void observe_init(struct observe *observe, struct obj *root, bool server_leg, int64_t start_us);

// observe_hello takes a whole ClientHello as it crossed the wire in `num_reads` pieces, with its
// record headers or in SSLv2 format, and afterwards `observe->hello` is the message without record
// headers, in the record's arena.
void observe_hello(struct observe *observe, const uint8_t *p, size_t p_len, size_t num_reads,
                   int64_t now_us);

// observe_message takes a complete handshake message with its header of four bytes, from the
// client or the server of the leg, at `now_us`. Malformed messages leave notes and what could be
// read. Of a leg that never stops, the first 64 messages are read, and the first chain.
void observe_message(struct observe *observe, bool from_client, const uint8_t *p, size_t p_len,
                     int64_t now_us);

// observe_ccs_edit tells that of our own records the first change_cipher_spec was taken out, or
// sent twice.
void observe_ccs_edit(struct observe *observe, bool twice);

// observe_record tells of a record by its header: the first 12 of each direction are kept.
void observe_record(struct observe *observe, bool from_client, uint8_t type, uint16_t version,
                    uint16_t len);

// observe_segment tells of `len` bytes of the server that came at one time, before what is in them
// is told. The first 16 of them are kept that come between the ClientHello and the end of the
// handshake.
void observe_segment(struct observe *observe, size_t len);

// observe_alert takes the body of an alert, two bytes unless it is malformed.
void observe_alert(struct observe *observe, bool from_client, const uint8_t *p, size_t p_len,
                   int64_t now_us);

// observe_certificates takes the server's chain, leaf first, where its Certificate message was
// compressed and could not be read. A chain that is there already stays.
void observe_certificates(struct observe *observe, const CBS *ders, size_t num_ders,
                          int64_t now_us);

// observe_issuer tells of the certificate that signed the server's leaf where it was not sent, so
// that the signature of a stapled response can be checked after all.
void observe_issuer(struct observe *observe, CBS der);

// observe_step tells that the leg has reached `step`; steps never go back. Finished and data set
// their times.
void observe_step(struct observe *observe, enum step step, int64_t now_us);

// observe_not_tls records an answer that was not TLS by its first bytes.
void observe_not_tls(struct observe *observe, const uint8_t *p, size_t p_len);

// observe_time stores a time of LEG.timing_ms once; a later call changes nothing.
void observe_time(struct observe *observe, enum field field, int64_t now_us);

// struct tap_keys is what a tap opens records with; by direction, from the client and from the
// server.
struct tap_keys {
    const struct key_log *log; // borrowed; NULL: nothing is opened
    struct cipher_keys cipher;
    uint8_t client_random[KEY_LOG_RANDOM_LEN], server_random[KEY_LOG_RANDOM_LEN];
    uint8_t master[KEY_LOG_SECRET_MAX]; // TLS 1.2
    bool has_master;
    uint8_t secret[2][KEY_LOG_SECRET_MAX]; // TLS 1.3: the traffic secret in use
    struct record_protect protect[2];
    bool missing[2]; // the key log lacks the secret for what comes next
    struct note_sink notes;
};

// struct wire_tap watches both directions of a connection whose bytes only pass by.
struct wire_tap {
    struct observe *observe;
    struct record_reader reader[2]; // from the client, from the server
    bool skip_hello;                // the first ClientHello was observed already
    bool finished[2];               // the Finished of the client, of the server went by
    uint64_t handshake_len[2];      // bytes before the first that may be application data;
                                    // UINT64_MAX while none has come
    bool told;                      // the readers' notes and those about keys are in the record
    bool lost[2];                   // bytes were missed: a record is looked for
    struct record_sync sync[2];     // where it is looked for
    uint8_t first[64];              // what the server said, where it is not TLS; told once the
    size_t first_len;               // client has said its hello
    struct tap_keys keys;
};

// wire_tap_init begins to watch the leg of `observe`, whose ClientHello may have been observed
// already: it is then passed over. `observe` must outlive the tap. wire_tap_cleanup frees the
// readers.
void wire_tap_init(struct wire_tap *tap, struct observe *observe);
void wire_tap_cleanup(struct wire_tap *tap);

// wire_tap_keys lets the tap open what is protected with the secrets of `log`, which stays the
// caller's and outlives the tap: TLS 1.3, and TLS 1.2 with AES-GCM and ChaCha20-Poly1305. What the
// log lacks by the time it is needed, or what does not open, leaves a note and is watched as
// without a log; an empty log is none. 0-RTT data is passed over.
void wire_tap_keys(struct wire_tap *tap, const struct key_log *log);

// wire_tap_bytes takes bytes of one direction in the order they came.
void wire_tap_bytes(struct wire_tap *tap, bool from_client, const uint8_t *p, size_t p_len,
                    int64_t now_us);

// wire_tap_gap says that `n` bytes of one direction are missing, or with 0 that it is not known
// where in it the next ones stand. The tap goes on at the next record that it finds.
void wire_tap_gap(struct wire_tap *tap, bool from_client, uint64_t n);

// wire_tap_pass says that `n` bytes of one direction go by behind the handshake without being
// looked at, and none of that direction will be any more. All of them count as application data.
void wire_tap_pass(struct wire_tap *tap, bool from_client, uint64_t n);

// wire_tap_eof says that one direction has ended, so that what it left unfinished can be told.
void wire_tap_eof(struct wire_tap *tap, bool from_client, int64_t now_us);

// wire_tap_finish records what the readers know at the end: notes, data counts, whether the
// handshake was completed as far as the wire tells.
void wire_tap_finish(struct wire_tap *tap);

#endif // PROXY_OBSERVE_OBSERVE_H_
