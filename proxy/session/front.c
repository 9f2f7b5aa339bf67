// The request to the proxy: CONNECT, http:// in absolute form, or a visit to our own site.
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config/network.h"
#include "policy/decide/decide.h"
#include "proxy/session/http.h"
#include "proxy/session/internal.h"

enum { HOST_MAX = 253, VIA_MAX = 512 };

struct front {
    struct http http;
};

void front_begin(struct session *s) {
    s->front = xcalloc(1, sizeof(*s->front));
    http_init(&s->front->http, HTTP_REQUEST, false);
    session_enter(s, STATE_FRONT, s->shared->limits.front_us);
}

void front_free(struct front *front) {
    if (front != NULL) {
        http_cleanup(&front->http);
        free(front);
    }
}

struct http *front_http(struct session *s) {
    return &s->front->http;
}

// host_set keeps `host` in lower case, without brackets and without a final dot. It returns false
// for what no host can be.
static bool host_set(struct session *s, const char *host, size_t host_len) {
    if (host_len >= 2 && host[0] == '[' && host[host_len - 1] == ']') {
        host++;
        host_len -= 2;
    }
    host_len -= host_len != 0 && host[host_len - 1] == '.';
    if (host_len == 0 || host_len > HOST_MAX) {
        return false;
    }
    for (size_t i = 0; i < host_len; i++) {
        unsigned char c = (unsigned char)host[i];
        if (c <= ' ' || c == 0x7f || strchr("/?#@\\%\"<>[]", c) != NULL) {
            return false;
        }
        s->host[i] = (char)tolower(c);
    }
    s->host[host_len] = '\0';
    uint8_t address[16];
    s->host_is_address = network_parse_address(address, s->host);
    return s->host_is_address || strchr(s->host, ':') == NULL;
}

bool front_set_target(struct session *s, const char *host, size_t host_len, uint16_t port) {
    s->port = port;
    return host_set(s, host, host_len);
}

// authority_set reads "host:port"; without a port it is `port`, and 0 refuses that.
static bool authority_set(struct session *s, const char *p, size_t p_len, uint16_t port) {
    const char *end = p + p_len, *colon = end;
    while (colon > p && isdigit((unsigned char)colon[-1])) {
        colon--;
    }
    bool has_port = colon > p && colon[-1] == ':';
    if (!has_port) {
        s->port = port;
        return port != 0 && host_set(s, p, p_len);
    }
    unsigned long number = 0;
    for (const char *digit = colon; digit < end && number <= 65535; digit++) {
        number = number * 10 + (unsigned long)(*digit - '0');
    }
    if (number == 0 || number > 65535) {
        return false;
    }
    s->port = (uint16_t)number;
    return host_set(s, p, (size_t)(colon - 1 - p));
}

bool front_absolute(struct session *s, const char *target, size_t target_len) {
    static const char scheme[] = "http://";
    size_t skip = sizeof(scheme) - 1;
    if (target_len <= skip || strncasecmp(target, scheme, skip) != 0) {
        return false;
    }
    const char *p = target + skip;
    size_t len = 0;
    while (len < target_len - skip && strchr("/?#", p[len]) == NULL) {
        len++;
    }
    const char *at = memchr(p, '@', len);
    size_t user = at == NULL ? 0 : (size_t)(at - p) + 1;
    return authority_set(s, p + user, len - user, 80);
}

const struct policy_rule *front_ask(const struct session *s, const char *sni, bool sni_to_come) {
    struct question question = {
        .host = s->host, .sni = sni, .port = s->port, .sni_to_come = sni_to_come};
    memcpy(question.client, s->client.ip, sizeof(question.client));
    return policy_decide(s->shared->policy, &question);
}

