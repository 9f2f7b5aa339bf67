#include "policy/ca/cert_text.h"

#include <stdio.h>
#include <string.h>

#include "policy/ca/cert_oid.h"

// A line under construction. What does not fit is dropped whole and leaves `cut`.
struct line {
    char text[CERT_TEXT_NAME_MAX + 4];
    size_t len, max;
    bool cut;
};

static void line_add(struct line *line, const char *p, size_t p_len) {
    if (line->cut || p_len > line->max - line->len) {
        line->cut = true;
        return;
    }
    memcpy(line->text + line->len, p, p_len);
    line->len += p_len;
}

static void line_add_string(struct line *line, const char *s) { line_add(line, s, strlen(s)); }

static const char *line_finish(struct line *line, struct arena *arena) {
    if (line->cut) {
        memcpy(line->text + line->len, "...", 3);
        line->len += 3;
    }
    return arena_dup(arena, line->text, line->len);
}

static void line_add_hex(struct line *line, const uint8_t *p, size_t p_len) {
    for (size_t i = 0; i < p_len; i++) {
        char escaped[4];
        snprintf(escaped, sizeof(escaped), "\\%02X", p[i]);
        line_add(line, escaped, 3);
    }
}

// Would this character disturb a terminal, a log line or the reader's eye?
static bool is_unprintable(uint32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

static size_t utf8_encode(uint32_t c, uint8_t out[4]) {
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    for (size_t i = more; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    out[0] = (uint8_t)((0xff00 >> (more + 1)) | c);
    return more + 1;
}

// Takes the next character of `in` in the coding that `tag` says. False: the bytes in `*out_raw`
// (never none) are no character.
static bool get_character(CBS *in, unsigned tag, uint32_t *out, CBS *out_raw) {
    size_t unit = tag == CBS_ASN1_BMPSTRING ? 2 : tag == CBS_ASN1_UNIVERSALSTRING ? 4 : 1;
    if (CBS_len(in) < unit) {
        CBS_get_bytes(in, out_raw, CBS_len(in));
        return false;
    }
    CBS_get_bytes(in, out_raw, unit);
    uint32_t c = 0;
    for (size_t i = 0; i < unit; i++) {
        c = c << 8 | CBS_data(out_raw)[i];
    }
    *out = c;
    if (unit != 1) {
        return c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
    }
    if (c < 0x80 || tag == CBS_ASN1_T61STRING) {
        return true; // T61String is Latin-1 in practice
    }
    size_t more = c >= 0xf0 && c < 0xf5 ? 3 : c >= 0xe0 && c < 0xf0 ? 2 : c >= 0xc2 && c < 0xe0;
    if (more == 0 || CBS_len(in) < more) {
        return false;
    }
    c &= 0x3fu >> more;
    for (size_t i = 0; i < more; i++) {
        uint8_t b = CBS_data(in)[i];
        if ((b & 0xc0) != 0x80) {
            return false;
        }
        c = c << 6 | (b & 0x3f);
    }
    uint8_t again[4];
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) || utf8_encode(c, again) != more + 1) {
        return false;
    }
    CBS_skip(in, more);
    *out = c;
    return true;
}

// plain_len returns how many bytes at the front of `value` are characters that show themselves,
// whatever stands around them: ASCII but for blanks and what RFC 4514 section 2.4 escapes.
static size_t plain_len(const CBS *value, unsigned tag) {
    const uint8_t *p = CBS_data(value);
    size_t max = tag == CBS_ASN1_BMPSTRING || tag == CBS_ASN1_UNIVERSALSTRING ? 0 : CBS_len(value);
    size_t len = 0;
    while (len < max && p[len] > '#' && p[len] < 0x7f && p[len] != '+' && p[len] != ',' &&
           p[len] != ';' && p[len] != '<' && p[len] != '>' && p[len] != '\\') {
        len++;
    }
    return len;
}

// line_add_plain moves `len` such bytes from `value` to the line, or as many as fit.
static void line_add_plain(struct line *line, CBS *value, size_t len) {
    size_t room = line->max - line->len;
    len = len < room ? len : room;
    line_add(line, (const char *)CBS_data(value), len);
    CBS_skip(value, len);
}

