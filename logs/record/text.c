#include "logs/record/text.h"

#include <string.h>

#include "logs/record/time.h"
#include "logs/record/utf8.h"

enum { TEXT_MAX = 16 * 1024 };

static void put(struct buf *out, const void *s, size_t s_len) {
    size_t room = buf_room(out);
    CHECK(buf_append(out, s, s_len < room ? s_len : room));
}

// hidden returns whether a terminal would act on `code` instead of showing it: controls, and the
// marks that reorder or hide the text around them.
static bool hidden(uint32_t code) {
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0xad || code == 0x61c ||
           (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
           (code >= 0xfff9 && code <= 0xfffb) || code >= 0xe0000;
}

void text_write_plain(struct buf *out, const void *s, size_t s_len) {
    const uint8_t *p = s;
    for (size_t i = 0; i < s_len;) {
        uint32_t code = 0;
        size_t n = utf8_decode(&code, p + i, s_len - i);
        if (n == 0 || (n <= 2 && hidden(code))) {
            (void)buf_printf(out, "\\x%02x", n == 2 ? code : p[i]);
        } else if (hidden(code)) {
            (void)buf_printf(out, "\\u%04x", code);
        } else if (buf_room(out) >= n) {
            put(out, p + i, n);
        }
        i += n != 0 ? n : 1;
    }
}

static void write_code(struct buf *out, enum field field, uint16_t code) {
    char name[CODEPOINT_NAME_MAX];
    const char *text = codepoint_name(field_row(field)->extra, code, name);
    put(out, text, strlen(text));
}

// write_object shows the fields of a small object in its table's order: "x25519 32".
static void write_object(struct buf *out, const struct obj *obj) {
    const struct kind_row *kind = kind_row(obj_kind(obj));
    const char *space = "";
    for (enum field field = kind->first; field < kind->end; field++) {
        if (obj_has(obj, field)) {
            put(out, space, strlen(space));
            text_write(out, obj, field);
            space = " ";
        }
    }
}

void text_write_item(struct buf *out, const struct obj *obj, enum field field, size_t i) {
    switch ((enum field_type)field_row(field)->type) {
    case TYPE_CODES:
        write_code(out, field, obj_code(obj, field, i));
        return;
    case TYPE_STRS:
        text_write_plain(out, obj_item(obj, field, i).p, obj_item(obj, field, i).len);
        return;
    case TYPE_BYTES_LIST:
        (void)buf_printf(out, "%zu bytes", obj_item(obj, field, i).len);
        return;
    default:
        write_object(out, obj_at(obj, field, i));
    }
}

static void put_int(struct buf *out, int64_t i) {
    char digits[24];
    size_t at = sizeof(digits);
    uint64_t rest = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (i < 0) {
        digits[--at] = '-';
    }
    put(out, digits + at, sizeof(digits) - at);
}

static void write_int(struct buf *out, enum field field, int64_t i) {
    char text[TIME_TEXT_MAX];
    switch ((enum field_type)field_row(field)->type) {
    case TYPE_MS:
        (void)buf_printf(out, "%.1f ms", (double)i / 1000);
        return;
    case TYPE_BOOL:
        put(out, i != 0 ? "yes" : "no", i != 0 ? 3 : 2);
        return;
    case TYPE_TIME:
        time_format_ms(text, i);
        put(out, text, strlen(text));
        return;
    case TYPE_DATE:
        time_format(text, i, -1);
        put(out, text, strlen(text));
        return;
    case TYPE_CODE:
        write_code(out, field, (uint16_t)i);
        return;
    default:
        put_int(out, i);
    }
}

void text_write(struct buf *out, const struct obj *obj, enum field field) {
    int64_t i;
    if (!obj_has(obj, field)) {
        return;
    }
    switch ((enum field_type)field_row(field)->type) {
    case TYPE_STR:
        text_write_plain(out, obj_span(obj, field).p, obj_span(obj, field).len);
        return;
    case TYPE_BYTES:
        (void)buf_printf(out, "%zu bytes", obj_span(obj, field).len);
        return;
    case TYPE_OBJ:
        write_object(out, obj_get(obj, field));
        return;
    case TYPE_CODES:
    case TYPE_STRS:
    case TYPE_BYTES_LIST:
    case TYPE_OBJS:
        for (size_t item = 0; item < obj_num(obj, field); item++) {
            put(out, ", ", item == 0 ? 0 : 2);
            text_write_item(out, obj, field, item);
        }
        return;
    default:
        CHECK(obj_int(obj, field, &i));
        write_int(out, field, i);
    }
}

const char *text_dup(struct arena *into, const struct obj *obj, enum field field) {
    if (!obj_has(obj, field)) {
        return NULL;
    }
    struct buf text;
    buf_init(&text, TEXT_MAX);
    text_write(&text, obj, field);
    const char *copy = arena_dup(into, buf_data(&text), text.len);
    buf_cleanup(&text);
    return copy;
}

const char *text_or_empty(struct arena *into, const struct obj *obj, enum field field) {
    const char *text = text_dup(into, obj, field);
    return text != NULL ? text : "";
}
