#include "proxy/session/parent_url.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "third_party/boringssl/boringssl.h"

static bool refuse(struct err *err) {
    return err_set(err,
                   "expected a parent proxy as http://[USER:PASSWORD@]HOST[:PORT] or https://…");
}

bool parent_set_credentials(struct parent *parent, const char *text, struct err *err) {
    size_t len = strlen(text);
    if (memchr(text, ':', len) == NULL || len > PARENT_CREDENTIALS_MAX) {
        return err_set(err, "expected credentials as USER:PASSWORD, of at most %d bytes",
                       PARENT_CREDENTIALS_MAX);
    }
    int scheme = snprintf(parent->authorization, sizeof(parent->authorization), "Basic ");
    EVP_EncodeBlock((uint8_t *)parent->authorization + scheme, (const uint8_t *)text, len);
    return true;
}

// decode undoes percent-encoding (RFC 3986 section 2.1).
static bool decode(char *out, size_t out_len, const char *p, size_t p_len) {
    size_t len = 0;
    for (size_t i = 0; i < p_len; i++) {
        unsigned c = (unsigned char)p[i];
        if (c == '%') {
            char digits[3] = {0};
            if (p_len - i < 3 || !isxdigit((unsigned char)p[i + 1]) ||
                !isxdigit((unsigned char)p[i + 2])) {
                return false;
            }
            memcpy(digits, p + i + 1, 2);
            c = (unsigned)strtoul(digits, NULL, 16);
            i += 2;
        }
        if (len + 1 >= out_len || c == 0) {
            return false;
        }
        out[len++] = (char)c;
    }
    out[len] = '\0';
    return true;
}

static bool read_credentials(struct parent *out, const char *p, size_t p_len, struct err *err) {
    char text[PARENT_CREDENTIALS_MAX + 1];
    bool ok =
        decode(text, sizeof(text), p, p_len) ? parent_set_credentials(out, text, err) : refuse(err);
    OPENSSL_cleanse(text, sizeof(text));
    return ok;
}

static bool read_port(struct parent *out, const char *p) {
    char *end;
    unsigned long port = strtoul(p, &end, 10);
    out->port = (uint16_t)port;
    return isdigit((unsigned char)*p) && *end == '\0' && port != 0 && port <= 65535;
}

// read_host reads HOST[:PORT], an IPv6 address in brackets.
static bool read_host(struct parent *out, char *host) {
    char *colon = strrchr(host, ':'), *bracket = strrchr(host, ']');
    if (colon != NULL && (bracket == NULL || colon > bracket)) {
        if (!read_port(out, colon + 1)) {
            return false;
        }
        *colon = '\0';
    }
    size_t len = strlen(host);
    bool bracketed = len > 2 && host[0] == '[' && host[len - 1] == ']';
    host += bracketed;
    len -= bracketed ? 2 : 0;
    if (len == 0 || len > PARENT_HOST_MAX || bracketed != (memchr(host, ':', len) != NULL) ||
        strcspn(host, " \t\r\n@?#\\%\"<>[/") < len) {
        return false;
    }
    snprintf(out->host, sizeof(out->host), "%.*s", (int)len, host);
    return true;
}

bool parent_parse(struct parent *out, const char *url, struct err *err) {
    bool tls = strncasecmp(url, "https://", 8) == 0;
    *out = (struct parent){.tls = tls, .port = tls ? 443 : 80};
    if (!tls && strncasecmp(url, "http://", 7) != 0) {
        return refuse(err);
    }
    const char *from = url + (tls ? 8 : 7);
    size_t len = strcspn(from, "/");
    char host[PARENT_HOST_MAX + 16];
    if (strcmp(from + len, "") != 0 && strcmp(from + len, "/") != 0) {
        return refuse(err);
    }
    const char *at = memrchr(from, '@', len);
    if (at != NULL && !read_credentials(out, from, (size_t)(at - from), err)) {
        return false;
    }
    size_t skip = at != NULL ? (size_t)(at - from) + 1 : 0;
    int n = snprintf(host, sizeof(host), "%.*s", (int)(len - skip), from + skip);
    return (n > 0 && (size_t)n < sizeof(host) && read_host(out, host)) || refuse(err);
}
