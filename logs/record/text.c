#include "logs/record/text.h"

#include <inttypes.h>
#include <string.h>

#include "logs/record/time.h"

enum { TEXT_MAX = 16 * 1024 };

static void put(struct buf *out, const void *s, size_t s_len) {
    size_t room = buf_room(out);
    CHECK(buf_append(out, s, s_len < room ? s_len : room));
}

void text_write_plain(struct buf *out, const void *s, size_t s_len) {
    const uint8_t *p = s;
    for (size_t i = 0; i < s_len; i++) {
        // C1 controls are two bytes in UTF-8: 0xc2 and 0x80 to 0x9f.
        bool c1 = p[i] == 0xc2 && i + 1 < s_len && p[i + 1] >= 0x80 && p[i + 1] <= 0x9f;
        if (p[i] < 0x20 || p[i] == 0x7f || c1) {
            (void)buf_printf(out, "\\x%02x", c1 ? p[++i] : p[i]);
        } else {
            put(out, p + i, 1);
        }
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

static void write_int(struct buf *out, enum field field, int64_t i) {
    char text[TIME_TEXT_MAX];
    switch ((enum field_type)field_row(field)->type) {
    case TYPE_MS:
        (void)buf_printf(out, "%.1f ms", (double)i / 1000);
        return;
    case TYPE_BOOL:
        (void)buf_printf(out, "%s", i != 0 ? "yes" : "no");
        return;
    case TYPE_TIME:
    case TYPE_DATE:
        if (field_row(field)->type == TYPE_TIME) {
            time_format(text, i / 1000, (int)(i % 1000));
        } else {
            time_format(text, i, -1);
        }
        (void)buf_printf(out, "%s", text);
        return;
    case TYPE_CODE:
        write_code(out, field, (uint16_t)i);
        return;
    default:
        (void)buf_printf(out, "%" PRId64, i);
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
