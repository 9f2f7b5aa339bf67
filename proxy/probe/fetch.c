#include "proxy/probe/fetch.h"

#include <http_parser.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "logs/base/buf.h"
#include "logs/base/check.h"
#include "proxy/session/tls_layer.h"

enum { REQUEST_MAX = 8192, SAYS_MAX = 160 };

struct fetch {
    http_parser parser;
    enum fetch_result result;
    size_t max;
    struct buf out, body;
    const struct parent_tls *parent_tls;
    struct tls_layer *layer; // from CONNECTED on, where there is `parent_tls`
    int64_t deadline_us;
    bool connected;
    char says[SAYS_MAX];
};

const char *fetch_result_id(enum fetch_result result) {
    static const char *const ids[] = {
        [FETCH_PENDING] = "pending",
        [FETCH_GOT] = "got",
        [FETCH_REFUSED] = "refused",
        [FETCH_REDIRECTED] = "redirected",
        [FETCH_TOO_LONG] = "too-long",
        [FETCH_CUT] = "cut",
        [FETCH_SLOW] = "slow",
        [FETCH_NOT_HTTP] = "not-http",
        [FETCH_UNREACHABLE] = "unreachable",
        [FETCH_STOPPED] = "stopped",
    };
    return ids[result];
}

bool fetch_url_parse(struct fetch_url *out, const char *url) {
    struct http_parser_url parts;
    size_t len = strlen(url);
    http_parser_url_init(&parts);
    if (len > FETCH_URL_MAX || strncasecmp(url, "http://", 7) != 0 ||
        http_parser_parse_url(url, len, false, &parts) != 0 ||
        (parts.field_set & 1 << UF_USERINFO) != 0 || parts.field_data[UF_HOST].len == 0 ||
        parts.field_data[UF_HOST].len >= sizeof(out->host)) {
        return false;
    }
    snprintf(out->host, sizeof(out->host), "%.*s", (int)parts.field_data[UF_HOST].len,
             url + parts.field_data[UF_HOST].off);
    out->port = (parts.field_set & 1 << UF_PORT) != 0 ? parts.port : 80;
    out->path = url + 7 + strcspn(url + 7, "/?#");
    return out->port != 0;
}

static void end(struct fetch *f, enum fetch_result result, const char *says) {
    if (f->result == FETCH_PENDING) {
        f->result = result;
        snprintf(f->says, sizeof(f->says), "%s", says);
    }
}

static void end_too_long(struct fetch *f) {
    char says[SAYS_MAX];
    snprintf(says, sizeof(says), "the answer is longer than %zu bytes", f->max);
    end(f, FETCH_TOO_LONG, says);
}

// ---- the answer

static int on_headers_complete(http_parser *parser) {
    struct fetch *f = parser->data;
    char says[SAYS_MAX];
    if (parser->status_code != 200) {
        bool elsewhere = parser->status_code / 100 == 3;
        snprintf(says, sizeof(says), "the answer is %u%s", parser->status_code,
                 elsewhere ? ", and redirects are not followed" : "");
        end(f, elsewhere ? FETCH_REDIRECTED : FETCH_REFUSED, says);
    } else if (parser->content_length != ULLONG_MAX && parser->content_length > f->max) {
        end_too_long(f);
    }
    return f->result == FETCH_PENDING ? 0 : -1;
}

static int on_body(http_parser *parser, const char *p, size_t p_len) {
    struct fetch *f = parser->data;
    if (!buf_append(&f->body, p, p_len)) {
        end_too_long(f);
        return -1;
    }
    return 0;
}

