// ClientHello drafts: a hello as a value that is edited and written, of any form, well-formed or
// not (RFC 8446, section 4.1.2; SSLv2 format: RFC 5246, appendix E.2). What was read is written
// back byte for byte.
#ifndef PROXY_TLS_HELLO_DRAFT_H_
#define PROXY_TLS_HELLO_DRAFT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/buf.h"
#include "logs/base/err.h"

enum {
    HELLO_DRAFT_MAX = 64 * 1024,                // bytes of the message
    HELLO_DRAFT_WIRE_MAX = 2 * HELLO_DRAFT_MAX, // bytes with record headers
    HELLO_CUTS_MAX = 64,                        // of records, and of segments
    HELLO_CUT_IN_SNI = -1, // in the middle of the SNI's host name; without one, of the message
};

enum hello_format { HELLO_FORMAT_TLS, HELLO_FORMAT_SSLV2 };

// struct hello_bytes is owned by the draft; `p` is NULL when `len` is 0.
struct hello_bytes {
    uint8_t *p;
    size_t len;
};

struct hello_extension {
    uint16_t type;
    struct hello_bytes body;
};

// struct hello_record_cut begins another record at `offset` of the message. Two at the same offset
// make an empty record.
struct hello_record_cut {
    int32_t offset; // or HELLO_CUT_IN_SNI
    uint16_t version;
};

// struct hello_segment_cut begins another TCP segment at `offset` of the wire bytes, record headers
// counted, which is to be sent `pause_ms` milliseconds after the one before.
struct hello_segment_cut {
    int32_t offset; // or HELLO_CUT_IN_SNI
    uint32_t pause_ms;
};

// struct hello_draft is owned by its caller. Its numbers may be assigned; what has a length is
// changed by functions. An edit that would pass a ceiling changes nothing but `overflow`, and then
// the draft cannot be written.
struct hello_draft {
    enum hello_format format;
    uint16_t record_version; // of the first record, and of those that a long hello needs
    uint16_t legacy_version;
    uint8_t random[32];
    uint8_t random_len; // 32; up to 32 in SSLv2 format
    struct hello_bytes session_id;
    struct hello_bytes ciphers; // two bytes a suite, three in SSLv2 format
    struct hello_bytes compressions;
    bool has_extensions; // the block is there, maybe empty
    struct hello_extension *extensions;
    size_t num_extensions;
    struct hello_bytes partial;  // inside the block, behind the last whole extension
    struct hello_bytes trailing; // behind the block, inside the message

    // How much more the lengths announce than there is: of the message, of the extension block.
    int32_t message_excess, extensions_excess;

    struct hello_record_cut record_cuts[HELLO_CUTS_MAX]; // ascending
    size_t num_record_cuts;
    struct hello_segment_cut segment_cuts[HELLO_CUTS_MAX]; // ascending
    size_t num_segment_cuts;

    bool overflow;
    size_t cap_extensions; // private
};

// hello_bytes_set replaces what `bytes` holds by a copy of `p`, which may lie inside it.
void hello_bytes_set(struct hello_bytes *bytes, const uint8_t *p, size_t p_len);

// hello_draft_init makes a TLS hello without suites and extensions, all zeros: record version
// 0x0301, legacy_version 0x0303, compression null. hello_draft_cleanup frees what it holds: then it
// has to be initialised again.
void hello_draft_init(struct hello_draft *draft);
void hello_draft_cleanup(struct hello_draft *draft);

// hello_draft_copy replaces `out`, which is initialised, by a copy.
void hello_draft_copy(struct hello_draft *out, const struct hello_draft *draft);

// hello_draft_equal returns whether both are written to the same bytes in the same pieces.
bool hello_draft_equal(const struct hello_draft *a, const struct hello_draft *b);

// hello_draft_read reads the handshake message `p`, with its header of four bytes, into `draft`,
// which is initialised: everything that client_hello_parse can walk. It returns false when that
// ends before the extensions.
WUNRES bool hello_draft_read(struct hello_draft *draft, const uint8_t *p, size_t p_len,
                             struct err *err);

// hello_draft_read_sslv2 does the same for a hello in SSLv2 format, with its header of two bytes.
WUNRES bool hello_draft_read_sslv2(struct hello_draft *draft, const uint8_t *p, size_t p_len,
                                   struct err *err);

// hello_draft_read_wire reads what a client sent first: records, whose boundaries and versions are
// kept, or SSLv2 format. `*out_wire_len` (may be NULL) becomes the bytes that the hello takes. It
// returns false when no whole hello is there.
WUNRES bool hello_draft_read_wire(struct hello_draft *draft, size_t *out_wire_len, const uint8_t *p,
                                  size_t p_len, struct err *err);

// hello_draft_message appends the handshake message with its header, or the whole of an SSLv2
// format, to `out`. It returns false when a field does not fit its length or `out` its ceiling.
WUNRES bool hello_draft_message(const struct hello_draft *draft, struct buf *out, struct err *err);

// struct hello_segment is what is to be written at once: `len` bytes, `pause_ms` after those
// before.
struct hello_segment {
    uint32_t len, pause_ms;
};

struct hello_segments {
    struct hello_segment segments[HELLO_CUTS_MAX + 1];
    size_t num;
};

// hello_draft_wire appends the hello as it is to be sent: in records, cut where the draft says and
// where 16,384 bytes are reached. `*out_segments` (may be NULL) becomes the pieces in which to send
// it. Cuts behind the end are none.
WUNRES bool hello_draft_wire(const struct hello_draft *draft, struct buf *out,
                             struct hello_segments *out_segments, struct err *err);

// hello_draft_len is the length of the message with its header.
size_t hello_draft_len(const struct hello_draft *draft);

#endif // PROXY_TLS_HELLO_DRAFT_H_
