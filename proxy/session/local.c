// We are the server: http://tlsblame.test/ with the CA and the PAC file, and the page that shows a
// verdict in place of a site.
#include <stdlib.h>
#include <string.h>

#include "policy/ca/authority.h"
#include "proxy/session/emulate.h"
#include "proxy/session/http.h"
#include "proxy/session/upstream.h"

enum { BODY_MAX = 64 * 1024, PIECE = 4096 };

struct local {
    struct http http;
};

void local_free(struct local *local) {
    if (local != NULL) {
        http_cleanup(&local->http);
        free(local);
    }
}

bool site_is(const char *host) { return strcmp(host, "tlsblame.test") == 0; }

static const char index_head[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width\"><title>tlsblame</title>\n"
    "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:46em;margin:3em auto;padding:0 "
    "1em;color:#222}code,pre{background:#eee;padding:.1em .4em}pre{padding:.6em;overflow:auto}"
    "dt{font-weight:600;margin-top:1em}</style></head><body>\n<h1>tlsblame</h1>\n"
    "<p>You reach this page through the proxy. So that it can read TLS, install its certificate "
    "authority, and remove it when you are done.</p>\n"
    "<p>Download: <a href=\"/ca.pem\">ca.pem</a> (PEM), <a href=\"/ca.der\">ca.der</a> (DER, for "
    "Android and Windows), <a href=\"/ca.p12\">ca.p12</a> (PKCS#12, empty password). Proxy "
    "configuration: <a href=\"/proxy.pac\">proxy.pac</a>.</p>\n<p>SHA-256 fingerprint:<br><code>";

static const char index_steps[] =
    "</code></p>\n<h2>How to install it</h2>\n<dl>\n"
    "<dt>Debian, Ubuntu</dt><dd><pre>cp ca.pem /usr/local/share/ca-certificates/tlsblame.crt\n"
    "update-ca-certificates</pre></dd>\n"
    "<dt>Fedora, RHEL</dt><dd><pre>cp ca.pem /etc/pki/ca-trust/source/anchors/tlsblame.pem\n"
    "update-ca-trust</pre></dd>\n"
    "<dt>macOS</dt><dd><pre>security add-trusted-cert -d -r trustRoot -k "
    "/Library/Keychains/System.keychain ca.pem</pre></dd>\n"
    "<dt>Windows</dt><dd><pre>certutil -addstore Root ca.der</pre></dd>\n"
    "<dt>Firefox</dt><dd>Settings, Privacy &amp; Security, View Certificates, Authorities, "
    "Import.</dd>\n"
    "<dt>Chromium on Linux</dt><dd><pre>certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n tlsblame -i "
    "ca.pem</pre></dd>\n"
    "<dt>Android</dt><dd>Settings, Security, Encryption, Install a certificate, CA certificate. "
    "Apps must opt in to user CAs in their network_security_config.</dd>\n"
    "<dt>iOS</dt><dd>Install the profile, then Settings, General, About, Certificate Trust "
    "Settings.</dd>\n"
    "<dt>Java</dt><dd><pre>keytool -importcert -cacerts -alias tlsblame -file ca.pem</pre></dd>\n"
    "<dt>Python (requests), Node.js, curl</dt><dd><pre>export REQUESTS_CA_BUNDLE=bundle.pem\n"
    "export NODE_EXTRA_CA_CERTS=ca.pem\nexport CURL_CA_BUNDLE=bundle.pem</pre>"
    "where bundle.pem holds the system's roots and ca.pem; <code>tlsblame env</code> makes it and "
    "prints these lines.</dd>\n</dl></body></html>\n";

static const char *make_index(struct session *s, struct buf *out) {
    (void)buf_printf(out, "%s", index_head);
    (void)authority_fingerprint(shared_root(s->shared), out);
    (void)buf_printf(out, "%s", index_steps);
    return "text/html; charset=utf-8";
}

static const char *make_pem(struct session *s, struct buf *out) {
    (void)authority_pem(shared_root(s->shared), out);
    return "application/x-pem-file";
}

static const char *make_der(struct session *s, struct buf *out) {
    CBS der = authority_der(shared_root(s->shared));
    (void)!buf_append(out, CBS_data(&der), CBS_len(&der));
    return "application/x-x509-ca-cert";
}

static const char *make_p12(struct session *s, struct buf *out) {
    (void)authority_pkcs12(shared_root(s->shared), out);
    return "application/x-pkcs12";
}

static const char *make_pac(struct session *s, struct buf *out) {
    char own[IP_TEXT_MAX];
    const char *address = s->shared->address;
    (void)buf_printf(out, "function FindProxyForURL(url, host) {\n    return \"PROXY ");
    if (address != NULL) {
        (void)buf_printf(out, "%s", address);
    } else {
        const char *ip = ip_text(own, &s->local);
        (void)buf_printf(out, strchr(ip, ':') != NULL ? "[%s]:%d" : "%s:%d", ip, s->local.port);
    }
    (void)buf_printf(out, "\";\n}\n");
    return "application/x-ns-proxy-autoconfig";
}

static const struct {
    const char *path;
    const char *(*make)(struct session *s, struct buf *out); // returns the content type
} pages[] = {
    {"/", make_index},     {"/ca.pem", make_pem}, {"/ca.crt", make_der},
    {"/ca.der", make_der}, {"/ca.p12", make_p12}, {"/proxy.pac", make_pac},
};

// path_of finds the path of a request target in origin or absolute form, without its query.
static const char *path_of(const char *target, size_t len, size_t *out_len) {
    const char *end = target + len, *path = target;
    if (len > 7 && strncasecmp(target, "http://", 7) == 0) {
        path = memchr(target + 7, '/', len - 7);
        if (path == NULL) {
            *out_len = 1;
            return "/";
        }
    }
    const char *query = memchr(path, '?', (size_t)(end - path));
    *out_len = (size_t)((query != NULL ? query : end) - path);
    return path;
}

static void site_answer(struct session *s, const struct http *http) {
    size_t len, path_len;
    const char *target = http_target(http, &len);
    const char *path = path_of(target, len, &path_len);
    record_discard(s);
    if (http->parser.method != HTTP_GET && http->parser.method != HTTP_HEAD) {
        respond_text(s, 405, "This site only answers GET.");
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        if (strlen(pages[i].path) == path_len && memcmp(pages[i].path, path, path_len) == 0) {
            struct buf body;
            buf_init(&body, BODY_MAX);
            const char *type = pages[i].make(s, &body);
            respond(s, 200, type, buf_data(&body), body.len);
            buf_cleanup(&body);
            return;
        }
    }
    respond_text(s, 404, "There is no such page; http://tlsblame.test/ lists what there is.");
}

static void answer(struct session *s, const struct http *http) {
    if (react_page(s)) {
        return;
    }
    if (s->upstream != NULL) {
        respond_verdict(s, 502);
    } else if (http->head_done) {
        site_answer(s, http);
    } else {
        record_discard(s);
        respond_text(s, 400, "This is not an HTTP request.");
    }
}

struct http *local_request(struct session *s) {
    return &s->local_site->http;
}

void local_begin(struct session *s) {
    session_enter(s, STATE_LOCAL, s->shared->limits.front_us);
    if (s->lanes[SIDE_CLIENT].ssl == NULL) {
        answer(s, s->plain != NULL ? plain_request(s) : front_http(s));
        return;
    }
    s->local_site = xcalloc(1, sizeof(*s->local_site));
    http_init(&s->local_site->http, HTTP_REQUEST, false);
    local_input(s, NULL);
}

// read_request reads the request inside TLS and returns whether its head is complete, or will never
// be.
static bool read_request(struct session *s) {
    struct lane *client = &s->lanes[SIDE_CLIENT];
    uint8_t piece[PIECE];
    for (;;) {
        int n = lane_read(client, piece, sizeof(piece));
        if (n <= 0) {
            return false;
        }
        observe_step(&client->observe, STEP_DATA, s->now_us);
        size_t len = (size_t)n;
        enum message_result result = http_feed(&s->local_site->http, piece, &len);
        if (result != MESSAGE_MORE) {
            return true;
        }
    }
}

void local_input(struct session *s, const struct event *event) {
    const struct lane *client = &s->lanes[SIDE_CLIENT];
    bool ended = client->eof || (event != NULL && event->kind == EVENT_TIMER);
    ERR_clear_error();
    if (client->ssl != NULL && read_request(s)) {
        answer(s, &s->local_site->http);
    } else if (ended || client->peer_alert >= 0) {
        const char *how = client->peer_alert >= 0 ? "alert" : client->closed ? "rst" : "fin";
        end_set(s, SIDE_CLIENT, "client", client->eof || client->peer_alert >= 0 ? how : "timeout",
                NULL);
        session_close(s);
    }
}