static int on_message_complete(http_parser *parser) {
    end(parser->data, FETCH_GOT, "the answer is 200");
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings settings = {
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

static void on_bytes(struct fetch *f, const struct span *bytes) {
    size_t n = http_parser_execute(&f->parser, &settings, (const char *)bytes->p, bytes->len);
    if (n != bytes->len || f->parser.upgrade) {
        end(f, FETCH_NOT_HTTP, "what came back is not HTTP");
    }
}

static void on_connected(struct fetch *f) {
    f->connected = true;
    f->layer = f->parent_tls != NULL ? parent_tls_begin(f->parent_tls) : NULL;
}

// on_eof ends a body that has no other end (RFC 9112 section 6.3).
static void on_eof(struct fetch *f) {
    (void)http_parser_execute(&f->parser, &settings, NULL, 0);
    end(f, FETCH_CUT, "the connection ended before the answer did");
}

// on_wire takes bytes as they came, and goes on with TLS around them.
static void on_wire(struct fetch *f, const struct span *bytes) {
    if (f->layer == NULL) {
        on_bytes(f, bytes);
        return;
    }
    const struct span inside = tls_layer_open(f->layer, bytes->p, bytes->len);
    if (tls_layer_failed(f->layer)) {
        char says[SAYS_MAX];
        snprintf(says, sizeof(says), "TLS with the parent proxy failed: %s",
                 tls_layer_reason(f->layer));
        end(f, FETCH_UNREACHABLE, says);
    } else if (inside.len != 0) {
        on_bytes(f, &inside);
    }
    if (tls_layer_ended(f->layer)) {
        on_eof(f);
    }
    tls_layer_seal(f->layer, &f->out);
}

// ---- the request

static void request_put(struct fetch *f, const struct fetch_config *config) {
    struct fetch_url url;
    CHECK(fetch_url_parse(&url, config->url));
    int path_len = (int)strcspn(url.path, "#");
    int host_len = (int)(url.path - config->url) - 7; // with the port, as it stands there
    const char *host = config->url + 7, *slash = *url.path == '/' ? "" : "/";
    const char *authorization = config->parent_authorization;
    if (config->by_parent) {
        buf_printf(&f->out, "GET http://%.*s%s%.*s HTTP/1.0\r\n", host_len, host, slash, path_len,
                   url.path);
    } else {
        buf_printf(&f->out, "GET %s%.*s HTTP/1.0\r\n", slash, path_len, url.path);
    }
    buf_printf(&f->out, "Host: %.*s\r\nAccept: */*\r\nConnection: close\r\n", host_len, host);
    if (config->by_parent && authorization != NULL && *authorization != '\0') {
        buf_printf(&f->out, "Proxy-Authorization: %s\r\n", authorization);
    }
    buf_printf(&f->out, "\r\n");
}

struct fetch *fetch_new(const struct fetch_config *config, int64_t now_us) {
    struct fetch *f = xcalloc(1, sizeof(*f));
    f->max = config->max;
    f->parent_tls = config->by_parent ? config->parent_tls : NULL;
    f->deadline_us = now_us + config->total_us;
    http_parser_init(&f->parser, HTTP_RESPONSE);
    f->parser.data = f;
    buf_init(&f->out, REQUEST_MAX);
    buf_init(&f->body, config->max);
    request_put(f, config);
    return f;
}

void fetch_free(struct fetch *f) {
    if (f == NULL) {
        return;
    }
    tls_layer_free(f->layer);
    buf_cleanup(&f->out);
    buf_cleanup(&f->body);
    free(f);
}

void fetch_input(struct fetch *f, const struct event *event) {
    char says[SAYS_MAX];
    if (f->result != FETCH_PENDING) {
        return;
    }
    switch (event->kind) {
    case EVENT_CONNECTED:
        on_connected(f);
        return;
    case EVENT_BYTES:
        on_wire(f, &event->bytes);
        return;
    case EVENT_EOF:
        on_eof(f);
        return;
    case EVENT_BROKEN:
        snprintf(says, sizeof(says), "the connection broke: %s", strerror(event->errnum));
        end(f, FETCH_CUT, says);
        return;
    case EVENT_UNRESOLVED:
        end(f, FETCH_UNREACHABLE, "there is no address for that host");
        return;
    case EVENT_DIAL_FAILED:
        snprintf(says, sizeof(says), "it cannot be connected to: %s", strerror(event->errnum));
        end(f, FETCH_UNREACHABLE, says);
        return;
    case EVENT_TIMER:
        if (event->now_us >= f->deadline_us) {
            end(f, FETCH_SLOW, "the answer was not complete in time");
        }
        return;
    case EVENT_STOP:
        end(f, FETCH_STOPPED, "it was not waited for");
        return;
    default:
        return;
    }
}

struct span fetch_output(const struct fetch *f) {
    if (!f->connected || f->result != FETCH_PENDING) {
        return (struct span){NULL, 0};
    }
    return f->layer != NULL ? tls_layer_output(f->layer)
                            : (struct span){buf_data(&f->out), f->out.len};
}

void fetch_output_done(struct fetch *f, size_t n) {
    if (f->layer != NULL) {
        tls_layer_written(f->layer, n);
    } else {
        buf_consume(&f->out, n);
    }
}

int64_t fetch_deadline_us(const struct fetch *f) { return f->deadline_us; }

enum fetch_result fetch_result(const struct fetch *f) { return f->result; }

const char *fetch_says(const struct fetch *f) { return f->says; }

struct span fetch_body(const struct fetch *f) {
    return (struct span){buf_data(&f->body), f->body.len};
}
