#include "proxy/tls/banner.h"

#include <string.h>
#include <strings.h>

#include "logs/base/check.h"
#include "proxy/tls/handshake.h"

enum { TEXT_MIN = 16, SSLV2_HEADER = 5, TLS_MAJOR = 3, DTLS_MAJOR = 0xfe };

// clang-format off
static const struct {
    const char *prefix; // compared without regard to case
    enum banner banner;
} prefixes[] = {
    {"HTTP/",          BANNER_HTTP_ANSWER},
    {"PRI * HTTP/2",   BANNER_HTTP2},
    {"GET ",           BANNER_HTTP_REQUEST},
    {"HEAD ",          BANNER_HTTP_REQUEST},
    {"POST ",          BANNER_HTTP_REQUEST},
    {"PUT ",           BANNER_HTTP_REQUEST},
    {"DELETE ",        BANNER_HTTP_REQUEST},
    {"CONNECT ",       BANNER_HTTP_REQUEST},
    {"OPTIONS ",       BANNER_HTTP_REQUEST},
    {"TRACE ",         BANNER_HTTP_REQUEST},
    {"PATCH ",         BANNER_HTTP_REQUEST},
    {"PROPFIND ",      BANNER_HTTP_REQUEST},
    {"SSH-",           BANNER_SSH},
    {"* OK",           BANNER_IMAP},
    {"* BYE",          BANNER_IMAP},
    {"* PREAUTH",      BANNER_IMAP},
    {"+OK",            BANNER_POP3},
    {"-ERR",           BANNER_POP3},
    {"EHLO ",          BANNER_SMTP},
    {"HELO ",          BANNER_SMTP},
    {"<!DOCTYPE html", BANNER_HTML},
    {"<html",          BANNER_HTML},
    {"<head",          BANNER_HTML},
    {"<?xml",          BANNER_XML},
    {"<stream:stream", BANNER_XML},
};

static const char *const names[] = {
    [BANNER_UNDECIDED]    = "undecided",
    [BANNER_TLS]          = "tls",
    [BANNER_SSLV2]        = "sslv2 hello",
    [BANNER_DTLS]         = "dtls",
    [BANNER_HTTP_REQUEST] = "http request",
    [BANNER_HTTP_ANSWER]  = "http answer",
    [BANNER_HTTP2]        = "http/2",
    [BANNER_HTML]         = "html",
    [BANNER_SSH]          = "ssh",
    [BANNER_SMTP]         = "smtp",
    [BANNER_FTP]          = "ftp",
    [BANNER_IMAP]         = "imap",
    [BANNER_POP3]         = "pop3",
    [BANNER_XML]          = "xml",
    [BANNER_REPLY]        = "numeric reply",
    [BANNER_TEXT]         = "text",
    [BANNER_BINARY]       = "binary",
};
// clang-format on

static enum banner record_classify(const uint8_t *p, size_t p_len) {
    if (p_len == 1) {
        return BANNER_UNDECIDED;
    }
    return p[1] == TLS_MAJOR ? BANNER_TLS : p[1] == DTLS_MAJOR ? BANNER_DTLS : BANNER_BINARY;
}

// A ClientHello of SSLv2: a length with the top bit set, type 1, version 0.2 or 3.x.
static enum banner sslv2_classify(const uint8_t *p, size_t p_len) {
    bool matches = (p_len < 3 || p[2] == HANDSHAKE_CLIENT_HELLO) &&
                   (p_len < 4 || p[3] == TLS_MAJOR || p[3] == 0) &&
                   (p_len < 5 || p[3] == TLS_MAJOR || p[4] == 2);
    return !matches ? BANNER_BINARY : p_len < SSLV2_HEADER ? BANNER_UNDECIDED : BANNER_SSLV2;
}

// Compares without reading past NULs: a prefix has none, so they differ there.
static enum banner prefix_classify(const uint8_t *p, size_t p_len) {
    bool undecided = false;
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        size_t len = strlen(prefixes[i].prefix);
        if (strncasecmp((const char *)p, prefixes[i].prefix, p_len < len ? p_len : len) == 0) {
            if (p_len >= len) {
                return prefixes[i].banner;
            }
            undecided = true;
        }
    }
    return undecided ? BANNER_UNDECIDED : BANNER_TEXT;
}

static bool line_has(const uint8_t *p, size_t p_len, const char *word) {
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= p_len; i++) {
        if (strncasecmp((const char *)p + i, word, len) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_reply(const uint8_t *p, size_t p_len) {
    for (size_t i = 0; i < 3 && i < p_len; i++) {
        if (p[i] < (i == 0 ? '1' : '0') || p[i] > (i == 0 ? '5' : '9')) {
            return false;
        }
    }
    return p_len < 4 || p[3] == ' ' || p[3] == '-';
}

static bool is_text(const uint8_t *p, size_t p_len) {
    for (size_t i = 0; i < p_len; i++) {
        if ((p[i] < ' ' && p[i] != '\r' && p[i] != '\n' && p[i] != '\t') || p[i] >= 0x7f) {
            return false;
        }
    }
    return true;
}

static enum banner text_classify(const uint8_t *p, size_t p_len, bool eof) {
    bool line = memchr(p, '\n', p_len) != NULL || p_len == BANNER_MAX || eof;
    if (is_reply(p, p_len)) {
        if (!line) {
            return BANNER_UNDECIDED;
        }
        return line_has(p, p_len, "FTP")                                  ? BANNER_FTP
               : line_has(p, p_len, "SMTP") || line_has(p, p_len, "mail") ? BANNER_SMTP
               : p_len >= 4                                               ? BANNER_REPLY
                                                                          : BANNER_TEXT;
    }
    enum banner banner = prefix_classify(p, p_len);
    if (banner == BANNER_TEXT && !line && p_len < TEXT_MIN) {
        return BANNER_UNDECIDED;
    }
    return banner;
}

enum banner banner_classify(const uint8_t *p, size_t p_len, bool eof) {
    if (p_len == 0) {
        return BANNER_UNDECIDED;
    }
    if (p_len > BANNER_MAX) {
        p_len = BANNER_MAX;
    }
    if (p[0] >= CONTENT_CHANGE_CIPHER_SPEC && p[0] <= CONTENT_ACK) {
        enum banner banner = record_classify(p, p_len);
        return banner == BANNER_UNDECIDED && eof ? BANNER_BINARY : banner;
    }
    if ((p[0] & 0x80) != 0) {
        enum banner banner = sslv2_classify(p, p_len);
        return banner == BANNER_UNDECIDED && eof ? BANNER_BINARY : banner;
    }
    if (!is_text(p, p_len)) {
        return BANNER_BINARY;
    }
    enum banner banner = text_classify(p, p_len, eof);
    return banner == BANNER_UNDECIDED && eof ? BANNER_TEXT : banner;
}

const char *banner_name(enum banner banner) {
    CHECK((unsigned)banner < ARRAY_LEN(names));
    return names[banner];
}
