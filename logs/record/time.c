#include "logs/record/time.h"

#include <stdio.h>
#include <string.h>

static const int64_t year_0 = -62167219200, year_9999_end = 253402300799;

// days_from_civil and its inverse: Howard Hinnant's algorithms, with years that begin in March.
static int64_t days_from_civil(int64_t y, int m, int d) {
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

static void civil_from_days(int64_t *y, int *m, int *d, int64_t z) {
    z += 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *d = (int)(doy - (153 * mp + 2) / 5 + 1);
    *m = (int)(mp < 10 ? mp + 3 : mp - 9);
    *y = yoe + era * 400 + (*m <= 2);
}

// put_digits writes `value` with `num` digits and `then` behind it, and returns what follows.
static char *put_digits(char *p, int value, int num, char then) {
    for (int i = num; i-- > 0; value /= 10) {
        p[i] = (char)('0' + value % 10);
    }
    p[num] = then;
    return p + num + 1;
}

void time_format(char out[TIME_TEXT_MAX], int64_t seconds, int milliseconds) {
    seconds = seconds < year_0 ? year_0 : seconds > year_9999_end ? year_9999_end : seconds;
    int64_t days = seconds / 86400, rest = seconds % 86400;
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    int64_t y;
    int m, d;
    civil_from_days(&y, &m, &d, days);
    int s = (int)rest;
    char *p = put_digits(out, (int)y, 4, '-');
    p = put_digits(p, m, 2, '-');
    p = put_digits(p, d, 2, 'T');
    p = put_digits(p, s / 3600, 2, ':');
    p = put_digits(p, s / 60 % 60, 2, ':');
    p = put_digits(p, s % 60, 2, milliseconds >= 0 ? '.' : 'Z');
    if (milliseconds >= 0) {
        p = put_digits(p, milliseconds % 1000, 3, 'Z');
    }
    *p = '\0';
}

void time_format_ms(char out[TIME_TEXT_MAX], int64_t milliseconds) {
    int ms = (int)(milliseconds % 1000);
    time_format(out, milliseconds / 1000 - (ms < 0), ms < 0 ? ms + 1000 : ms);
}

// take_digits reads `num` digits and the character behind them, and returns what follows, or NULL.
static const char *take_digits(int *out, const char *s, int num, char behind) {
    *out = 0;
    for (; s != NULL && num > 0; num--) {
        if (*s < '0' || *s > '9') {
            return NULL;
        }
        *out = *out * 10 + (*s++ - '0');
    }
    return s != NULL && *s == behind ? s + 1 : NULL;
}

bool time_parse(int64_t *out_seconds, int *out_milliseconds, const char *s) {
    int y, m, d, hour, min, sec, ms = -1;
    const char *p = take_digits(&y, s, 4, '-');
    p = take_digits(&m, p, 2, '-');
    p = take_digits(&d, p, 2, 'T');
    p = take_digits(&hour, p, 2, ':');
    p = take_digits(&min, p, 2, ':');
    const char *whole = take_digits(&sec, p, 2, 'Z');
    p = whole != NULL ? whole : take_digits(&sec, p, 2, '.');
    p = whole != NULL ? whole : take_digits(&ms, p, 3, 'Z');
    if (p == NULL || m < 1 || m > 12) {
        return false;
    }
    int64_t seconds = days_from_civil(y, m, d) * 86400 + hour * 3600 + min * 60 + sec;
    // A day that does not exist, such as February 30, is another when it is written again.
    char again[TIME_TEXT_MAX];
    time_format(again, seconds, ms);
    if (strcmp(again, s) != 0) {
        return false;
    }
    *out_seconds = seconds;
    *out_milliseconds = ms < 0 ? 0 : ms;
    return true;
}