void front_decide(struct session *s, const char *sni, bool sni_to_come) {
    s->rule = front_ask(s, sni, sni_to_come);
    if (s->rule == NULL) {
        return;
    }
    struct obj *root = s->record->root;
    obj_set_str(root, F_RECORD_POLICY_ACTION, policy_action_name(s->rule->action));
    obj_set_str(root, F_RECORD_POLICY_RULE, s->rule->path);
    obj_set_str(root, F_RECORD_POLICY_ON_FAILURE, policy_on_failure_name(s->rule->on_failure));
    obj_set_int(root, F_RECORD_POLICY_VERIFY, s->rule->server_leg.verify);
    if (!s->rule->experiments) {
        obj_set_int(root, F_RECORD_POLICY_EXPERIMENTS, false);
    }
    if (s->rule->fetch.aia) {
        obj_set_int(root, F_RECORD_POLICY_FETCH_AIA, true);
    }
    if (s->rule->fetch.crl) {
        obj_set_int(root, F_RECORD_POLICY_FETCH_CRL, true);
    }
}

void front_record(struct session *s, const struct http *http, const char *front) {
    char agent[USER_AGENT_MAX];
    struct obj *root = s->record->root;
    if (http_header(http, "User-Agent", agent, sizeof(agent))) {
        obj_set_str(root, F_RECORD_USER_AGENT, agent);
    }
    char via[VIA_MAX];
    if (http_header(http, "Via", via, sizeof(via))) {
        obj_set_str(root, F_RECORD_VIA, via);
    }
    obj_set_str(root, F_RECORD_REQUEST_METHOD, http_method_str(http->parser.method));
    obj_set_str(root, F_RECORD_FRONT, front);
    if (s->host[0] != '\0') {
        obj_set_str(root, F_RECORD_HOST, s->host);
        obj_set_int(root, F_RECORD_PORT, s->port);
    }
}

void front_go(struct session *s) {
    obj_set_str(s->record->root, F_RECORD_MODE, "intercept");
    if (site_is(s->host)) {
        sniff_begin(s);
        return;
    }
    front_decide(s, NULL, true);
    if (s->rule != NULL && s->rule->action == ACTION_REFUSE) {
        end_set(s, SIDE_CLIENT, "proxy", "fin", "refused by policy");
        greeting_refuse(s, 403);
        return;
    }
    leg_begin_server(s);
    session_dial(s, s->host, s->port);
    session_enter(s, STATE_DIALLING, INT64_MAX);
}

static void connect_begin(struct session *s, const char *target, size_t target_len) {
    struct http *http = front_http(s);
    if (!authority_set(s, target, target_len, 443)) {
        s->host[0] = '\0';
        front_record(s, http, "connect");
        respond_text(s, 400, "CONNECT needs HOST:PORT, as in example.test:443.");
        return;
    }
    front_record(s, http, "connect");
    char via[VIA_MAX];
    if (http_header(http, "Via", via, sizeof(via)) && strstr(via, s->shared->via) != NULL) {
        end_set(s, SIDE_CLIENT, "proxy", "fin", "the parent proxy leads back to this one");
        respond_text(s, 508, "The parent proxy leads back to this one.");
        return;
    }
    front_go(s);
}

static void request_begin(struct session *s) {
    struct http *http = front_http(s);
    size_t len;
    const char *target = http_target(http, &len);
    if (http->parser.method == HTTP_CONNECT) {
        connect_begin(s, target, len);
    } else if (front_absolute(s, target, len)) {
        front_record(s, http, "absolute-form");
        if (site_is(s->host)) {
            local_begin(s);
        } else {
            plain_begin(s);
        }
    } else if (len != 0 && target[0] == '/') {
        front_record(s, http, "direct");
        local_begin(s);
    } else {
        s->host[0] = '\0';
        front_record(s, http, "absolute-form");
        respond_text(s, 400,
                     "This is an HTTP proxy: it takes CONNECT HOST:PORT and http:// URLs. For "
                     "https:// URLs the client must send CONNECT.");
    }
}

// direct_tls answers a client that speaks TLS to the proxy's own port.
static void direct_tls(struct session *s) {
    obj_set_str(s->record->root, F_RECORD_FRONT, "direct");
    obj_set_str(s->record->root, F_RECORD_MODE, "intercept");
    s->direct = true;
    sniff_begin(s);
}

