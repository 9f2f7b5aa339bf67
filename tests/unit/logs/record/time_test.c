#include "logs/record/time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/unit/unit.h"

static void test_format(void) {
    static const struct {
        int64_t seconds;
        int ms;
        const char *text;
    } rows[] = {
        // clang-format off
        {0,             -1, "1970-01-01T00:00:00Z"},
        {0,              0, "1970-01-01T00:00:00.000Z"},
        {1795209543,   120, "2026-11-20T21:19:03.120Z"},
        {-1,           999, "1969-12-31T23:59:59.999Z"},
        {951782400,     -1, "2000-02-29T00:00:00Z"},
        {4107542400,    -1, "2100-03-01T00:00:00Z"},
        {-62167219200,  -1, "0000-01-01T00:00:00Z"},
        {253402300799,  -1, "9999-12-31T23:59:59Z"},
        {INT64_MAX,     -1, "9999-12-31T23:59:59Z"},
        {INT64_MIN,     -1, "0000-01-01T00:00:00Z"},
        // clang-format on
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[TIME_TEXT_MAX];
        time_format(text, rows[i].seconds, rows[i].ms);
        CU_ASSERT_STRING_EQUAL(text, rows[i].text);
        int64_t seconds;
        int ms;
        CU_ASSERT(time_parse(&seconds, &ms, text));
        CU_ASSERT_EQUAL(ms, rows[i].ms < 0 ? 0 : rows[i].ms);
        if (seconds != rows[i].seconds) {
            CU_ASSERT(rows[i].seconds == INT64_MAX || rows[i].seconds == INT64_MIN);
        }
    }
}

static void test_milliseconds(void) {
    char text[TIME_TEXT_MAX];
    time_format_ms(text, 1795209543120);
    CU_ASSERT_STRING_EQUAL(text, "2026-11-20T21:19:03.120Z");
    time_format_ms(text, -1);
    CU_ASSERT_STRING_EQUAL(text, "1969-12-31T23:59:59.999Z");
    time_format_ms(text, INT64_MIN);
    CU_ASSERT_STRING_EQUAL(text + 4, "-01-01T00:00:00.192Z");
}

// The C library counts the same days.
static void test_like_gmtime(void) {
    for (int64_t t = -62167219200; t < 253402300799; t += 86399 * 37 + 11) {
        struct tm tm;
        char text[TIME_TEXT_MAX], wanted[TIME_TEXT_MAX];
        time_t seconds = (time_t)t;
        gmtime_r(&seconds, &tm);
        int year = tm.tm_year + 1900;
        snprintf(wanted, sizeof(wanted), "%04d-%02d-%02dT%02d:%02d:%02dZ", year % 10000,
                 (tm.tm_mon + 1) % 100, tm.tm_mday % 100, tm.tm_hour % 100, tm.tm_min % 100,
                 tm.tm_sec % 100);
        time_format(text, t, -1);
        if (strcmp(text, wanted) != 0) {
            CU_ASSERT_STRING_EQUAL(text, wanted);
            return;
        }
    }
}

static void test_refused(void) {
    static const char *const wrong[] = {
        "",
        "2026",
        "2026-11-20",
        "2026-11-20T21:19:03",
        "2026-11-20 21:19:03Z",
        "2026-11-20T21:19:03z",
        "2026-11-20T21:19:03Zx",
        "2026-11-20T21:19:03.1Z",
        "2026-11-20T21:19:03.1200Z",
        "2026-11-20T21:19:03.Z",
        "2026-11-20T21:19:03+00:00",
        "2026-11- 1T21:19:03Z",
        "2026-+1-01T21:19:03Z",
        "-026-11-20T21:19:03Z",
        "2026-02-30T00:00:00Z",
        "2025-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        int64_t seconds = 42;
        int ms = 42;
        CU_ASSERT_FALSE(time_parse(&seconds, &ms, wrong[i]));
        CU_ASSERT(seconds == 42 && ms == 42);
    }
}

const struct unit_case unit_cases[] = {
    {"times as text and back", test_format},
    {"milliseconds", test_milliseconds},
    {"like the C library", test_like_gmtime},
    {"what is no time is refused", test_refused},
    {NULL, NULL},
};
