#include "tests/unit/proxy/tls/samples.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "logs/base/check.h"

const struct sample samples[] = {
#define SAMPLE(name, len, bytes) {name, len, (const uint8_t *)(bytes)},
#include "tests/unit/proxy/tls/samples.inc"
#undef SAMPLE
    {NULL, 0, NULL},
};

const struct sample *sample_get(const char *name) {
    const struct sample *sample = samples;
    while (sample->name != NULL && strcmp(sample->name, name) != 0) {
        sample++;
    }
    CHECK(sample->name != NULL);
    return sample;
}

void sample_abuse(const struct sample *sample, void (*parse)(const uint8_t *p, size_t p_len)) {
    static const uint8_t changes[] = {0x01, 0x80, 0xff};
    for (size_t len = 0; len <= sample->len; len++) {
        struct made cut = made_copy(sample->p, len);
        parse(cut.p, cut.len);
        made_free(&cut);
    }
    struct made whole = made_copy(sample->p, sample->len);
    for (size_t i = 0; i < whole.len; i++) {
        for (size_t k = 0; k < ARRAY_LEN(changes); k++) {
            whole.p[i] ^= changes[k];
            parse(whole.p, whole.len);
            whole.p[i] ^= changes[k];
        }
    }
    made_free(&whole);
}

void made_free(struct made *made) {
    free(made->p);
    *made = (struct made){0};
}

struct made made_copy(const uint8_t *p, size_t p_len) {
    // Not xmemdup: its NUL would hide a read of one byte too many.
    struct made made = {.p = xmalloc(p_len), .len = p_len};
    if (p_len != 0) {
        memcpy(made.p, p, p_len);
    }
    return made;
}

static unsigned nibble(char c) {
    CHECK(isxdigit((unsigned char)c));
    return (unsigned)(isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10);
}

struct made made_hex(const char *hex) {
    uint8_t *p = xmalloc(strlen(hex));
    size_t len = 0;
    for (; *hex != '\0'; hex++) {
        if (!isspace((unsigned char)*hex)) {
            p[len++] = (uint8_t)(nibble(hex[0]) << 4 | nibble(hex[1]));
            hex++;
        }
    }
    struct made made = made_copy(p, len);
    free(p);
    return made;
}

static struct made made_header(const uint8_t *header, size_t header_len, struct made body) {
    struct made made = made_copy(header, header_len);
    made_join(&made, body);
    return made;
}

struct made made_message(uint8_t type, const char *body_hex) {
    struct made body = made_hex(body_hex);
    uint8_t header[4] = {type, (uint8_t)(body.len >> 16), (uint8_t)(body.len >> 8),
                         (uint8_t)body.len};
    return made_header(header, sizeof(header), body);
}

struct made made_hello(const char *extensions_hex) {
    static const char fixed[] =
        "0303 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e"
        "1f 00 0004 1301 c02f 01 00";
    struct made body = made_hex(fixed);
    if (extensions_hex != NULL) {
        struct made block = made_hex(extensions_hex);
        uint8_t header[2] = {(uint8_t)(block.len >> 8), (uint8_t)block.len};
        made_join(&body, made_header(header, sizeof(header), block));
    }
    uint8_t header[4] = {1, 0, (uint8_t)(body.len >> 8), (uint8_t)body.len};
    return made_header(header, sizeof(header), body);
}

struct made made_records(uint8_t content_type, const uint8_t *p, size_t p_len, size_t max) {
    struct made made = made_copy(NULL, 0);
    for (size_t i = 0; i < p_len || i == 0; i += max) {
        size_t n = p_len - i < max ? p_len - i : max;
        uint8_t header[5] = {content_type, 3, 1, (uint8_t)(n >> 8), (uint8_t)n};
        made_join(&made, made_copy(header, sizeof(header)));
        made_join(&made, made_copy(p_len != 0 ? p + i : NULL, n));
    }
    return made;
}

void made_join(struct made *made, struct made more) {
    if (more.len != 0) {
        made->p = xrealloc(made->p, made->len + more.len);
        memcpy(made->p + made->len, more.p, more.len);
        made->len += more.len;
    }
    made_free(&more);
}

unsigned noted(const struct note_sink *notes, enum note_id id) {
    const struct note_seen *seen = note_sink_find(notes, id);
    return seen != NULL ? seen->times : 0;
}

bool noted_at(const struct note_sink *notes, enum note_id id, uint64_t offset) {
    const struct note_seen *seen = note_sink_find(notes, id);
    return seen != NULL && seen->offset == offset;
}
