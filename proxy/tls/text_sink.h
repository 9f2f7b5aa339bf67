// Text written piece by piece into a hash or a buffer. Private to this room.
#ifndef PROXY_TLS_TEXT_SINK_H_
#define PROXY_TLS_TEXT_SINK_H_

#include "logs/base/buf.h"
#include "third_party/boringssl/boringssl.h"

enum { TEXT_SINK_CHUNK = 512 };

enum text_sink_kind { TEXT_SINK_MD5, TEXT_SINK_SHA256, TEXT_SINK_BUF };

// struct text_sink is a local variable: it is too large for a heap of them and lives for one text.
struct text_sink {
    enum text_sink_kind kind;
    bool full; // TEXT_SINK_BUF: the ceiling was met and text was dropped
    uint16_t len;
    uint64_t total; // characters so far
    union {
        MD5_CTX md5;
        SHA256_CTX sha256;
        struct buf *buf;
    } to;
    char chunk[TEXT_SINK_CHUNK];
};

// text_sink_md5, text_sink_sha256 and text_sink_buf begin a text. The buffer stays the caller's.
void text_sink_md5(struct text_sink *sink);
void text_sink_sha256(struct text_sink *sink);
void text_sink_buf(struct text_sink *sink, struct buf *out);

void text_sink_char(struct text_sink *sink, char c);
void text_sink_decimal(struct text_sink *sink, uint32_t number);
void text_sink_hex16(struct text_sink *sink, uint16_t number); // four lower-case digits

// text_sink_hash ends a text that is hashed: it writes `out_len` hexadecimal digits and a NUL.
void text_sink_hash(struct text_sink *sink, char *out, size_t out_len);

// text_sink_end ends a text for a buffer and returns whether all of it went in.
bool text_sink_end(struct text_sink *sink);

#endif // PROXY_TLS_TEXT_SINK_H_
