// Globs over names.
#ifndef POLICY_DECIDE_GLOB_H_
#define POLICY_DECIDE_GLOB_H_

#include <stdbool.h>
#include <stddef.h>

// glob_matches returns whether `pattern`, which is in lower case, matches the `len` bytes of `text`
// whatever their case. `*` stands for any run of bytes.
bool glob_matches(const char *pattern, const char *text, size_t len);

#endif // POLICY_DECIDE_GLOB_H_
