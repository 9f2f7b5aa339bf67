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

void text_sink_char(struct text_sink *sink, char c) {
    if (sink->len == TEXT_SINK_CHUNK) {
        sink_flush(sink);
    }
    sink->chunk[sink->len++] = c;
    sink->total++;
}

void text_sink_decimal(struct text_sink *sink, uint32_t number) {
    char digits[10];
    size_t n = 0;
    do {
        digits[n++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    while (n != 0) {
        text_sink_char(sink, digits[--n]);
    }
}

void text_sink_hex16(struct text_sink *sink, uint16_t number) {
    for (int shift = 12; shift >= 0; shift -= 4) {
        text_sink_char(sink, hex_digits[number >> shift & 0xf]);
    }
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