// `in_name` adds the escapes of RFC 4514 section 2.4.
static void line_add_value(struct line *line, CBS value, unsigned tag, bool in_name) {
    bool first = true;
    while (CBS_len(&value) != 0 && !line->cut) {
        size_t plain = plain_len(&value, tag);
        if (plain != 0 && line->len < line->max) {
            line_add_plain(line, &value, plain);
            first = false;
            continue;
        }
        uint32_t c;
        CBS raw;
        uint8_t utf8[4];
        if (!get_character(&value, tag, &c, &raw)) {
            line_add_hex(line, CBS_data(&raw), CBS_len(&raw));
        } else if (is_unprintable(c)) {
            line_add_hex(line, utf8, utf8_encode(c, utf8));
        } else {
            bool last = CBS_len(&value) == 0;
            bool special = c < 0x80 && strchr("\"+,;<>", (int)c) != NULL;
            bool edge = (c == ' ' && (first || last)) || (c == '#' && first);
            if (c == '\\' || (in_name && (special || edge))) {
                line_add(line, "\\", 1);
            }
            size_t n = utf8_encode(c, utf8);
            line_add(line, (const char *)utf8, n);
        }
        first = false;
    }
}

const char *cert_text_string(CBS value, unsigned tag, struct arena *arena) {
    struct line line;
    line.len = 0;
    line.max = CERT_TEXT_STRING_MAX;
    line.cut = false;
    line_add_value(&line, value, tag, false);
    return line_finish(&line, arena);
}

// Reads the next attribute of an RDN.
static bool get_attribute(CBS *rdn, CBS *out_oid, CBS *out_value, unsigned *out_tag) {
    CBS attribute;
    return CBS_get_asn1(rdn, &attribute, CBS_ASN1_SEQUENCE) &&
           CBS_get_asn1(&attribute, out_oid, CBS_ASN1_OBJECT) &&
           CBS_get_any_asn1(&attribute, out_value, out_tag) && CBS_len(&attribute) == 0;
}

static bool is_string(unsigned tag) {
    return tag == CBS_ASN1_UTF8STRING || tag == CBS_ASN1_PRINTABLESTRING ||
           tag == CBS_ASN1_IA5STRING || tag == CBS_ASN1_T61STRING || tag == CBS_ASN1_BMPSTRING ||
           tag == CBS_ASN1_UNIVERSALSTRING || tag == CBS_ASN1_NUMERICSTRING ||
           tag == CBS_ASN1_VISIBLESTRING;
}

static bool line_add_rdn(struct line *line, CBS rdn, struct arena *arena) {
    for (bool first = true; CBS_len(&rdn) != 0 && !line->cut; first = false) {
        CBS oid, value;
        unsigned tag;
        if (!get_attribute(&rdn, &oid, &value, &tag)) {
            return false;
        }
        line_add_string(line, first ? "" : "+");
        line_add_string(line, cert_oid_name(cert_oid_attributes, oid, arena));
        line_add_string(line, "=");
        if (is_string(tag)) {
            line_add_value(line, value, tag, true);
        } else {
            size_t shown = CBS_len(&value) < 32 ? CBS_len(&value) : 32;
            line_add_string(line, "#");
            line_add_string(line, cert_text_hex(CBS_data(&value), shown, arena));
        }
    }
    return true;
}

// More parts than any name has; a name of a million empty ones is cut here.
enum { MAX_RDNS = 64 };

bool cert_text_name(CBS name, struct arena *arena, const char **out) {
    CBS rdns[MAX_RDNS];
    size_t num_rdns = 0;
    bool ok = true;
    while (ok && CBS_len(&name) != 0 && num_rdns < MAX_RDNS) {
        ok = CBS_get_asn1(&name, &rdns[num_rdns], CBS_ASN1_SET);
        num_rdns += ok;
    }
    struct line line;
    line.len = 0;
    line.max = CERT_TEXT_NAME_MAX;
    line.cut = false;
    for (size_t i = num_rdns; i > 0; i--) {
        line_add_string(&line, i == num_rdns ? "" : ", ");
        ok = line_add_rdn(&line, rdns[i - 1], arena) && ok;
    }
    line.cut = line.cut || (ok && CBS_len(&name) != 0);
    *out = line_finish(&line, arena);
    return ok;
}

bool cert_text_attribute(CBS name, const char *attribute, CBS *out_value, unsigned *out_tag) {
    const struct cert_oid *wanted = cert_oid_named(cert_oid_attributes, attribute);
    bool found = false;
    CBS rdn, oid, value;
    unsigned tag;
    while (CBS_get_asn1(&name, &rdn, CBS_ASN1_SET)) {
        while (get_attribute(&rdn, &oid, &value, &tag)) {
            if (is_string(tag) && CBS_mem_equal(&oid, wanted->der, wanted->len)) {
                *out_value = value;
                *out_tag = tag;
                found = true;
            }
        }
    }
    return found;
}

const char *cert_text_hex(const uint8_t *p, size_t p_len, struct arena *arena) {
    static const char digits[] = "0123456789abcdef";
    char *text = arena_alloc(arena, p_len * 2 + 1);
    for (size_t i = 0; i < p_len; i++) {
        text[2 * i] = digits[p[i] >> 4];
        text[2 * i + 1] = digits[p[i] & 15];
    }
    return text;
}
