// http:// requests in absolute form: forwarded with keep-alive, bodies streamed, one record for
// each connection to an origin.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/session/http.h"
#include "proxy/session/internal.h"

// The phases of one exchange.
enum phase {
    PHASE_DIAL,     // the origin is being connected; the request waits
    PHASE_EXCHANGE, // request and response are under way
    PHASE_IDLE,     // the next request is awaited
};

struct plain {
    struct http request, response;
    enum phase phase;
    bool request_head_sent, request_done;
    bool reused;    // the connection to the origin has answered a request before
    char host[256]; // the origin that is connected
    uint16_t port;
};

void plain_free(struct plain *plain) {
    if (plain != NULL) {
        http_cleanup(&plain->request);
        http_cleanup(&plain->response);
        free(plain);
    }
}

struct http *plain_request(struct session *s) {
    return &s->plain->request;
}

// hop_by_hop returns whether a header line is meant for the proxy alone.
static bool hop_by_hop(const char *line, size_t len) {
    static const char *const names[] = {"Proxy-Connection", "Proxy-Authorization",
                                        "Proxy-Authenticate", "Keep-Alive"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (http_line_is(line, len, names[i])) {
            return true;
        }
    }
    return false;
}

// send_head writes the request's head to the origin: its target in origin form, and Host from the
// target, whatever the client's own says (RFC 9112 sections 3.2.1 and 3.2.2).
static bool send_head(struct session *s) {
    struct http *http = &s->plain->request;
    struct lane *server = &s->lanes[SIDE_SERVER];
    size_t len;
    const char *target = http_target(http, &len);
    const char *scheme_end = target + strlen("http://"), *end = target + len;
    const char *path = scheme_end;
    while (path < end && *path != '/' && *path != '?') {
        path++;
    }
    const char *user = memchr(scheme_end, '@', (size_t)(path - scheme_end));
    const char *authority = user != NULL ? user + 1 : scheme_end;
    bool parent = s->parent != NULL; // which wants the absolute form
    bool ok = buf_printf(&server->out, "%s %s%.*s%s%.*s HTTP/%d.%d\r\nHost: %.*s\r\n",
                         http_method_str(http->parser.method), parent ? "http://" : "",
                         parent ? (int)(path - authority) : 0, authority,
                         path < end && *path == '/' ? "" : "/", (int)(end - path), path,
                         http->parser.http_major, http->parser.http_minor, (int)(path - authority),
                         authority);
    ok = ok && (!parent || parent_put_authorization(s, &server->out));
    const char *line;
    for (size_t at = 0; ok && http_line(http, &at, &line, &len);) {
        if (!hop_by_hop(line, len) && !http_line_is(line, len, "Host")) {
            ok = lane_put(server, line, len) && lane_put(server, "\r\n", 2);
        }
    }
    s->plain->request_head_sent = true;
    return ok && lane_put(server, "\r\n", 2);
}

static void response_expect(struct session *s) {
    struct plain *plain = s->plain;
    http_cleanup(&plain->response);
    http_init(&plain->response, HTTP_RESPONSE, plain->request.parser.method == HTTP_HEAD);
}

// origin_drop ends the record of the connected origin and forgets it; the client stays.
static void origin_drop(struct session *s, const char *by, const char *how, const char *detail) {
    struct lane *server = &s->lanes[SIDE_SERVER];
    end_both(s, by, how, detail);
    record_finish(s);
    lane_cleanup(server);
    lane_init(server, &s->now_us);
    server->closed = true;
    s->plain->host[0] = '\0';
}

// request_start begins the exchange of the request whose head is complete: with the origin that is
// connected, or after dialling another, in a record of its own.
static void request_start(struct session *s) {
    struct plain *plain = s->plain;
    plain->request_head_sent = plain->request_done = false;
    s->deadline_us = INT64_MAX;
    plain->reused = plain->host[0] != '\0';
    if (plain->reused) {
        plain->phase = PHASE_EXCHANGE;
        response_expect(s);
        return;
    }
    if (s->record == NULL) {
        record_begin(s, "plain");
        front_record(s, &plain->request, "absolute-form");
    }
    obj_set_str(s->record->root, F_RECORD_APPLICATION, "http");
    front_decide(s, NULL, false);
    if (s->rule->action == ACTION_REFUSE) {
        end_set(s, SIDE_CLIENT, "proxy", "fin", "refused by policy");
        respond_verdict(s, 403);
        return;
    }
    leg_begin_server(s);
    snprintf(plain->host, sizeof(plain->host), "%s", s->host);
    plain->port = s->port;
    plain->phase = PHASE_DIAL;
    session_dial(s, plain->host, plain->port);
}

