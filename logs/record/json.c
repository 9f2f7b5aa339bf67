#include "logs/record/json.h"

#include <pthread.h>
#include <string.h>

#include "logs/base/base64.h"
#include "logs/record/time.h"
#include "logs/record/utf8.h"

enum { CHUNK = 1024 };

// struct sink is the room at the end of `buf` while it is being filled: a record is some thousand
// small pieces, too many for a call of buf_append each.
struct sink {
    struct buf *buf;
    uint8_t *start, *p, *end;
};

static bool write_object(struct sink *sink, const struct obj *obj);

static void sink_close(struct sink *sink) {
    if (sink->p != sink->start) {
        buf_commit(sink->buf, (size_t)(sink->p - sink->start));
        sink->start = sink->p;
    }
}

// sink_grow makes room for `n` more bytes, or returns false at the ceiling.
static bool sink_grow(struct sink *sink, size_t n) {
    sink_close(sink);
    size_t want = n < CHUNK ? CHUNK : n, room = buf_room(sink->buf);
    want = want < room ? want : room;
    uint8_t *p = n <= want ? buf_reserve(sink->buf, want) : NULL;
    if (p == NULL) {
        return false;
    }
    sink->start = sink->p = p;
    sink->end = p + want;
    return true;
}

static bool has_room(struct sink *sink, size_t n) {
    return (size_t)(sink->end - sink->p) >= n || sink_grow(sink, n);
}

static bool put(struct sink *sink, const void *s, size_t s_len) {
    if (!has_room(sink, s_len)) {
        return false;
    }
    memcpy(sink->p, s, s_len);
    sink->p += s_len;
    return true;
}

static bool put_char(struct sink *sink, char c) {
    if (!has_room(sink, 1)) {
        return false;
    }
    *sink->p++ = (uint8_t)c;
    return true;
}

// put_name writes a string that is known to need no escapes: a key, a code point, a time.
static bool put_name(struct sink *sink, const char *s, size_t s_len) {
    if (!has_room(sink, s_len + 2)) {
        return false;
    }
    *sink->p++ = '"';
    memcpy(sink->p, s, s_len);
    sink->p += s_len;
    *sink->p++ = '"';
    return true;
}

static bool put_escape(struct sink *sink, uint8_t c) {
    static const char hex[] = "0123456789abcdef";
    static const char shorts[] = "\"\\\n\r\t", letters[] = "\"\\nrt";
    const char *known = c != 0 ? strchr(shorts, c) : NULL;
    if (known != NULL) {
        return put_char(sink, '\\') && put_char(sink, letters[known - shorts]);
    }
    char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    return put(sink, text, sizeof(text));
}

static bool is_plain(uint8_t c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

// plain_len returns how many bytes at the front of `p` need no escape: eight at a time as long as
// all eight are plain. A byte is not when one of the terms sets its highest bit: it has it set
// itself, lies below 0x20, is 0x7f, or becomes zero when '"' or '\\' is taken out of it. Carries
// can make a plain byte look odd, never an odd one plain.
static size_t plain_len(const uint8_t *p, size_t len) {
    const uint64_t ones = UINT64_MAX / 255, highs = ones * 0x80;
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        uint64_t x;
        memcpy(&x, p + i, 8);
        uint64_t quote = (x ^ ones * '"') - ones, backslash = (x ^ ones * '\\') - ones;
        if (((x | (x + ones) | (x - ones * 0x20) | quote | backslash) & highs) != 0) {
            break;
        }
    }
    while (i < len && is_plain(p[i])) {
        i++;
    }
    return i;
}

static bool put_string(struct sink *sink, const void *s, size_t s_len) {
    const uint8_t *p = s;
    if (plain_len(p, s_len) == s_len) {
        return put_name(sink, s, s_len);
    }
    bool ok = put_char(sink, '"');
    for (size_t i = 0; ok && i < s_len;) {
        size_t plain = plain_len(p + i, s_len - i);
        if (plain != 0) {
            ok = put(sink, p + i, plain);
            i += plain;
        } else if (p[i] < 0x80) {
            ok = put_escape(sink, p[i++]);
        } else {
            uint32_t code;
            size_t n = utf8_decode(&code, p + i, s_len - i);
            ok = n != 0 ? put(sink, p + i, n) : put(sink, "\xef\xbf\xbd", 3);
            i += n != 0 ? n : 1;
        }
    }
    return ok && put_char(sink, '"');
}

static bool put_base64(struct sink *sink, struct span span) {
    size_t len = base64_encoded_len(span.len);
    if (!has_room(sink, len + 2)) {
        return false;
    }
    *sink->p++ = '"';
    base64_encode((char *)sink->p, span.p, span.len);
    sink->p += len;
    *sink->p++ = '"';
    return true;
}

static bool put_int(struct sink *sink, int64_t value) {
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
    return put(sink, digits + at, sizeof(digits) - at);
}

static bool put_ms(struct sink *sink, int64_t us) {
    uint64_t abs = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
    unsigned frac = (unsigned)(abs % 1000);
    char tail[4] = {'.', (char)('0' + frac / 100), (char)('0' + frac / 10 % 10),
                    (char)('0' + frac % 10)};
    return (us >= 0 || put_char(sink, '-')) && put_int(sink, (int64_t)(abs / 1000)) &&
           put(sink, tail, sizeof(tail));
}

static bool put_code(struct sink *sink, const struct field_row *row, uint16_t code) {
    char name[CODEPOINT_NAME_MAX];
    const char *text = codepoint_name(row->extra, code, name);
    return put_name(sink, text, strlen(text));
}

