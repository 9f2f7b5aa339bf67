#include "policy/decide/glob.h"

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

// Without recursion: at a mismatch the last `*` takes one character more.
bool glob_matches(const char *pattern, const char *text, size_t len) {
    const char *star = NULL;
    size_t i = 0, star_i = 0;
    while (i < len) {
        if (*pattern == '*') {
            star = ++pattern;
            star_i = i;
        } else if (*pattern == lower(text[i])) {
            pattern++;
            i++;
        } else if (star != NULL) {
            pattern = star;
            i = ++star_i;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == '\0';
}
