#include "proxy/tls/record_sync.h"

#include <string.h>

#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

// find returns where the record begins that is found in `hex`, fed in pieces of `piece` bytes, or
// -1.
static long find_in_pieces(const char *hex, size_t piece) {
    struct made made = made_hex(hex);
    struct record_sync sync = {.len = 0};
    long found = -1;
    for (size_t at = 0; found < 0 && at < made.len;) {
        size_t n = piece < made.len - at ? piece : made.len - at;
        bool done = record_sync_find(&sync, made.p + at, &n);
        at += n;
        if (done) {
            found = (long)(at - sync.len);
            CU_ASSERT_EQUAL(memcmp(sync.window, made.p + found, sync.len), 0);
        }
    }
    made_free(&made);
    return found;
}

static long find(const char *hex) {
    long found = find_in_pieces(hex, 1000);
    CU_ASSERT_EQUAL(find_in_pieces(hex, 1), found);
    CU_ASSERT_EQUAL(find_in_pieces(hex, 4), found);
    return found;
}

static void test_what_is_found(void) {
    CU_ASSERT_EQUAL(find("1603030050 0200004c 0303"), 0);
    CU_ASSERT_EQUAL(find("0011 16 17 16 1603 1603010200 010001fc 0303"), 7);
    CU_ASSERT_EQUAL(find("ffff 1703030123 00"), 2);
    CU_ASSERT_EQUAL(find("aa 15030300020228"), 1);
    CU_ASSERT_EQUAL(find("aa 140303000101 160303"), 1);
}

static void test_what_is_not(void) {
    CU_ASSERT_EQUAL(find(""), -1);
    CU_ASSERT_EQUAL(find("1603030050 020000"), -1);        // too short to tell
    CU_ASSERT_EQUAL(find("1603030003 02000000 0000"), -1); // too short for a message
    CU_ASSERT_EQUAL(find("1603030050 9900004c 0303"), -1); // no such message
    CU_ASSERT_EQUAL(find("1603030050 02ffffff 0303"), -1); // longer than any
    CU_ASSERT_EQUAL(find("15030300020328 0000"), -1);      // no such level
    CU_ASSERT_EQUAL(find("150303000202f8 0000"), -1);      // no such alert
    CU_ASSERT_EQUAL(find("140303000101 000000"), -1);      // nothing behind it
    CU_ASSERT_EQUAL(find("17030300000000 00"), -1);        // empty
    CU_ASSERT_EQUAL(find("1703034801 0000"), -1);          // longer than a record can be
    CU_ASSERT_EQUAL(find("1704030010 0000"), -1);
    CU_ASSERT_EQUAL(find("1803030010 0000"), -1);
}

const struct unit_case unit_cases[] = {
    {"what is found", test_what_is_found},
    {"what is not", test_what_is_not},
    {NULL, NULL},
};
