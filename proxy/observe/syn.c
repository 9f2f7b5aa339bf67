#include "proxy/observe/syn.h"

#include <string.h>

#include "logs/base/decimal.h"

enum {
    IPV4_HEADER = 20,
    IPV6_HEADER = 40,
    TCP_HEADER = 20,
    PROTOCOL_TCP = 6,
    TCP_FLAG_SYN = 0x02,
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTIONS_KEPT = 24,
};

static unsigned be16(const uint8_t *p) { return (unsigned)p[0] << 8 | p[1]; }

// Sets `*out_at` to where TCP begins. Of IPv6 extension headers none is skipped: a SYN has none.
static bool ip_parse(const uint8_t *p, size_t p_len, uint8_t *out_ttl, size_t *out_at) {
    if (p_len >= IPV4_HEADER && p[0] >> 4 == 4) {
        *out_at = (size_t)(p[0] & 15) * 4;
        *out_ttl = p[8];
        return *out_at >= IPV4_HEADER && p[9] == PROTOCOL_TCP;
    }
    if (p_len >= IPV6_HEADER && p[0] >> 4 == 6) {
        *out_at = IPV6_HEADER;
        *out_ttl = p[7];
        return p[6] == PROTOCOL_TCP;
    }
    return false;
}

bool syn_parse(struct syn *out, const uint8_t *p, size_t p_len) {
    size_t at;
    *out = (struct syn){0};
    if (!ip_parse(p, p_len, &out->ttl, &at) || p_len < at + TCP_HEADER) {
        return false;
    }
    const uint8_t *tcp = p + at;
    size_t header_len = (size_t)(tcp[12] >> 4) * 4;
    if (header_len < TCP_HEADER || header_len > p_len - at || (tcp[13] & TCP_FLAG_SYN) == 0) {
        return false;
    }
    out->window = (uint16_t)be16(tcp + 14);
    out->options_len = (uint8_t)(header_len - TCP_HEADER);
    memcpy(out->options, tcp + TCP_HEADER, out->options_len);
    out->seen = true;
    return true;
}

// initial_ttl guesses what it was when it was sent: systems begin with one of these.
static unsigned initial_ttl(unsigned ttl) {
    return ttl <= 32 ? 32 : ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;
}

static const char *option_name(uint8_t kind) {
    static const struct {
        uint8_t kind;
        const char *name;
    } rows[] = {
        {OPTION_END, "end"}, {OPTION_NOP, "nop"}, {2, "mss"},      {3, "window-scale"},
        {4, "sack-ok"},      {8, "timestamps"},   {28, "timeout"}, {30, "multipath"},
        {34, "fast-open"},   {19, "md5"},         {29, "auth"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].kind == kind) {
            return rows[i].name;
        }
    }
    return NULL;
}

static void add_option(struct obj *out, uint8_t kind, const uint8_t *value, size_t value_len) {
    char text[40];
    const char *name = option_name(kind);
    char *end = stpcpy(text, name != NULL ? name : "option-");
    if (kind == 2 && value_len == 2) {
        *end++ = ' ';
        end += decimal_write(end, be16(value));
        obj_set_int(out, F_SYN_MSS, be16(value));
    } else if (kind == 3 && value_len == 1) {
        *end++ = ' ';
        end += decimal_write(end, value[0]);
        obj_set_int(out, F_SYN_WINDOW_SCALE, value[0]);
    } else if (name == NULL) {
        end += decimal_write(end, kind);
    }
    obj_add_str(out, F_SYN_OPTIONS, text, (size_t)(end - text));
}

static void record_options(struct obj *out, const struct syn *syn) {
    obj_touch(out, F_SYN_OPTIONS);
    for (size_t at = 0; at < syn->options_len && obj_num(out, F_SYN_OPTIONS) < OPTIONS_KEPT;) {
        uint8_t kind = syn->options[at];
        if (kind == OPTION_END || kind == OPTION_NOP) {
            add_option(out, kind, NULL, 0);
            at++;
            if (kind == OPTION_END) {
                return;
            }
            continue;
        }
        size_t left = syn->options_len - at;
        size_t len = left >= 2 ? syn->options[at + 1] : 0;
        if (len < 2 || len > left) {
            obj_add_str(out, F_SYN_OPTIONS, "malformed", 9);
            return;
        }
        add_option(out, kind, syn->options + at + 2, len - 2);
        at += len;
    }
}

void syn_record(struct obj *out, const struct syn *syn) {
    if (!syn->seen) {
        return;
    }
    obj_set_int(out, F_SYN_TTL, syn->ttl);
    obj_set_int(out, F_SYN_INITIAL_TTL, initial_ttl(syn->ttl));
    obj_set_int(out, F_SYN_HOPS, initial_ttl(syn->ttl) - syn->ttl);
    obj_set_int(out, F_SYN_WINDOW, syn->window);
    record_options(out, syn);
}
