// What no knob can see alone: whether those of a profile go together.
#ifndef POLICY_PROFILES_PROFILE_CHECK_H_
#define POLICY_PROFILES_PROFILE_CHECK_H_

#include "policy/config/reader.h"
#include "policy/profiles/profile.h"

// profile_check returns false and fills the reader's error, with the path of the knob, where one
// asks for what another rules out.
WUNRES bool profile_check(struct reader *reader, const struct profile *profile);

#endif // POLICY_PROFILES_PROFILE_CHECK_H_
