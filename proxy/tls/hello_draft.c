#include "proxy/tls/hello_draft.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/tls/extension.h"
#include "proxy/tls/handshake.h"

enum { SSLV2_LENGTH_FLAG = 0x8000 };

void hello_bytes_set(struct hello_bytes *bytes, const uint8_t *p, size_t p_len) {
    uint8_t *copy = p_len != 0 ? xmemdup(p, p_len) : NULL;
    free(bytes->p);
    *bytes = (struct hello_bytes){copy, p_len};
}

void hello_draft_init(struct hello_draft *draft) {
    *draft = (struct hello_draft){
        .record_version = 0x0301,
        .legacy_version = 0x0303,
        .random_len = sizeof(draft->random),
    };
    hello_bytes_set(&draft->compressions, (const uint8_t[]){0}, 1);
}

static void bytes_free(struct hello_draft *draft) {
    free(draft->session_id.p);
    free(draft->ciphers.p);
    free(draft->compressions.p);
    for (size_t i = 0; i < draft->num_extensions; i++) {
        free(draft->extensions[i].body.p);
    }
    free(draft->extensions);
    free(draft->partial.p);
    free(draft->trailing.p);
}

void hello_draft_cleanup(struct hello_draft *draft) {
    bytes_free(draft);
    *draft = (struct hello_draft){0};
}

static void bytes_copy(struct hello_bytes *out, const struct hello_bytes *bytes) {
    *out = (struct hello_bytes){0};
    hello_bytes_set(out, bytes->p, bytes->len);
}

void hello_draft_copy(struct hello_draft *out, const struct hello_draft *draft) {
    struct hello_draft copy = *draft;
    bytes_copy(&copy.session_id, &draft->session_id);
    bytes_copy(&copy.ciphers, &draft->ciphers);
    bytes_copy(&copy.compressions, &draft->compressions);
    bytes_copy(&copy.partial, &draft->partial);
    bytes_copy(&copy.trailing, &draft->trailing);
    copy.cap_extensions = draft->num_extensions;
    copy.extensions = NULL;
    if (draft->num_extensions != 0) {
        copy.extensions = xcalloc(draft->num_extensions, sizeof(*copy.extensions));
    }
    for (size_t i = 0; i < draft->num_extensions; i++) {
        copy.extensions[i].type = draft->extensions[i].type;
        bytes_copy(&copy.extensions[i].body, &draft->extensions[i].body);
    }
    bytes_free(out);
    *out = copy;
}

static bool segments_equal(const struct hello_segments *a, const struct hello_segments *b) {
    for (size_t i = 0; i < a->num && i < b->num; i++) {
        if (a->segments[i].len != b->segments[i].len ||
            a->segments[i].pause_ms != b->segments[i].pause_ms) {
            return false;
        }
    }
    return a->num == b->num;
}

bool hello_draft_equal(const struct hello_draft *a, const struct hello_draft *b) {
    struct buf wire_a, wire_b;
    struct hello_segments segments_a, segments_b;
    buf_init(&wire_a, HELLO_DRAFT_WIRE_MAX);
    buf_init(&wire_b, HELLO_DRAFT_WIRE_MAX);
    bool equal = hello_draft_wire(a, &wire_a, &segments_a, NULL) &&
                 hello_draft_wire(b, &wire_b, &segments_b, NULL) && wire_a.len == wire_b.len &&
                 memcmp(buf_data(&wire_a), buf_data(&wire_b), wire_a.len) == 0 &&
                 segments_equal(&segments_a, &segments_b);
    buf_cleanup(&wire_a);
    buf_cleanup(&wire_b);
    return equal;
}

static void cbs_keep(struct hello_bytes *out, const CBS *cbs) {
    hello_bytes_set(out, CBS_data(cbs), CBS_len(cbs));
}

static void extensions_read(struct hello_draft *draft, CBS block) {
    struct extension extension;
    size_t num = 0;
    for (CBS count = block; extension_next(&count, &extension);) {
        num++;
    }
    draft->extensions = num != 0 ? xcalloc(num, sizeof(*draft->extensions)) : NULL;
    draft->cap_extensions = num;
    while (extension_next(&block, &extension)) {
        struct hello_extension *to = &draft->extensions[draft->num_extensions++];
        to->type = extension.type;
        cbs_keep(&to->body, &extension.body);
    }
    cbs_keep(&draft->partial, &block);
}

