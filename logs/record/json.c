#include "logs/record/json.h"

#include <pthread.h>
#include <string.h>

#include "logs/base/base64.h"
#include "logs/base/decimal.h"
#include "logs/record/code_text.h"
#include "logs/record/obj_inside.h"
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

static inline bool has_room(struct sink *sink, size_t n) {
    return (size_t)(sink->end - sink->p) >= n || sink_grow(sink, n);
}

static inline bool put(struct sink *sink, const void *s, size_t s_len) {
    if (!has_room(sink, s_len)) {
        return false;
    }
    memcpy(sink->p, s, s_len);
    sink->p += s_len;
    return true;
}

static inline bool put_char(struct sink *sink, char c) {
    if (!has_room(sink, 1)) {
        return false;
    }
    *sink->p++ = (uint8_t)c;
    return true;
}

// put_name writes a string that is known to need no escapes: a key, a code point, a time.
static inline bool put_name(struct sink *sink, const char *s, size_t s_len) {
    if (!has_room(sink, s_len + 2)) {
        return false;
    }
    uint8_t *to = sink->p;
    *to++ = '"';
    memcpy(to, s, s_len);
    to[s_len] = '"';
    sink->p = to + s_len + 1;
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

// are_plain returns whether the eight bytes of `x` are all plain. A byte is not when one of the
// terms sets its highest bit: it has it set itself, lies below 0x20, is 0x7f, or becomes zero when
// '"' or '\\' is taken out of it. Carries can make a plain byte look odd, never an odd one plain.
static inline bool are_plain(uint64_t x) {
    const uint64_t ones = UINT64_MAX / 255, highs = ones * 0x80;
    uint64_t quote = (x ^ ones * '"') - ones, backslash = (x ^ ones * '\\') - ones;
    return ((x | (x + ones) | (x - ones * 0x20) | quote | backslash) & highs) == 0;
}

// copy_eight copies eight bytes and returns whether all are plain; copy_few does so with four to
// eight, two times four that may overlap.
static inline bool copy_eight(uint8_t *to, const uint8_t *from) {
    uint64_t x;
    memcpy(&x, from, sizeof(x));
    memcpy(to, &x, sizeof(x));
    return are_plain(x);
}

static inline bool copy_few(uint8_t *to, const uint8_t *from, size_t len) {
    uint32_t a, b;
    memcpy(&a, from, sizeof(a));
    memcpy(&b, from + len - sizeof(b), sizeof(b));
    memcpy(to, &a, sizeof(a));
    memcpy(to + len - sizeof(b), &b, sizeof(b));
    return are_plain(a | (uint64_t)b << 32);
}

// copy_plain copies from the front of `p` what needs no escape and returns how many bytes that are:
// eight at a time as long as all eight are plain, the last eight at once with some that were
// copied. What it writes behind them, up to `len`, is of no use.
static size_t copy_plain(uint8_t *to, const uint8_t *p, size_t len) {
    size_t i = 0;
    while (i + 8 <= len && copy_eight(to + i, p + i)) {
        i += 8;
    }
    if (i + 8 > len && len >= 4 &&
        (len >= 8 ? copy_eight(to + len - 8, p + len - 8) : copy_few(to, p, len))) {
        return len;
    }
    for (; i < len && is_plain(p[i]); i++) {
        to[i] = p[i];
    }
    return i;
}

// put_odd writes the character at the front of `p`, which is not plain, and returns how many bytes
// it takes there, or 0 at the ceiling.
static size_t put_odd(struct sink *sink, const uint8_t *p, size_t len) {
    if (p[0] < 0x80) {
        return put_escape(sink, p[0]) ? 1 : 0;
    }
    uint32_t code;
    size_t n = utf8_decode(&code, p, len);
    if (n == 0) {
        return put(sink, "\xef\xbf\xbd", 3) ? 1 : 0;
    }
    return put(sink, p, n) ? n : 0;
}

static bool put_string(struct sink *sink, const void *s, size_t s_len) {
    const uint8_t *p = s, *end = p + s_len;
    if (!put_char(sink, '"')) {
        return false;
    }
    for (;;) {
        size_t rest = (size_t)(end - p);
        if (!has_room(sink, rest + 1)) {
            return false;
        }
        size_t plain = copy_plain(sink->p, p, rest);
        sink->p += plain;
        p += plain;
        if (p == end) {
            *sink->p++ = '"';
            return true;
        }
        size_t odd = put_odd(sink, p, (size_t)(end - p));
        if (odd == 0) {
            return false;
        }
        p += odd;
    }
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
    if (!has_room(sink, 1 + DECIMAL_MAX)) {
        return false;
    }
    *sink->p = '-';
    sink->p += value < 0;
    sink->p += decimal_write((char *)sink->p, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
    return true;
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
    const struct codepoint *known = codepoint_find(row->extra, code);
    if (known != NULL) {
        return put_name(sink, known->name, known->name_len);
    }
    char name[CODEPOINT_NAME_MAX];
    const char *text = codepoint_name(row->extra, code, name);
    return put_name(sink, text, strlen(text));
}

static bool put_time(struct sink *sink, int64_t i, bool ms) {
    char text[TIME_TEXT_MAX];
    if (ms) {
        time_format_ms(text, i);
    } else {
        time_format(text, i, -1);
    }
    return put_name(sink, text, strlen(text));
}

static bool write_item(struct sink *sink, const struct field_row *row, const struct value *value,
                       size_t i) {
    switch ((enum field_type)row->type) {
    case TYPE_CODES:
        return put_code(sink, row, value->codes[i]);
    case TYPE_STRS:
        return put_string(sink, value->spans[i].p, value->spans[i].len);
    case TYPE_BYTES_LIST:
        return put_base64(sink, value->spans[i]);
    default:
        CHECK(row->type == TYPE_OBJS);
        return write_object(sink, value->objs[i]);
    }
}

static bool write_list(struct sink *sink, const struct field_row *row, const struct value *value) {
    bool ok = put_char(sink, '[');
    for (size_t i = 0; ok && i < value->num; i++) {
        ok = (i == 0 || put_char(sink, ',')) && write_item(sink, row, value, i);
    }
    return ok && put_char(sink, ']');
}

// write_codes takes the text of a list from those written lately: every hello has four of them, and
// most hellos are like one before.
static bool write_codes(struct sink *sink, const struct field_row *row, const struct value *value) {
    struct span text = code_text_find(row->extra, value->codes, value->num);
    if (text.p != NULL) {
        return put(sink, text.p, text.len);
    }
    size_t before = sink->buf->len + (size_t)(sink->p - sink->start);
    if (!write_list(sink, row, value)) {
        return false;
    }
    sink_close(sink);
    const uint8_t *written = buf_data(sink->buf) + before;
    code_text_keep(row->extra, value->codes, value->num,
                   (struct span){written, sink->buf->len - before});
    return true;
}

static bool write_value(struct sink *sink, const struct field_row *row, const struct value *value) {
    struct span span = {value->p, value->num};
    switch ((enum field_type)row->type) {
    case TYPE_STR:
        return put_string(sink, span.p, span.len);
    case TYPE_BYTES:
        return put_base64(sink, span);
    case TYPE_OBJ:
        return write_object(sink, value->obj);
    case TYPE_CODES:
        return write_codes(sink, row, value);
    case TYPE_STRS:
    case TYPE_BYTES_LIST:
    case TYPE_OBJS:
        return write_list(sink, row, value);
    case TYPE_INT:
        return put_int(sink, value->i);
    case TYPE_MS:
        return put_ms(sink, value->i);
    case TYPE_BOOL:
        return value->i != 0 ? put(sink, "true", 4) : put(sink, "false", 5);
    case TYPE_CODE:
        return put_code(sink, row, (uint16_t)value->i);
    case TYPE_TIME:
    case TYPE_DATE:
        return put_time(sink, value->i, row->type == TYPE_TIME);
    }
    CHECK(false);
}

// struct path is a field's path as JSON, `"tls":{"client":{"ja3":`, with where each component
// begins and a number for each object on the way that fields of one kind have in common.
enum { PATH_DEPTH = 4, PATH_STEP = 16, PATH_TEXT = 64 + PATH_STEP };

struct path {
    uint8_t text_len, depth; // objects around the last component
    uint8_t begins[PATH_DEPTH + 1];
    uint16_t nodes[PATH_DEPTH];
    char text[PATH_TEXT];
};

// Made once and kept; `slots` is where an object holds each field.
static struct path paths[FIELD_COUNT];
static uint8_t slots[FIELD_COUNT];
static pthread_once_t paths_once = PTHREAD_ONCE_INIT;

// node_of numbers the object whose path is the first `len` bytes of that of `field`, after the
// first field of its kind that is inside.
static uint16_t node_of(enum field field, size_t len) {
    const struct field_row *row = field_row(field);
    enum field first = kind_row(row->kind)->first;
    while (strncmp(field_row(first)->path, row->path, len + 1) != 0) {
        first++;
    }
    return (uint16_t)first;
}

static void path_make(struct path *path, enum field field) {
    const char *from = field_row(field)->path;
    char *to = path->text;
    CHECK(field_row(field)->path_len + 3 * (PATH_DEPTH + 1) <= PATH_TEXT - PATH_STEP);
    *to++ = '"';
    for (size_t i = 0; from[i] != '\0'; i++) {
        if (from[i] == '.') {
            CHECK(path->depth < PATH_DEPTH);
            path->nodes[path->depth++] = node_of(field, i);
            memcpy(to, "\":{", 3);
            to += 3;
            path->begins[path->depth] = (uint8_t)(to - path->text);
            *to++ = '"';
        } else {
            *to++ = from[i];
        }
    }
    *to++ = '"';
    *to++ = ':';
    path->text_len = (uint8_t)(to - path->text);
}

static void paths_make(void) {
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct field_row *row = field_row((enum field)i);
        path_make(&paths[i], (enum field)i);
        slots[i] = (uint8_t)(row->held - kind_row(row->kind)->first);
    }
}

// write_path closes the objects of `last` that are not those of `path`, writes `before`, opens the
// others and writes the last component.
static bool write_path(struct sink *sink, const struct path *last, char before,
                       const struct path *path) {
    size_t shared = 0;
    if (!has_room(sink, PATH_DEPTH + 1 + PATH_TEXT)) {
        return false;
    }
    uint8_t *to = sink->p;
    while (shared < last->depth && shared < path->depth &&
           last->nodes[shared] == path->nodes[shared]) {
        shared++;
    }
    for (size_t i = shared; i < last->depth; i++) {
        *to++ = '}';
    }
    *to++ = (uint8_t)before;
    size_t begins = path->begins[shared], len = path->text_len - begins;
    // Sixteen at a time, past the end: quicker than a copy whose length is not known.
    for (size_t i = 0; i < len; i += PATH_STEP) {
        memcpy(to + i, path->text + begins + i, PATH_STEP);
    }
    sink->p = to + len;
    return true;
}

static bool write_object(struct sink *sink, const struct obj *obj) {
    static const struct path none;
    struct span kept = obj_json(obj);
    if (kept.p != NULL) {
        return put(sink, kept.p, kept.len);
    }
    const struct kind_row *kind = kind_row(obj->kind);
    const struct path *last = &none;
    char before = '{';
    for (enum field field = kind->first; field < kind->end; field++) {
        uint8_t slot = obj->slot[slots[field]];
        if (slot == 0) {
            continue;
        }
        if (!write_path(sink, last, before, &paths[field]) ||
            !write_value(sink, &field_rows[field], &obj->values[slot - 1])) {
            return false;
        }
        last = &paths[field];
        before = ',';
    }
    bool ok = before == ',' || put_char(sink, '{');
    for (size_t i = 0; ok && i < last->depth; i++) {
        ok = put_char(sink, '}');
    }
    return ok && put_char(sink, '}');
}

bool json_write(struct buf *out, const struct obj *obj) {
    struct sink sink = {.buf = out};
    CHECK(pthread_once(&paths_once, paths_make) == 0);
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