void plain_begin(struct session *s) {
    s->plain = xcalloc(1, sizeof(*s->plain));
    s->plain->request = *front_http(s);
    s->plain->request.parser.data = &s->plain->request;
    http_init(front_http(s), HTTP_REQUEST, false);
    session_enter(s, STATE_PLAIN, INT64_MAX);
    request_start(s);
}

// pass gives raw bytes of a message to the other side as far as the message goes.
static enum message_result pass(struct session *s, enum side from, struct http *http) {
    struct lane *lane = &s->lanes[from];
    struct span span = lane_peek(lane);
    size_t n = span.len;
    enum message_result result = http_feed(http, span.p, &n);
    bool ok = lane_put(&s->lanes[!from], span.p, n);
    lane->data_received += (int64_t)n;
    lane_drop(lane, n);
    return ok ? result : MESSAGE_BAD;
}

static void request_pass(struct session *s) {
    struct plain *plain = s->plain;
    if (!plain->request_head_sent && !send_head(s)) {
        session_close(s);
        return;
    }
    enum message_result result = MESSAGE_MORE;
    while (!plain->request_done && result == MESSAGE_MORE) {
        bool waiting = lane_waiting(&s->lanes[SIDE_CLIENT]) != 0;
        result = pass(s, SIDE_CLIENT, &plain->request);
        plain->request_done = result == MESSAGE_COMPLETE;
        if (!waiting) {
            break;
        }
    }
    if (result == MESSAGE_BAD) {
        end_both(s, "client", "error", http_problem(&plain->request));
        session_close(s);
    }
}

// both_done ends the client's connection with the origin's.
static void both_done(struct session *s, const char *by, const char *how) {
    end_both(s, by, how, NULL);
    session_close(s);
}

static void exchange_done(struct session *s) {
    struct plain *plain = s->plain;
    bool keep = http_should_keep_alive(&plain->response.parser) &&
                http_should_keep_alive(&plain->request.parser) && plain->request_done;
    if (http_upgraded(&plain->response)) {
        tunnel_enter(s);
        return;
    }
    if (plain->response.parser.status_code / 100 == 1) {
        response_expect(s);
        return;
    }
    if (!keep) {
        bool wanted = http_should_keep_alive(&plain->request.parser);
        both_done(s, wanted ? "server" : "client", "fin");
        return;
    }
    plain->phase = PHASE_IDLE;
    s->deadline_us = s->now_us + s->shared->limits.linger_us;
    http_cleanup(&plain->request);
    http_init(&plain->request, HTTP_REQUEST, false);
}

static void response_pass(struct session *s) {
    struct lane *server = &s->lanes[SIDE_SERVER];
    while (s->state == STATE_PLAIN && s->plain->phase == PHASE_EXCHANGE &&
           (lane_waiting(server) != 0 || s->plain->response.head_done)) {
        bool waiting = lane_waiting(server) != 0;
        switch (pass(s, SIDE_SERVER, &s->plain->response)) {
        case MESSAGE_HEAD:
            observe_step(&server->observe, STEP_DATA, s->now_us);
            continue;
        case MESSAGE_COMPLETE:
            exchange_done(s);
            continue;
        case MESSAGE_MORE:
            if (waiting && lane_waiting(server) != 0) {
                continue;
            }
            break;
        default:
            end_both(s, "server", "error", http_problem(&s->plain->response));
            session_close(s);
        }
        break;
    }
}

// origin_change ends the record of the connected origin. What has come of the next request belongs
// to the next record.
static void origin_change(struct session *s) {
    struct lane *client = &s->lanes[SIDE_CLIENT];
    int64_t next = (int64_t)(s->plain->request.head.len + lane_waiting(client));
    client->received -= next;
    origin_drop(s, "client", "fin", "the client went on to another origin");
    client->received = next;
}

