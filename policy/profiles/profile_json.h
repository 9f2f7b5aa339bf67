// Profiles as JSON values, which is how they are put together.
#ifndef POLICY_PROFILES_PROFILE_JSON_H_
#define POLICY_PROFILES_PROFILE_JSON_H_

#include <jansson.h>

#include "policy/profiles/profile.h"

// profile_text_json reads text as JSON, within PROFILE_MAX_LEN; the caller decrefs it.
WUNRES json_t *profile_text_json(const char *name, const char *text, size_t text_len,
                                 struct err *err);

// profile_from_json is profile_parse for a JSON value, which stays the caller's.
WUNRES struct profile *profile_from_json(const char *name, json_t *json, struct err *err);

#endif // POLICY_PROFILES_PROFILE_JSON_H_
