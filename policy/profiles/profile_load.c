// From what the user names to a profile: built-in ones, files, and several of them put together.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config/closest.h"
#include "policy/config/reader.h"
#include "policy/profiles/profile_json.h"

static const struct {
    const char *name, *text;
} BUILTIN[] = {
#include "policy/profiles/builtin.inc"
};

size_t profile_num_builtin(void) { return ARRAY_LEN(BUILTIN); }

const char *profile_builtin_name(size_t i) {
    CHECK(i < ARRAY_LEN(BUILTIN));
    return BUILTIN[i].name;
}

const char *profile_builtin_text(size_t i, size_t *out_len) {
    CHECK(i < ARRAY_LEN(BUILTIN));
    *out_len = strlen(BUILTIN[i].text);
    return BUILTIN[i].text;
}

static bool is_path(const char *spec) {
    size_t len = strlen(spec);
    return strchr(spec, '/') != NULL || (len > 5 && strcmp(spec + len - 5, ".json") == 0);
}

// builtin_text returns NULL with the closest name in `err` where there is no such profile.
static const char *builtin_text(size_t *out_len, const char *name, struct err *err) {
    struct closest closest = {.word = name};
    for (size_t i = 0; i < ARRAY_LEN(BUILTIN); i++) {
        if (strcmp(BUILTIN[i].name, name) == 0) {
            return profile_builtin_text(i, out_len);
        }
        closest_offer(&closest, BUILTIN[i].name);
    }
    err_set(err, "no profile is called \"%s\"%s%s%s; 'tlsblame profiles' lists them", name,
            closest.name != NULL ? ", did you mean \"" : "",
            closest.name != NULL ? closest.name : "", closest.name != NULL ? "\"?" : "");
    if (closest.name == NULL) {
        err_set(err,
                "no profile is called \"%s\"; 'tlsblame profiles' lists them, a file of your "
                "own has a slash in its path",
                name);
    }
    return NULL;
}

// load_json returns the profile `spec`, a name or a path, as JSON that was found to be right.
static json_t *load_json(const char *spec, struct err *err) {
    size_t len;
    char *owned = NULL;
    const char *text = is_path(spec) ? owned = reader_file(&len, spec, PROFILE_MAX_LEN, err)
                                     : builtin_text(&len, spec, err);
    json_t *json = text != NULL ? profile_text_json(spec, text, len, err) : NULL;
    free(owned);
    struct profile *profile = json != NULL ? profile_from_json(spec, json, err) : NULL;
    if (profile == NULL) {
        json_decref(json);
        return NULL;
    }
    profile_unref(profile);
    return json;
}

// Of the keys that tell rather than turn, which ones a composition puts one after the other.
static bool is_joined(const char *path) {
    return strcmp(path, "name") == 0 || strcmp(path, "line") == 0 || strcmp(path, "story") == 0;
}

static bool is_told(const char *path) {
    return is_joined(path) || strcmp(path, "number") == 0 || strcmp(path, "date") == 0 ||
           strcmp(path, "confidence") == 0 || strncmp(path, "symptoms", 8) == 0;
}

static void append_all(json_t *to, const json_t *from) {
    for (size_t i = 0; i < json_array_size(from); i++) {
        CHECK(json_array_append(to, json_array_get(from, i)) == 0);
    }
}

static json_t *join(const char *path, const json_t *a, const json_t *b) {
    const char *between = strcmp(path, "name") == 0 ? "," : strcmp(path, "line") == 0 ? "; " : " ";
    json_t *joined = json_sprintf("%s%s%s", json_string_value(a), between, json_string_value(b));
    CHECK(joined != NULL);
    return joined;
}

// add_conflict says that the later profile `name` turned the knob `path` another way.
static void add_conflict(json_t *conflicts, const char *path, const json_t *before,
                         const json_t *value, const char *name) {
    char old[READER_SHOW_MAX], new[READER_SHOW_MAX];
    reader_show(old, before);
    reader_show(new, value);
    json_t *text = json_sprintf("%s: %s gives way to %s of %s", path, old, new, name);
    CHECK(text != NULL && json_array_append_new(conflicts, text) == 0);
}

// merge puts `from`, the later one and called `name`, over `to`. `prefix` is the JSON path of both.
static void merge(json_t *to, json_t *from, const char *prefix, const char *name,
                  json_t *conflicts) {
    const char *key;
    json_t *value;
    json_object_foreach(from, key, value) {
        char path[160];
        snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix != '\0' ? "." : "", key);
        json_t *before = json_object_get(to, key);
        if (before == NULL) {
            CHECK(json_object_set(to, key, value) == 0);
        } else if (json_is_object(value)) {
            merge(before, value, path, name, conflicts);
        } else if (strcmp(path, "reactions") == 0 || strcmp(path, "sources") == 0 ||
                   strcmp(path, "approximations") == 0 || strcmp(path, "learned") == 0 ||
                   strcmp(path, "not_learned") == 0) {
            append_all(before, value);
        } else if (is_joined(path)) {
            CHECK(json_object_set_new(to, key, join(path, before, value)) == 0);
        } else {
            if (!is_told(path) && !json_equal(before, value)) {
                add_conflict(conflicts, path, before, value, name);
            }
            CHECK(json_object_set(to, key, value) == 0);
        }
    }
}

// keep_conflicts has the profile say which knobs were turned twice.
static void keep_conflicts(struct profile *profile, const json_t *conflicts) {
    size_t num = json_array_size(conflicts);
    profile->conflicts.items = arena_alloc(&profile->arena, num * sizeof(char *));
    for (size_t i = 0; i < num; i++) {
        const char *path = json_string_value(json_array_get(conflicts, i));
        profile->conflicts.items[i] = arena_printf(&profile->arena, "%s", path);
    }
    profile->conflicts.num = num;
}

static json_t *compose(char *specs, json_t *conflicts, struct err *err) {
    json_t *whole = NULL;
    size_t num = 0;
    for (char *rest = specs, *spec; (spec = strsep(&rest, ",")) != NULL; num++) {
        if (num == PROFILE_MAX_COMPOSED) {
            err_set(err, "at most %d profiles can be one", PROFILE_MAX_COMPOSED);
            json_decref(whole);
            return NULL;
        }
        json_t *json = load_json(spec, err);
        if (json == NULL) {
            json_decref(whole);
            return NULL;
        }
        if (whole == NULL) {
            whole = json;
            continue;
        }
        merge(whole, json, "", spec, conflicts);
        json_decref(json);
    }
    if (num > 1) {
        json_object_del(whole, "number");
    }
    return whole;
}

struct profile *profile_load(const char *spec, struct err *err) {
    char *specs = xstrdup(spec);
    json_t *conflicts = json_array(), *json = compose(specs, conflicts, err);
    struct profile *profile = json != NULL ? profile_from_json(spec, json, err) : NULL;
    if (profile != NULL) {
        keep_conflicts(profile, conflicts);
    }
    json_decref(json);
    json_decref(conflicts);
    free(specs);
    return profile;
}
