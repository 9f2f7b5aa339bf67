// Target functions: record_reader_next, record_reader_eof, record_reader_encrypted, hello_peek,
// banner_classify.
//
// The first byte says how the stream is cut into pieces and when the reader is told of encryption.
// Whatever it is, the events must be those of the stream in one piece.
#include <stdlib.h>
#include <string.h>

#include "proxy/tls/hello_peek.h"
#include "proxy/tls/record_reader.h"
#include "proxy/tls/short_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

enum { HELLO_CEILING = 600, CERTIFICATE_CEILING = 2000 };

static uint64_t mix(uint64_t h, uint64_t v) { return (h ^ v) * UINT64_C(1099511628211); }

static uint64_t event_mix(uint64_t h, const struct wire_event *ev) {
    h = mix(h, (uint64_t)ev->type << 32 | (uint64_t)ev->content_type << 16 | ev->version);
    h = mix(h, ev->offset);
    h = mix(h, (uint64_t)ev->announced << 32 | ev->len);
    h = mix(h, (uint64_t)ev->num_records << 8 | ev->cut_off);
    for (size_t i = 0; i < MESSAGE_CUTS; i++) {
        h = mix(h, ev->cuts[i]);
    }
    for (size_t i = 0; i < ev->len; i++) {
        h = mix(h, ev->p[i]);
    }
    return h;
}

// Reads the stream in pieces of `piece` bytes and returns a hash of all that was said. After
// `encrypted_after` messages the reader is told of encryption.
static uint64_t stream_hash(const uint8_t *data, size_t data_len, size_t piece,
                            uint32_t encrypted_after) {
    struct record_reader reader;
    struct wire_event ev;
    uint64_t h = UINT64_C(14695981039346656037);
    record_reader_init(&reader, HELLO_CEILING, CERTIFICATE_CEILING);
    for (size_t at = 0; at < data_len;) {
        size_t end = data_len - at < piece ? data_len : at + piece;
        for (;;) {
            size_t n = end - at;
            enum wire_event_type type = record_reader_next(&reader, &ev, data + at, &n);
            CHECK(n <= end - at);
            at += n;
            if (type == WIRE_MORE) {
                break;
            }
            h = event_mix(h, &ev);
            if (type == WIRE_ALERT) {
                struct alert alert;
                (void)!alert_parse(&alert, &reader.notes, ev.p, ev.len, ev.announced);
            }
            if (type == WIRE_MESSAGE && reader.num_messages == encrypted_after) {
                record_reader_encrypted(&reader);
            }
        }
        CHECK(at == end);
        CHECK(reader.join.buf.cap <= 4096);
    }
    CHECK(reader.offset == data_len);
    while (record_reader_eof(&reader, &ev) != WIRE_MORE) {
        h = event_mix(h, &ev);
    }
    for (size_t i = 0; i < reader.notes.num; i++) {
        const struct note_seen *seen = &reader.notes.notes[i];
        h = mix(mix(mix(h, seen->id), seen->offset), seen->times);
    }
    record_reader_cleanup(&reader);
    return h;
}

static enum hello_peek_result peek_in_pieces(struct hello_peek *peek, const uint8_t *data,
                                             size_t data_len, size_t piece) {
    enum hello_peek_result result = HELLO_NEED_MORE;
    *peek = (struct hello_peek){0};
    for (size_t len = 0; result == HELLO_NEED_MORE && len < data_len;) {
        len = data_len - len < piece ? data_len : len + piece;
        result = hello_peek(peek, data, len);
    }
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len) {
    if (data_len < 2) {
        return 0;
    }
    size_t piece = (size_t)(data[0] & 0x3f) + 1;
    uint32_t encrypted_after = data[0] >> 6;
    data++;
    data_len--;
    uint64_t whole = stream_hash(data, data_len, data_len, encrypted_after);
    CHECK(stream_hash(data, data_len, piece, encrypted_after) == whole);
    CHECK(stream_hash(data, data_len, 1, encrypted_after) == whole);

    struct hello_peek at_once, slow;
    enum hello_peek_result result = peek_in_pieces(&at_once, data, data_len, data_len);
    CHECK(peek_in_pieces(&slow, data, data_len, 1) == result);
    CHECK(result != HELLO_WHOLE || (at_once.wire_len == slow.wire_len &&
                                    at_once.wire_len <= data_len && at_once.hello_len != 0));
    return 0;
}
