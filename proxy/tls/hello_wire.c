#include <string.h>

#include "proxy/tls/extension.h"
#include "proxy/tls/handshake.h"
#include "proxy/tls/hello_draft.h"
#include "proxy/tls/hello_peek.h"
#include "proxy/tls/record_reader.h"

// struct layout says where in the message its records begin.
struct layout {
    size_t starts[HELLO_CUTS_MAX + HELLO_DRAFT_MAX / RECORD_PLAIN_MAX + 2];
    uint16_t versions[HELLO_CUTS_MAX + HELLO_DRAFT_MAX / RECORD_PLAIN_MAX + 2];
    size_t num;
};

// The offset in the message of the middle of the SNI's first host_name, or of the message.
static size_t sni_middle(const struct hello_draft *draft) {
    enum { NAME_OFFSET = 5 }; // list length, type and name length
    size_t at = 4 + 2 + sizeof(draft->random) + 1 + draft->session_id.len + 2 + draft->ciphers.len +
                1 + draft->compressions.len + 2;
    for (size_t i = 0; draft->has_extensions && i < draft->num_extensions; i++) {
        size_t len = draft->extensions[i].body.len;
        if (draft->extensions[i].type == EXT_SERVER_NAME && len > NAME_OFFSET) {
            return at + EXTENSION_HEADER_LEN + NAME_OFFSET + (len - NAME_OFFSET) / 2;
        }
        at += EXTENSION_HEADER_LEN + len;
    }
    return hello_draft_len(draft) / 2;
}

static void layout_add(struct layout *layout, size_t start, uint16_t version) {
    while (layout->num != 0 && start - layout->starts[layout->num - 1] > RECORD_PLAIN_MAX) {
        layout->starts[layout->num] = layout->starts[layout->num - 1] + RECORD_PLAIN_MAX;
        layout->versions[layout->num] = layout->versions[layout->num - 1];
        layout->num++;
    }
    layout->starts[layout->num] = start;
    layout->versions[layout->num++] = version;
}

// Cuts ascend, but for those in the SNI, of which one is enough.
static void layout_make(struct layout *layout, const struct hello_draft *draft, size_t len) {
    bool in_sni = false;
    uint16_t sni_version = 0;
    size_t middle = sni_middle(draft), i = 0;
    for (size_t k = 0; k < draft->num_record_cuts; k++) {
        if (draft->record_cuts[k].offset == HELLO_CUT_IN_SNI) {
            in_sni = true;
            sni_version = draft->record_cuts[k].version;
        }
    }
    layout->num = 0;
    layout_add(layout, 0, draft->record_version);
    for (; i < draft->num_record_cuts; i++) {
        const struct hello_record_cut *cut = &draft->record_cuts[i];
        if (cut->offset < 0 || (size_t)cut->offset >= len) {
            continue;
        }
        if (in_sni && middle <= (size_t)cut->offset) {
            in_sni = false;
            layout_add(layout, middle, sni_version);
            if ((size_t)cut->offset == middle) {
                continue;
            }
        }
        layout_add(layout, (size_t)cut->offset, cut->version);
    }
    if (in_sni) {
        layout_add(layout, middle, sni_version);
    }
    layout_add(layout, len, 0); // the end; no record
    layout->num--;
}

static bool records_write(const struct layout *layout, struct buf *out, const uint8_t *p) {
    bool ok = true;
    for (size_t i = 0; i < layout->num; i++) {
        size_t len = layout->starts[i + 1] - layout->starts[i];
        uint8_t header[RECORD_HEADER_LEN] = {CONTENT_HANDSHAKE, (uint8_t)(layout->versions[i] >> 8),
                                             (uint8_t)layout->versions[i], (uint8_t)(len >> 8),
                                             (uint8_t)len};
        ok = ok && buf_append(out, header, sizeof(header)) &&
             buf_append(out, p + layout->starts[i], len);
    }
    return ok;
}

// Where in the wire bytes the byte at `offset` of the message is.
static size_t wire_offset(const struct layout *layout, size_t offset) {
    size_t headers = 0;
    while (headers < layout->num && layout->starts[headers] <= offset) {
        headers++;
    }
    return offset + headers * RECORD_HEADER_LEN;
}

