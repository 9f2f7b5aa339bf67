// The keys of a policy file: the one table that drives reading, printing and the manual.
#ifndef POLICY_CONFIG_KEY_H_
#define POLICY_CONFIG_KEY_H_

#include <stddef.h>

#include "policy/config/policy.h"

// The objects of a policy file; a key says in which ones it stands.
enum object {
    OBJECT_FILE = 1 << 0,
    OBJECT_RULE = 1 << 1,
    OBJECT_DEFAULT = 1 << 2,
    OBJECT_CLIENT_LEG = 1 << 3,
    OBJECT_SERVER_LEG = 1 << 4,
    OBJECT_RECORD = 1 << 5,
    OBJECT_FETCH = 1 << 6,
};

// From TYPE_OBJECT on the value is an object, or a list of them, of the kind `inside`.
enum key_type {
    TYPE_BOOL,
    TYPE_ACTION,
    TYPE_ON_FAILURE,
    TYPE_SECRETS,
    TYPE_PROFILE,
    TYPE_VERSION,
    TYPE_HOSTS,
    TYPE_PORTS,
    TYPE_CLIENTS,
    TYPE_FILES,
    TYPE_FORMS,
    TYPE_OBJECT,
    TYPE_DEFAULT,
    TYPE_RULES,
};

struct key {
    const char *name;
    unsigned in; // of enum object
    enum key_type type;
    enum object inside;
    size_t at;          // of the value in struct policy_rule
    size_t num_at;      // of the list's length there
    const char *preset; // the value, in JSON, where the file gives none
    const char *help;
};

// key_next returns the key of `object` that follows `key`, the first for NULL, and NULL at the end.
const struct key *key_next(enum object object, const struct key *key);

// key_find returns the key of `object` with that name, or NULL.
const struct key *key_find(enum object object, const char *name);

#endif // POLICY_CONFIG_KEY_H_
