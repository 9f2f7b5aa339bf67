// A byte queue with a ceiling: bytes are appended at the end and consumed at the front.
#ifndef LOGS_BASE_BUF_H_
#define LOGS_BASE_BUF_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/check.h"

// struct buf is owned by its caller. `data + off` is the first unconsumed byte and `len` counts
// from there. It never holds more than `max` unconsumed bytes. Memory, at most `max` bytes, is
// taken on the first append and given back when the queue runs empty, so an idle buf costs only its
// struct.
struct buf {
    uint8_t *data;
    size_t off, len, cap, max;
};

// buf_init makes `buf` empty with a ceiling of `max` bytes (at most SIZE_MAX / 4). It allocates
// nothing.
void buf_init(struct buf *buf, size_t max);

// buf_cleanup frees what `buf` holds and leaves it empty and usable.
void buf_cleanup(struct buf *buf);

// buf_append copies `p_len` bytes to the end. It returns false and changes nothing when that would
// pass the ceiling.
WUNRES bool buf_append(struct buf *buf, const void *p, size_t p_len);

// buf_printf appends formatted text (no NUL). It returns false and changes nothing when that would
// pass the ceiling.
PRINTF(2, 3) bool buf_printf(struct buf *buf, const char *fmt, ...);

// buf_reserve makes room for `n` more bytes and returns where they go, or NULL past the ceiling.
// The caller writes up to `n` bytes there and then calls `buf_commit` with how many it wrote.
WUNRES uint8_t *buf_reserve(struct buf *buf, size_t n);
void buf_commit(struct buf *buf, size_t n);

// buf_fit gives back the memory that what is there does not need.
void buf_fit(struct buf *buf);

// buf_consume drops the first `n` bytes, `n <= buf->len`.
void buf_consume(struct buf *buf, size_t n);

// buf_room is how many bytes may still be appended.
size_t buf_room(const struct buf *buf);

// buf_data is the first unconsumed byte, perhaps NULL when there is none; valid until the next call
// that changes `buf`.
const uint8_t *buf_data(const struct buf *buf);

#endif // LOGS_BASE_BUF_H_
