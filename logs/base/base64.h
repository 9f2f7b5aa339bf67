// Base64 (RFC 4648 section 4, with padding).
#ifndef LOGS_BASE_BASE64_H_
#define LOGS_BASE_BASE64_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/check.h"

// base64_encoded_len is the length of the encoding of `len` bytes, without a NUL.
size_t base64_encoded_len(size_t len);

// base64_encode writes exactly base64_encoded_len(p_len) characters to `out` and no NUL.
void base64_encode(char *out, const void *p, size_t p_len);

// base64_decode writes at most `s_len / 4 * 3` bytes to `out` and their number to `*out_len`. It
// returns false when `s` is not padded base64.
WUNRES bool base64_decode(uint8_t *out, size_t *out_len, const char *s, size_t s_len);

#endif // LOGS_BASE_BASE64_H_
