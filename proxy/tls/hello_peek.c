#include "proxy/tls/hello_peek.h"

#include "logs/base/check.h"
#include "proxy/tls/handshake.h"
#include "proxy/tls/record_reader.h"

enum {
    HELLO_HEADER_LEN = 4,
    HELLO_MIN = HELLO_HEADER_LEN + 2 + 32 + 1 + 2 + 1, // every list empty
    SSLV2_MIN = 2 + 9,
    EMPTY_MAX = 32,
    RECORD_LEN_MAX = 16384,
};

// clang-format off
static const char *const says[] = {
    [HELLO_BROKEN_NOT]          = "The hello is not broken.",
    [HELLO_BROKEN_RECORD_TYPE]  = "A record of another type stands where the ClientHello should be.",
    [HELLO_BROKEN_VERSION]      = "A record of the ClientHello has a version that is not 3.x.",
    [HELLO_BROKEN_RECORD_LEN]   = "A record of the ClientHello is longer than 16,384 bytes.",
    [HELLO_BROKEN_EMPTY]        = "The ClientHello is preceded by too many empty records.",
    [HELLO_BROKEN_MESSAGE_TYPE] = "The first handshake message is not a ClientHello.",
    [HELLO_BROKEN_LEN]          = "The ClientHello announces a length that no hello has.",
};
// clang-format on

const char *hello_broken_says(enum hello_broken broken) {
    CHECK((unsigned)broken < ARRAY_LEN(says));
    return says[broken];
}

static enum hello_peek_result broken(struct hello_peek *peek, enum hello_broken why) {
    peek->broken = why;
    return HELLO_BROKEN;
}

static enum hello_peek_result need(struct hello_peek *peek, size_t n) {
    peek->need = n;
    return HELLO_NEED_MORE;
}

static enum hello_peek_result sslv2_peek(struct hello_peek *peek, const uint8_t *p, size_t p_len) {
    size_t len = ((size_t)(p[0] & 0x7f) << 8 | p[1]) + 2;
    if (len < SSLV2_MIN) {
        return broken(peek, HELLO_BROKEN_LEN);
    }
    if (p_len < len) {
        return need(peek, len - p_len);
    }
    peek->hello_len = peek->wire_len = len;
    return HELLO_SSLV2;
}

// Checks what is there of the header of a record.
static enum hello_broken header_check(const uint8_t *p, size_t p_len) {
    if (p_len >= 1 && p[0] != CONTENT_HANDSHAKE) {
        return HELLO_BROKEN_RECORD_TYPE;
    }
    if (p_len >= 2 && p[1] != 3) {
        return HELLO_BROKEN_VERSION;
    }
    if (p_len >= RECORD_HEADER_LEN && ((size_t)p[3] << 8 | p[4]) > RECORD_LEN_MAX) {
        return HELLO_BROKEN_RECORD_LEN;
    }
    return HELLO_BROKEN_NOT;
}

// Takes the header of the message from a record's body, as far as it is there.
static enum hello_broken message_check(struct hello_peek *peek, const uint8_t *p, size_t p_len) {
    size_t have = peek->have;
    for (size_t i = 0; have < HELLO_HEADER_LEN && i < p_len; i++) {
        peek->head[have++] = p[i];
    }
    if (have >= 1 && peek->head[0] != HANDSHAKE_CLIENT_HELLO) {
        return HELLO_BROKEN_MESSAGE_TYPE;
    }
    if (have >= HELLO_HEADER_LEN) {
        peek->hello_len = HELLO_HEADER_LEN + ((size_t)peek->head[1] << 16 |
                                              (size_t)peek->head[2] << 8 | peek->head[3]);
        if (peek->hello_len < HELLO_MIN || peek->hello_len > RECORD_HELLO_MAX) {
            return HELLO_BROKEN_LEN;
        }
    }
    return HELLO_BROKEN_NOT;
}

enum hello_peek_result hello_peek(struct hello_peek *peek, const uint8_t *p, size_t p_len) {
    peek->banner = banner_classify(p, p_len, false);
    if (peek->banner == BANNER_UNDECIDED) {
        return need(peek, 1);
    }
    if (peek->banner == BANNER_SSLV2) {
        return sslv2_peek(peek, p, p_len);
    }
    if (peek->banner != BANNER_TLS) {
        return HELLO_NOT_TLS;
    }
    for (;;) {
        const uint8_t *record = p + peek->next;
        size_t there = p_len - peek->next;
        enum hello_broken why = header_check(record, there);
        if (why != HELLO_BROKEN_NOT) {
            return broken(peek, why);
        }
        if (there < RECORD_HEADER_LEN) {
            return need(peek, RECORD_HEADER_LEN - there);
        }
        size_t body_len = (size_t)record[3] << 8 | record[4];
        size_t body_there = there - RECORD_HEADER_LEN;
        if (body_there > body_len) {
            body_there = body_len;
        }
        why = message_check(peek, record + RECORD_HEADER_LEN, body_there);
        if (why != HELLO_BROKEN_NOT) {
            return broken(peek, why);
        }
        if (peek->hello_len != 0 && peek->have + body_there >= peek->hello_len) {
            peek->wire_len = peek->next + RECORD_HEADER_LEN + (peek->hello_len - peek->have);
            return HELLO_WHOLE;
        }
        if (body_there < body_len) {
            return need(peek, body_len - body_there);
        }
        peek->num_empty += body_len == 0;
        if (peek->num_empty > EMPTY_MAX) {
            return broken(peek, HELLO_BROKEN_EMPTY);
        }
        peek->num_records++;
        peek->have += body_len;
        peek->next += RECORD_HEADER_LEN + body_len;
    }
}
