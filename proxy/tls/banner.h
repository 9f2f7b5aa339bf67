// What a byte stream speaks, told by its first bytes.
#ifndef PROXY_TLS_BANNER_H_
#define PROXY_TLS_BANNER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BANNER_MAX = 64 }; // bytes after which banner_classify always knows

enum banner {
    BANNER_UNDECIDED, // more bytes are needed
    BANNER_TLS,
    BANNER_SSLV2, // a ClientHello in SSLv2 format
    BANNER_DTLS,
    BANNER_HTTP_REQUEST,
    BANNER_HTTP_ANSWER,
    BANNER_HTTP2, // the client's connection preface
    BANNER_HTML,
    BANNER_SSH,
    BANNER_SMTP,
    BANNER_FTP,
    BANNER_IMAP,
    BANNER_POP3,
    BANNER_XML,   // XMPP among it
    BANNER_REPLY, // three digits and a text: SMTP, FTP, NNTP and their like
    BANNER_TEXT,
    BANNER_BINARY,
};

// banner_classify says what a stream that begins with `p` speaks. With `eof` there will be no more
// bytes and the answer is BANNER_UNDECIDED only for none at all.
enum banner banner_classify(const uint8_t *p, size_t p_len, bool eof);

// banner_name returns a static lower-case name, "http answer", for people.
const char *banner_name(enum banner banner);

#endif // PROXY_TLS_BANNER_H_