static void segments_make(struct hello_segments *out, const struct hello_draft *draft,
                          size_t middle, size_t wire_len) {
    size_t at[HELLO_CUTS_MAX];
    uint32_t pauses[HELLO_CUTS_MAX];
    size_t num = 0, last = 0;
    for (size_t i = 0; i < draft->num_segment_cuts; i++) {
        const struct hello_segment_cut *cut = &draft->segment_cuts[i];
        size_t offset = cut->offset == HELLO_CUT_IN_SNI ? middle : (size_t)cut->offset;
        size_t to = num++;
        for (; to > 0 && at[to - 1] > offset; to--) {
            at[to] = at[to - 1];
            pauses[to] = pauses[to - 1];
        }
        at[to] = offset;
        pauses[to] = cut->pause_ms;
    }
    *out = (struct hello_segments){.num = 1};
    for (size_t i = 0; i < num; i++) {
        if (at[i] > last && at[i] < wire_len) {
            out->segments[out->num - 1].len = (uint32_t)(at[i] - last);
            out->segments[out->num++].pause_ms = pauses[i];
            last = at[i];
        }
    }
    out->segments[out->num - 1].len = (uint32_t)(wire_len - last);
}

bool hello_draft_wire(const struct hello_draft *draft, struct buf *out,
                      struct hello_segments *out_segments, struct err *err) {
    struct buf message;
    struct layout layout = {0};
    size_t middle = hello_draft_len(draft) / 2, before = out->len;
    buf_init(&message, HELLO_DRAFT_MAX);
    if (!hello_draft_message(draft, &message, err)) {
        buf_cleanup(&message);
        return false;
    }
    bool ok;
    if (draft->format == HELLO_FORMAT_SSLV2) {
        ok = buf_append(out, buf_data(&message), message.len);
    } else {
        layout_make(&layout, draft, message.len);
        middle = wire_offset(&layout, sni_middle(draft));
        ok = records_write(&layout, out, buf_data(&message));
    }
    buf_cleanup(&message);
    if (out_segments != NULL) {
        segments_make(out_segments, draft, middle, out->len - before);
    }
    return ok || err_set(err, "the ClientHello in its records is longer than %zu bytes", out->max);
}

// The hello is whole: its records are joined, and where they begin is kept.
static bool records_read(struct hello_draft *draft, struct buf *message, size_t *out_wire_len,
                         const struct hello_peek *peek, const uint8_t *p, struct err *err) {
    struct hello_record_cut cuts[HELLO_CUTS_MAX];
    size_t num = 0, at = 0;
    uint16_t first_version = (uint16_t)(p[1] << 8 | p[2]);
    while (message->len < peek->hello_len) {
        size_t len = (size_t)p[at + 3] << 8 | p[at + 4];
        if (at != 0 && num == ARRAY_LEN(cuts)) {
            return err_set(err, "the ClientHello comes in more than %d records", HELLO_CUTS_MAX);
        }
        if (at != 0) {
            cuts[num++] = (struct hello_record_cut){(int32_t)message->len,
                                                    (uint16_t)(p[at + 1] << 8 | p[at + 2])};
        }
        if (len > peek->hello_len - message->len ||
            !buf_append(message, p + at + RECORD_HEADER_LEN, len)) {
            return err_set(err, "the record of the ClientHello holds more than that");
        }
        at += RECORD_HEADER_LEN + len;
    }
    if (!hello_draft_read(draft, buf_data(message), message->len, err)) {
        return false;
    }
    draft->record_version = first_version;
    memcpy(draft->record_cuts, cuts, num * sizeof(cuts[0]));
    draft->num_record_cuts = num;
    *out_wire_len = at;
    return true;
}

bool hello_draft_read_wire(struct hello_draft *draft, size_t *out_wire_len, const uint8_t *p,
                           size_t p_len, struct err *err) {
    struct hello_peek peek = {0};
    struct buf message;
    size_t wire_len = 0;
    bool ok = false;
    buf_init(&message, HELLO_DRAFT_MAX);
    switch (hello_peek(&peek, p, p_len)) {
    case HELLO_WHOLE:
        ok = records_read(draft, &message, &wire_len, &peek, p, err);
        break;
    case HELLO_SSLV2:
        wire_len = peek.wire_len;
        ok = hello_draft_read_sslv2(draft, p, wire_len, err);
        break;
    case HELLO_NEED_MORE:
        err_set(err, "the ClientHello is cut");
        break;
    case HELLO_NOT_TLS:
    case HELLO_BROKEN:
        err_set(err, "this is not a ClientHello");
        break;
    }
    buf_cleanup(&message);
    if (ok && out_wire_len != NULL) {
        *out_wire_len = wire_len;
    }
    return ok;
}
