#include "policy/config/policy.h"

#include <jansson.h>
#include <libgen.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/base/arena.h"
#include "policy/config/closest.h"
#include "policy/config/key.h"
#include "policy/config/reader.h"
#include "policy/config/value.h"

struct policy {
    atomic_uint refs;
    struct arena arena;
    size_t num_rules; // the defaults, which come last, included
    struct policy_rule *rules;
};

struct policy *policy_ref(struct policy *policy) {
    atomic_fetch_add(&policy->refs, 1);
    return policy;
}

void policy_unref(struct policy *policy) {
    if (policy != NULL && atomic_fetch_sub(&policy->refs, 1) == 1) {
        arena_cleanup(&policy->arena);
        free(policy);
    }
}

size_t policy_num_rules(const struct policy *policy) { return policy->num_rules; }

const struct policy_rule *policy_rule(const struct policy *policy, size_t i) {
    CHECK(i < policy->num_rules);
    return &policy->rules[i];
}

static bool refuse_key(struct reader *reader, enum object object, const char *name) {
    struct closest closest = {.word = name};
    char keys[512];
    size_t len = 0;
    for (const struct key *key = key_next(object, NULL), *next; key != NULL; key = next) {
        next = key_next(object, key);
        const char *before = len == 0 ? "" : next != NULL ? ", " : " or ";
        int n = snprintf(keys + len, sizeof(keys) - len, "%s\"%s\"", before, key->name);
        CHECK(n > 0 && (size_t)n < sizeof(keys) - len);
        len += (size_t)n;
        closest_offer(&closest, key->name);
    }
    reader_enter_key(reader, name);
    bool close = closest.name != NULL;
    return reader_refuse(reader, "unknown key, expected %s%s%s%s", keys,
                         close ? "; did you mean \"" : "", close ? closest.name : "",
                         close ? "\"?" : "");
}

// read_object reads the keys of `json` that have their place in a rule.
static bool read_object(struct reader *reader, struct policy_rule *rule, enum object object,
                        json_t *json) {
    if (!reader_expect_object(reader, json)) {
        return false;
    }
    const char *name;
    json_t *value;
    json_object_foreach(json, name, value) {
        const struct key *key = key_find(object, name);
        if (key == NULL) {
            return refuse_key(reader, object, name);
        }
        size_t back = reader_enter_key(reader, name);
        if (key->type == TYPE_OBJECT ? !read_object(reader, rule, key->inside, value)
                                     : !value_read(reader, rule, key, value)) {
            return false;
        }
        reader_leave(reader, back);
    }
    return true;
}

// preset_object gives the keys of `object`, but not those that stand in `except` too, the values
// that they have without a file.
static void preset_object(struct reader *reader, struct policy_rule *rule, enum object object,
                          enum object except) {
    for (const struct key *key = key_next(object, NULL); key != NULL; key = key_next(object, key)) {
        if ((key->in & except) != 0) {
            continue;
        }
        if (key->type == TYPE_OBJECT) {
            preset_object(reader, rule, key->inside, except);
            continue;
        }
        json_t *json = json_loads(key->preset, JSON_DECODE_ANY, NULL);
        CHECK(json != NULL && value_read(reader, rule, key, json));
        json_decref(json);
    }
}

static bool check_bounds(struct reader *reader, const struct leg_policy *leg, const char *name) {
    if (leg->max_version == 0 || leg->min_version <= leg->max_version) {
        return true;
    }
    reader_enter_key(reader, name);
    return reader_refuse(reader,
                         "expected \"min_version\" to be at most \"max_version\", "
                         "found \"1.%d\" and \"1.%d\"",
                         leg->min_version - 0x0301, leg->max_version - 0x0301);
}

static bool check_profile(struct reader *reader, const struct policy_rule *rule) {
    if (rule->action != ACTION_EMULATE || rule->profile[0] != '\0') {
        return true;
    }
    reader_enter_key(reader, "profile");
    return reader_refuse(reader, "expected the name of a profile to emulate, found none");
}

// read_rule reads a rule or the defaults over what `rule` holds already.
static bool read_rule(struct reader *reader, struct policy_rule *rule, enum object object,
                      json_t *json) {
    return read_object(reader, rule, object, json) && check_profile(reader, rule) &&
           check_bounds(reader, &rule->client_leg, "client_leg") &&
           check_bounds(reader, &rule->server_leg, "server_leg");
}

// read_over reads what the program's caller has for the defaults; it is not from the user.
static void read_over(struct reader *reader, struct policy_rule *defaults, const char *over) {
    json_t *json = json_loads(over, 0, NULL);
    CHECK(json != NULL && read_rule(reader, defaults, OBJECT_DEFAULT, json));
    json_decref(json);
}

