#include "proxy/tls/record_reader.h"

#include <string.h>

#include "logs/record/codepoint.h"
#include "proxy/tls/handshake.h"

enum {
    MESSAGE_HEADER_LEN = 4,
    SSLV2_HEADER_LEN = 2,
    HELLO_MIN = 38,                    // version, random, session id, suite, compression
    PEEK_LEN = MESSAGE_HEADER_LEN + 2, // of a handshake record after a ChangeCipherSpec
    PLAIN_MAX = 16384,                 // RFC 8446, section 5.1
    CIPHER_MAX_12 = PLAIN_MAX + 2048,  // RFC 5246, section 6.2.3
    CIPHER_MAX_13 = PLAIN_MAX + 256,   // RFC 8446, section 5.2
};

// The bytes that a call may still eat.
struct input {
    const uint8_t *p;
    size_t len;
};

static const uint8_t *input_take(struct record_reader *reader, struct input *in, size_t n) {
    const uint8_t *p = in->p;
    in->p += n;
    in->len -= n;
    reader->offset += n;
    return p;
}

static size_t min_size(size_t a, size_t b) { return a < b ? a : b; }

static uint16_t get_u16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

static uint32_t get_u24(const uint8_t *p) {
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

void record_reader_init(struct record_reader *reader, uint32_t hello_max,
                        uint32_t certificate_max) {
    memset(reader, 0, sizeof(*reader));
    reader->hello_max = hello_max != 0 ? hello_max : RECORD_HELLO_MAX;
    reader->certificate_max = certificate_max != 0 ? certificate_max : RECORD_CERTIFICATE_MAX;
    CHECK(reader->hello_max >= MESSAGE_HEADER_LEN);
    CHECK(reader->certificate_max >= MESSAGE_HEADER_LEN);
    uint32_t max =
        reader->hello_max > reader->certificate_max ? reader->hello_max : reader->certificate_max;
    // A hello in SSLv2 format takes up to 32 KiB and must fit whatever the ceilings are.
    buf_init(&reader->message, max > 0x8000 + 2 ? max : 0x8000 + 2);
}

void record_reader_cleanup(struct record_reader *reader) { buf_cleanup(&reader->message); }

static enum wire_event_type event_set(struct record_reader *reader, struct wire_event *out,
                                      enum wire_event_type type, const uint8_t *p, size_t len) {
    *out = (struct wire_event){.type = type,
                               .content_type = reader->now.content_type,
                               .version = reader->now.version,
                               .offset = reader->now_offset,
                               .p = p,
                               .len = len,
                               .announced = (uint32_t)len};
    return type;
}

static enum wire_event_type not_tls(struct record_reader *reader, struct wire_event *out,
                                    const uint8_t *p, size_t len, enum banner banner) {
    bool http = banner == BANNER_HTTP_ANSWER || banner == BANNER_HTTP_REQUEST ||
                banner == BANNER_HTTP2 || banner == BANNER_HTML;
    reader->state = RECORD_NOT_TLS;
    reader->now_offset = reader->offset - len;
    note_sink_add(&reader->notes, http ? NOTE_REC_PLAIN_HTTP : NOTE_REC_NOT_TLS,
                  reader->now_offset);
    event_set(reader, out, WIRE_NOT_TLS, p, len);
    out->banner = banner;
    return WIRE_NOT_TLS;
}

// The first bytes are eaten one at a time until it is clear what they begin.
static enum wire_event_type start_step(struct record_reader *reader, struct wire_event *out,
                                       struct input *in) {
    reader->head[reader->head_len++] = *input_take(reader, in, 1);
    reader->banner = banner_classify(reader->head, reader->head_len, false);
    switch (reader->banner) {
    case BANNER_UNDECIDED:
        return WIRE_MORE;
    case BANNER_TLS:
        memcpy(reader->header, reader->head, reader->head_len);
        reader->header_len = reader->head_len;
        reader->header_need = RECORD_HEADER_LEN;
        reader->now_offset = 0;
        reader->state = RECORD_IN_HEADER;
        return WIRE_MORE;
    case BANNER_SSLV2:
        CHECK(buf_append(&reader->message, reader->head, reader->head_len));
        reader->left = (get_u16(reader->head) & 0x7fff) + SSLV2_HEADER_LEN;
        reader->state = RECORD_IN_SSLV2;
        return WIRE_MORE;
    default:
        return not_tls(reader, out, reader->head, reader->head_len, reader->banner);
    }
}

static enum wire_event_type sslv2_step(struct record_reader *reader, struct wire_event *out,
                                       struct input *in) {
    size_t have = reader->message.len;
    size_t n = reader->left > have ? min_size(reader->left - have, in->len) : 0;
    CHECK(buf_append(&reader->message, input_take(reader, in, n), n));
    if (reader->message.len < reader->left) {
        return WIRE_MORE;
    }
    reader->left = 0;
    reader->header_len = 0;
    reader->header_need = RECORD_HEADER_LEN;
    reader->state = RECORD_IN_HEADER;
    reader->message_done = true;
    reader->num_messages++;
    return event_set(reader, out, WIRE_SSLV2_HELLO, buf_data(&reader->message),
                     reader->message.len);
}

static void record_count(struct record_reader *reader) {
    const struct record_head *now = &reader->now;
    if (reader->num_records < RECORD_FIRST) {
        reader->first[reader->num_records] = *now;
    }
    reader->num_records++;
    if (now->length > reader->record_max) {
        reader->record_max = now->length;
    }
    unsigned i = (unsigned)now->content_type - CONTENT_CHANGE_CIPHER_SPEC;
    if (i < ARRAY_LEN(reader->num_of_type)) {
        reader->num_of_type[i]++;
        reader->bytes_of_type[i] += now->length;
    }
}

// Whether a handshake record after a ChangeCipherSpec is a plaintext hello all the same: type, a
// length below 64 KiB and the version of a hello have to be there, which ciphertext has once in
// 2^32.
static bool peek_is_hello(const uint8_t *p) {
    return (p[0] == HANDSHAKE_CLIENT_HELLO || p[0] == HANDSHAKE_SERVER_HELLO) && p[1] == 0 &&
           get_u24(p + 1) >= HELLO_MIN && p[4] == 3 && p[5] == 3;
}

static enum record_use use_of(const struct record_reader *reader) {
    const struct record_head *now = &reader->now;
    bool encrypted = reader->encrypted || reader->num_ccs != 0;
    switch (now->content_type) {
    case CONTENT_CHANGE_CIPHER_SPEC:
        return RECORD_USE_SMALL;
    case CONTENT_ALERT:
        return encrypted && now->length != 2 ? RECORD_USE_SKIP : RECORD_USE_SMALL;
    case CONTENT_HEARTBEAT:
        return RECORD_USE_SMALL;
    case CONTENT_HANDSHAKE:
        return encrypted ? RECORD_USE_SKIP : RECORD_USE_HANDSHAKE;
    default:
        return RECORD_USE_SKIP;
    }
}

static void header_check(struct record_reader *reader) {
    const struct record_head *now = &reader->now;
    bool encrypted = reader->encrypted || reader->num_ccs != 0;
    uint32_t max = reader->encrypted ? CIPHER_MAX_13 : encrypted ? CIPHER_MAX_12 : PLAIN_MAX;
    struct note_sink *notes = &reader->notes;
    if (codepoint_find(REGISTRY_CONTENT_TYPE, now->content_type) == NULL) {
        note_sink_add(notes, NOTE_REC_TYPE_UNKNOWN, reader->now_offset);
    }
    if (now->version < 0x0301 || now->version > 0x0303) {
        note_sink_add(notes, NOTE_REC_VERSION_ODD, reader->now_offset);
    }
    if (now->length > max) {
        note_sink_add(notes, NOTE_REC_TOO_LONG, reader->now_offset);
    }
    if (now->length == 0 && now->content_type != CONTENT_APPLICATION_DATA) {
        note_sink_add(notes, NOTE_REC_EMPTY, reader->now_offset);
    }
    if (now->content_type == CONTENT_APPLICATION_DATA && !encrypted && reader->num_messages == 0) {
        note_sink_add(notes, NOTE_REC_DATA_EARLY, reader->now_offset);
    }
    if (now->content_type == CONTENT_HEARTBEAT) {
        note_sink_add(notes, NOTE_REC_HEARTBEAT, reader->now_offset);
    }
    if (now->content_type != CONTENT_HANDSHAKE &&
        (reader->message.len != 0 || reader->message_skip != 0)) {
        note_sink_add(notes, NOTE_REC_INTERLEAVED, reader->now_offset);
    }
}

static uint32_t ceiling_of(const struct record_reader *reader, uint8_t type) {
    bool large = type == HANDSHAKE_CERTIFICATE || type == HANDSHAKE_CERTIFICATE_REQUEST ||
                 type == HANDSHAKE_COMPRESSED_CERTIFICATE || type == HANDSHAKE_CERTIFICATE_STATUS;
    return large ? reader->certificate_max : reader->hello_max;
}

// Reads the header of the message that begins, and sets how many bytes of it are kept.
static void message_begin(struct record_reader *reader, const uint8_t *header) {
    struct wire_event *part = &reader->part;
    part->announced = MESSAGE_HEADER_LEN + get_u24(header + 1);
    if (codepoint_find(REGISTRY_HANDSHAKE_TYPE, header[0]) == NULL) {
        note_sink_add(&reader->notes, NOTE_HS_TYPE_UNKNOWN, part->offset);
    }
    uint32_t max = ceiling_of(reader, header[0]);
    part->cut_off = part->announced > max;
    reader->message_keep = part->cut_off ? max : part->announced;
    if (part->cut_off) {
        enum note_id id =
            header[0] == HANDSHAKE_CERTIFICATE ? NOTE_CERT_TOO_LARGE : NOTE_HS_TOO_LONG;
        note_sink_add(&reader->notes, id, part->offset);
    }
}

// Counts `n` bytes of the current record for the message that is being put together.
static void part_add(struct record_reader *reader, size_t n) {
    struct wire_event *part = &reader->part;
    if (!reader->part_in_record) {
        reader->part_in_record = true;
        reader->messages_in_record++;
        part->num_records++;
    }
    if (part->num_records <= RECORD_CUTS) {
        part->cuts[part->num_records - 1] += (uint16_t)n;
    }
    reader->left -= (uint32_t)n;
}

static void message_append(struct record_reader *reader, const uint8_t *p, size_t n) {
    CHECK(buf_append(&reader->message, p, n));
    part_add(reader, n);
    if (reader->message_keep == 0 && reader->message.len >= MESSAGE_HEADER_LEN) {
        message_begin(reader, buf_data(&reader->message));
    }
}

static enum wire_event_type message_end(struct record_reader *reader, struct wire_event *out,
                                        const uint8_t *p, size_t len) {
    struct wire_event *part = &reader->part;
    if (part->num_records > 1) {
        note_sink_add(&reader->notes, NOTE_REC_MESSAGE_SPLIT, part->offset);
    }
    if (reader->messages_in_record > 1) {
        note_sink_add(&reader->notes, NOTE_REC_MESSAGES_SEVERAL, reader->now_offset);
    }
    reader->num_messages++;
    reader->message_skip = part->announced - (uint32_t)len;
    *out = *part;
    out->type = WIRE_MESSAGE;
    out->content_type = CONTENT_HANDSHAKE;
    out->version = reader->now.version;
    out->p = p;
    out->len = len;
    reader->message_keep = 0;
    return WIRE_MESSAGE;
}

static void part_begin(struct record_reader *reader, uint64_t offset) {
    memset(&reader->part, 0, sizeof(reader->part));
    reader->part.offset = offset;
    reader->part_in_record = false;
}

static enum wire_event_type handshake_step(struct record_reader *reader, struct wire_event *out,
                                           struct input *in) {
    size_t n = min_size(reader->left, in->len);
    if (reader->message_skip != 0) {
        n = min_size(reader->message_skip, n);
        input_take(reader, in, n);
        reader->message_skip -= (uint32_t)n;
        reader->left -= (uint32_t)n;
        return WIRE_MORE;
    }
    if (reader->message.len == 0) {
        part_begin(reader, reader->offset);
        if (n >= MESSAGE_HEADER_LEN) {
            message_begin(reader, in->p);
        }
        if (reader->message_keep != 0 && reader->message_keep <= n) {
            size_t len = reader->message_keep;
            part_add(reader, len);
            return message_end(reader, out, input_take(reader, in, len), len);
        }
    }
    size_t want = reader->message_keep != 0 ? reader->message_keep : MESSAGE_HEADER_LEN;
    n = min_size(n, want - reader->message.len);
    message_append(reader, input_take(reader, in, n), n);
    if (reader->message.len != reader->message_keep) {
        return WIRE_MORE;
    }
    reader->message_done = true;
    return message_end(reader, out, buf_data(&reader->message), reader->message.len);
}

// A handshake record after a ChangeCipherSpec may be a plaintext hello around a HelloRetryRequest:
// its first bytes decide.
static bool peek_wanted(const struct record_reader *reader) {
    return reader->now.content_type == CONTENT_HANDSHAKE && reader->num_ccs != 0 &&
           !reader->encrypted && reader->now.length >= PEEK_LEN && reader->message.len == 0 &&
           reader->message_skip == 0;
}

static void record_begin(struct record_reader *reader) {
    const uint8_t *peek = reader->header + RECORD_HEADER_LEN;
    bool peeked = reader->header_len > RECORD_HEADER_LEN;
    bool hello = peeked && !reader->encrypted && peek_is_hello(peek);
    record_count(reader);
    header_check(reader);
    reader->state = RECORD_IN_BODY;
    reader->use = hello ? RECORD_USE_HANDSHAKE : use_of(reader);
    reader->left = reader->now.length;
    reader->small_len = 0;
    reader->messages_in_record = 0;
    reader->part_in_record = false;
    if (hello) {
        part_begin(reader, reader->now_offset + RECORD_HEADER_LEN);
        message_append(reader, peek, PEEK_LEN);
    } else if (peeked) {
        reader->left -= PEEK_LEN;
    }
}

static bool header_is_garbage(const uint8_t *header) {
    return header[1] != 3 || header[0] < CONTENT_CHANGE_CIPHER_SPEC;
}

static enum wire_event_type header_step(struct record_reader *reader, struct wire_event *out,
                                        struct input *in) {
    if (reader->header_len == 0) {
        reader->now_offset = reader->offset;
    }
    size_t n = min_size((size_t)(reader->header_need - reader->header_len), in->len);
    memcpy(reader->header + reader->header_len, input_take(reader, in, n), n);
    reader->header_len += (uint8_t)n;
    if (reader->header_len < reader->header_need) {
        return WIRE_MORE;
    }
    const uint8_t *header = reader->header;
    if (header_is_garbage(header)) {
        return not_tls(reader, out, header, reader->header_len,
                       banner_classify(header, reader->header_len, true));
    }
    reader->now = (struct record_head){
        .content_type = header[0], .version = get_u16(header + 1), .length = get_u16(header + 3)};
    if (reader->header_need == RECORD_HEADER_LEN && peek_wanted(reader)) {
        reader->header_need += PEEK_LEN;
        return WIRE_MORE;
    }
    record_begin(reader);
    return WIRE_MORE;
}

static enum wire_event_type small_step(struct record_reader *reader, struct input *in) {
    size_t n = min_size(reader->left, in->len);
    const uint8_t *p = input_take(reader, in, n);
    size_t kept = min_size(n, sizeof(reader->small) - reader->small_len);
    memcpy(reader->small + reader->small_len, p, kept);
    reader->small_len += (uint8_t)kept;
    reader->left -= (uint32_t)n;
    return WIRE_MORE;
}

static enum wire_event_type skip_step(struct record_reader *reader, struct input *in) {
    size_t n = min_size(reader->left, in->len);
    input_take(reader, in, n);
    reader->left -= (uint32_t)n;
    return WIRE_MORE;
}

static void ccs_check(struct record_reader *reader) {
    struct note_sink *notes = &reader->notes;
    if (reader->now.length != 1 || reader->small[0] != 1) {
        note_sink_add(notes, NOTE_REC_CCS_VALUE, reader->now_offset);
    }
    if (reader->num_messages == 0) {
        note_sink_add(notes, NOTE_REC_CCS_EARLY, reader->now_offset);
    }
    if (reader->num_ccs != 0) {
        note_sink_add(notes, NOTE_REC_CCS_REPEATED, reader->now_offset);
    }
    if (reader->message.len != 0) {
        note_sink_add(notes, NOTE_HS_KEY_CHANGE_UNALIGNED, reader->now_offset);
    }
}

static void heartbeat_check(struct record_reader *reader) {
    bool plain = !reader->encrypted && reader->num_ccs == 0;
    if (plain && reader->small_len >= 3 && 3u + get_u16(reader->small + 1) > reader->now.length) {
        note_sink_add(&reader->notes, NOTE_REC_HEARTBEAT_OVERLONG, reader->now_offset);
    }
}

static enum wire_event_type record_end(struct record_reader *reader, struct wire_event *out) {
    reader->state = RECORD_IN_HEADER;
    reader->header_len = 0;
    reader->header_need = RECORD_HEADER_LEN;
    if (reader->use == RECORD_USE_HANDSHAKE) {
        return WIRE_MORE;
    }
    enum wire_event_type type = WIRE_OPAQUE;
    if (reader->use == RECORD_USE_SMALL && reader->now.content_type == CONTENT_ALERT) {
        type = WIRE_ALERT;
        reader->num_alerts++;
    } else if (reader->now.content_type == CONTENT_CHANGE_CIPHER_SPEC) {
        type = WIRE_CCS;
        ccs_check(reader);
        reader->num_ccs++;
    } else if (reader->now.content_type == CONTENT_HEARTBEAT) {
        heartbeat_check(reader);
    }
    bool small = type != WIRE_OPAQUE;
    event_set(reader, out, type, small ? reader->small : NULL, small ? reader->small_len : 0);
    out->announced = reader->now.length;
    return type;
}

static enum wire_event_type body_step(struct record_reader *reader, struct wire_event *out,
                                      struct input *in) {
    if (reader->left == 0) {
        return record_end(reader, out);
    }
    switch (reader->use) {
    case RECORD_USE_HANDSHAKE:
        return handshake_step(reader, out, in);
    case RECORD_USE_SMALL:
        return small_step(reader, in);
    case RECORD_USE_SKIP:
        return skip_step(reader, in);
    }
    return WIRE_MORE;
}

static void message_drop(struct record_reader *reader) {
    if (reader->message_done) {
        buf_consume(&reader->message, reader->message.len);
        reader->message_done = false;
    }
}

static enum wire_event_type reader_step(struct record_reader *reader, struct wire_event *out,
                                        struct input *in) {
    switch (reader->state) {
    case RECORD_AT_START:
        return start_step(reader, out, in);
    case RECORD_IN_HEADER:
        return header_step(reader, out, in);
    case RECORD_IN_BODY:
        return body_step(reader, out, in);
    case RECORD_IN_SSLV2:
        return sslv2_step(reader, out, in);
    case RECORD_NOT_TLS:
        input_take(reader, in, in->len);
        return WIRE_MORE;
    }
    return WIRE_MORE;
}

enum wire_event_type record_reader_next(struct record_reader *reader, struct wire_event *out_event,
                                        const uint8_t *in, size_t *in_len) {
    struct input input = {.p = in, .len = *in_len};
    enum wire_event_type type = WIRE_MORE;
    *out_event = (struct wire_event){.type = WIRE_MORE};
    message_drop(reader);
    while (type == WIRE_MORE &&
           (input.len != 0 || (reader->state == RECORD_IN_BODY && reader->left == 0))) {
        type = reader_step(reader, out_event, &input);
    }
    *in_len -= input.len;
    return type;
}

void record_reader_encrypted(struct record_reader *reader) {
    bool inside =
        reader->state == RECORD_IN_BODY && reader->use == RECORD_USE_HANDSHAKE && reader->left != 0;
    bool pending = reader->message.len != 0 && !reader->message_done;
    if (inside || pending) {
        note_sink_add(&reader->notes, NOTE_HS_KEY_CHANGE_UNALIGNED, reader->offset);
    }
    reader->encrypted = true;
}

enum wire_event_type record_reader_eof(struct record_reader *reader, struct wire_event *out_event) {
    *out_event = (struct wire_event){.type = WIRE_MORE};
    message_drop(reader);
    if (reader->ended) {
        return WIRE_MORE;
    }
    reader->ended = true;
    if (reader->state == RECORD_AT_START && reader->head_len != 0) {
        reader->banner = banner_classify(reader->head, reader->head_len, true);
        return not_tls(reader, out_event, reader->head, reader->head_len, reader->banner);
    }
    bool cut = (reader->state == RECORD_IN_HEADER && reader->header_len != 0) ||
               (reader->state == RECORD_IN_BODY && reader->left != 0) ||
               reader->state == RECORD_IN_SSLV2;
    if (cut) {
        note_sink_add(&reader->notes, NOTE_REC_TRUNCATED, reader->offset);
    }
    if (reader->state == RECORD_IN_SSLV2) {
        event_set(reader, out_event, WIRE_SSLV2_HELLO, buf_data(&reader->message),
                  reader->message.len);
        out_event->announced = reader->left;
        out_event->cut_off = true;
        return WIRE_SSLV2_HELLO;
    }
    if (reader->message.len == 0 && reader->message_skip == 0) {
        return WIRE_MORE;
    }
    note_sink_add(&reader->notes, NOTE_HS_TRUNCATED, reader->offset);
    if (reader->message.len == 0) {
        return WIRE_MORE;
    }
    reader->part.cut_off = true;
    return message_end(reader, out_event, buf_data(&reader->message), reader->message.len);
}