// A block that announces more than there is takes all there is.
static void block_read(struct hello_draft *draft, CBS *rest) {
    uint16_t announced;
    CBS block, from = *rest;
    if (!CBS_get_u16(&from, &announced)) {
        return;
    }
    size_t len = announced < CBS_len(&from) ? announced : CBS_len(&from);
    CHECK(CBS_get_bytes(&from, &block, len));
    draft->has_extensions = true;
    draft->extensions_excess = (int32_t)announced - (int32_t)len;
    extensions_read(draft, block);
    *rest = from;
}

bool hello_draft_read(struct hello_draft *draft, const uint8_t *p, size_t p_len, struct err *err) {
    CBS cbs, session_id, ciphers, compressions, random;
    uint8_t type;
    uint16_t version;
    uint32_t announced;
    CBS_init(&cbs, p, p_len);
    if (p_len > HELLO_DRAFT_MAX) {
        return err_set(err, "a ClientHello of %zu bytes is longer than %d", p_len, HELLO_DRAFT_MAX);
    }
    if (!CBS_get_u8(&cbs, &type) || type != HANDSHAKE_CLIENT_HELLO ||
        !CBS_get_u24(&cbs, &announced)) {
        return err_set(err, "this is not a ClientHello");
    }
    int32_t excess = (int32_t)announced - (int32_t)CBS_len(&cbs);
    if (!CBS_get_u16(&cbs, &version) || !CBS_get_bytes(&cbs, &random, sizeof(draft->random)) ||
        !CBS_get_u8_length_prefixed(&cbs, &session_id) ||
        !CBS_get_u16_length_prefixed(&cbs, &ciphers) ||
        !CBS_get_u8_length_prefixed(&cbs, &compressions)) {
        return err_set(err, "the ClientHello ends before its extensions");
    }
    hello_draft_cleanup(draft);
    hello_draft_init(draft);
    draft->message_excess = excess;
    draft->legacy_version = version;
    memcpy(draft->random, CBS_data(&random), sizeof(draft->random));
    cbs_keep(&draft->session_id, &session_id);
    cbs_keep(&draft->ciphers, &ciphers);
    cbs_keep(&draft->compressions, &compressions);
    block_read(draft, &cbs);
    cbs_keep(&draft->trailing, &cbs);
    return true;
}

bool hello_draft_read_sslv2(struct hello_draft *draft, const uint8_t *p, size_t p_len,
                            struct err *err) {
    CBS cbs, ciphers, session_id, challenge;
    uint8_t type;
    uint16_t length, version, ciphers_len, session_id_len, challenge_len;
    CBS_init(&cbs, p, p_len);
    if (!CBS_get_u16(&cbs, &length) || length < SSLV2_LENGTH_FLAG || !CBS_get_u8(&cbs, &type) ||
        type != HANDSHAKE_CLIENT_HELLO || p_len > HELLO_DRAFT_MAX) {
        return err_set(err, "this is not a ClientHello in SSLv2 format");
    }
    if (!CBS_get_u16(&cbs, &version) || !CBS_get_u16(&cbs, &ciphers_len) ||
        !CBS_get_u16(&cbs, &session_id_len) || !CBS_get_u16(&cbs, &challenge_len) ||
        !CBS_get_bytes(&cbs, &ciphers, ciphers_len) ||
        !CBS_get_bytes(&cbs, &session_id, session_id_len) ||
        !CBS_get_bytes(&cbs, &challenge, challenge_len)) {
        return err_set(err, "the ClientHello in SSLv2 format is cut");
    }
    if (challenge_len > sizeof(draft->random)) {
        return err_set(err, "the challenge of the ClientHello has %d bytes, 32 is the most",
                       challenge_len);
    }
    hello_draft_cleanup(draft);
    hello_draft_init(draft);
    draft->format = HELLO_FORMAT_SSLV2;
    draft->message_excess = length - SSLV2_LENGTH_FLAG - (int32_t)(p_len - 2);
    draft->legacy_version = version;
    draft->random_len = (uint8_t)challenge_len;
    if (challenge_len != 0) {
        memcpy(draft->random, CBS_data(&challenge), challenge_len);
    }
    hello_bytes_set(&draft->compressions, NULL, 0);
    cbs_keep(&draft->ciphers, &ciphers);
    cbs_keep(&draft->session_id, &session_id);
    cbs_keep(&draft->trailing, &cbs);
    return true;
}