// read_default reads the defaults over the presets; `over` and `json` may be NULL.
static bool read_default(struct reader *reader, struct policy_rule *defaults, const char *over,
                         json_t *json) {
    size_t back = reader_enter_key(reader, "default");
    defaults->path = arena_dup(reader->arena, reader->path, reader->path_len);
    preset_object(reader, defaults, OBJECT_DEFAULT, 0);
    if (over != NULL) {
        read_over(reader, defaults, over);
    }
    if (json != NULL && !read_rule(reader, defaults, OBJECT_DEFAULT, json)) {
        return false;
    }
    reader_leave(reader, back);
    return true;
}

// read_rules reads `num` rules, each over the defaults and over matchers that match everything.
static bool read_rules(struct reader *reader, struct policy_rule *rules, size_t num,
                       const struct policy_rule *defaults, const json_t *json) {
    struct policy_rule base = *defaults;
    preset_object(reader, &base, OBJECT_RULE, OBJECT_DEFAULT);
    size_t back = reader_enter_key(reader, "rules");
    for (size_t i = 0; i < num; i++) {
        size_t back_item = reader_enter_item(reader, i);
        rules[i] = base;
        rules[i].index = i;
        rules[i].path = arena_dup(reader->arena, reader->path, reader->path_len);
        if (!read_rule(reader, &rules[i], OBJECT_RULE, json_array_get(json, i))) {
            return false;
        }
        reader_leave(reader, back_item);
    }
    reader_leave(reader, back);
    return true;
}

static bool expect_rules(struct reader *reader, const json_t *json) {
    size_t num = json_array_size(json);
    if (json == NULL || (json_is_array(json) && num <= POLICY_MAX_RULES)) {
        return true;
    }
    reader_enter_key(reader, "rules");
    char shown[READER_SHOW_MAX];
    reader_show(shown, json);
    if (num > POLICY_MAX_RULES) {
        snprintf(shown, sizeof(shown), "%zu", num);
    }
    return reader_refuse(reader, "expected a list of at most %d rules, found %s", POLICY_MAX_RULES,
                         shown);
}

// read_policy reads the whole file. The defaults go first, wherever they stand, because the rules
// take from them what they leave out.
static bool read_policy(struct reader *reader, struct policy *policy, const char *over,
                        json_t *json) {
    if (!reader_expect_object(reader, json)) {
        return false;
    }
    const char *name;
    json_t *value;
    json_object_foreach(json, name, value) {
        if (key_find(OBJECT_FILE, name) == NULL) {
            return refuse_key(reader, OBJECT_FILE, name);
        }
    }
    const json_t *rules = json_object_get(json, "rules");
    if (!expect_rules(reader, rules)) {
        return false;
    }
    size_t num = json_array_size(rules);
    policy->num_rules = num + 1;
    policy->rules = arena_alloc(&policy->arena, policy->num_rules * sizeof(*policy->rules));
    struct policy_rule *defaults = &policy->rules[num];
    defaults->index = num;
    return read_default(reader, defaults, over, json_object_get(json, "default")) &&
           read_rules(reader, policy->rules, num, defaults, rules);
}

// parse is policy_parse over the defaults `over`, which may be NULL.
static struct policy *parse(const char *name, const char *text, size_t text_len, const char *dir,
                            const char *over, struct err *err) {
    struct policy *policy = xcalloc(1, sizeof(*policy));
    atomic_init(&policy->refs, 1);
    struct reader reader = {.name = name, .dir = dir, .arena = &policy->arena, .err = err};
    bool ok = text_len <= POLICY_MAX_LEN ||
              reader_refuse(&reader, "expected at most %d bytes", POLICY_MAX_LEN);
    json_t *json = ok ? reader_json(&reader, text, text_len) : NULL;
    ok = json != NULL && read_policy(&reader, policy, over, json);
    json_decref(json);
    if (!ok) {
        policy_unref(policy);
        return NULL;
    }
    return policy;
}

struct policy *policy_parse(const char *name, const char *text, size_t text_len, const char *dir,
                            struct err *err) {
    return parse(name, text, text_len, dir, NULL, err);
}

struct policy *policy_default(void) {
    struct policy *policy = policy_parse("default", "{}", 2, NULL, NULL);
    CHECK(policy != NULL);
    return policy;
}

// folder_of returns the absolute folder of `path`, so that printed paths hold anywhere.
static char *folder_of(const char *path) {
    char *copy = xstrdup(path), *folder = realpath(dirname(copy), NULL);
    free(copy);
    return folder;
}

struct policy *policy_load(const char *path, struct err *err) {
    return policy_load_over(path, NULL, err);
}

struct policy *policy_load_over(const char *path, const char *over, struct err *err) {
    if (path == NULL) {
        return parse("default", "{}", 2, NULL, over, err);
    }
    size_t text_len;
    char *text = reader_file(&text_len, path, POLICY_MAX_LEN, err);
    if (text == NULL) {
        return NULL;
    }
    char *folder = folder_of(path);
    struct policy *policy = NULL;
    if (folder == NULL) {
        err_errno(err, "%s", path);
    } else {
        policy = parse(path, text, text_len, folder, over, err);
    }
    free(text);
    free(folder);
    return policy;
}