// next_request reads the head of another request on the same connection.
static void next_request(struct session *s) {
    struct lane *client = &s->lanes[SIDE_CLIENT];
    struct plain *plain = s->plain;
    struct span span = lane_peek(client);
    size_t n = span.len, len;
    enum message_result result = http_feed(&plain->request, span.p, &n);
    lane_drop(client, n);
    if (result == MESSAGE_MORE) {
        return;
    }
    const char *target = result == MESSAGE_HEAD ? http_target(&plain->request, &len) : NULL;
    if (target == NULL || !front_absolute(s, target, len)) {
        end_both(s, "client", "error", "the next request is not one to a proxy");
        respond_text(s, 400, "After an http:// request this connection takes only more of them.");
        return;
    }
    bool same = strcmp(plain->host, s->host) == 0 && plain->port == s->port;
    if (plain->host[0] != '\0' && !same) {
        origin_change(s);
    }
    if (site_is(s->host)) {
        local_begin(s);
    } else {
        request_start(s);
    }
}

// server_ended handles the end of the origin's connection: in an exchange it may be the end of the
// body, between two it only means that the next request dials anew. At the beginning of an exchange
// on a connection that was used before, it crossed the request: the client, whose connection ends
// likewise, knows to ask again (RFC 9112 section 9.3.1).
static void server_ended(struct session *s) {
    struct lane *server = &s->lanes[SIDE_SERVER];
    struct plain *plain = s->plain;
    const char *how = server->closed ? end_how_errno(server->errnum) : "fin";
    if (plain->phase == PHASE_IDLE) {
        origin_drop(s, "server", how, NULL);
        return;
    }
    bool unanswered = plain->response.head.len == 0;
    bool complete = !server->closed && plain->response.head_done &&
                    http_eof(&plain->response) == MESSAGE_COMPLETE;
    end_both(s, "server", how,
             complete     ? NULL
             : unanswered ? "before the response"
                          : "in the middle of the response");
    if (unanswered && !plain->reused) {
        respond_verdict(s, 502);
        return;
    }
    if (!complete && !unanswered) {
        record_finish(s);
        session_reset(s, SIDE_CLIENT);
    }
    session_close(s);
}

static void client_ended(struct session *s) {
    const struct lane *client = &s->lanes[SIDE_CLIENT];
    bool answer_due = s->plain->phase != PHASE_IDLE && s->plain->request.done;
    if (client->closed || !answer_due) {
        both_done(s, "client", client->closed ? "rst" : "fin");
    }
}

// exchanges_go_on moves what there is, through as many exchanges as the client has asked for.
static void exchanges_go_on(struct session *s) {
    const struct plain *plain = s->plain;
    while (s->state == STATE_PLAIN) {
        if (plain->phase == PHASE_EXCHANGE) {
            request_pass(s);
            response_pass(s);
        }
        if (s->state != STATE_PLAIN || plain->phase != PHASE_IDLE) {
            return;
        }
        if (lane_waiting(&s->lanes[SIDE_SERVER]) != 0) {
            origin_drop(s, "server", "error", "an answer that nobody asked for");
        }
        if (lane_waiting(&s->lanes[SIDE_CLIENT]) == 0) {
            return;
        }
        next_request(s);
    }
}

void plain_input(struct session *s, const struct event *event) {
    struct plain *plain = s->plain;
    int status;
    if (event->kind == EVENT_TIMER) {
        both_done(s, "client", "timeout");
        return;
    }
    if (plain->phase == PHASE_DIAL && event->kind == EVENT_CONNECTED) {
        plain->phase = PHASE_EXCHANGE;
        response_expect(s);
    } else if (plain->phase == PHASE_DIAL && dial_failed(s, event, &status)) {
        respond_verdict(s, status);
        return;
    }
    exchanges_go_on(s);
    if (s->state == STATE_PLAIN && s->lanes[SIDE_SERVER].eof) {
        server_ended(s);
    }
    if (s->state == STATE_PLAIN && s->lanes[SIDE_CLIENT].eof) {
        client_ended(s);
    }
}
