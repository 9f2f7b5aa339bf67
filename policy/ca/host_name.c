#include "policy/ca/host_name.h"

#include <arpa/inet.h>
#include <string.h>

enum { MAX_NAME = 253, MAX_LABEL = 63 };

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; }

// Reads one UTF-8 character at `*s`; 0 where there is none.
static uint32_t next_character(const char **s, const char *end) {
    const uint8_t *p = (const uint8_t *)*s;
    size_t left = (size_t)(end - *s);
    size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (len == 0 || len > left || p[0] > 0xf4) {
        return 0;
    }
    uint32_t c = len == 1 ? p[0] : p[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        c = c << 6 | (p[i] & 0x3f);
    }
    *s += len;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    return c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0 : c;
}

// The parameters of RFC 3492 section 5.
enum { BASE = 36, TMIN = 1, TMAX = 26, SKEW = 38, DAMP = 700, INITIAL_BIAS = 72, INITIAL_N = 128 };

static uint32_t adapt(uint32_t delta, uint32_t num_points, bool first) {
    delta = first ? delta / DAMP : delta / 2;
    delta += delta / num_points;
    uint32_t k = 0;
    for (; delta > (BASE - TMIN) * TMAX / 2; k += BASE) {
        delta /= BASE - TMIN;
    }
    return k + (BASE - TMIN + 1) * delta / (delta + SKEW);
}

static size_t add_variable_integer(char *out, size_t len, uint32_t q, uint32_t bias) {
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    for (uint32_t k = BASE; len < MAX_LABEL; k += BASE) {
        uint32_t t = k <= bias ? TMIN : k >= bias + TMAX ? TMAX : k - bias;
        if (q < t) {
            out[len++] = digits[q];
            break;
        }
        out[len++] = digits[t + (q - t) % (BASE - t)];
        q = (q - t) / (BASE - t);
    }
    return len;
}

// Punycode, RFC 3492 section 6.3. Returns the length, MAX_LABEL + 1 when it does not fit. At most
// MAX_LABEL points of at most 0x10ffff keep every product below 2^32.
static size_t punycode(const uint32_t *points, size_t num_points, char out[MAX_LABEL]) {
    size_t len = 0;
    for (size_t i = 0; i < num_points; i++) {
        if (points[i] < 0x80) {
            out[len++] = (char)points[i];
        }
    }
    size_t num_basic = len, done = len;
    if (num_basic != 0 && len < MAX_LABEL) {
        out[len++] = '-';
    }
    uint32_t n = INITIAL_N, delta = 0, bias = INITIAL_BIAS;
    for (; done < num_points; n++, delta++) {
        uint32_t m = UINT32_MAX;
        for (size_t i = 0; i < num_points; i++) {
            m = points[i] >= n && points[i] < m ? points[i] : m;
        }
        delta += (m - n) * (uint32_t)(done + 1);
        n = m;
        for (size_t i = 0; i < num_points; i++) {
            delta += points[i] < n;
            if (points[i] == n) {
                len = add_variable_integer(out, len, delta, bias);
                bias = adapt(delta, (uint32_t)(done + 1), done == num_basic);
                delta = 0;
                done++;
                if (len >= MAX_LABEL) {
                    return MAX_LABEL + 1;
                }
            }
        }
    }
    return len;
}

// Appends one label; false when it is no label or does not fit.
static bool add_label(struct host_name *out, const char *label, const char *end) {
    uint32_t points[MAX_LABEL];
    size_t num_points = 0, used = strlen(out->text);
    bool ascii = true;
    while (label < end) {
        uint32_t c = next_character(&label, end);
        if (c <= ' ' || c == 0x7f || num_points == MAX_LABEL) {
            return false;
        }
        points[num_points++] = c < 0x80 ? lower((uint8_t)c) : c;
        ascii = ascii && c < 0x80;
    }
    char text[MAX_LABEL];
    size_t len = num_points;
    if (ascii) {
        for (size_t i = 0; i < num_points; i++) {
            text[i] = (char)points[i];
        }
    } else {
        len = punycode(points, num_points, text);
    }
    const char *prefix = ascii ? "" : "xn--";
    size_t whole = len + strlen(prefix);
    if (len == 0 || whole > MAX_LABEL || used + (used != 0) + whole > MAX_NAME) {
        return false;
    }
    char *to = stpcpy(stpcpy(out->text + used, used != 0 ? "." : ""), prefix);
    memcpy(to, text, len);
    to[len] = '\0';
    return true;
}

static bool init_ip(struct host_name *out, const char *host, size_t host_len) {
    char text[INET6_ADDRSTRLEN + 32];
    if (host_len >= 2 && host[0] == '[' && host[host_len - 1] == ']') {
        host++;
        host_len -= 2;
    }
    const char *zone = memchr(host, '%', host_len);
    host_len = zone != NULL ? (size_t)(zone - host) : host_len;
    if (host_len >= sizeof(text)) {
        return false;
    }
    memcpy(text, host, host_len);
    text[host_len] = '\0';
    int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
    if (inet_pton(family, text, out->ip) != 1) {
        return false;
    }
    out->ip_len = family == AF_INET6 ? 16 : 4;
    return inet_ntop(family, out->ip, out->text, sizeof(out->text)) != NULL;
}

bool host_name_init(struct host_name *out, const char *host) {
    memset(out, 0, sizeof(*out));
    size_t len = strlen(host);
    if (init_ip(out, host, len)) {
        return true;
    }
    if (len > 1 && host[len - 1] == '.') {
        len--;
    }
    const char *end = host + len, *label = host;
    for (;;) {
        const char *dot = memchr(label, '.', (size_t)(end - label));
        if (!add_label(out, label, dot != NULL ? dot : end)) {
            out->text[0] = '\0';
            return false;
        }
        if (dot == NULL) {
            return true;
        }
        label = dot + 1;
    }
}

static bool equal_ignoring_case(CBS pattern, const char *text) {
    if (CBS_len(&pattern) != strlen(text)) {
        return false;
    }
    for (size_t i = 0; i < CBS_len(&pattern); i++) {
        if (lower(CBS_data(&pattern)[i]) != (uint8_t)text[i]) {
            return false;
        }
    }
    return true;
}

bool host_name_matches(const struct host_name *host, CBS pattern) {
    if (host->ip_len != 0 || host->text[0] == '\0') {
        return false;
    }
    if (CBS_len(&pattern) < 2 || memcmp(CBS_data(&pattern), "*.", 2) != 0) {
        return equal_ignoring_case(pattern, host->text);
    }
    const char *rest = strchr(host->text, '.');
    CBS_skip(&pattern, 1);
    return rest != NULL && strchr(rest + 1, '.') != NULL && equal_ignoring_case(pattern, rest);
}

bool host_name_in_san(const struct host_name *host, CBS san, CBS *out_name) {
    CBS element;
    unsigned tag;
    size_t header_len;
    while (CBS_get_any_asn1_element(&san, &element, &tag, &header_len)) {
        CBS value = element;
        CBS_skip(&value, header_len);
        bool ip =
            tag == SAN_IP && host->ip_len != 0 && CBS_mem_equal(&value, host->ip, host->ip_len);
        if (ip || (tag == SAN_DNS && host_name_matches(host, value))) {
            if (out_name != NULL) {
                *out_name = element;
            }
            return true;
        }
    }
    return false;
}

bool host_name_has_identifiers(CBS san) {
    CBS value;
    unsigned tag;
    while (CBS_get_any_asn1(&san, &value, &tag)) {
        if (tag == SAN_DNS || tag == SAN_IP) {
            return true;
        }
    }
    return false;
}
