#include "policy/profiles/profile.h"

#include <stdlib.h>
#include <string.h>

#include "policy/profiles/knob_value.h"
#include "policy/profiles/profile_check.h"
#include "policy/profiles/profile_json.h"

const char *profile_client_name(enum profile_client client) {
#define PROFILE_CLIENT_TEXT(name, text) [PROFILE_CLIENT_##name] = text,
    static const char *const NAMES[] = {PROFILE_CLIENTS(PROFILE_CLIENT_TEXT)};
#undef PROFILE_CLIENT_TEXT
    CHECK((size_t)client < ARRAY_LEN(NAMES));
    return NAMES[client];
}

struct profile *profile_ref(struct profile *profile) {
    atomic_fetch_add(&profile->refs, 1);
    return profile;
}

void profile_unref(struct profile *profile) {
    if (profile != NULL && atomic_fetch_sub(&profile->refs, 1) == 1) {
        arena_cleanup(&profile->arena);
        free(profile);
    }
}

struct profile *profile_from_json(const char *name, json_t *json, struct err *err) {
    struct profile *profile = xcalloc(1, sizeof(*profile));
    atomic_init(&profile->refs, 1);
    struct reader reader = {.name = name, .arena = &profile->arena, .err = err};
    if (!knob_read_object(&reader, profile, KNOB_PROFILE, json) ||
        !profile_check(&reader, profile)) {
        profile_unref(profile);
        return NULL;
    }
    return profile;
}

json_t *profile_text_json(const char *name, const char *text, size_t text_len, struct err *err) {
    struct reader reader = {.name = name, .err = err};
    if (text_len > PROFILE_MAX_LEN) {
        reader_refuse(&reader, "expected at most %d bytes", PROFILE_MAX_LEN);
        return NULL;
    }
    return reader_json(&reader, text, text_len);
}

struct profile *profile_parse(const char *name, const char *text, size_t text_len,
                              struct err *err) {
    json_t *json = profile_text_json(name, text, text_len, err);
    struct profile *profile = json != NULL ? profile_from_json(name, json, err) : NULL;
    json_decref(json);
    return profile;
}

bool profile_print(struct buf *out, const struct profile *profile) {
    json_t *json = knob_object_json(profile, KNOB_PROFILE);
    char *text = json_dumps(json, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    CHECK(text != NULL);
    bool ok = buf_printf(out, "%s\n", text);
    free(text);
    json_decref(json);
    return ok;
}
