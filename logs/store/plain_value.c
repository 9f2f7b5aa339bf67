#include "logs/store/plain_value.h"

#include <string.h>

#include "logs/record/time.h"
#include "logs/store/json_skip.h"

enum { NAME_MAX_LEN = 80 }; // of a time or a code point, with its NUL

bool plain_string(struct span *out, struct span text) {
    if (text.len < 2 || text.p[0] != '"') {
        return false;
    }
    *out = (struct span){text.p + 1, text.len - 2};
    for (size_t i = 0; i < out->len; i++) {
        if (out->p[i] == '\\' || out->p[i] < ' ' || out->p[i] >= 0x7f) {
            return false;
        }
    }
    return true;
}

// plain_name copies a plain string to where a NUL can follow it.
static bool plain_name(char out[NAME_MAX_LEN], struct span text) {
    struct span string;
    if (!plain_string(&string, text) || string.len >= NAME_MAX_LEN) {
        return false;
    }
    memcpy(out, string.p, string.len);
    out[string.len] = '\0';
    return true;
}

static bool plain_int(int64_t *out, struct span text) {
    *out = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] < '0' || text.p[i] > '9' || i == 18) {
            return false;
        }
        *out = *out * 10 + (text.p[i] - '0');
    }
    return text.len != 0 && (text.len == 1 || text.p[0] != '0');
}

static bool plain_time(int64_t *out, enum field_type type, struct span text) {
    char name[NAME_MAX_LEN];
    int64_t seconds;
    int ms;
    if (!plain_name(name, text) || !time_parse(&seconds, &ms, name)) {
        return false;
    }
    *out = type == TYPE_TIME ? seconds * 1000 + ms : seconds;
    return true;
}

// plain_item adds one item to CODES or STRS.
static bool plain_item(struct obj *obj, enum field field, struct span text) {
    char name[NAME_MAX_LEN];
    struct span string;
    uint16_t code;
    if (field_row(field)->type == TYPE_STRS) {
        if (!plain_string(&string, text)) {
            return false;
        }
        obj_add_str(obj, field, string.p, string.len);
        return true;
    }
    if (!plain_name(name, text) || !codepoint_parse(field_row(field)->extra, &code, name)) {
        return false;
    }
    obj_add_code(obj, field, code);
    return true;
}

// plain_list reads a list of plain strings without space between them.
static bool plain_list(struct obj *obj, enum field field, struct span text) {
    const char *p = (const char *)text.p + 1, *end = p + text.len - 2;
    if (text.len < 2 || *text.p != '[') {
        return false;
    }
    obj_touch(obj, field);
    while (p < end) {
        const char *next = *p == '"' ? json_string_end(p + 1, end) : NULL;
        if (next == NULL ||
            !plain_item(obj, field, (struct span){(const uint8_t *)p, (size_t)(next - p)})) {
            return false;
        }
        p = next;
        if (p < end && *p++ != ',') {
            return false;
        }
    }
    return true;
}

bool plain_value(struct obj *obj, enum field field, struct span text) {
    enum field_type type = field_row(field)->type;
    char name[NAME_MAX_LEN];
    struct span string;
    uint16_t code = 0;
    int64_t value = 0;
    switch (type) {
    case TYPE_STR:
        if (!plain_string(&string, text)) {
            return false;
        }
        obj_set_strn(obj, field, string.p, string.len);
        return true;
    case TYPE_CODES:
    case TYPE_STRS:
        return plain_list(obj, field, text);
    case TYPE_INT:
        if (!plain_int(&value, text)) {
            return false;
        }
        break;
    case TYPE_BOOL:
        value = text.len == 4 && memcmp(text.p, "true", 4) == 0;
        if (value == 0 && (text.len != 5 || memcmp(text.p, "false", 5) != 0)) {
            return false;
        }
        break;
    case TYPE_TIME:
    case TYPE_DATE:
        if (!plain_time(&value, type, text)) {
            return false;
        }
        break;
    case TYPE_CODE:
        if (!plain_name(name, text) || !codepoint_parse(field_row(field)->extra, &code, name)) {
            return false;
        }
        value = code;
        break;
    default:
        return false;
    }
    obj_set_int(obj, field, value);
    return true;
}
