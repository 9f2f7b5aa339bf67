#include "proxy/cli/probe_target.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/net/address.h"

enum { LABEL_MAX = 63 };

static bool port_parse(uint16_t *out, const char *text) {
    char *end;
    unsigned long port = strtoul(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end != '\0' || port == 0 || port > UINT16_MAX) {
        return false;
    }
    *out = (uint16_t)port;
    return true;
}

static bool host_char(char c) {
    return isalnum((unsigned char)c) || c == '-' || c == '.' || c == '_';
}

// labels_valid returns whether a name's labels have 1 to 63 characters (RFC 1035 section 2.3.4).
static bool labels_valid(const char *name) {
    for (size_t len;; name += len + 1) {
        len = strcspn(name, ".");
        if (len == 0 || len > LABEL_MAX) {
            return false;
        }
        if (name[len] == '\0') {
            return true;
        }
    }
}

// host_copy takes a name or an address, the latter without its brackets.
static bool host_copy(struct probe_target *out, const char *host, size_t len) {
    bool plain = len != 0 && len < sizeof(out->host);
    for (size_t i = 0; plain && i < len; i++) {
        out->host[i] = (char)tolower((unsigned char)host[i]);
        plain = host_char(host[i]) || host[i] == ':';
    }
    if (!plain) {
        return false;
    }
    len -= len > 1 && host[len - 1] == '.';
    out->host[len] = '\0';
    struct address address;
    out->literal = address_parse(&address, out->host);
    return out->literal || (strchr(out->host, ':') == NULL && labels_valid(out->host));
}

static bool split(struct probe_target *out, const char *text, size_t len) {
    char copy[512];
    if (len >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    char *colon = strrchr(copy, ':'), *close = strchr(copy, ']');
    if (copy[0] == '[') {
        return close != NULL && host_copy(out, copy + 1, (size_t)(close - copy - 1)) &&
               out->literal &&
               (close[1] == '\0' || (close[1] == ':' && port_parse(&out->port, close + 2)));
    }
    if (colon == NULL || strchr(copy, ':') != colon) {
        return host_copy(out, copy, len); // no port: a name, or an IPv6 address without brackets
    }
    return host_copy(out, copy, (size_t)(colon - copy)) && port_parse(&out->port, colon + 1);
}

bool probe_target_parse(struct probe_target *out, const char *text, uint16_t port,
                        struct err *err) {
    static const char https[] = "https://";
    *out = (struct probe_target){.port = port};
    bool url = strncasecmp(text, https, strlen(https)) == 0;
    const char *rest = url ? text + strlen(https) : text;
    return split(out, rest, url ? strcspn(rest, "/?#") : strlen(rest)) ||
           err_set(err, "'%.100s' is no HOST or HOST:PORT; IPv6 as [::1]:443", text);
}

bool probe_target_address(const char **out, const char *text, const char *host, struct err *err) {
    const char *equals = strchr(text, '=');
    struct address address;
    err->msg[0] = '\0';
    if (equals == NULL || !address_parse(&address, equals + 1)) {
        return err_set(err, "'%.100s' is no NAME=ADDRESS", text);
    }
    size_t len = (size_t)(equals - text);
    if (strlen(host) != len || strncasecmp(host, text, len) != 0) {
        return false;
    }
    *out = equals + 1;
    return true;
}
