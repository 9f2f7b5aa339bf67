#include "policy/profiles/profile_manual.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "policy/profiles/profile.h"
#include "tests/unit/unit.h"

enum { MAX = 1024 * 1024 };

static json_t *schema_load(void) {
    struct buf out;
    buf_init(&out, MAX);
    CU_ASSERT_TRUE_FATAL(profile_print_schema(&out));
    json_t *schema =
        json_loadb((const char *)buf_data(&out), out.len, JSON_REJECT_DUPLICATES, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(schema);
    buf_cleanup(&out);
    return schema;
}

static void test_file_is_fresh(void) {
    json_t *schema = schema_load(), *file = json_load_file("policy/profiles/schema.json", 0, NULL);
    bool same = json_equal(schema, file);
    if (!same) {
        printf("\n    stale: tlsblame profiles schema >policy/profiles/schema.json\n");
    }
    CU_ASSERT_TRUE(same);
    json_decref(schema);
    json_decref(file);
}

static json_t *resolve(json_t *root, json_t *schema) {
    const char *ref = json_string_value(json_object_get(schema, "$ref"));
    return ref == NULL ? schema
                       : json_object_get(json_object_get(root, "$defs"), ref + strlen("#/$defs/"));
}

// fits checks keys, words and bounds: what the schema adds to types.
static bool fits(json_t *root, json_t *schema, const json_t *value) {
    schema = resolve(root, schema);
    json_t *words = json_object_get(schema, "enum");
    bool found = words == NULL;
    for (size_t i = 0; i < json_array_size(words); i++) {
        found = found || json_equal(json_array_get(words, i), value);
    }
    const char *name;
    json_t *inner;
    json_object_foreach((json_t *)(uintptr_t)value, name, inner) {
        json_t *property = json_object_get(json_object_get(schema, "properties"), name);
        found = found && property != NULL && fits(root, property, inner);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        found = found && fits(root, json_object_get(schema, "items"), json_array_get(value, i));
    }
    json_t *max = json_object_get(schema, "maximum");
    return found && (max == NULL || json_number_value(value) <= json_number_value(max));
}

static void test_profiles_fit_the_schema(void) {
    json_t *schema = schema_load();
    for (size_t i = 0; i < profile_num_builtin(); i++) {
        size_t len;
        const char *text = profile_builtin_text(i, &len);
        json_t *profile = json_loadb(text, len, 0, NULL);
        CU_ASSERT_TRUE(fits(schema, schema, profile));
        CU_ASSERT_EQUAL(json_object_set_new(profile, "nome", json_true()), 0);
        CU_ASSERT_FALSE(fits(schema, schema, profile));
        json_decref(profile);
    }
    json_decref(schema);
}

static void test_keys(void) {
    struct buf out;
    buf_init(&out, MAX);
    CU_ASSERT_TRUE_FATAL(profile_print_keys(&out));
    CU_ASSERT_TRUE_FATAL(buf_append(&out, "", 1));
    const char *text = (const char *)buf_data(&out);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nKeys of client_leg:\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nresidual_seconds\n    value    a number from 0 to"));
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        CU_ASSERT_TRUE(strcspn(line, "\n") <= 80);
    }
    buf_cleanup(&out);
    buf_init(&out, 100);
    CU_ASSERT_FALSE(profile_print_keys(&out));
    buf_cleanup(&out);
}

const struct unit_case unit_cases[] = {
    {"file is fresh", test_file_is_fresh},
    {"profiles fit the schema", test_profiles_fit_the_schema},
    {"keys", test_keys},
    {NULL, NULL},
};
