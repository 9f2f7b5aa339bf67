// Stepping over JSON that nobody asked for, without looking at each byte.
#ifndef LOGS_STORE_JSON_SKIP_H_
#define LOGS_STORE_JSON_SKIP_H_

#include <stddef.h>
#include <stdint.h>

#include "logs/base/check.h"

// json_string_end returns what follows the string whose first character, behind its quote, is at
// `p`, or NULL when it does not end before `end`.
const char *json_string_end(const char *p, const char *end);

enum { JSON_BLOCK = 64 };

// struct json_state is carried from one block to the next; zeroed before the first.
struct json_state {
    uint64_t in_string; // all ones inside a string
    uint64_t escaped;   // 1 when the first byte of the block follows a backslash
};

// json_brackets returns a bit for each of `{}[]` among the JSON_BLOCK bytes at `p`, the first byte
// lowest, that is not in a string (Langdale and Lemire, "Parsing Gigabytes of JSON per Second").
uint64_t json_brackets(struct json_state *state, const char *p);

#endif // LOGS_STORE_JSON_SKIP_H_
