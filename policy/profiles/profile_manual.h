// What a profile may say: for people, and as a JSON Schema for their editors.
#ifndef POLICY_PROFILES_PROFILE_MANUAL_H_
#define POLICY_PROFILES_PROFILE_MANUAL_H_

#include "logs/base/buf.h"

// profile_print_keys appends the manual of the file: every knob with its default, the values that
// it takes and its meaning, for a terminal of 80 columns. It returns false past the ceiling of
// `out`.
WUNRES bool profile_print_keys(struct buf *out);

// profile_print_schema appends the JSON Schema (2020-12) of a profile. It returns false past the
// ceiling of `out`.
WUNRES bool profile_print_schema(struct buf *out);

#endif // POLICY_PROFILES_PROFILE_MANUAL_H_
