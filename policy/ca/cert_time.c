#include "policy/ca/cert_time.h"

#include <stdio.h>
#include <string.h>

struct civil {
    int year, month, day, hour, minute, second;
};

static const int64_t YEAR_0 = -62167219200;    // 0000-01-01T00:00:00Z
static const int64_t YEAR_9999 = 253402300799; // 9999-12-31T23:59:59Z

// Days since 1970 of a date in the Gregorian calendar, years counted from March.
static int64_t days_from_civil(int year, int month, int day) {
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct civil civil_from_unix(int64_t when) {
    when = when < YEAR_0 ? YEAR_0 : when > YEAR_9999 ? YEAR_9999 : when;
    int64_t days = (when - YEAR_0) / 86400, seconds = (when - YEAR_0) % 86400;
    int64_t z = days + days_from_civil(0, 1, 1) + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t from_march = (5 * of_year + 2) / 153;
    struct civil c = {
        .day = (int)(of_year - (153 * from_march + 2) / 5 + 1),
        .month = (int)(from_march < 10 ? from_march + 3 : from_march - 9),
        .hour = (int)(seconds / 3600),
        .minute = (int)(seconds / 60 % 60),
        .second = (int)(seconds % 60),
    };
    c.year = (int)(year + era * 400 + (c.month <= 2));
    return c;
}

static bool get_digits(CBS *text, int num_digits, int *out) {
    *out = 0;
    for (int i = 0; i < num_digits; i++) {
        uint8_t c;
        if (!CBS_get_u8(text, &c) || c < '0' || c > '9') {
            return false;
        }
        *out = *out * 10 + (c - '0');
    }
    return true;
}

static bool next_is_digit(const CBS *text) {
    return CBS_len(text) != 0 && CBS_data(text)[0] >= '0' && CBS_data(text)[0] <= '9';
}

static bool civil_is_valid(const struct civil *c) {
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (c->month < 1 || c->month > 12 || c->day < 1 || c->hour > 23 || c->minute > 59 ||
        c->second > 60) {
        return false;
    }
    bool leap = (c->year % 4 == 0 && c->year % 100 != 0) || c->year % 400 == 0;
    return c->day <= days[c->month - 1] + (c->month == 2 && leap);
}

// Reads what may follow the minutes' or seconds' digits: a fraction, then Z, an offset or nothing.
static bool get_zone(CBS *text, int *out_offset, bool *out_der) {
    uint8_t c;
    *out_offset = 0;
    if (CBS_len(text) != 0 && (CBS_data(text)[0] == '.' || CBS_data(text)[0] == ',')) {
        *out_der = false;
        CBS_skip(text, 1);
        while (next_is_digit(text)) {
            CBS_skip(text, 1);
        }
    }
    if (!CBS_get_u8(text, &c)) {
        *out_der = false; // local time; whose, it does not say
        return true;
    }
    if (c == 'Z') {
        return CBS_len(text) == 0;
    }
    *out_der = false;
    int hours, minutes;
    if ((c != '+' && c != '-') || !get_digits(text, 2, &hours) || !get_digits(text, 2, &minutes) ||
        hours > 23 || minutes > 59 || CBS_len(text) != 0) {
        return false;
    }
    *out_offset = (hours * 3600 + minutes * 60) * (c == '+' ? 1 : -1);
    return true;
}

bool cert_time_parse(CBS text, unsigned tag, int64_t *out, bool *out_der) {
    struct civil c = {0};
    int offset;
    *out_der = true;
    if (tag == CBS_ASN1_UTCTIME) {
        if (!get_digits(&text, 2, &c.year)) {
            return false;
        }
        c.year += c.year < 50 ? 2000 : 1900;
    } else if (tag != CBS_ASN1_GENERALIZEDTIME || !get_digits(&text, 4, &c.year)) {
        return false;
    }
    if (!get_digits(&text, 2, &c.month) || !get_digits(&text, 2, &c.day) ||
        !get_digits(&text, 2, &c.hour) || !get_digits(&text, 2, &c.minute)) {
        return false;
    }
    if (!next_is_digit(&text)) {
        *out_der = false;
    } else if (!get_digits(&text, 2, &c.second)) {
        return false;
    }
    if (!get_zone(&text, &offset, out_der) || !civil_is_valid(&c)) {
        return false;
    }
    *out = days_from_civil(c.year, c.month, c.day) * 86400 + c.hour * 3600 + c.minute * 60 +
           c.second - offset;
    return true;
}

bool cert_time_add(CBB *cbb, int64_t when) {
    struct civil c = civil_from_unix(when);
    bool utc = c.year >= 1950 && c.year < 2050;
    char text[80];
    int n = utc ? snprintf(text, sizeof(text), "%02d", c.year % 100)
                : snprintf(text, sizeof(text), "%04d", c.year);
    snprintf(text + n, sizeof(text) - (size_t)n, "%02d%02d%02d%02d%02dZ", c.month, c.day, c.hour,
             c.minute, c.second);
    CBB child;
    return CBB_add_asn1(cbb, &child, utc ? CBS_ASN1_UTCTIME : CBS_ASN1_GENERALIZEDTIME) &&
           CBB_add_bytes(&child, (const uint8_t *)text, strlen(text)) && CBB_flush(cbb);
}

void cert_time_format(int64_t when, char out[CERT_TIME_TEXT]) {
    struct civil c = civil_from_unix(when);
    char text[80];
    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year, c.month, c.day, c.hour,
             c.minute, c.second);
    memcpy(out, text, CERT_TIME_TEXT - 1);
    out[CERT_TIME_TEXT - 1] = '\0';
}
