#include "policy/profiles/profile.h"

const char *profile_client_name(enum profile_client client) {
#define PROFILE_CLIENT_TEXT(name, text) [PROFILE_CLIENT_##name] = text,
    static const char *const NAMES[] = {PROFILE_CLIENTS(PROFILE_CLIENT_TEXT)};
#undef PROFILE_CLIENT_TEXT
    CHECK((size_t)client < ARRAY_LEN(NAMES));
    return NAMES[client];
}
