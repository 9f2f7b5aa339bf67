#include "proxy/tls/record_reader.h"

#include <string.h>

#include "logs/record/codepoint.h"
#include "proxy/tls/handshake.h"

enum {
    MESSAGE_HEADER_LEN = 4,
    SSLV2_HEADER_LEN = 2,
    HELLO_MIN = 38,                    // version, random, session id, suite, compression
    PEEK_LEN = MESSAGE_HEADER_LEN + 2, // of a handshake record after a ChangeCipherSpec
    SSLV2_MAX = SSLV2_HEADER_LEN + 0x7fff,
    CIPHER_MAX_12 = RECORD_PLAIN_MAX + 2048, // RFC 5246, section 6.2.3
    CIPHER_MAX_13 = RECORD_PLAIN_MAX + 256,  // RFC 8446, section 5.2
};

// The bytes that a call may still eat.
struct input {
    const uint8_t *p;
    size_t len;
};

static size_t min_size(size_t a, size_t b) { return a < b ? a : b; }

static const uint8_t *input_take(struct record_reader *reader, struct input *in, size_t n) {
    const uint8_t *p = in->p;
    size_t keep = min_size(n, sizeof(reader->head) - reader->head_len);
    if (keep != 0) {
        memcpy(reader->head + reader->head_len, p, keep);
        reader->head_len += (uint8_t)keep;
    }
    in->p += n;
    in->len -= n;
    reader->offset += n;
    return p;
}

static uint16_t get_u16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

static uint32_t get_u24(const uint8_t *p) {
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

void record_reader_init(struct record_reader *reader, uint32_t hello_max,
                        uint32_t certificate_max) {
    memset(reader, 0, sizeof(*reader));
    message_join_init(&reader->join, hello_max != 0 ? hello_max : RECORD_HELLO_MAX,
                      certificate_max != 0 ? certificate_max : RECORD_CERTIFICATE_MAX);
    record_opener_init(&reader->opener);
    buf_init(&reader->sslv2, SSLV2_MAX);
}

void record_reader_cleanup(struct record_reader *reader) {
    message_join_cleanup(&reader->join);
    record_opener_cleanup(&reader->opener);
    buf_cleanup(&reader->sslv2);
}

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
    if (!reader->gap) {
        note_sink_add(&reader->notes, http ? NOTE_REC_PLAIN_HTTP : NOTE_REC_NOT_TLS,
                      reader->now_offset);
    }
    event_set(reader, out, WIRE_NOT_TLS, p, len);
    out->banner = banner;
    return WIRE_NOT_TLS;
}

// The first bytes are eaten one at a time until it is clear what they begin.
static enum wire_event_type start_step(struct record_reader *reader, struct wire_event *out,
                                       struct input *in) {
    input_take(reader, in, 1);
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
        CHECK(buf_append(&reader->sslv2, reader->head, reader->head_len));
        reader->left = (get_u16(reader->head) & 0x7fff) + SSLV2_HEADER_LEN;
        reader->state = RECORD_IN_SSLV2;
        return WIRE_MORE;
    default:
        return not_tls(reader, out, reader->head, reader->head_len, reader->banner);
    }
}

static void header_begin(struct record_reader *reader) {
    reader->state = RECORD_IN_HEADER;
    reader->header_len = 0;
    reader->header_need = RECORD_HEADER_LEN;
}

static enum wire_event_type sslv2_step(struct record_reader *reader, struct wire_event *out,
                                       struct input *in) {
    size_t have = reader->sslv2.len;
    size_t n = reader->left > have ? min_size(reader->left - have, in->len) : 0;
    CHECK(buf_append(&reader->sslv2, input_take(reader, in, n), n));
    if (reader->sslv2.len < reader->left) {
        return WIRE_MORE;
    }
    header_begin(reader);
    reader->num_messages++;
    return event_set(reader, out, WIRE_SSLV2_HELLO, buf_data(&reader->sslv2), reader->sslv2.len);
}

