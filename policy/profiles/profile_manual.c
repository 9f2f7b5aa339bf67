#include "policy/profiles/profile_manual.h"

#include <stdlib.h>
#include <string.h>

#include "policy/config/wrap.h"
#include "policy/profiles/knob_value.h"
#include "policy/profiles/profile.h"

static bool print_preset(struct buf *out, const struct knob *knob) {
    json_t *preset = knob_preset_json(knob);
    char *text = preset != NULL ? json_dumps(preset, JSON_ENCODE_ANY) : NULL;
    bool ok = text == NULL || wrap_text(out, 13, "    default", text);
    free(text);
    json_decref(preset);
    return ok;
}

static bool print_knob(struct buf *out, const struct knob *knob) {
    char expected[KNOB_EXPECTED_MAX];
    knob_expected(expected, knob);
    return buf_printf(out, "\n%s\n", knob->name) && wrap_text(out, 13, "    value", expected) &&
           print_preset(out, knob) && wrap_text(out, 4, "", knob->help);
}

bool profile_print_keys(struct buf *out) {
    bool ok = true;
    for (int object = 0; object < KNOB_NUM_OBJECTS; object++) {
        const struct knob_set *set = knob_set((enum knob_object)object);
        ok = ok && buf_printf(out, "%sKeys of %s%s:\n", object == 0 ? "" : "\n\n", set->noun,
                              object == 0 ? ", which is a JSON object" : "");
        for (size_t i = 0; i < set->num; i++) {
            ok = ok && print_knob(out, &set->knobs[i]);
        }
    }
    return ok;
}

static void set(json_t *to, const char *key, json_t *value) {
    CHECK(value != NULL && json_object_set_new(to, key, value) == 0);
}

// The name of an object among the definitions: its noun without the article.
static const char *object_name(enum knob_object object) {
    const char *noun = knob_set(object)->noun;
    return strncmp(noun, "a ", 2) == 0 ? noun + 2 : noun;
}

static json_t *object_ref(enum knob_object object) {
    return json_pack("{s:o}", "$ref", json_sprintf("#/$defs/%s", object_name(object)));
}

static json_t *words_schema(const char *const *words) {
    json_t *list = json_array();
    for (size_t i = 0; words[i] != NULL; i++) {
        CHECK(json_array_append_new(list, json_string(words[i])) == 0);
    }
    return json_pack("{s:o}", "enum", list);
}

static json_t *symptoms_schema(void) {
    json_t *properties = json_object();
    for (size_t i = 0; i < PROFILE_NUM_CLIENTS; i++) {
        set(properties, profile_client_name(i), json_pack("{s:s}", "type", "string"));
    }
    return json_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties,
                     "additionalProperties", 0);
}

// item_schema is that of a value, or of one item of a list.
static json_t *item_schema(const struct knob *knob) {
    static const char *const VERSIONS[] = {"any", "1.0", "1.1", "1.2", "1.3", NULL};
    switch (knob->type) {
    case KNOB_BOOL:
    case KNOB_NOT:
    case KNOB_TRI:
        return json_pack("{s:s}", "type", "boolean");
    case KNOB_WORD:
        return words_schema(knob->words);
    case KNOB_NUMBER:
    case KNOB_BYTE:
    case KNOB_SHORT:
        return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", (json_int_t)knob->min,
                         "maximum", (json_int_t)knob->max);
    case KNOB_PROBABILITY:
        return json_pack("{s:s, s:i, s:i}", "type", "number", "minimum", 0, "maximum", 1);
    case KNOB_VERSION:
        return words_schema(VERSIONS);
    case KNOB_ALERT:
        return json_pack("{s:[s, s]}", "type", "string", "integer");
    case KNOB_SYMPTOMS:
        return symptoms_schema();
    case KNOB_INSIDE:
        return object_ref((enum knob_object)knob->inside);
    case KNOB_REACTIONS:
        return object_ref(KNOB_REACTION);
    default:
        return json_pack("{s:s, s:i}", "type", "string", "minLength", 1);
    }
}

static json_t *knob_schema(const struct knob *knob) {
    json_t *item = item_schema(knob);
    CHECK(item != NULL);
    json_t *schema = item;
    if ((knob->type >= KNOB_TEXTS && knob->type <= KNOB_CODES) || knob->type == KNOB_REACTIONS) {
        int max = knob->type == KNOB_REACTIONS ? PROFILE_MAX_REACTIONS : PROFILE_MAX_LIST;
        schema = json_pack("{s:s, s:o, s:i}", "type", "array", "items", item, "maxItems", max);
    }
    char expected[KNOB_EXPECTED_MAX];
    knob_expected(expected, knob);
    set(schema, "description", json_sprintf("%s Expected: %s.", knob->help, expected));
    return schema;
}

static json_t *object_schema(enum knob_object object) {
    const struct knob_set *knobs = knob_set(object);
    json_t *properties = json_object();
    for (size_t i = 0; i < knobs->num; i++) {
        set(properties, knobs->knobs[i].name, knob_schema(&knobs->knobs[i]));
    }
    return json_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties,
                     "additionalProperties", 0);
}

bool profile_print_schema(struct buf *out) {
    json_t *defs = json_object();
    for (int object = 0; object < KNOB_NUM_OBJECTS; object++) {
        set(defs, object_name((enum knob_object)object), object_schema((enum knob_object)object));
    }
    json_t *schema = json_pack(
        "{s:s, s:s, s:o, s:[s], s:o}", "$schema", "https://json-schema.org/draft/2020-12/schema",
        "title", "tlsblame profile", "$ref", json_sprintf("#/$defs/%s", object_name(KNOB_PROFILE)),
        "required", "name", "$defs", defs);
    char *text = json_dumps(schema, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    CHECK(text != NULL);
    bool ok = buf_printf(out, "%s\n", text);
    free(text);
    json_decref(schema);
    return ok;
}