static bool write_number(struct sink *sink, const struct field_row *row, int64_t i) {
    char text[TIME_TEXT_MAX];
    switch ((enum field_type)row->type) {
    case TYPE_INT:
        return put_int(sink, i);
    case TYPE_MS:
        return put_ms(sink, i);
    case TYPE_BOOL:
        return i != 0 ? put(sink, "true", 4) : put(sink, "false", 5);
    case TYPE_CODE:
        return put_code(sink, row, (uint16_t)i);
    case TYPE_TIME:
        time_format_ms(text, i);
        break;
    default:
        CHECK(row->type == TYPE_DATE);
        time_format(text, i, -1);
    }
    return put_name(sink, text, strlen(text));
}

static bool write_item(struct sink *sink, const struct obj *obj, enum field field, size_t i) {
    const struct field_row *row = field_row(field);
    switch ((enum field_type)row->type) {
    case TYPE_CODES:
        return put_code(sink, row, obj_code(obj, field, i));
    case TYPE_STRS:
        return put_string(sink, obj_item(obj, field, i).p, obj_item(obj, field, i).len);
    case TYPE_BYTES_LIST:
        return put_base64(sink, obj_item(obj, field, i));
    default:
        CHECK(row->type == TYPE_OBJS);
        return write_object(sink, obj_at(obj, field, i));
    }
}

static bool write_list(struct sink *sink, const struct obj *obj, enum field field) {
    size_t num = obj_num(obj, field);
    bool ok = put_char(sink, '[');
    for (size_t i = 0; ok && i < num; i++) {
        ok = (i == 0 || put_char(sink, ',')) && write_item(sink, obj, field, i);
    }
    return ok && put_char(sink, ']');
}

static bool write_value(struct sink *sink, const struct obj *obj, enum field field) {
    const struct field_row *row = field_row(field);
    int64_t i = 0;
    switch ((enum field_type)row->type) {
    case TYPE_STR:
        return put_string(sink, obj_span(obj, field).p, obj_span(obj, field).len);
    case TYPE_BYTES:
        return put_base64(sink, obj_span(obj, field));
    case TYPE_OBJ:
        return write_object(sink, obj_get(obj, field));
    case TYPE_CODES:
    case TYPE_STRS:
    case TYPE_BYTES_LIST:
    case TYPE_OBJS:
        return write_list(sink, obj, field);
    default:
        CHECK(obj_int(obj, field, &i));
        return write_number(sink, row, i);
    }
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

// put_closing closes one object for each dot in `path`.
static bool put_closing(struct sink *sink, const char *path) {
    bool ok = true;
    for (; ok && *path != '\0'; path++) {
        ok = *path != '.' || put_char(sink, '}');
    }
    return ok;
}

// write_path closes the nested objects of path `last` that `path` does not share, opens its own and
// writes the last component with its colon.
static bool write_path(struct sink *sink, const char *last, const char *path) {
    size_t shared = shared_len(last, path);
    bool ok = put_closing(sink, last + shared) && (*last == '\0' || put_char(sink, ','));
    // Each dot becomes `":{"`, and three characters stand around them all.
    size_t len = strlen(path + shared);
    if (!ok || !has_room(sink, len * 4 + 3)) {
        return false;
    }
    uint8_t *p = sink->p;
    *p++ = '"';
    for (const char *c = path + shared; *c != '\0'; c++) {
        if (*c == '.') {
            memcpy(p, "\":{\"", 4);
            p += 4;
        } else {
            *p++ = (uint8_t)*c;
        }
    }
    *p++ = '"';
    *p++ = ':';
    sink->p = p;
    return true;
}

// put_next_key writes the key of a field that stands beside the one before.
static bool put_next_key(struct sink *sink, const char *key, size_t key_len) {
    if (!has_room(sink, key_len + 4)) {
        return false;
    }
    uint8_t *p = sink->p;
    *p++ = ',';
    *p++ = '"';
    memcpy(p, key, key_len);
    p += key_len;
    *p++ = '"';
    *p++ = ':';
    sink->p = p;
    return true;
}

// The length of each field's path without its last component: made once and kept.
static uint8_t parent_lens[FIELD_COUNT];
static pthread_once_t parent_lens_once = PTHREAD_ONCE_INIT;

static void parent_lens_make(void) {
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const char *path = field_row((enum field)i)->path, *dot = strrchr(path, '.');
        parent_lens[i] = (uint8_t)(dot != NULL ? dot + 1 - path : 0);
    }
}

static bool write_object(struct sink *sink, const struct obj *obj) {
    const struct kind_row *kind = kind_row(obj_kind(obj));
    const char *last = "";
    size_t last_parent = 0;
    bool ok = put_char(sink, '{');
    enum field field = obj_next(obj, kind->first);
    for (; ok && field < kind->end; field = obj_next(obj, field + 1)) {
        const struct field_row *row = field_row(field);
        size_t parent = parent_lens[field];
        if (*last != '\0' && parent == last_parent && memcmp(row->path, last, parent) == 0) {
            ok = put_next_key(sink, row->path + parent, row->path_len - parent);
        } else {
            ok = write_path(sink, last, row->path);
        }
        ok = ok && write_value(sink, obj, field);
        last = row->path;
        last_parent = parent;
    }
    return ok && put_closing(sink, last) && put_char(sink, '}');
}

bool json_write(struct buf *out, const struct obj *obj) {
    struct sink sink = {.buf = out};
    CHECK(pthread_once(&parent_lens_once, parent_lens_make) == 0);
    bool ok = write_object(&sink, obj);
    sink_close(&sink);
    return ok;
}

bool json_write_string(struct buf *out, const void *s, size_t s_len) {
    struct sink sink = {.buf = out};
    bool ok = put_string(&sink, s, s_len);
    sink_close(&sink);
    return ok;
}
