// UTF-8 as peers send it: perhaps not UTF-8 at all.
#ifndef LOGS_RECORD_UTF8_H_
#define LOGS_RECORD_UTF8_H_

#include <stddef.h>
#include <stdint.h>

// utf8_decode returns the length of the well-formed sequence at the front of the `p_len >= 1` bytes
// at `p` and sets `*out_code` to what it stands for, or returns 0 when there is none (RFC 3629
// section 4).
size_t utf8_decode(uint32_t *out_code, const uint8_t *p, size_t p_len);

#endif // LOGS_RECORD_UTF8_H_
