// Whether the first bytes of a stream are a whole ClientHello, before anybody reads it.
#ifndef PROXY_TLS_HELLO_PEEK_H_
#define PROXY_TLS_HELLO_PEEK_H_

#include "proxy/tls/banner.h"

enum hello_peek_result {
    HELLO_NEED_MORE,
    HELLO_WHOLE,
    HELLO_SSLV2, // whole, in SSLv2 format
    HELLO_NOT_TLS,
    HELLO_BROKEN, // begins as TLS and cannot become a ClientHello
};

enum hello_broken {
    HELLO_BROKEN_NOT,
    HELLO_BROKEN_RECORD_TYPE,  // a record other than handshake, before or within the hello
    HELLO_BROKEN_VERSION,      // a record whose version is not 3.x
    HELLO_BROKEN_RECORD_LEN,   // a record longer than 16,384 bytes
    HELLO_BROKEN_EMPTY,        // more empty records than anyone needs
    HELLO_BROKEN_MESSAGE_TYPE, // a handshake message other than ClientHello
    HELLO_BROKEN_LEN,          // a hello too short to be one, or longer than the ceiling
};

// struct hello_peek is zeroed by its caller before the first call. It remembers how far it has
// looked, so a hello that comes a byte at a time costs no more than one that comes whole.
struct hello_peek {
    enum banner banner;       // HELLO_NOT_TLS: what it is instead
    enum hello_broken broken; // HELLO_BROKEN: why
    uint32_t num_records;     // whole records passed
    size_t need;              // HELLO_NEED_MORE: at least so many bytes are missing
    size_t hello_len;         // the message with its header, once that is known; else 0
    size_t wire_len;          // whole hellos: bytes of the stream up to its last byte

    // Private.
    size_t next, have; // offset of the next record; bytes of the message in those before it
    uint32_t num_empty;
    uint8_t head[4];
};

// hello_peek looks at `p`, the stream from its first byte on, of which earlier calls have seen a
// shorter part. The ceiling for a hello is RECORD_HELLO_MAX. Feed `p` to a record_reader to read
// it.
enum hello_peek_result hello_peek(struct hello_peek *peek, const uint8_t *p, size_t p_len);

// hello_broken_says returns a static sentence for people.
const char *hello_broken_says(enum hello_broken broken);

#endif // PROXY_TLS_HELLO_PEEK_H_
