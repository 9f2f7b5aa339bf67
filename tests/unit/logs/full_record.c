#include "tests/unit/logs/full_record.h"

#include <stdio.h>

static void fill(struct obj *obj, int salt);

static void fill_list(struct obj *obj, enum field field, int salt) {
    const struct field_row *row = field_row(field);
    char text[64];
    size_t num_codes;
    const struct codepoint *codes = NULL;
    if (row->type == TYPE_CODES) {
        codes = codepoint_list(row->extra, &num_codes);
    }
    for (int i = 0; i < 2; i++) {
        int n = snprintf(text, sizeof(text), "%s %d-%d", row->label, salt, i);
        switch ((enum field_type)row->type) {
        case TYPE_CODES:
            obj_add_code(obj, field, codes[(size_t)(salt + i) % num_codes].code);
            break;
        case TYPE_STRS:
            obj_add_str(obj, field, text, (size_t)n);
            break;
        case TYPE_BYTES_LIST:
            obj_add_bytes(obj, field, text, (size_t)(n - i));
            break;
        default:
            fill(obj_add(obj, field), salt + i);
        }
    }
}

static void fill_field(struct obj *obj, enum field field, int salt) {
    const struct field_row *row = field_row(field);
    size_t num_codes;
    switch ((enum field_type)row->type) {
    case TYPE_STR:
        obj_set_strf(obj, field, "%s \"%d\" \xc3\xa9", row->label, salt);
        return;
    case TYPE_BYTES:
        obj_set_bytes(obj, field, "\x00\xff\x10\x80", 2 + (size_t)(salt % 3));
        return;
    case TYPE_CODE:
        obj_set_int(obj, field, codepoint_list(row->extra, &num_codes)[salt % 2].code);
        return;
    case TYPE_BOOL:
        obj_set_int(obj, field, salt % 2);
        return;
    case TYPE_TIME:
        obj_set_int(obj, field, 1795209543120 + salt);
        return;
    case TYPE_DATE:
        obj_set_int(obj, field, 1795209543 + salt);
        return;
    case TYPE_INT:
    case TYPE_MS:
        obj_set_int(obj, field, 1000 * salt + 7);
        return;
    case TYPE_OBJ:
        fill(obj_sub(obj, field), salt + 1);
        return;
    default:
        fill_list(obj, field, salt);
    }
}

static void fill(struct obj *obj, int salt) {
    const struct kind_row *kind = kind_row(obj_kind(obj));
    for (enum field field = kind->first; field < kind->end; field++) {
        if (field_row(field)->held == field) {
            fill_field(obj, field, salt++);
        }
    }
}

struct record *full_record_new(void) {
    struct record *record = record_new();
    fill(record->root, 1);
    obj_set_str(record->root, F_RECORD_SCHEMA, SCHEMA_VERSION);
    return record;
}