// front_ended handles a client that ends before its request is complete.
static void front_ended(struct session *s) {
    const struct lane *client = &s->lanes[SIDE_CLIENT];
    if (s->state == STATE_FRONT && client->eof) {
        end_set(s, SIDE_CLIENT, "client", client->closed ? "rst" : "fin", NULL);
        session_close(s);
    }
}

void front_input(struct session *s) {
    struct lane *lane = &s->lanes[SIDE_CLIENT];
    struct http *http = front_http(s);
    struct span span = lane_peek(lane);
    if (http->head.len == 0 && span.len != 0 && (span.p[0] == 0x16 || span.p[0] >= 0x80)) {
        direct_tls(s);
        return;
    }
    if (s->greeting != GREETING_HTTP ||
        (http->head.len == 0 && span.len != 0 && socks_is(span.p[0]))) {
        socks_input(s);
        front_ended(s);
        return;
    }
    size_t n = span.len;
    enum message_result result = n == 0 ? MESSAGE_MORE : http_feed(http, span.p, &n);
    lane_drop(lane, n);
    switch (result) {
    case MESSAGE_HEAD:
        request_begin(s);
        return;
    case MESSAGE_TOO_LONG:
        end_set(s, SIDE_CLIENT, "client", "error", "the request head is over 64 KiB");
        respond_text(s, 431, "The request head is over 64 KiB.");
        return;
    case MESSAGE_BAD:
        end_set(s, SIDE_CLIENT, "client", "error", http_problem(http));
        respond_text(s, 400, "This is an HTTP proxy, and this is not an HTTP request.");
        return;
    default:
        break;
    }
    front_ended(s);
}

void front_timeout(struct session *s) {
    end_set(s, SIDE_CLIENT, "client", "timeout", "the request to the proxy was not completed");
    if (s->greeting != GREETING_HTTP) {
        session_close(s);
        return;
    }
    respond_text(s, 408, "The request was not completed in time.");
}

const char *dns_error_name(enum dns_error error) {
    static const char *const names[] = {
        [DNS_NOT_FOUND] = "not-found",
        [DNS_NO_DATA] = "no-data",
        [DNS_SERVER_FAILURE] = "server-failure",
        [DNS_REFUSED] = "refused",
        [DNS_TIMEOUT] = "timeout",
        [DNS_OTHER] = "other",
    };
    return names[error];
}

bool dial_failed(struct session *s, const struct event *event, int *out_status) {
    struct obj *leg = s->lanes[SIDE_SERVER].observe.leg;
    if (event->kind == EVENT_UNRESOLVED) {
        obj_set_str(leg, F_LEG_DNS_ERROR, dns_error_name(event->dns_error));
        if (s->parent != NULL) {
            parent_failed(s, "dns", "the parent proxy's name could not be looked up");
        }
        end_set(s, SIDE_SERVER, "network", "dns", NULL);
        *out_status = event->dns_error == DNS_TIMEOUT ? 504 : 502;
        return true;
    }
    if (event->kind == EVENT_DIAL_FAILED) {
        const char *how = end_how_errno(event->errnum);
        bool server = event->errnum == ECONNREFUSED || event->errnum == ECONNRESET;
        bool ours = event->errnum == EMFILE || event->errnum == ENFILE || event->errnum == ELOOP;
        if (s->parent != NULL && !ours) {
            parent_failed(s, "connect", strerror(event->errnum));
        }
        end_set(s, SIDE_SERVER,
                ours     ? "proxy"
                : server ? "server"
                         : "network",
                how, strerror(event->errnum));
        *out_status = event->errnum == ETIMEDOUT ? 504 : 502;
        return true;
    }
    return false;
}

void front_dialled(struct session *s, const struct event *event) {
    const struct lane *client = &s->lanes[SIDE_CLIENT];
    int status;
    if (event->kind == EVENT_CONNECTED) {
        if (s->parent != NULL) {
            parent_begin(s);
        } else {
            sniff_begin(s);
        }
    } else if (dial_failed(s, event, &status)) {
        greeting_refuse(s, status);
    } else if (client->eof) {
        end_both(s, "client", client->closed ? "rst" : "fin", NULL);
        session_close(s);
    }
}
