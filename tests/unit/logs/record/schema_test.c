#include "logs/record/schema.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "logs/record/json.h"
#include "tests/unit/logs/full_record.h"
#include "tests/unit/unit.h"

enum { MAX = 4 * 1024 * 1024 };

// file_is returns whether the committed file holds what `make` writes.
static bool file_is(const char *path, bool (*make)(struct buf *out)) {
    struct buf wanted, is;
    buf_init(&wanted, MAX);
    buf_init(&is, MAX);
    CU_ASSERT_FATAL(make(&wanted));
    FILE *f = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    uint8_t *to = buf_reserve(&is, MAX);
    CU_ASSERT_PTR_NOT_NULL_FATAL(to);
    buf_commit(&is, fread(to, 1, MAX, f));
    fclose(f);
    bool same = is.len == wanted.len && memcmp(buf_data(&is), buf_data(&wanted), is.len) == 0;
    if (!same) {
        printf("\n    %s is stale: bazel run //logs/record:schema_gen \"$PWD/logs/record\"\n",
               path);
    }
    buf_cleanup(&wanted);
    buf_cleanup(&is);
    return same;
}

static void test_files_are_fresh(void) {
    CU_ASSERT(file_is("logs/record/schema.json", schema_write_json));
    CU_ASSERT(file_is("logs/record/schema.md", schema_write_markdown));
}

static json_t *schema_load(void) {
    struct buf out;
    buf_init(&out, MAX);
    CU_ASSERT_FATAL(schema_write_json(&out));
    json_t *schema =
        json_loadb((const char *)buf_data(&out), out.len, JSON_REJECT_DUPLICATES, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(schema);
    buf_cleanup(&out);
    return schema;
}

static bool type_fits(const char *type, const json_t *value) {
    return (strcmp(type, "object") == 0 && json_is_object(value)) ||
           (strcmp(type, "array") == 0 && json_is_array(value)) ||
           (strcmp(type, "string") == 0 && json_is_string(value)) ||
           (strcmp(type, "integer") == 0 && json_is_integer(value)) ||
           (strcmp(type, "number") == 0 && json_is_number(value)) ||
           (strcmp(type, "boolean") == 0 && json_is_boolean(value));
}

// resolve follows "#/$defs/NAME".
static const json_t *resolve(const json_t *root, const json_t *schema) {
    const char *ref = json_string_value(json_object_get(schema, "$ref"));
    if (ref == NULL) {
        return schema;
    }
    CU_ASSERT_FATAL(strncmp(ref, "#/$defs/", 8) == 0);
    schema = json_object_get(json_object_get(root, "$defs"), ref + 8);
    CU_ASSERT_PTR_NOT_NULL_FATAL(schema);
    return schema;
}

// valid knows what our schema uses of JSON Schema, and takes a key that the schema does not name
// for an error, which a real validator would not.
static bool valid(const json_t *root, const json_t *schema, const json_t *value) {
    schema = resolve(root, schema);
    const char *type = json_string_value(json_object_get(schema, "type"));
    if (type == NULL || !type_fits(type, value)) {
        return false;
    }
    size_t i;
    json_t *item, *name;
    json_array_foreach(json_object_get(schema, "required"), i, name) {
        if (json_object_get(value, json_string_value(name)) == NULL) {
            return false;
        }
    }
    const char *key;
    json_object_foreach((json_t *)(uintptr_t)value, key, item) {
        const json_t *property = json_object_get(json_object_get(schema, "properties"), key);
        if (property == NULL || !valid(root, property, item)) {
            printf("\n    at %s\n", key);
            return false;
        }
    }
    json_array_foreach(value, i, item) {
        if (!valid(root, json_object_get(schema, "items"), item)) {
            return false;
        }
    }
    return true;
}

static json_t *full_json(void) {
    struct record *record = full_record_new();
    struct buf out;
    buf_init(&out, MAX);
    CU_ASSERT_FATAL(json_write(&out, record->root));
    json_t *json = json_loadb((const char *)buf_data(&out), out.len, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(json);
    buf_cleanup(&out);
    record_free(record);
    return json;
}

static void test_a_full_record_is_valid(void) {
    json_t *schema = schema_load(), *json = full_json();
    CU_ASSERT(valid(schema, schema, json));
    json_decref(json);
    json_decref(schema);
}

static void test_others_are_not(void) {
    json_t *schema = schema_load();
    json_t *json = full_json();
    json_object_set_new(json, "port", json_string("443"));
    CU_ASSERT_FALSE(valid(schema, schema, json));
    json_decref(json);
    json = full_json();
    json_object_del(json, "id");
    CU_ASSERT_FALSE(valid(schema, schema, json));
    json_decref(json);
    json = full_json();
    json_object_set_new(json_object_get(json_object_get(json, "legs"), "client"), "chain",
                        json_object());
    CU_ASSERT_FALSE(valid(schema, schema, json));
    json_decref(json);
    json_decref(schema);
}

static void test_every_field_is_documented(void) {
    struct buf out;
    buf_init(&out, MAX);
    CU_ASSERT(schema_write_markdown(&out) && buf_append(&out, "", 1));
    for (enum field field = 0; field < FIELD_COUNT; field++) {
        CU_ASSERT_PTR_NOT_NULL(strstr((const char *)buf_data(&out), field_row(field)->path));
        CU_ASSERT_PTR_NOT_NULL(strstr((const char *)buf_data(&out), field_row(field)->doc));
    }
    CU_ASSERT_PTR_NULL(strstr((const char *)buf_data(&out), "(null)"));
    buf_cleanup(&out);
}

const struct unit_case unit_cases[] = {
    {"the committed files are fresh", test_files_are_fresh},
    {"a full record is valid", test_a_full_record_is_valid},
    {"other records are not", test_others_are_not},
    {"every field is documented", test_every_field_is_documented},
    {NULL, NULL},
};
