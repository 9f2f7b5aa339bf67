// A policy back into text, and the manual of its keys.
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config/key.h"
#include "policy/config/policy.h"
#include "policy/config/value.h"
#include "policy/config/wrap.h"

// object_json returns the keys of `object` with their values in `rule`.
static json_t *object_json(const struct policy_rule *rule, enum object object) {
    json_t *json = json_object();
    CHECK(json != NULL);
    for (const struct key *key = key_next(object, NULL); key != NULL; key = key_next(object, key)) {
        json_t *value =
            key->type == TYPE_OBJECT ? object_json(rule, key->inside) : value_json(rule, key);
        CHECK(json_object_set_new(json, key->name, value) == 0);
    }
    return json;
}

// print_rule appends a rule or the defaults, a line a key.
static bool print_rule(struct buf *out, const struct policy_rule *rule, enum object object,
                       int indent) {
    bool ok = buf_printf(out, "{");
    json_t *json = object_json(rule, object), *value;
    const char *name, *before = "";
    json_object_foreach(json, name, value) {
        char *text = json_dumps(value, JSON_ENCODE_ANY);
        CHECK(text != NULL);
        ok = ok && buf_printf(out, "%s\n%*s\"%s\": %s", before, indent + 2, "", name, text);
        free(text);
        before = ",";
    }
    json_decref(json);
    return ok && buf_printf(out, "\n%*s}", indent, "");
}

bool policy_print(struct buf *out, const struct policy *policy) {
    bool ok = buf_printf(out, "{\n  \"rules\": [");
    size_t num = policy_num_rules(policy) - 1;
    for (size_t i = 0; i < num; i++) {
        ok = ok && buf_printf(out, i == 0 ? "\n    " : ",\n    ") &&
             print_rule(out, policy_rule(policy, i), OBJECT_RULE, 4);
    }
    return ok && buf_printf(out, num == 0 ? "],\n  \"default\": " : "\n  ],\n  \"default\": ") &&
           print_rule(out, policy_rule(policy, num), OBJECT_DEFAULT, 2) && buf_printf(out, "\n}\n");
}

static bool print_object_keys(struct buf *out, const char *prefix, enum object object);

static bool print_key(struct buf *out, const char *prefix, const struct key *key) {
    char expected[VALUE_EXPECTED_MAX], name[64];
    value_expected(expected, key);
    snprintf(name, sizeof(name), "%s%s", prefix, key->name);
    bool ok = buf_printf(out, "\n%s%s\n", name, key->in == OBJECT_RULE ? "  (rules only)" : "") &&
              wrap_text(out, 13, "    value", expected) &&
              wrap_text(out, 13, "    default", key->preset) && wrap_text(out, 4, "", key->help);
    if (key->type == TYPE_OBJECT) {
        strcat(name, ".");
        return ok && print_object_keys(out, name, key->inside);
    }
    return ok;
}

static bool print_object_keys(struct buf *out, const char *prefix, enum object object) {
    bool ok = true;
    for (const struct key *key = key_next(object, NULL); key != NULL; key = key_next(object, key)) {
        ok = ok && print_key(out, prefix, key);
    }
    return ok;
}

bool policy_print_keys(struct buf *out) {
    return buf_printf(out, "A policy file is a JSON object:\n") &&
           print_object_keys(out, "", OBJECT_FILE) &&
           buf_printf(out, "\nKeys of each rule and of \"default\":\n") &&
           print_object_keys(out, "", OBJECT_RULE);
}
