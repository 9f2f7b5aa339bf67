#include "proxy/observe/import_front.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "logs/base/check.h"
#include "proxy/tls/banner.h"
#include "proxy/tls/handshake.h"

enum { RECORD_MAX = 16384 + 2048 };

// A row holds where both sides begin as it says. "\xff" stands for any byte; an empty string for
// anything.
//
// clang-format off
#define ROW(name, server, client) {name, server, sizeof(server) - 1, client, sizeof(client) - 1}
static const struct {
    const char *name;
    const char *server;
    size_t server_len;
    const char *client;
    size_t client_len;
} fronts[] = {
    ROW("connect",             "",                     "CONNECT "),
    ROW("proxy-protocol",      "",                     "PROXY "),
    ROW("proxy-protocol",      "",                     "\r\n\r\n\0\r\nQUIT\n"),
    ROW("socks5",              "",                     "\x05"),
    ROW("socks4",              "",                     "\x04\x01"),
    ROW("starttls-postgresql", "",                     "\0\0\0\x08\x04\xd2\x16"),
    ROW("starttls-rdp",        "",                     "\x03\0"),
    ROW("starttls-tds",        "",                     "\x12\x01"),
    ROW("starttls-mysql",      "\xff\xff\0\0\x0a",     ""),
    ROW("starttls-smtp",       "220",                  "EHLO "),
    ROW("starttls-smtp",       "220",                  "HELO "),
    ROW("starttls-smtp",       "220",                  "LHLO "),
    ROW("starttls-ftp",        "220",                  ""),
    ROW("starttls-imap",       "* ",                   ""),
    ROW("starttls-pop3",       "+OK",                  ""),
    ROW("starttls-sieve",      "\"IMPLEMENTATION\"",   ""),
    ROW("starttls-nntp",       "200 ",                 ""),
    ROW("starttls-nntp",       "201 ",                 ""),
    ROW("starttls-xmpp",       "",                     "<?xml "),
    ROW("starttls-xmpp",       "",                     "<stream:stream"),
    ROW("starttls-ldap",       "",                     "\x30\xff\x02\x01\xff\x77"), // RFC 4511 section 4.12
    ROW("starttls-ldap",       "",                     "\x30\x84\xff\xff\xff\xff\x02\x01\xff\x77"),
};
#undef ROW

static const enum banner never_tls[] = {
    BANNER_HTTP_REQUEST, BANNER_HTTP_ANSWER, BANNER_HTTP2, BANNER_HTML, BANNER_SSH,
};
// clang-format on

static bool begins(struct span text, const char *prefix, size_t prefix_len) {
    if (text.len < prefix_len) {
        return false;
    }
    for (size_t i = 0; i < prefix_len; i++) {
        uint8_t want = (uint8_t)prefix[i], lower = want | 0x20;
        bool letter = lower >= 'a' && lower <= 'z';
        if (want != 0xff && text.p[i] != want && !(letter && (text.p[i] | 0x20) == lower)) {
            return false;
        }
    }
    return true;
}

static bool is_never_tls(struct span text) {
    enum banner banner = banner_classify(text.p, text.len, false);
    for (size_t i = 0; i < ARRAY_LEN(never_tls); i++) {
        if (banner == never_tls[i]) {
            return true;
        }
    }
    return false;
}

const char *import_front_name(struct span client, struct span server) {
    for (size_t i = 0; i < ARRAY_LEN(fronts); i++) {
        if (begins(server, fronts[i].server, fronts[i].server_len) &&
            begins(client, fronts[i].client, fronts[i].client_len)) {
            return fronts[i].name;
        }
    }
    bool never =
        (client.len != 0 && is_never_tls(client)) || (server.len != 0 && is_never_tls(server));
    return never ? NULL : "starttls";
}

static bool port_parse(uint16_t *out, const char *text) {
    char *end;
    unsigned long port = strtoul(text, &end, 10);
    *out = (uint16_t)port;
    return *text >= '0' && *text <= '9' && *end == '\0' && port <= UINT16_MAX;
}

// connect_target takes the "HOST:PORT" or "[ADDRESS]:PORT" between the first two spaces.
static bool connect_target(struct import_target *out, struct span client) {
    char text[IMPORT_HOST_MAX + 8];
    const uint8_t *start = client.p + strlen("CONNECT ");
    size_t room = client.len - strlen("CONNECT ");
    const uint8_t *space = memchr(start, ' ', room);
    size_t len = space != NULL ? (size_t)(space - start) : 0;
    if (len == 0 || len >= sizeof(text) || memchr(start, '\0', len) != NULL) {
        return false;
    }
    memcpy(text, start, len);
    text[len] = '\0';
    char *colon = strrchr(text, ':'), *host = text;
    if (colon == NULL || !port_parse(&out->port, colon + 1)) {
        return false;
    }
    *colon = '\0';
    if (host[0] == '[' && colon[-1] == ']') {
        host++;
        colon[-1] = '\0';
    }
    return snprintf(out->host, sizeof(out->host), "%s", host) < (int)sizeof(out->host);
}

