// One direction of a TLS stream, cut into what it carries: handshake messages, alerts,
// ChangeCipherSpec, and everything else by type and size (RFC 8446, section 5.1; RFC 5246, section
// 6.2.1). What is protected is opened where the caller has the keys.
#ifndef PROXY_TLS_RECORD_READER_H_
#define PROXY_TLS_RECORD_READER_H_

#include "logs/base/buf.h"
#include "proxy/tls/banner.h"
#include "proxy/tls/message_join.h"
#include "proxy/tls/note_sink.h"
#include "proxy/tls/record_opener.h"

enum {
    RECORD_HEADER_LEN = 5,
    RECORD_FIRST = 16, // records whose headers are kept
    RECORD_TYPES = 4,  // content types that are counted, from CONTENT_CHANGE_CIPHER_SPEC on
    RECORD_HELLO_MAX = 64 * 1024,
    RECORD_CERTIFICATE_MAX = 1024 * 1024,
};

enum wire_event_type {
    WIRE_MORE,        // all input is eaten and nothing is complete
    WIRE_MESSAGE,     // a handshake message with its header, in the clear or opened
    WIRE_SSLV2_HELLO, // a ClientHello in SSLv2 format with its header of two bytes
    WIRE_ALERT,       // an alert: the record's bytes, two if it is well-formed
    WIRE_CCS,         // a ChangeCipherSpec: the record's bytes, one if it is well-formed
    WIRE_OPAQUE,      // a record whose content is not read: encrypted, data, or of unknown type
    WIRE_DATA,        // application data that was opened, or whose length is known: `announced`
    WIRE_NOT_TLS,     // what follows is not TLS; `p` is its beginning, the rest is only counted
};

// struct wire_event: `p` points into the input or into the reader and is valid until the next call.
struct wire_event {
    enum wire_event_type type;
    uint8_t content_type; // of the record that completed it; of its content, if it was opened
    bool opened;          // it was protected
    uint16_t version;     // of the record that completed it
    uint64_t offset;      // in the stream: of the message's first byte, or of the record's header
    const uint8_t *p;
    size_t len;                  // bytes at `p`; NULL and 0 for WIRE_OPAQUE and unopened data
    uint32_t announced;          // bytes that the message or record says to have
    bool cut_off;                // a message of which only the first `len` bytes were kept or came
    enum banner banner;          // WIRE_NOT_TLS
    uint32_t num_records;        // WIRE_MESSAGE: over how many records it was split,
    uint16_t cuts[MESSAGE_CUTS]; // and how many of its bytes the first of them held
};

struct record_head {
    uint8_t content_type;
    uint16_t version, length;
};

enum record_state {
    RECORD_AT_START, // telling TLS from the rest
    RECORD_IN_HEADER,
    RECORD_IN_BODY,
    RECORD_IN_OPENED, // handing out the messages of a record that was opened
    RECORD_IN_SSLV2,
    RECORD_NOT_TLS, // for good
};

// What is done with the body of the current record.
enum record_use { RECORD_USE_HANDSHAKE, RECORD_USE_SMALL, RECORD_USE_SKIP, RECORD_USE_OPEN };

// struct record_reader is owned by its caller. It holds one message at most, and only what has
// come of it, never what was merely announced.
struct record_reader {
    // Facts, for the caller to read.
    struct note_sink notes; // offsets count from the start of the stream
    enum banner banner;
    uint64_t offset;      // bytes eaten
    uint32_t num_records; // complete or not
    uint32_t num_of_type[RECORD_TYPES];
    uint64_t bytes_of_type[RECORD_TYPES]; // of the bodies
    uint32_t num_messages, num_alerts, num_ccs;
    uint16_t record_max; // the longest body announced
    uint32_t num_opened; // records that were opened
    uint64_t data_bytes; // application data: its length, or of what is not opened the record's
    struct record_head first[RECORD_FIRST];
    uint8_t head[BANNER_MAX]; // the first bytes of the stream
    uint8_t head_len;

    // State, private.
    enum record_state state;
    enum record_use use;
    bool encrypted;  // record_reader_encrypted was called
    bool ended;      // record_reader_eof was called
    bool gap;        // record_reader_gap was called
    bool late_hello; // a plaintext hello has come after a ChangeCipherSpec
    uint8_t header[RECORD_HEADER_LEN + 6];
    uint8_t header_len, header_need;
    uint8_t small[4]; // the first bytes of a body that is read as a whole
    uint8_t small_len;
    struct record_head now;
    uint64_t now_offset;
    uint32_t left; // bytes of the current body, or of what was opened, not yet eaten
    struct message_join join;
    struct record_opener opener;
    struct buf sslv2;
};

// record_reader_init makes `reader` ready for the first byte. Messages are kept up to `hello_max`
// bytes, those that carry certificates or their names up to `certificate_max`; of longer ones the
// beginning is kept. Zero means RECORD_HELLO_MAX and RECORD_CERTIFICATE_MAX.
void record_reader_init(struct record_reader *reader, uint32_t hello_max, uint32_t certificate_max);

void record_reader_cleanup(struct record_reader *reader);

// record_reader_next eats from `in` up to the end of the next event, sets `*out_event` to it and
// `*in_len` to the bytes eaten, and returns its type. The caller goes on with the rest until
// WIRE_MORE. Messages that are whole in `in` are not copied.
enum wire_event_type record_reader_next(struct record_reader *reader, struct wire_event *out_event,
                                        const uint8_t *in, size_t *in_len);

// record_reader_encrypted says that records from here on are encrypted, as after a ServerHello of
// TLS 1.3 in both directions. ChangeCipherSpec and alerts of two bytes are still read. After a
// ChangeCipherSpec the reader takes handshake records for encrypted by itself, except for the
// hellos that follow one around a HelloRetryRequest (RFC 8446, appendix D.4).
void record_reader_encrypted(struct record_reader *reader);

// record_reader_open says that records from here on are protected by `protect`, which must outlive
// the reader or the next call of this function; in TLS 1.3 it is called where
// record_reader_encrypted would be, and after each message that changes the keys, in TLS 1.2 after
// the ChangeCipherSpec. With `pass_over`, records that do not open are passed over until the first
// that does, as 0-RTT data (RFC 8446, section 4.2.10); otherwise the first that does not ends the
// opening and leaves a note. NULL ends it, too.
void record_reader_open(struct record_reader *reader, struct record_protect *protect,
                        bool pass_over);

// record_reader_opens returns whether records are still being opened.
bool record_reader_opens(const struct record_reader *reader);

// record_reader_gap says that `n` bytes of the stream are missing, 0 for nobody knows how many. It
// returns true when it is known all the same what comes next. Otherwise the caller looks for the
// header of a record, with record_sync, and goes on with it; what the reader held of a message is
// gone, and nothing is opened any more, as nobody knows how many records are missing.
bool record_reader_gap(struct record_reader *reader, uint64_t n);

// record_reader_pass says that the next `n` bytes are records of application data, and that the
// caller gives the reader nothing more. What `data_bytes` had of them already is not counted twice.
void record_reader_pass(struct record_reader *reader, uint64_t n);

// record_reader_eof says that the stream has ended. It notes what was cut, and returns what can
// still be said: the beginning of a message, a short text that is not TLS, or WIRE_MORE for nothing
// (more). The caller calls it until then.
enum wire_event_type record_reader_eof(struct record_reader *reader, struct wire_event *out_event);

#endif // PROXY_TLS_RECORD_READER_H_
