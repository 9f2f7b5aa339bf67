// Target functions: profile_parse, profile_print. What is printed reads back as the same profile.
#include <string.h>

#include "policy/profiles/profile.h"

enum { PRINT_MAX = 16 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

static struct profile *parse(const void *text, size_t text_len) {
    struct err err = {0};
    struct profile *profile = profile_parse("fuzz.json", text, text_len, &err);
    CHECK((profile != NULL) == (err.msg[0] == '\0'));
    return profile;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len) {
    struct profile *profile = parse(data, data_len);
    if (profile == NULL) {
        return 0;
    }
    struct buf once, twice;
    buf_init(&once, PRINT_MAX);
    buf_init(&twice, PRINT_MAX);
    CHECK(profile_print(&once, profile));
    if (once.len <= PROFILE_MAX_LEN) {
        struct profile *again = parse(buf_data(&once), once.len);
        CHECK(again != NULL && profile_print(&twice, again) && twice.len == once.len);
        CHECK(memcmp(buf_data(&once), buf_data(&twice), once.len) == 0);
        profile_unref(again);
    }
    buf_cleanup(&once);
    buf_cleanup(&twice);
    profile_unref(profile);
    return 0;
}