static bool host_set(struct import_target *out, const uint8_t *p, size_t len) {
    if (len == 0 || len >= sizeof(out->host) || memchr(p, '\0', len) != NULL) {
        return false;
    }
    memcpy(out->host, p, len);
    out->host[len] = '\0';
    return true;
}

static uint16_t get_u16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

static bool socks4_target(struct import_target *out, struct span client) {
    const uint8_t *end = client.p + client.len;
    const uint8_t *user_end = client.len > 8 ? memchr(client.p + 8, '\0', client.len - 8) : NULL;
    if (user_end == NULL) {
        return false;
    }
    out->port = get_u16(client.p + 2);
    bool named = client.p[4] == 0 && client.p[5] == 0 && client.p[6] == 0 && client.p[7] != 0;
    if (!named) {
        return inet_ntop(AF_INET, client.p + 4, out->host, sizeof(out->host)) != NULL;
    }
    const uint8_t *host = user_end + 1;
    const uint8_t *host_end = host < end ? memchr(host, '\0', (size_t)(end - host)) : NULL;
    return host_end != NULL && host_set(out, host, (size_t)(host_end - host));
}

// socks5_target passes over the greeting and, where there is one, the password.
static bool socks5_target(struct import_target *out, struct span client) {
    const uint8_t *p = client.p;
    size_t len = client.len, at = len > 1 ? 2 + (size_t)p[1] : len;
    if (at + 2 <= len && p[at] == 1) {
        size_t password = at + 2 + p[at + 1];
        at = password < len ? password + 1 + p[password] : len;
    }
    if (at + 5 > len || p[at] != 5) {
        return false;
    }
    size_t name_len = p[at + 4], host = at + 4;
    size_t host_len = p[at + 3] == 1 ? 4 : p[at + 3] == 4 ? 16 : name_len + 1;
    if (host + host_len + 2 > len) {
        return false;
    }
    out->port = get_u16(p + host + host_len);
    switch (p[at + 3]) {
    case 1:
        return inet_ntop(AF_INET, p + host, out->host, sizeof(out->host)) != NULL;
    case 4:
        return inet_ntop(AF_INET6, p + host, out->host, sizeof(out->host)) != NULL;
    default:
        return host_set(out, p + host + 1, name_len);
    }
}

bool import_front_target(struct import_target *out, struct span client) {
    *out = (struct import_target){0};
    bool ok = false;
    if (begins(client, "CONNECT ", 8)) {
        ok = connect_target(out, client);
    } else if (begins(client, "\x05", 1)) {
        ok = socks5_target(out, client);
    } else if (begins(client, "\x04\x01", 2)) {
        ok = socks4_target(out, client);
    }
    return ok;
}

struct span import_front_header(struct span text, const char *name) {
    size_t name_len = strlen(name);
    for (size_t at = 0; at < text.len; at++) {
        struct span line = {text.p + at, text.len - at};
        const uint8_t *end = memchr(line.p, '\r', line.len);
        if (end == NULL) {
            break;
        }
        line.len = (size_t)(end - line.p);
        if (line.len >= name_len && strncasecmp((const char *)line.p, name, name_len) == 0) {
            size_t skip = name_len;
            while (skip < line.len && line.p[skip] == ' ') {
                skip++;
            }
            return (struct span){line.p + skip, line.len - skip};
        }
        at += line.len + 1;
    }
    return (struct span){NULL, 0};
}

int import_front_status(struct span server) {
    const uint8_t *p = server.p;
    if (!begins(server, "HTTP/1.", 7) || server.len < 12 || p[8] != ' ') {
        return 0;
    }
    int status = 0;
    for (int i = 9; i < 12; i++) {
        if (p[i] < '0' || p[i] > '9') {
            return 0;
        }
        status = status * 10 + p[i] - '0';
    }
    return status;
}

static bool record_of(const uint8_t *p, size_t p_len, uint8_t message) {
    if (p_len < 6 || p[0] != CONTENT_HANDSHAKE || p[1] != 3 || p[2] > 4 || p[5] != message) {
        return false;
    }
    uint16_t len = get_u16(p + 3);
    return len != 0 && len <= RECORD_MAX;
}

bool import_front_hello(const uint8_t *p, size_t p_len, bool strict) {
    if (!record_of(p, p_len, HANDSHAKE_CLIENT_HELLO)) {
        return false;
    }
    return !strict || (p_len >= 11 && p[6] == 0 && p[9] == 3 && p[10] <= 4);
}

bool import_front_server_hello(const uint8_t *p, size_t p_len) {
    return record_of(p, p_len, HANDSHAKE_SERVER_HELLO);
}
