// HTTP/1 messages as they pass by (RFC 9112): the head is read, the body is only measured.
#ifndef PROXY_SESSION_HTTP_H_
#define PROXY_SESSION_HTTP_H_

#include <http_parser.h>

#include "logs/base/buf.h"

// HTTP_HEAD_MAX is the longest head, request line and all.
enum { HTTP_HEAD_MAX = 64 * 1024 };

enum message_result {
    MESSAGE_MORE,     // all is eaten and the message goes on
    MESSAGE_HEAD,     // the head is complete: `head` holds it
    MESSAGE_COMPLETE, // the message is complete
    MESSAGE_TOO_LONG, // the head passes HTTP_HEAD_MAX
    MESSAGE_BAD,      // this is not HTTP: http_problem
};

// struct http is one message being read. It is owned by its caller.
struct http {
    http_parser parser;
    struct buf head; // every byte up to and with the empty line
    bool head_done, done, no_body;
};

// http_init begins a request or a response. `no_body` says that the response answers a HEAD.
void http_init(struct http *http, enum http_parser_type type, bool no_body);
void http_cleanup(struct http *http);

// http_feed eats from `p` up to the next result and sets `*p_len` to the bytes eaten. Bytes of the
// head are kept in `head`; those of the body are the caller's to pass on. After MESSAGE_HEAD a
// message without a body gives MESSAGE_COMPLETE for no bytes.
enum message_result http_feed(struct http *http, const uint8_t *p, size_t *p_len);

// http_eof tells that no more bytes come: MESSAGE_COMPLETE where that ends a body, else
// MESSAGE_BAD.
enum message_result http_eof(struct http *http);

// http_problem says what is wrong after MESSAGE_BAD.
const char *http_problem(const struct http *http);

// http_header copies the value of the first field `name` into `out`, without blanks around it, and
// returns false when there is none or it does not fit.
bool http_header(const struct http *http, const char *name, char *out, size_t out_len);

// http_target views the request target; it lives as long as the head.
const char *http_target(const struct http *http, size_t *out_len);

// http_upgraded returns whether another protocol follows the message (CONNECT, 101).
bool http_upgraded(const struct http *http);

// http_line walks the header lines of the head: `*at` is 0 at first. It returns false after the
// last. A line is without its end; the request or status line is not among them.
bool http_line(const struct http *http, size_t *at, const char **out_line, size_t *out_len);

// http_line_is returns whether a header line has the field name `name`.
bool http_line_is(const char *line, size_t line_len, const char *name);

#endif // PROXY_SESSION_HTTP_H_
