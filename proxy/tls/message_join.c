#include "proxy/tls/message_join.h"

#include <string.h>

#include "logs/record/codepoint.h"
#include "proxy/tls/handshake.h"

enum { HEADER_LEN = 4 };

void message_join_init(struct message_join *join, uint32_t hello_max, uint32_t certificate_max) {
    CHECK(hello_max >= HEADER_LEN && certificate_max >= HEADER_LEN);
    *join = (struct message_join){.hello_max = hello_max, .certificate_max = certificate_max};
    buf_init(&join->buf, hello_max > certificate_max ? hello_max : certificate_max);
}

void message_join_cleanup(struct message_join *join) { buf_cleanup(&join->buf); }

void message_join_record(struct message_join *join) {
    join->messages_in_record = 0;
    join->part_in_record = false;
}

void message_join_drop(struct message_join *join) {
    if (join->done) {
        buf_consume(&join->buf, join->buf.len);
        join->done = false;
    }
}

static uint32_t ceiling_of(const struct message_join *join, uint8_t type) {
    bool large = type == HANDSHAKE_CERTIFICATE || type == HANDSHAKE_CERTIFICATE_REQUEST ||
                 type == HANDSHAKE_COMPRESSED_CERTIFICATE || type == HANDSHAKE_CERTIFICATE_STATUS;
    return large ? join->certificate_max : join->hello_max;
}

// Reads the header of the message that begins and sets how many bytes of it are kept.
static void header_read(struct message_join *join, struct note_sink *notes, const uint8_t *header) {
    struct message_part *part = &join->part;
    part->announced =
        HEADER_LEN + ((uint32_t)header[1] << 16 | (uint32_t)header[2] << 8 | header[3]);
    if (codepoint_find(REGISTRY_HANDSHAKE_TYPE, header[0]) == NULL) {
        note_sink_add(notes, NOTE_HS_TYPE_UNKNOWN, part->offset);
    }
    uint32_t max = ceiling_of(join, header[0]);
    part->cut_off = part->announced > max;
    join->keep = part->cut_off ? max : part->announced;
    if (part->cut_off) {
        enum note_id id =
            header[0] == HANDSHAKE_CERTIFICATE ? NOTE_CERT_TOO_LARGE : NOTE_HS_TOO_LONG;
        note_sink_add(notes, id, part->offset);
    }
}

// Counts `n` bytes of the current record for the current message.
static void part_add(struct message_join *join, size_t n) {
    struct message_part *part = &join->part;
    if (!join->part_in_record) {
        join->part_in_record = true;
        join->messages_in_record++;
        part->num_records++;
    }
    if (part->num_records <= MESSAGE_CUTS) {
        part->cuts[part->num_records - 1] += (uint16_t)n;
    }
}

static void part_end(struct message_join *join, struct message_part *out, struct note_sink *notes,
                     const uint8_t *p, size_t len) {
    struct message_part *part = &join->part;
    if (part->num_records > 1) {
        note_sink_add(notes, NOTE_REC_MESSAGE_SPLIT, part->offset);
    }
    if (join->messages_in_record > 1) {
        note_sink_add(notes, NOTE_REC_MESSAGES_SEVERAL, part->offset);
    }
    join->skip = part->announced - (uint32_t)len;
    join->keep = 0;
    part->p = p;
    part->len = len;
    *out = *part;
}

static void part_begin(struct message_join *join, uint64_t offset) {
    join->part = (struct message_part){.offset = offset};
    join->part_in_record = false;
    join->keep = 0;
}

size_t message_join_feed(struct message_join *join, struct message_part *out, bool *out_whole,
                         struct note_sink *notes, uint64_t offset, const uint8_t *p, size_t p_len) {
    *out_whole = false;
    message_join_drop(join);
    if (join->skip != 0) {
        size_t skip = join->skip < p_len ? join->skip : p_len;
        join->skip -= (uint32_t)skip;
        return skip;
    }
    if (join->buf.len == 0) {
        part_begin(join, offset);
        if (p_len >= HEADER_LEN) {
            header_read(join, notes, p);
        }
        if (join->keep != 0 && join->keep <= p_len) {
            size_t len = join->keep;
            part_add(join, len);
            part_end(join, out, notes, p, len);
            *out_whole = true;
            return len;
        }
    }
    size_t want = (join->keep != 0 ? join->keep : HEADER_LEN) - join->buf.len;
    size_t n = want < p_len ? want : p_len;
    CHECK(buf_append(&join->buf, p, n));
    part_add(join, n);
    if (join->keep == 0 && join->buf.len == HEADER_LEN) {
        header_read(join, notes, buf_data(&join->buf));
    }
    if (join->buf.len == join->keep) {
        join->done = true;
        part_end(join, out, notes, buf_data(&join->buf), join->buf.len);
        *out_whole = true;
    }
    return n;
}

bool message_join_pending(const struct message_join *join) {
    return (join->buf.len != 0 && !join->done) || join->skip != 0;
}

bool message_join_rest(struct message_join *join, struct message_part *out) {
    message_join_drop(join);
    if (join->buf.len == 0) {
        return false;
    }
    join->done = true;
    join->part.cut_off = true;
    join->part.p = buf_data(&join->buf);
    join->part.len = join->buf.len;
    *out = join->part;
    return true;
}

bool message_join_gap(struct message_join *join, uint64_t n) {
    message_join_drop(join);
    uint64_t rest = join->skip;
    if (rest == 0 && join->keep != 0) {
        rest = join->part.announced - join->buf.len;
    }
    buf_cleanup(&join->buf);
    join->keep = 0;
    join->skip = rest >= n ? (uint32_t)(rest - n) : 0;
    return rest >= n;
}
