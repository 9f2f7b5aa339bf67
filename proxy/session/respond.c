// Answers of our own: HTTP, and alerts in the clear.
#include <stdio.h>
#include <string.h>

#include "proxy/session/http.h"
#include "proxy/session/internal.h"

enum { BODY_MAX = 64 * 1024, HEAD_MAX = 8 * 1024 };

static const char *status_name(int status) {
    static const struct {
        int status;
        const char *name;
    } names[] = {
        {200, "OK"},
        {302, "Found"},
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {431, "Request Header Fields Too Large"},
        {502, "Bad Gateway"},
        {504, "Gateway Timeout"},
        {508, "Loop Detected"},
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i].status == status) {
            return names[i].name;
        }
    }
    return "Error";
}

void alert_send(struct session *s, uint8_t alert) {
    struct lane *client = &s->lanes[SIDE_CLIENT];
    const uint8_t record[] = {SSL3_RT_ALERT, 3, 3, 0, 2, SSL3_AL_FATAL, alert};
    if (lane_put(client, record, sizeof(record))) {
        observe_alert(&client->observe, false, record + 5, 2, s->now_us);
    }
}

// send_client writes to the client, through its TLS where there is one.
static void send_client(struct session *s, const void *p, size_t p_len) {
    struct lane *client = &s->lanes[SIDE_CLIENT];
    if (client->ssl == NULL) {
        (void)!lane_put(client, p, p_len);
    } else {
        (void)lane_write(client, p, p_len);
    }
}

// request is what is being answered.
static struct http *request(struct session *s) {
    return s->local_site != NULL ? local_request(s)
           : s->plain != NULL    ? plain_request(s)
                                 : front_http(s);
}

void respond(struct session *s, int status, const char *type, const void *body, size_t body_len) {
    respond_at(s, status, NULL, type, body, body_len);
}

void respond_at(struct session *s, int status, const char *location, const char *type,
                const void *body, size_t body_len) {
    struct lane *client = &s->lanes[SIDE_CLIENT];
    struct buf head;
    buf_init(&head, HEAD_MAX);
    (void)buf_printf(&head, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n", status,
                     status_name(status), type, body_len);
    if (location != NULL) {
        (void)buf_printf(&head, "Location: %s\r\n", location);
    }
    (void)buf_printf(&head, "Cache-Control: no-store\r\nConnection: close\r\n\r\n");
    send_client(s, buf_data(&head), head.len);
    buf_cleanup(&head);
    const struct http *http = request(s);
    if (!http->head_done || http->parser.method != HTTP_HEAD) {
        send_client(s, body, body_len);
    }
    if (client->ssl != NULL) {
        SSL_shutdown(client->ssl);
    }
    if (s->record != NULL && !obj_has(s->record->root, F_RECORD_RESPONSE_STATUS)) {
        obj_set_int(s->record->root, F_RECORD_RESPONSE_STATUS, status);
    }
    session_close(s);
}

void respond_text(struct session *s, int status, const char *text) {
    char body[1024];
    int len = snprintf(body, sizeof(body), "tlsblame: %s\n", text);
    if (s->record != NULL) {
        obj_set_int(s->record->root, F_RECORD_RESPONSE_STATUS, status);
    }
    respond(s, status, "text/plain; charset=utf-8", body, (size_t)len);
}

static void put_html(struct buf *out, const char *text) {
    for (; *text != '\0'; text++) {
        const char *entity = *text == '<'   ? "&lt;"
                             : *text == '>' ? "&gt;"
                             : *text == '&' ? "&amp;"
                                            : NULL;
        (void)!(entity != NULL ? buf_printf(out, "%s", entity) : buf_append(out, text, 1));
    }
}

// put_row appends one line of the verdict, as text or as a table row.
static void put_row(struct buf *out, bool html, const char *label, const char *value) {
    if (value == NULL) {
        return;
    }
    (void)buf_printf(out, html ? "<tr><th>%s</th><td>" : "%-12s", label);
    if (html) {
        put_html(out, value);
    } else {
        (void)buf_printf(out, "%s", value);
    }
    (void)buf_printf(out, html ? "</td></tr>\n" : "\n");
}

static const char html_head[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width\"><title>tlsblame: this connection "
    "failed</title>\n<style>body{font:16px/1.5 system-ui,sans-serif;max-width:46em;margin:3em "
    "auto;padding:0 1em;color:#222}h1{font-size:1.4em}th{text-align:left;vertical-align:top;"
    "padding:.3em 1.5em .3em 0;white-space:nowrap;color:#666;font-weight:normal}td{padding:.3em "
    "0}code{background:#eee;padding:.1em .4em}</style></head><body>\n";

void verdict_body(struct session *s, struct buf *out, bool html) {
    const struct obj *root = s->record->root, *verdict = obj_get(root, F_RECORD_VERDICT);
    const char *host = obj_str(root, F_RECORD_HOST);
    char blame[128], target[300];
    snprintf(target, sizeof(target), "%s port %d", host != NULL ? host : "?", s->port);
    snprintf(blame, sizeof(blame), "%s: %s (%s)", obj_str(verdict, F_VERDICT_PARTY),
             obj_str(verdict, F_VERDICT_CAUSE), obj_str(verdict, F_VERDICT_CONFIDENCE));
    (void)buf_printf(out, "%s", html ? html_head : "tlsblame: this connection failed.\n\n");
    if (html) {
        (void)buf_printf(out, "<h1>This connection failed</h1>\n<table>\n");
    }
    put_row(out, html, "host", target);
    put_row(out, html, "verdict", blame);
    put_row(out, html, "because", obj_str(verdict, F_VERDICT_SAYS));
    put_row(out, html, "remedy", obj_str(verdict, F_VERDICT_REMEDY));
    put_row(out, html, "next test", obj_str(verdict, F_VERDICT_NEXT));
    const char *id = obj_str(root, F_RECORD_ID);
    (void)buf_printf(
        out,
        html ? "</table>\n<p>Both legs: <code>tlsblame show %s</code></p></body></html>\n"
             : "\nBoth legs: tlsblame show %s\n",
        id);
}

// wants_html returns whether the client would rather see a page: a browser's plain request.
static bool wants_html(struct session *s) {
    char accept[512];
    const struct http *http = request(s);
    bool connect = http->parser.method == HTTP_CONNECT;
    return s->lanes[SIDE_CLIENT].ssl != NULL ||
           (!connect && http_header(http, "Accept", accept, sizeof(accept)) &&
            strstr(accept, "text/html") != NULL);
}

void respond_verdict(struct session *s, int status) {
    struct buf body;
    buf_init(&body, BODY_MAX);
    if (s->lanes[SIDE_CLIENT].ssl == NULL) {
        obj_set_int(s->record->root, F_RECORD_RESPONSE_STATUS, status);
    }
    end_set(s, SIDE_CLIENT, "proxy", "fin", NULL);
    record_judge(s);
    bool html = wants_html(s);
    verdict_body(s, &body, html);
    respond(s, status, html ? "text/html; charset=utf-8" : "text/plain; charset=utf-8",
            buf_data(&body), body.len);
    buf_cleanup(&body);
}
