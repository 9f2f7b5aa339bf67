// The way through a parent proxy: CONNECT (RFC 9110 section 9.3.6), and what can go wrong there.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config/network.h"
#include "proxy/session/http.h"
#include "proxy/session/internal.h"

enum { SAYS_MAX = 160, CHALLENGE_MAX = 256, VIA_MAX = 512 };

struct parent_leg {
    struct http answer;
};

void parent_free(struct parent_leg *parent) {
    if (parent != NULL) {
        http_cleanup(&parent->answer);
        free(parent);
    }
}

bool parent_wanted(const struct session *s) {
    if (s->shared->parent.host[0] == '\0') {
        return false;
    }
    const struct policy_rule *rule = s->rule != NULL ? s->rule : front_ask(s, NULL, false);
    return rule->parent;
}

void parent_use(struct session *s, const char **out_host, uint16_t *out_port,
                bool *out_is_address) {
    const struct parent *parent = &s->shared->parent;
    struct obj *root = s->record->root;
    uint8_t address[16];
    s->parent = xcalloc(1, sizeof(*s->parent));
    http_init(&s->parent->answer, HTTP_RESPONSE, true);
    obj_set_str(root, F_RECORD_PARENT_HOST, parent->host);
    obj_set_int(root, F_RECORD_PARENT_PORT, parent->port);
    obj_set_int(root, F_RECORD_PARENT_TLS, parent->tls);
    *out_host = parent->host;
    *out_port = parent->port;
    *out_is_address = network_parse_address(address, parent->host);
}

void parent_failed(struct session *s, const char *failure, const char *detail) {
    struct obj *root = s->record->root;
    if (!obj_has(root, F_RECORD_PARENT_FAILURE)) {
        obj_set_str(root, F_RECORD_PARENT_FAILURE, failure);
        end_set(s, SIDE_SERVER, "parent", "error", detail);
    }
}

bool parent_put_authorization(struct session *s, struct buf *out) {
    const char *authorization = s->shared->parent.authorization;
    return *authorization == '\0' || buf_printf(out, "Proxy-Authorization: %s\r\n", authorization);
}

void parent_begin(struct session *s) {
    struct buf *out = &s->lanes[SIDE_SERVER].out;
    bool brackets = strchr(s->host, ':') != NULL;
    const char *open = brackets ? "[" : "", *close = brackets ? "]" : "";
    char via[VIA_MAX]; // of those that the request came through
    bool first = !http_header(front_http(s), "Via", via, sizeof(via));
    observe_step(&s->lanes[SIDE_SERVER].observe, STEP_FRONT, s->now_us);
    CHECK(buf_printf(out, "CONNECT %s%s%s:%d HTTP/1.1\r\nHost: %s%s%s:%d\r\nVia: %s%s1.1 %s\r\n",
                     open, s->host, close, s->port, open, s->host, close, s->port, first ? "" : via,
                     first ? "" : ", ", s->shared->via) &&
          parent_put_authorization(s, out) && buf_printf(out, "\r\n"));
    session_enter(s, STATE_PARENT, s->shared->limits.handshake_us);
}

// says_record keeps the first line of the answer, as far as it is text.
static void says_record(struct session *s, const uint8_t *p, size_t p_len) {
    char line[SAYS_MAX + 1];
    size_t len = 0;
    while (len < p_len && len < SAYS_MAX && p[len] != '\r' && p[len] != '\n') {
        line[len] = isprint(p[len]) ? (char)p[len] : '.';
        len++;
    }
    line[len] = '\0';
    if (len != 0) {
        obj_set_str(s->record->root, F_RECORD_PARENT_SAYS, line);
    }
}

// refused tells why an answer that is whole does not let us on.
static void refused(struct session *s, const struct http *answer) {
    char challenge[CHALLENGE_MAX];
    int status = answer->parser.status_code;
    // 500 is what tinyproxy says when the server refuses its connection.
    bool gateway = status == 500 || (status >= 502 && status <= 504);
    if (http_header(answer, "Proxy-Authenticate", challenge, sizeof(challenge))) {
        obj_set_str(s->record->root, F_RECORD_PARENT_CHALLENGE, challenge);
    }
    parent_failed(s,
                  status == 407   ? "credentials"
                  : status == 508 ? "loop"
                  : gateway       ? "gateway"
                                  : "refused",
                  NULL);
    greeting_refuse(s, status == 504 ? 504 : 502);
}

static void answer_take(struct session *s) {
    struct lane *server = &s->lanes[SIDE_SERVER];
    struct http *answer = &s->parent->answer;
    while (s->state == STATE_PARENT && lane_waiting(server) != 0) {
        struct span span = lane_peek(server);
        size_t n = span.len;
        enum message_result result = http_feed(answer, span.p, &n);
        if (result == MESSAGE_MORE) {
            lane_drop(server, n);
            return;
        }
        bool head = result == MESSAGE_HEAD;
        const uint8_t *from = answer->head.len != 0 ? buf_data(&answer->head) : span.p;
        says_record(s, from, answer->head.len != 0 ? answer->head.len : span.len);
        lane_drop(server, n);
        if (!head) {
            parent_failed(s, "garbage", "the parent proxy's answer is not HTTP");
            greeting_refuse(s, 502);
            return;
        }
        int status = answer->parser.status_code;
        obj_set_int(s->record->root, F_RECORD_PARENT_STATUS, status);
        if (status / 100 == 2) {
            lane_restart(server);
            sniff_begin(s);
        } else if (status / 100 != 1) {
            refused(s, answer);
        } else {
            http_cleanup(answer);
            http_init(answer, HTTP_RESPONSE, true);
        }
    }
}

void parent_input(struct session *s, const struct event *event) {
    const struct lane *client = &s->lanes[SIDE_CLIENT], *server = &s->lanes[SIDE_SERVER];
    answer_take(s);
    if (s->state != STATE_PARENT) {
        return;
    }
    if (server->eof) {
        parent_failed(s, server->closed ? "reset" : "closed",
                      "the parent proxy ended the connection before its answer");
        greeting_refuse(s, 502);
    } else if (event->kind == EVENT_TIMER) {
        parent_failed(s, "stalled", "the parent proxy did not answer");
        greeting_refuse(s, 504);
    } else if (client->eof) {
        end_both(s, "client", client->closed ? "rst" : "fin", NULL);
        session_close(s);
    }
}
