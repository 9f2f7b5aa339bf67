#include "logs/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *buf, size_t max) {
    CHECK(max <= SIZE_MAX / 4);
    *buf = (struct buf){.max = max};
}

void buf_cleanup(struct buf *buf) {
    free(buf->data);
    buf_init(buf, buf->max);
}

uint8_t *buf_reserve(struct buf *buf, size_t n) {
    if (n > buf_room(buf)) {
        return NULL;
    }
    if (buf->off + buf->len + n > buf->cap && buf->off != 0) {
        memmove(buf->data, buf->data + buf->off, buf->len);
        buf->off = 0;
    }
    if (buf->data == NULL || buf->len + n > buf->cap) {
        size_t cap = buf->cap != 0 ? buf->cap : 256;
        while (cap < buf->len + n) {
            cap *= 2;
        }
        cap = cap < buf->max ? cap : buf->max;
        buf->data = xrealloc(buf->data, cap);
        buf->cap = cap;
    }
    return buf->data + buf->off + buf->len;
}

void buf_commit(struct buf *buf, size_t n) {
    CHECK(n <= buf->cap - buf->off - buf->len);
    buf->len += n;
}

bool buf_append(struct buf *buf, const void *p, size_t p_len) {
    if (p_len == 0) {
        return true;
    }
    uint8_t *to = buf_reserve(buf, p_len);
    if (to == NULL) {
        return false;
    }
    memcpy(to, p, p_len);
    buf_commit(buf, p_len);
    return true;
}

bool buf_printf(struct buf *buf, const char *fmt, ...) {
    char small[256];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(small, sizeof(small), fmt, ap);
    va_end(ap);
    CHECK(n >= 0);
    if ((size_t)n < sizeof(small)) {
        return buf_append(buf, small, (size_t)n);
    }
    if ((size_t)n > buf_room(buf)) {
        return false;
    }
    char *large = xmalloc((size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(large, (size_t)n + 1, fmt, ap);
    va_end(ap);
    bool ok = buf_append(buf, large, (size_t)n);
    free(large);
    return ok;
}

void buf_fit(struct buf *buf) {
    if (buf->len == 0) {
        buf_cleanup(buf);
    } else if (buf->len < buf->cap) {
        memmove(buf->data, buf->data + buf->off, buf->len);
        buf->data = xrealloc(buf->data, buf->len);
        buf->off = 0;
        buf->cap = buf->len;
    }
}

void buf_consume(struct buf *buf, size_t n) {
    CHECK(n <= buf->len);
    buf->off += n;
    buf->len -= n;
    if (buf->len == 0) {
        buf_cleanup(buf);
    }
}

size_t buf_room(const struct buf *buf) { return buf->max - buf->len; }

const uint8_t *buf_data(const struct buf *buf) {
    return buf->data != NULL ? buf->data + buf->off : NULL;
}
