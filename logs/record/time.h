// Times as text: ISO 8601 in UTC, proleptic Gregorian, years 0000 to 9999.
#ifndef LOGS_RECORD_TIME_H_
#define LOGS_RECORD_TIME_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/check.h"

enum { TIME_TEXT_MAX = 32 };

// time_format writes "2026-11-20T21:19:03Z" for `seconds` since 1970, with ".120" before the Z when
// `milliseconds` is not negative, and a NUL. Times outside years 0000 to 9999 are clamped.
void time_format(char out[TIME_TEXT_MAX], int64_t seconds, int milliseconds);

// time_format_ms writes `milliseconds` since 1970, with its fraction.
void time_format_ms(char out[TIME_TEXT_MAX], int64_t milliseconds);

// time_parse reads what time_format wrote. It returns false on anything else, and then
// sets nothing. Without a fraction `*out_milliseconds` is 0.
WUNRES bool time_parse(int64_t *out_seconds, int *out_milliseconds, const char *s);

#endif // LOGS_RECORD_TIME_H_
