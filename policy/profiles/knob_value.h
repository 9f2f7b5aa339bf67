// The values of knobs: what JSON is accepted for one, what it becomes in a struct, and back.
#ifndef POLICY_PROFILES_KNOB_VALUE_H_
#define POLICY_PROFILES_KNOB_VALUE_H_

#include <jansson.h>
#include <stdbool.h>

#include "policy/config/reader.h"
#include "policy/profiles/knob.h"

// knob_read_object reads the knobs of `object` in `json` into its struct `to`, which holds the
// presets, zeroes. Strings and lists go to the reader's arena. It returns false and fills the
// reader's error, with the JSON path and what was expected, when a key is unknown or a value bad.
WUNRES bool knob_read_object(struct reader *reader, void *to, enum knob_object object,
                             json_t *json);

// knob_object_json returns the knobs of the struct `from` that differ from their presets; the
// caller decrefs it.
WUNRES json_t *knob_object_json(const void *from, enum knob_object object);

// knob_preset_json returns the preset of `knob`, or NULL where it is not there at all.
WUNRES json_t *knob_preset_json(const struct knob *knob);

enum { KNOB_EXPECTED_MAX = 200 };

// knob_expected writes what `knob` takes, for "expected ...".
void knob_expected(char out[KNOB_EXPECTED_MAX], const struct knob *knob);

#endif // POLICY_PROFILES_KNOB_VALUE_H_
