#include "logs/store/record_read.h"

#include <stdlib.h>
#include <string.h>

#include "logs/base/base64.h"
#include "logs/record/time.h"

static bool read_object(struct obj *obj, const json_t *json, struct err *err);

static bool expected(struct err *err, const char *what) {
    return err_set(err, ": expected %s", what);
}

static bool read_bytes(uint8_t **out, size_t *out_len, const json_t *json, struct err *err) {
    if (!json_is_string(json)) {
        return expected(err, "a string of base64");
    }
    size_t len = json_string_length(json);
    *out = xmalloc(len / 4 * 3 + 1);
    if (!base64_decode(*out, out_len, json_string_value(json), len)) {
        free(*out);
        return expected(err, "padded base64");
    }
    return true;
}

static bool read_code(uint16_t *out, enum field field, const json_t *json, struct err *err) {
    if (!json_is_string(json)) {
        return expected(err, "the name of a code point");
    }
    if (!codepoint_parse(field_row(field)->extra, out, json_string_value(json))) {
        return err_set(err, ": \"%.60s\" is no code point that this version knows",
                       json_string_value(json));
    }
    return true;
}

// read_ms makes microseconds of a number of milliseconds.
static bool read_ms(int64_t *out, const json_t *json) {
    double ms = json_number_value(json);
    if (!json_is_number(json) || ms > 1e12 || ms < -1e12) {
        return false;
    }
    *out = (int64_t)(ms * 1000 + (ms < 0 ? -0.5 : 0.5));
    return true;
}

static bool read_int(int64_t *out, enum field field, const json_t *json, struct err *err) {
    int64_t seconds;
    int ms;
    uint16_t code;
    switch ((enum field_type)field_row(field)->type) {
    case TYPE_BOOL:
        *out = json_is_true(json);
        return json_is_boolean(json) || expected(err, "true or false");
    case TYPE_MS:
        return read_ms(out, json) || expected(err, "a number of milliseconds");
    case TYPE_TIME:
    case TYPE_DATE:
        if (!json_is_string(json) || !time_parse(&seconds, &ms, json_string_value(json))) {
            return expected(err, "a time like \"2026-11-20T21:19:03Z\"");
        }
        *out = field_row(field)->type == TYPE_TIME ? seconds * 1000 + ms : seconds;
        return true;
    case TYPE_CODE:
        if (!read_code(&code, field, json, err)) {
            return false;
        }
        *out = code;
        return true;
    default:
        CHECK(field_row(field)->type == TYPE_INT);
        *out = json_integer_value(json);
        return json_is_integer(json) || expected(err, "a whole number");
    }
}

static bool read_item(struct obj *obj, enum field field, const json_t *json, struct err *err) {
    uint16_t code;
    uint8_t *bytes;
    size_t len;
    switch ((enum field_type)field_row(field)->type) {
    case TYPE_CODES:
        if (!read_code(&code, field, json, err)) {
            return false;
        }
        obj_add_code(obj, field, code);
        return true;
    case TYPE_STRS:
        if (!json_is_string(json)) {
            return expected(err, "a string");
        }
        obj_add_str(obj, field, json_string_value(json), json_string_length(json));
        return true;
    case TYPE_BYTES_LIST:
        if (!read_bytes(&bytes, &len, json, err)) {
            return false;
        }
        obj_add_bytes(obj, field, bytes, len);
        free(bytes);
        return true;
    default:
        return read_object(obj_add(obj, field), json, err);
    }
}

static bool read_list(struct obj *obj, enum field field, const json_t *json, struct err *err) {
    if (!json_is_array(json)) {
        return expected(err, "an array");
    }
    obj_touch(obj, field);
    for (size_t i = 0; i < json_array_size(json); i++) {
        if (!read_item(obj, field, json_array_get(json, i), err)) {
            return err_prefix(err, "[%zu]", i);
        }
    }
    return true;
}

static bool read_value(struct obj *obj, enum field field, const json_t *json, struct err *err) {
    int64_t i = 0;
    uint8_t *bytes;
    size_t len;
    switch ((enum field_type)field_row(field)->type) {
    case TYPE_STR:
        if (!json_is_string(json)) {
            return expected(err, "a string");
        }
        obj_set_strn(obj, field, json_string_value(json), json_string_length(json));
        return true;
    case TYPE_BYTES:
        if (!read_bytes(&bytes, &len, json, err)) {
            return false;
        }
        obj_set_bytes(obj, field, bytes, len);
        free(bytes);
        return true;
    case TYPE_OBJ:
        return read_object(obj_sub(obj, field), json, err);
    case TYPE_CODES:
    case TYPE_STRS:
    case TYPE_BYTES_LIST:
    case TYPE_OBJS:
        return read_list(obj, field, json, err);
    default:
        if (!read_int(&i, field, json, err)) {
            return false;
        }
        obj_set_int(obj, field, i);
        return true;
    }
}

bool record_read_field(struct obj *obj, enum field field, const json_t *json, struct err *err) {
    return read_value(obj, field, json, err) || err_prefix(err, "%s", field_row(field)->path);
}

// follow returns the value at `path` below `json`, or NULL. Where an object should be and is not,
// it returns false.
static bool follow(const json_t **out, const json_t *json, const char *path, struct err *err) {
    for (const char *p = path;; p = strchr(p, '.') + 1) {
        size_t len = strcspn(p, ".");
        json = json_object_getn(json, p, len);
        if (json == NULL || p[len] == '\0') {
            *out = json;
            return true;
        }
        if (!json_is_object(json)) {
            return err_set(err, "%.*s: expected an object", (int)(p + len - path), path);
        }
    }
}

static bool read_object(struct obj *obj, const json_t *json, struct err *err) {
    if (!json_is_object(json)) {
        return expected(err, "an object");
    }
    const struct kind_row *kind = kind_row(obj_kind(obj));
    for (enum field field = kind->first; field < kind->end; field++) {
        const json_t *value = NULL;
        bool ok = follow(&value, json, field_row(field)->path, err);
        if (ok && value != NULL && field_row(field)->held == field) {
            ok = record_read_field(obj, field, value, err);
        }
        if (!ok) {
            // ".path" inside another object, "path" at the root.
            return obj_kind(obj) == KIND_RECORD ? false : err_prefix(err, ".");
        }
    }
    return true;
}

bool record_read_done(const struct obj *root, struct err *err) {
    const char *schema = obj_str(root, F_RECORD_SCHEMA);
    size_t major = strcspn(SCHEMA_VERSION, ".") + 1;
    if (schema == NULL || strncmp(schema, SCHEMA_VERSION, major) != 0) {
        return err_set(err, "schema: \"%.20s\" is not a version that this program reads (%s)",
                       schema != NULL ? schema : "", SCHEMA_VERSION);
    }
    if (!obj_has(root, F_RECORD_ID)) {
        return err_set(err, "id: missing");
    }
    return true;
}

struct record *record_read(const char *line, size_t line_len, struct err *err) {
    json_error_t error;
    json_t *json = json_loadb(line, line_len, JSON_ALLOW_NUL, &error);
    if (json == NULL) {
        err_set(err, "byte %d: %s", error.position, error.text);
        return NULL;
    }
    struct record *record = record_new();
    obj_unset(record->root, F_RECORD_SCHEMA);
    bool ok = json_is_object(json) ? read_object(record->root, json, err)
                                   : err_set(err, "expected an object");
    json_decref(json);
    if (!ok || !record_read_done(record->root, err)) {
        record_free(record);
        return NULL;
    }
    return record;
}
