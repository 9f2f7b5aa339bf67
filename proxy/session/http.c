#include "proxy/session/http.h"

#include <string.h>
#include <strings.h>

// never_has_body: whatever such an answer says about its length (RFC 9112 section 6.3).
static bool never_has_body(const http_parser *parser) {
    return parser->type == HTTP_RESPONSE &&
           (parser->status_code / 100 == 1 || parser->status_code == 204 ||
            parser->status_code == 304);
}

static int on_headers_complete(http_parser *parser) {
    struct http *http = parser->data;
    http->head_done = true;
    http_parser_pause(parser, 1);
    return http->no_body || never_has_body(parser) ? 1 : 0;
}

static int on_message_complete(http_parser *parser) {
    struct http *http = parser->data;
    http->done = true;
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings settings = {
    .on_headers_complete = on_headers_complete,
    .on_message_complete = on_message_complete,
};

void http_init(struct http *http, enum http_parser_type type, bool no_body) {
    *http = (struct http){.no_body = no_body};
    http_parser_init(&http->parser, type);
    http->parser.data = http;
    buf_init(&http->head, HTTP_HEAD_MAX);
}

void http_cleanup(struct http *http) { buf_cleanup(&http->head); }

// run feeds the parser until it pauses and returns how many bytes it has taken. Paused at the end
// of the headers, it has not counted the byte that it stands on.
static size_t run(struct http *http, const uint8_t *p, size_t p_len) {
    http_parser_pause(&http->parser, 0);
    return http_parser_execute(&http->parser, &settings, (const char *)p, p_len);
}

static bool failed(const struct http *http) {
    enum http_errno error = HTTP_PARSER_ERRNO(&http->parser);
    return error != HPE_OK && error != HPE_PAUSED;
}

// feed_head eats up to the end of the head, whose last byte the paused parser stands on.
static enum message_result feed_head(struct http *http, const uint8_t *p, size_t *p_len) {
    size_t n = run(http, p, *p_len);
    if (failed(http)) {
        *p_len = n;
        // The parser has a limit of its own, which a long read meets first.
        bool long_head = HTTP_PARSER_ERRNO(&http->parser) == HPE_HEADER_OVERFLOW;
        return long_head ? MESSAGE_TOO_LONG : MESSAGE_BAD;
    }
    if (http->head_done && !http->done) {
        n += run(http, p + n, *p_len - n < 1 ? *p_len - n : 1);
        if (failed(http)) {
            *p_len = n;
            return MESSAGE_BAD;
        }
    }
    *p_len = n;
    if (!buf_append(&http->head, p, n)) {
        return MESSAGE_TOO_LONG;
    }
    return http->head_done ? MESSAGE_HEAD : MESSAGE_MORE;
}

enum message_result http_feed(struct http *http, const uint8_t *p, size_t *p_len) {
    if (!http->head_done) {
        return feed_head(http, p, p_len);
    }
    if (http->done) {
        *p_len = 0;
        return MESSAGE_COMPLETE;
    }
    size_t n = *p_len == 0 ? 0 : run(http, p, *p_len);
    *p_len = n;
    if (failed(http)) {
        return MESSAGE_BAD;
    }
    return http->done ? MESSAGE_COMPLETE : MESSAGE_MORE;
}

enum message_result http_eof(struct http *http) {
    if (!http->done) {
        run(http, NULL, 0);
    }
    return http->done ? MESSAGE_COMPLETE : MESSAGE_BAD;
}

const char *http_problem(const struct http *http) {
    return http_errno_description(HTTP_PARSER_ERRNO(&http->parser));
}

bool http_line(const struct http *http, size_t *at, const char **out_line, size_t *out_len) {
    const char *head = (const char *)buf_data(&http->head);
    while (*at < http->head.len) {
        const char *from = head + *at, *end = memchr(from, '\n', http->head.len - *at);
        if (end == NULL) {
            return false;
        }
        bool first = *at == 0;
        *at = (size_t)(end - head) + 1;
        if (!first) {
            *out_line = from;
            *out_len = (size_t)(end - from);
            *out_len -= *out_len != 0 && from[*out_len - 1] == '\r';
            return *out_len != 0;
        }
    }
    return false;
}

bool http_line_is(const char *line, size_t line_len, const char *name) {
    size_t len = strlen(name);
    return line_len > len && line[len] == ':' && strncasecmp(line, name, len) == 0;
}

bool http_header(const struct http *http, const char *name, char *out, size_t out_len) {
    const char *line;
    size_t len;
    for (size_t at = 0; http_line(http, &at, &line, &len);) {
        if (!http_line_is(line, len, name)) {
            continue;
        }
        size_t skip = strlen(name) + 1;
        while (skip < len && (line[skip] == ' ' || line[skip] == '\t')) {
            skip++;
        }
        while (len > skip && (line[len - 1] == ' ' || line[len - 1] == '\t')) {
            len--;
        }
        if (len - skip >= out_len) {
            return false;
        }
        memcpy(out, line + skip, len - skip);
        out[len - skip] = '\0';
        return true;
    }
    return false;
}

const char *http_target(const struct http *http, size_t *out_len) {
    const char *head = (const char *)buf_data(&http->head);
    const char *end = memchr(head, '\n', http->head.len);
    const char *from = end == NULL ? NULL : memchr(head, ' ', (size_t)(end - head));
    if (from == NULL) {
        *out_len = 0;
        return head;
    }
    const char *to = ++from;
    while (to < end && *to != ' ' && *to != '\r') {
        to++;
    }
    *out_len = (size_t)(to - from);
    return from;
}

bool http_upgraded(const struct http *http) { return http->parser.upgrade != 0; }
