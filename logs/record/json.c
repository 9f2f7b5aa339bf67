#include "logs/record/json.h"

#include <string.h>

#include "logs/base/base64.h"
#include "logs/record/time.h"
#include "logs/record/utf8.h"

static bool put(struct buf *out, const char *s) { return buf_append(out, s, strlen(s)); }

static bool escape(struct buf *out, uint8_t c) {
    switch (c) {
    case '"':
        return put(out, "\\\"");
    case '\\':
        return put(out, "\\\\");
    case '\n':
        return put(out, "\\n");
    case '\r':
        return put(out, "\\r");
    case '\t':
        return put(out, "\\t");
    default:
        return buf_printf(out, "\\u%04x", c);
    }
}

bool json_write_string(struct buf *out, const void *s, size_t s_len) {
    const uint8_t *p = s;
    bool ok = put(out, "\"");
    for (size_t i = 0; ok && i < s_len;) {
        size_t plain = i;
        while (plain < s_len && p[plain] >= 0x20 && p[plain] < 0x7f && p[plain] != '"' &&
               p[plain] != '\\') {
            plain++;
        }
        if (plain > i) {
            ok = buf_append(out, p + i, plain - i);
            i = plain;
        } else if (p[i] < 0x80) {
            ok = escape(out, p[i++]);
        } else {
            uint32_t code;
            size_t n = utf8_decode(&code, p + i, s_len - i);
            ok = n != 0 ? buf_append(out, p + i, n) : put(out, "\xef\xbf\xbd");
            i += n != 0 ? n : 1;
        }
    }
    return ok && put(out, "\"");
}

static bool write_base64(struct buf *out, struct span span) {
    size_t len = base64_encoded_len(span.len);
    uint8_t *to = buf_reserve(out, len + 2);
    if (to == NULL) {
        return false;
    }
    to[0] = '"';
    base64_encode((char *)to + 1, span.p, span.len);
    to[len + 1] = '"';
    buf_commit(out, len + 2);
    return true;
}

static bool write_int(struct buf *out, int64_t value) {
    char digits[24];
    size_t at = sizeof(digits);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (value < 0) {
        digits[--at] = '-';
    }
    return buf_append(out, digits + at, sizeof(digits) - at);
}

static bool write_ms(struct buf *out, int64_t us) {
    uint64_t abs = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
    unsigned frac = (unsigned)(abs % 1000);
    char tail[4] = {'.', (char)('0' + frac / 100), (char)('0' + frac / 10 % 10),
                    (char)('0' + frac % 10)};
    return (us >= 0 || put(out, "-")) && write_int(out, (int64_t)(abs / 1000)) &&
           buf_append(out, tail, sizeof(tail));
}

static bool write_code(struct buf *out, const struct field_row *row, uint16_t code) {
    char name[CODEPOINT_NAME_MAX];
    const char *text = codepoint_name(row->extra, code, name);
    return json_write_string(out, text, strlen(text));
}

static bool write_scalar(struct buf *out, const struct obj *obj, enum field field) {
    const struct field_row *row = field_row(field);
    char text[TIME_TEXT_MAX];
    int64_t i = 0;
    switch ((enum field_type)row->type) {
    case TYPE_STR:
        return json_write_string(out, obj_span(obj, field).p, obj_span(obj, field).len);
    case TYPE_BYTES:
        return write_base64(out, obj_span(obj, field));
    case TYPE_OBJ:
        return json_write(out, obj_get(obj, field));
    default:
        CHECK(obj_int(obj, field, &i));
    }
    switch ((enum field_type)row->type) {
    case TYPE_INT:
        return write_int(out, i);
    case TYPE_MS:
        return write_ms(out, i);
    case TYPE_BOOL:
        return put(out, i != 0 ? "true" : "false");
    case TYPE_CODE:
        return write_code(out, row, (uint16_t)i);
    case TYPE_TIME:
        time_format_ms(text, i);
        break;
    default:
        CHECK(row->type == TYPE_DATE);
        time_format(text, i, -1);
    }
    return json_write_string(out, text, strlen(text));
}

static bool write_item(struct buf *out, const struct obj *obj, enum field field, size_t i) {
    const struct field_row *row = field_row(field);
    switch ((enum field_type)row->type) {
    case TYPE_CODES:
        return write_code(out, row, obj_code(obj, field, i));
    case TYPE_STRS:
        return json_write_string(out, obj_item(obj, field, i).p, obj_item(obj, field, i).len);
    case TYPE_BYTES_LIST:
        return write_base64(out, obj_item(obj, field, i));
    default:
        CHECK(row->type == TYPE_OBJS);
        return json_write(out, obj_at(obj, field, i));
    }
}

static bool write_value(struct buf *out, const struct obj *obj, enum field field) {
    enum field_type type = field_row(field)->type;
    if (type != TYPE_CODES && type != TYPE_STRS && type != TYPE_BYTES_LIST && type != TYPE_OBJS) {
        return write_scalar(out, obj, field);
    }
    bool ok = put(out, "[");
    for (size_t i = 0; ok && i < obj_num(obj, field); i++) {
        ok = (i == 0 || put(out, ",")) && write_item(out, obj, field, i);
    }
    return ok && put(out, "]");
}

// shared_len returns the length of the longest prefix of whole components, with their dots, that
// the paths `a` and `b` share, leaving out each path's last component.
static size_t shared_len(const char *a, const char *b) {
    size_t shared = 0;
    for (size_t i = 0; a[i] != '\0' && a[i] == b[i]; i++) {
        if (a[i] == '.') {
            shared = i + 1;
        }
    }
    return shared;
}

static size_t num_dots(const char *s) {
    size_t num = 0;
    for (; *s != '\0'; s++) {
        num += *s == '.';
    }
    return num;
}

// write_path closes the nested objects of path `last` that `path` does not share, opens its own and
// writes the last component with its colon.
static bool write_path(struct buf *out, const char *last, const char *path) {
    size_t shared = shared_len(last, path);
    bool ok = true;
    for (size_t close = num_dots(last + shared); ok && close > 0; close--) {
        ok = put(out, "}");
    }
    ok = ok && (*last == '\0' || put(out, ","));
    for (const char *p = path + shared; ok; p = strchr(p, '.') + 1) {
        const char *dot = strchr(p, '.');
        ok = json_write_string(out, p, dot != NULL ? (size_t)(dot - p) : strlen(p)) &&
             put(out, dot != NULL ? ":{" : ":");
        if (dot == NULL) {
            break;
        }
    }
    return ok;
}

bool json_write(struct buf *out, const struct obj *obj) {
    const struct kind_row *kind = kind_row(obj_kind(obj));
    const char *last = "";
    bool ok = put(out, "{");
    for (enum field field = kind->first; ok && field < kind->end; field++) {
        if (obj_has(obj, field)) {
            const char *path = field_row(field)->path;
            ok = write_path(out, last, path) && write_value(out, obj, field);
            last = path;
        }
    }
    for (size_t close = num_dots(last); ok && close > 0; close--) {
        ok = put(out, "}");
    }
    return ok && put(out, "}");
}
