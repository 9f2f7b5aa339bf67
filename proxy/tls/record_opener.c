#include "proxy/tls/record_opener.h"

#include "proxy/tls/handshake.h"

void record_opener_init(struct record_opener *opener) {
    *opener = (struct record_opener){0};
    buf_init(&opener->body, RECORD_SEALED_MAX);
}

void record_opener_cleanup(struct record_opener *opener) { buf_cleanup(&opener->body); }

// TLS 1.3 hides what it protects behind application data and leaves the rest in the clear. TLS 1.2
// protects everything; only an alert of two bytes cannot be protected.
enum opener_use record_opener_use(const struct record_opener *opener, uint8_t content_type,
                                  size_t length) {
    bool data = content_type == CONTENT_APPLICATION_DATA;
    if (opener->protect == NULL) {
        return OPENER_PLAIN;
    }
    if (opener->protect->tls13) {
        return data ? OPENER_OPEN : OPENER_PLAIN;
    }
    if (content_type == CONTENT_CHANGE_CIPHER_SPEC ||
        (content_type == CONTENT_ALERT && length == 2)) {
        return OPENER_PLAIN;
    }
    return data && !opener->protect->all ? OPENER_COUNT : OPENER_OPEN;
}

// What is longer than any record to be a record is not kept, and then does not open.
void record_opener_add(struct record_opener *opener, const uint8_t *p, size_t p_len) {
    (void)!buf_append(&opener->body, p, p_len);
}

bool record_opener_open(struct record_opener *opener, const uint8_t header[5]) {
    struct buf *body = &opener->body;
    size_t announced = (size_t)header[3] << 8 | header[4];
    if (opener->protect != NULL && announced == body->len && body->len != 0 &&
        record_protect_open(opener->protect, &opener->type, &opener->content, &opener->content_len,
                            header, body->data + body->off, body->len)) {
        opener->pass_over = false;
        return true;
    }
    record_opener_drop(opener);
    if (!opener->pass_over) {
        opener->protect = NULL;
    }
    return false;
}

void record_opener_lose(struct record_opener *opener) {
    record_opener_drop(opener);
    if (opener->protect != NULL && !opener->pass_over) {
        record_protect_skip(opener->protect);
    }
}

size_t record_opener_count(struct record_opener *opener, size_t body_len) {
    size_t overhead = record_protect_overhead(opener->protect);
    record_protect_skip(opener->protect);
    return body_len > overhead ? body_len - overhead : 0;
}

void record_opener_drop(struct record_opener *opener) {
    buf_cleanup(&opener->body);
    opener->content = NULL;
    opener->content_len = 0;
}