static void message_event(struct record_reader *reader, struct wire_event *out,
                          const struct message_part *part) {
    event_set(reader, out, WIRE_MESSAGE, part->p, part->len);
    out->content_type = CONTENT_HANDSHAKE;
    out->opened = reader->state == RECORD_IN_OPENED;
    out->offset = part->offset;
    out->announced = part->announced;
    out->cut_off = part->cut_off;
    out->num_records = part->num_records;
    memcpy(out->cuts, part->cuts, sizeof(out->cuts));
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

bool record_reader_opens(const struct record_reader *reader) {
    return reader->opener.protect != NULL;
}

static enum opener_use opener_use(const struct record_reader *reader) {
    return record_opener_use(&reader->opener, reader->now.content_type, reader->now.length);
}

static enum record_use use_of(const struct record_reader *reader) {
    const struct record_head *now = &reader->now;
    bool encrypted = reader->encrypted || reader->num_ccs != 0;
    if (opener_use(reader) != OPENER_PLAIN) {
        return opener_use(reader) == OPENER_OPEN ? RECORD_USE_OPEN : RECORD_USE_SKIP;
    }
    switch (now->content_type) {
    case CONTENT_CHANGE_CIPHER_SPEC:
        return RECORD_USE_SMALL;
    case CONTENT_ALERT:
        return encrypted && now->length != 2 ? RECORD_USE_SKIP : RECORD_USE_SMALL;
    case CONTENT_HEARTBEAT:
        return RECORD_USE_SMALL;
    case CONTENT_HANDSHAKE:
        // The rest of a plaintext hello, or what no ChangeCipherSpec has come before.
        return (reader->late_hello && message_join_pending(&reader->join)) || !encrypted
                   ? RECORD_USE_HANDSHAKE
                   : RECORD_USE_SKIP;
    default:
        return RECORD_USE_SKIP;
    }
}

static void interleaved_check(struct record_reader *reader, uint8_t content_type) {
    if (content_type != CONTENT_HANDSHAKE && message_join_pending(&reader->join)) {
        note_sink_add(&reader->notes, NOTE_REC_INTERLEAVED, reader->now_offset);
    }
}

static void header_check(struct record_reader *reader) {
    const struct record_head *now = &reader->now;
    bool encrypted = reader->encrypted || reader->num_ccs != 0;
    uint32_t max = reader->encrypted ? CIPHER_MAX_13 : encrypted ? CIPHER_MAX_12 : RECORD_PLAIN_MAX;
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
    bool early = !encrypted && reader->num_messages == 0 && !reader->gap;
    if (now->content_type == CONTENT_APPLICATION_DATA && early) {
        note_sink_add(notes, NOTE_REC_DATA_EARLY, reader->now_offset);
    }
    if (now->content_type == CONTENT_HEARTBEAT) {
        note_sink_add(notes, NOTE_REC_HEARTBEAT, reader->now_offset);
    }
    if (opener_use(reader) != OPENER_OPEN) {
        interleaved_check(reader, now->content_type);
    }
}

// Feeds bytes of a handshake record that the reader has passed or passes now; `offset` is the first
// one's. Returns how many were eaten.
static size_t handshake_feed(struct record_reader *reader, struct wire_event *out, uint64_t offset,
                             const uint8_t *p, size_t p_len) {
    struct message_part part;
    bool whole;
    size_t n = message_join_feed(&reader->join, &part, &whole, &reader->notes, offset, p, p_len);
    reader->left -= (uint32_t)n;
    if (whole) {
        reader->num_messages++;
        message_event(reader, out, &part);
    }
    return n;
}

static enum wire_event_type handshake_step(struct record_reader *reader, struct wire_event *out,
                                           struct input *in) {
    size_t n = min_size(reader->left, in->len);
    input_take(reader, in, handshake_feed(reader, out, reader->offset, in->p, n));
    return out->type;
}

// A handshake record after a ChangeCipherSpec may be a plaintext hello around a HelloRetryRequest:
// its first bytes decide.
static bool peek_wanted(const struct record_reader *reader) {
    return reader->now.content_type == CONTENT_HANDSHAKE && reader->num_ccs != 0 &&
           !reader->encrypted && opener_use(reader) == OPENER_PLAIN &&
           reader->now.length >= PEEK_LEN && !message_join_pending(&reader->join);
}

static void unread_count(struct record_reader *reader) {
    if (reader->now.content_type == CONTENT_APPLICATION_DATA) {
        reader->data_bytes += reader->now.length;
    }
}

static void record_begin(struct record_reader *reader) {
    const uint8_t *peek = reader->header + RECORD_HEADER_LEN;
    bool peeked = reader->header_len > RECORD_HEADER_LEN;
    bool hello = peeked && !reader->encrypted && peek_is_hello(peek);
    record_count(reader);
    header_check(reader);
    reader->state = RECORD_IN_BODY;
    reader->late_hello |= hello;
    reader->use = hello ? RECORD_USE_HANDSHAKE : use_of(reader);
    if (opener_use(reader) == OPENER_PLAIN) {
        unread_count(reader);
    }
    reader->left = reader->now.length;
    reader->small_len = 0;
    message_join_record(&reader->join);
    if (hello) {
        // A hello is longer than what was peeked at: none is complete here.
        struct wire_event none;
        CHECK(handshake_feed(reader, &none, reader->now_offset + RECORD_HEADER_LEN, peek,
                             PEEK_LEN) == PEEK_LEN);
    } else if (peeked) {
        reader->left -= PEEK_LEN;
    }
}

static bool header_is_garbage(const uint8_t *header, size_t header_len) {
    return header[0] < CONTENT_CHANGE_CIPHER_SPEC || (header_len > 1 && header[1] != 3);
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
    if (header_is_garbage(header, reader->header_len)) {
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

static enum wire_event_type collect_step(struct record_reader *reader, struct input *in) {
    size_t n = min_size(reader->left, in->len);
    record_opener_add(&reader->opener, input_take(reader, in, n), n);
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
    if (message_join_pending(&reader->join)) {
        note_sink_add(notes, NOTE_HS_KEY_CHANGE_UNALIGNED, reader->now_offset);
    }
}

static void heartbeat_check(struct record_reader *reader) {
    bool plain = !reader->encrypted && reader->num_ccs == 0;
    if (plain && reader->small_len >= 3 && 3u + get_u16(reader->small + 1) > reader->now.length) {
        note_sink_add(&reader->notes, NOTE_REC_HEARTBEAT_OVERLONG, reader->now_offset);
    }
}

// `p` is NULL where the data was not opened.
static enum wire_event_type data_event(struct record_reader *reader, struct wire_event *out,
                                       const uint8_t *p, size_t len) {
    reader->data_bytes += len;
    event_set(reader, out, WIRE_DATA, p, p != NULL ? len : 0);
    out->content_type = CONTENT_APPLICATION_DATA;
    out->opened = true;
    out->announced = (uint32_t)len;
    return WIRE_DATA;
}

// opened_begin says what a record that was opened holds. Handshake messages are handed out by
// opened_step.
static enum wire_event_type opened_begin(struct record_reader *reader, struct wire_event *out) {
    const struct record_opener *opener = &reader->opener;
    struct note_sink *notes = &reader->notes;
    bool alert = opener->type == CONTENT_ALERT;
    reader->num_opened++;
    interleaved_check(reader, opener->type);
    if (opener->content_len == 0 && opener->type != CONTENT_APPLICATION_DATA) {
        note_sink_add(notes, NOTE_REC_EMPTY, reader->now_offset);
    }
    if (opener->content_len > RECORD_PLAIN_MAX) {
        note_sink_add(notes, NOTE_REC_TOO_LONG, reader->now_offset);
    }
    if (opener->type == CONTENT_HANDSHAKE) {
        reader->state = RECORD_IN_OPENED;
        reader->left = (uint32_t)opener->content_len;
        return WIRE_MORE;
    }
    if (opener->type == CONTENT_APPLICATION_DATA) {
        return data_event(reader, out, opener->content, opener->content_len);
    }
    if (codepoint_find(REGISTRY_CONTENT_TYPE, opener->type) == NULL) {
        note_sink_add(notes, NOTE_REC_TYPE_UNKNOWN, reader->now_offset);
    }
    reader->num_alerts += alert;
    event_set(reader, out, alert ? WIRE_ALERT : WIRE_OPAQUE, alert ? opener->content : NULL,
              alert ? opener->content_len : 0);
    out->content_type = opener->type;
    out->opened = true;
    out->announced = (uint32_t)opener->content_len;
    return out->type;
}

static enum wire_event_type opened_step(struct record_reader *reader, struct wire_event *out) {
    const struct record_opener *opener = &reader->opener;
    if (reader->left == 0) {
        record_opener_drop(&reader->opener);
        header_begin(reader);
        return WIRE_MORE;
    }
    const uint8_t *p = opener->content + (opener->content_len - reader->left);
    uint64_t offset = reader->offset - reader->now.length + (uint64_t)(p - buf_data(&opener->body));
    handshake_feed(reader, out, offset, p, reader->left);
    return out->type;
}

static enum wire_event_type record_end(struct record_reader *reader, struct wire_event *out) {
    header_begin(reader);
    if (reader->use == RECORD_USE_HANDSHAKE) {
        return WIRE_MORE;
    }
    if (opener_use(reader) == OPENER_COUNT) {
        return data_event(reader, out, NULL,
                          record_opener_count(&reader->opener, reader->now.length));
    }
    if (reader->use == RECORD_USE_OPEN && record_opener_open(&reader->opener, reader->header)) {
        return opened_begin(reader, out);
    }
    if (reader->use == RECORD_USE_OPEN) {
        unread_count(reader);
        if (!record_reader_opens(reader)) {
            note_sink_add(&reader->notes, NOTE_KEY_WRONG, reader->now_offset);
        }
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
    case RECORD_USE_OPEN:
        return collect_step(reader, in);
    }
    return WIRE_MORE;
}

// What the last call handed out is no longer needed.
static void buffers_drop(struct record_reader *reader) {
    message_join_drop(&reader->join);
    if (reader->state == RECORD_IN_HEADER) {
        record_opener_drop(&reader->opener);
    }
    if (reader->state != RECORD_IN_SSLV2) {
        buf_cleanup(&reader->sslv2);
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
    case RECORD_IN_OPENED:
        return opened_step(reader, out);
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
    buffers_drop(reader);
    while (type == WIRE_MORE && (input.len != 0 || reader->state == RECORD_IN_OPENED ||
                                 (reader->state == RECORD_IN_BODY && reader->left == 0))) {
        type = reader_step(reader, out_event, &input);
    }
    *in_len -= input.len;
    return type;
}

void record_reader_encrypted(struct record_reader *reader) {
    bool inside = reader->left != 0 &&
                  (reader->state == RECORD_IN_OPENED ||
                   (reader->state == RECORD_IN_BODY && reader->use == RECORD_USE_HANDSHAKE));
    if (inside || message_join_pending(&reader->join)) {
        note_sink_add(&reader->notes, NOTE_HS_KEY_CHANGE_UNALIGNED, reader->offset);
    }
    reader->encrypted = true;
}

void record_reader_open(struct record_reader *reader, struct record_protect *protect,
                        bool pass_over) {
    reader->opener.protect = protect;
    reader->opener.pass_over = pass_over;
    if (protect != NULL && protect->tls13) {
        record_reader_encrypted(reader);
    }
}

bool record_reader_gap(struct record_reader *reader, uint64_t n) {
    buffers_drop(reader);
    reader->gap = true;
    reader->offset += n;
    bool inside = n != 0 && reader->state == RECORD_IN_BODY && n <= reader->left;
    if (inside && reader->use == RECORD_USE_OPEN) {
        record_opener_lose(&reader->opener);
        unread_count(reader);
        (void)message_join_gap(&reader->join, UINT64_MAX);
        reader->use = RECORD_USE_SKIP;
    }
    bool skipped = inside && reader->use == RECORD_USE_SKIP;
    bool passed =
        inside && reader->use == RECORD_USE_HANDSHAKE && message_join_gap(&reader->join, n);
    if (skipped || passed) {
        reader->left -= (uint32_t)n;
        return true;
    }
    if (record_reader_opens(reader)) {
        note_sink_add(&reader->notes, NOTE_KEY_GAP, reader->offset);
        record_reader_open(reader, NULL, false);
    }
    (void)message_join_gap(&reader->join, UINT64_MAX);
    buf_cleanup(&reader->sslv2);
    reader->left = 0;
    header_begin(reader);
    return false;
}

void record_reader_pass(struct record_reader *reader, uint64_t n) {
    uint64_t counted = reader->state == RECORD_IN_BODY ? reader->left : 0;
    counted = n < counted ? n : counted;
    reader->left -= (uint32_t)counted;
    reader->offset += n;
    reader->data_bytes += n - counted;
}

enum wire_event_type record_reader_eof(struct record_reader *reader, struct wire_event *out_event) {
    *out_event = (struct wire_event){.type = WIRE_MORE};
    buffers_drop(reader);
    if (reader->ended) {
        return WIRE_MORE;
    }
    reader->ended = true;
    if (reader->state == RECORD_AT_START && reader->head_len != 0) {
        reader->banner = banner_classify(reader->head, reader->head_len, true);
        return not_tls(reader, out_event, reader->head, reader->head_len, reader->banner);
    }
    if (reader->state == RECORD_IN_HEADER && reader->header_len != 0 &&
        header_is_garbage(reader->header, reader->header_len)) {
        return not_tls(reader, out_event, reader->header, reader->header_len,
                       banner_classify(reader->header, reader->header_len, true));
    }
    bool cut = (reader->state == RECORD_IN_HEADER && reader->header_len != 0) ||
               (reader->state == RECORD_IN_BODY && reader->left != 0) ||
               reader->state == RECORD_IN_SSLV2;
    if (cut) {
        note_sink_add(&reader->notes, NOTE_REC_TRUNCATED, reader->offset);
    }
    if (reader->state == RECORD_IN_SSLV2) {
        event_set(reader, out_event, WIRE_SSLV2_HELLO, buf_data(&reader->sslv2), reader->sslv2.len);
        out_event->announced = reader->left;
        out_event->cut_off = true;
        return WIRE_SSLV2_HELLO;
    }
    if (!message_join_pending(&reader->join)) {
        return WIRE_MORE;
    }
    note_sink_add(&reader->notes, NOTE_HS_TRUNCATED, reader->offset);
    struct message_part part;
    if (message_join_rest(&reader->join, &part)) {
        message_event(reader, out_event, &part);
    }
    return out_event->type;
}