static size_t block_len(const struct hello_draft *draft) {
    size_t len = draft->partial.len;
    for (size_t i = 0; i < draft->num_extensions; i++) {
        len += EXTENSION_HEADER_LEN + draft->extensions[i].body.len;
    }
    return len;
}

size_t hello_draft_len(const struct hello_draft *draft) {
    size_t len = draft->session_id.len + draft->ciphers.len + draft->trailing.len;
    if (draft->format == HELLO_FORMAT_SSLV2) {
        return len + 2 + 9 + draft->random_len;
    }
    len += 4 + 2 + sizeof(draft->random) + 1 + 2 + 1 + draft->compressions.len;
    return len + (draft->has_extensions ? 2 + block_len(draft) : 0);
}

// A field that does not fit its length, or bytes that do not fit `out`, turn `ok` false.
struct writer {
    struct buf *out;
    bool ok;
};

static void put(struct writer *writer, const void *p, size_t p_len) {
    writer->ok = writer->ok && buf_append(writer->out, p, p_len);
}

static void put_number(struct writer *writer, int64_t number, size_t width) {
    uint8_t bytes[4];
    writer->ok = writer->ok && number >= 0 && number >> (8 * width) == 0;
    for (size_t i = 0; i < width; i++) {
        bytes[i] = (uint8_t)((uint64_t)number >> (8 * (width - 1 - i)));
    }
    put(writer, bytes, width);
}

static void put_bytes(struct writer *writer, const struct hello_bytes *bytes, size_t width) {
    put_number(writer, (int64_t)bytes->len, width);
    put(writer, bytes->p, bytes->len);
}

static void put_extensions(struct writer *writer, const struct hello_draft *draft) {
    put_number(writer, (int64_t)block_len(draft) + draft->extensions_excess, 2);
    for (size_t i = 0; i < draft->num_extensions; i++) {
        put_number(writer, draft->extensions[i].type, 2);
        put_bytes(writer, &draft->extensions[i].body, 2);
    }
    put(writer, draft->partial.p, draft->partial.len);
}

static void put_tls(struct writer *writer, const struct hello_draft *draft) {
    put_number(writer, HANDSHAKE_CLIENT_HELLO, 1);
    put_number(writer, (int64_t)hello_draft_len(draft) - 4 + draft->message_excess, 3);
    put_number(writer, draft->legacy_version, 2);
    put(writer, draft->random, sizeof(draft->random));
    put_bytes(writer, &draft->session_id, 1);
    put_bytes(writer, &draft->ciphers, 2);
    put_bytes(writer, &draft->compressions, 1);
    if (draft->has_extensions) {
        put_extensions(writer, draft);
    }
    put(writer, draft->trailing.p, draft->trailing.len);
}

static void put_sslv2(struct writer *writer, const struct hello_draft *draft) {
    int64_t length = (int64_t)hello_draft_len(draft) - 2 + draft->message_excess;
    writer->ok = length >= 0 && length < SSLV2_LENGTH_FLAG;
    put_number(writer, length | SSLV2_LENGTH_FLAG, 2);
    put_number(writer, HANDSHAKE_CLIENT_HELLO, 1);
    put_number(writer, draft->legacy_version, 2);
    put_number(writer, (int64_t)draft->ciphers.len, 2);
    put_number(writer, (int64_t)draft->session_id.len, 2);
    put_number(writer, draft->random_len, 2);
    put(writer, draft->ciphers.p, draft->ciphers.len);
    put(writer, draft->session_id.p, draft->session_id.len);
    put(writer, draft->random, draft->random_len);
    put(writer, draft->trailing.p, draft->trailing.len);
}

bool hello_draft_message(const struct hello_draft *draft, struct buf *out, struct err *err) {
    if (draft->overflow || hello_draft_len(draft) > HELLO_DRAFT_MAX) {
        return err_set(err, "the ClientHello would be longer than %d bytes", HELLO_DRAFT_MAX);
    }
    struct writer writer = {out, true};
    if (draft->format == HELLO_FORMAT_SSLV2) {
        put_sslv2(&writer, draft);
    } else {
        put_tls(&writer, draft);
    }
    return writer.ok || err_set(err, "a field of the ClientHello does not fit its length");
}
