#include "proxy/tls/text_sink.h"

static const char hex_digits[] = "0123456789abcdef";

static void sink_begin(struct text_sink *sink, enum text_sink_kind kind) {
    sink->kind = kind;
    sink->full = false;
    sink->len = 0;
    sink->total = 0;
}

void text_sink_md5(struct text_sink *sink) {
    sink_begin(sink, TEXT_SINK_MD5);
    CHECK(MD5_Init(&sink->to.md5));
}

void text_sink_sha256(struct text_sink *sink) {
    sink_begin(sink, TEXT_SINK_SHA256);
    CHECK(SHA256_Init(&sink->to.sha256));
}

void text_sink_buf(struct text_sink *sink, struct buf *out) {
    sink_begin(sink, TEXT_SINK_BUF);
    sink->to.buf = out;
}

static void sink_flush(struct text_sink *sink) {
    switch (sink->kind) {
    case TEXT_SINK_MD5:
        CHECK(MD5_Update(&sink->to.md5, sink->chunk, sink->len));
        break;
    case TEXT_SINK_SHA256:
        CHECK(SHA256_Update(&sink->to.sha256, sink->chunk, sink->len));
        break;
    case TEXT_SINK_BUF:
        sink->full |= !buf_append(sink->to.buf, sink->chunk, sink->len);
        break;
    }
    sink->len = 0;
}

// Returns where the next `n` characters go; the caller writes all of them.
static char *sink_room(struct text_sink *sink, size_t n) {
    if (sink->len + n > TEXT_SINK_CHUNK) {
        sink_flush(sink);
    }
    char *p = sink->chunk + sink->len;
    sink->len += (uint16_t)n;
    sink->total += n;
    return p;
}

void text_sink_char(struct text_sink *sink, char c) { *sink_room(sink, 1) = c; }

void text_sink_decimal(struct text_sink *sink, uint32_t number) {
    size_t num_digits = 1;
    for (uint32_t rest = number / 10; rest != 0; rest /= 10) {
        num_digits++;
    }
    char *p = sink_room(sink, num_digits);
    while (num_digits != 0) {
        p[--num_digits] = (char)('0' + number % 10);
        number /= 10;
    }
}

void text_sink_hex16(struct text_sink *sink, uint16_t number) {
    char *p = sink_room(sink, 4);
    p[0] = hex_digits[number >> 12];
    p[1] = hex_digits[number >> 8 & 0xf];
    p[2] = hex_digits[number >> 4 & 0xf];
    p[3] = hex_digits[number & 0xf];
}

void text_sink_hash(struct text_sink *sink, char *out, size_t out_len) {
    uint8_t digest[SHA256_DIGEST_LENGTH];
    CHECK(sink->kind != TEXT_SINK_BUF);
    CHECK(out_len <= 2 * (sink->kind == TEXT_SINK_MD5 ? MD5_DIGEST_LENGTH : SHA256_DIGEST_LENGTH));
    sink_flush(sink);
    if (sink->kind == TEXT_SINK_MD5) {
        CHECK(MD5_Final(digest, &sink->to.md5));
    } else {
        CHECK(SHA256_Final(digest, &sink->to.sha256));
    }
    for (size_t i = 0; i < out_len; i++) {
        out[i] = hex_digits[digest[i / 2] >> (i % 2 == 0 ? 4 : 0) & 0xf];
    }
    out[out_len] = '\0';
}

bool text_sink_end(struct text_sink *sink) {
    CHECK(sink->kind == TEXT_SINK_BUF);
    sink_flush(sink);
    return !sink->full;
}
