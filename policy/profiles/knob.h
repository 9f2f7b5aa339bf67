// The knobs of a profile: the one table that drives reading, printing, the manual and the schema.
#ifndef POLICY_PROFILES_KNOB_H_
#define POLICY_PROFILES_KNOB_H_

#include <stddef.h>
#include <stdint.h>

// The objects of a profile; each is a struct of profile.h or cert_knobs.h.
enum knob_object {
    KNOB_PROFILE,
    KNOB_CLIENT_LEG,
    KNOB_SERVER_LEG,
    KNOB_TEMPLATE,
    KNOB_EDIT,
    KNOB_VERIFY,
    KNOB_CERT,
    KNOB_CA,
    KNOB_CACHE,
    KNOB_REACTION,
    KNOB_WHEN,
    KNOB_NUM_OBJECTS,
};

enum knob_type {
    KNOB_BOOL,
    KNOB_NOT,         // a bool whose C name says the opposite
    KNOB_TRI,         // enum profile_tri; false and true, absent is PROFILE_ANY
    KNOB_WORD,        // an enum: an index into `words`
    KNOB_NUMBER,      // uint32_t from `min` to `max`
    KNOB_BYTE,        // uint8_t likewise
    KNOB_SHORT,       // uint16_t likewise
    KNOB_SERIAL,      // uint64_t, in hexadecimal
    KNOB_PROBABILITY, // double
    KNOB_DATE,        // struct cert_knob_date
    KNOB_VERSION,     // uint16_t, a bound
    KNOB_ALERT,       // uint8_t, by name or number
    KNOB_TEXT,        // char *
    KNOB_TEXTS,       // here on: lists, a pointer and a number
    KNOB_GLOBS,       // strings in lower case
    KNOB_ATTRIBUTES,  // of a distinguished name
    KNOB_HASHES,      // SHA-256
    KNOB_EXTENSIONS,  // names of CERT_KNOB_EXTENSIONS
    KNOB_CODES,       // uint16_t of `registry`
    KNOB_SYMPTOMS,    // here on: a shape of their own
    KNOB_INSIDE,      // the object `inside`, by value
    KNOB_REACTIONS,
};

struct knob {
    const char *name;
    enum knob_type type;
    size_t at; // in the object's struct
    const char *help;
    const char *const *words;
    int inside; // enum knob_object, or enum registry
    uint32_t min, max;
};

struct knob_set {
    const char *noun; // of the object, for people
    const struct knob *knobs;
    size_t num;
    size_t size; // of the struct
};

// knob_set returns the knobs of `object`.
const struct knob_set *knob_set(enum knob_object object);

// knob_find returns the knob of `object` with that name, or NULL.
const struct knob *knob_find(enum knob_object object, const char *name);

#endif // POLICY_PROFILES_KNOB_H_
