#include "logs/pcap/reassembly.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/base/check.h"
#include "tests/unit/unit.h"

static struct reassembly r;
static char got[256];

static void keep(const struct reassembly_bytes *bytes) {
    snprintf(got + strlen(got), sizeof(got) - strlen(got), "%.*s|", (int)bytes->len,
             (const char *)bytes->p);
}

// put sends `text` at `offset` and returns what came in order, pieces separated by bars.
static const char *put(uint64_t offset, const char *text) {
    struct reassembly_bytes bytes, segment = {(const uint8_t *)text, strlen(text), 0};
    bool full;
    got[0] = '\0';
    if (reassembly_put(&r, &bytes, &full, offset, segment)) {
        keep(&bytes);
    }
    CU_ASSERT_FALSE(full);
    while (reassembly_take(&r, &bytes)) {
        keep(&bytes);
    }
    return got;
}

static void test_in_order(void) {
    CU_ASSERT_STRING_EQUAL(put(0, "abc"), "abc|");
    CU_ASSERT_STRING_EQUAL(put(3, "def"), "def|");
    CU_ASSERT_EQUAL(r.waiting, 0);
    reassembly_cleanup(&r);
    r = (struct reassembly){0};
}

static void test_overlaps_of_what_waits(void) {
    CU_ASSERT_STRING_EQUAL(put(4, "EF"), "");
    CU_ASSERT_STRING_EQUAL(put(8, "IJ"), "");
    CU_ASSERT_STRING_EQUAL(put(3, "DEFGHIJK"), ""); // around both
    CU_ASSERT_EQUAL(r.num_pieces, 5);
    CU_ASSERT_FALSE(r.differs);
    CU_ASSERT_STRING_EQUAL(put(5, "xG"), "");
    CU_ASSERT_TRUE(r.differs);
    CU_ASSERT_STRING_EQUAL(put(0, "ABCDEFGHIJKL"), "ABC|D|EF|GH|IJ|K|L|");
    CU_ASSERT_EQUAL(r.waiting, 0);
    CU_ASSERT_EQUAL(r.num_pieces, 0);
    reassembly_cleanup(&r);
    r = (struct reassembly){0};
}

static void test_second_copy_of_the_beginning(void) {
    CU_ASSERT_STRING_EQUAL(put(0, "abcdef"), "abcdef|");
    CU_ASSERT_STRING_EQUAL(put(2, "cd"), "");
    CU_ASSERT_FALSE(r.differs);
    CU_ASSERT_STRING_EQUAL(put(2, "cX"), "");
    CU_ASSERT_TRUE(r.differs);
    reassembly_cleanup(&r);
    r = (struct reassembly){0};
}

static void test_gaps(void) {
    struct reassembly_bytes bytes;
    CU_ASSERT_EQUAL(reassembly_gap(&r), 0);
    CU_ASSERT_STRING_EQUAL(put(5, "f"), "");
    CU_ASSERT_EQUAL(reassembly_skip(&r, 3), 3);
    CU_ASSERT_EQUAL(reassembly_skip(&r, 30), 2); // only up to what waits
    CU_ASSERT_EQUAL(reassembly_gap(&r), 0);
    CU_ASSERT_TRUE(reassembly_take(&r, &bytes));
    CU_ASSERT_EQUAL(bytes.len, 1);
    CU_ASSERT_FALSE(reassembly_take(&r, &bytes));
    CU_ASSERT_STRING_EQUAL(put(10, "k"), "");
    CU_ASSERT_EQUAL(reassembly_gap(&r), 4);
    CU_ASSERT_EQUAL(r.next, 10);
    reassembly_cleanup(&r);
    r = (struct reassembly){0};
}

static void test_ceiling_of_pieces(void) {
    struct reassembly_bytes bytes;
    bool full = false;
    size_t num = 0;
    while (!full && num < 2 * REASSEMBLY_PIECES_MAX) {
        struct reassembly_bytes segment = {(const uint8_t *)"x", 1, 0};
        CU_ASSERT_FALSE(reassembly_put(&r, &bytes, &full, 1 + 2 * num++, segment));
    }
    CU_ASSERT_EQUAL(num, REASSEMBLY_PIECES_MAX + 1);
    CU_ASSERT_TRUE(r.waiting <= REASSEMBLY_WAITING_MAX);
    reassembly_cleanup(&r);
    r = (struct reassembly){0};
}

// Whatever way a text is cut, shuffled and repeated, it comes out whole.
static void test_any_order(void) {
    char text[200], all[400] = "";
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (char)('a' + i * 7 % 26);
    }
    srand(1);
    for (int round = 0; round < 300; round++) {
        bool full;
        all[0] = '\0';
        for (int i = 0; i < 2000 && r.next < sizeof(text); i++) {
            size_t at = (size_t)rand() % sizeof(text), len = 1 + (size_t)rand() % 40;
            len = len < sizeof(text) - at ? len : sizeof(text) - at;
            uint8_t *copy = xmemdup(text + at, len);
            struct reassembly_bytes bytes, segment = {copy, len, 0};
            if (reassembly_put(&r, &bytes, &full, at, segment)) {
                strncat(all, (const char *)bytes.p, bytes.len);
            }
            while (reassembly_take(&r, &bytes)) {
                strncat(all, (const char *)bytes.p, bytes.len);
            }
            free(copy);
        }
        CU_ASSERT_EQUAL(strlen(all), sizeof(text));
        CU_ASSERT_EQUAL(memcmp(all, text, sizeof(text)), 0);
        CU_ASSERT_FALSE(r.differs);
        CU_ASSERT_EQUAL(r.waiting, 0);
        reassembly_cleanup(&r);
        r = (struct reassembly){0};
    }
}

const struct unit_case unit_cases[] = {
    {"in order", test_in_order},
    {"overlaps of what waits", test_overlaps_of_what_waits},
    {"a second copy of the beginning", test_second_copy_of_the_beginning},
    {"gaps", test_gaps},
    {"a ceiling of pieces", test_ceiling_of_pieces},
    {"any order", test_any_order},
    {NULL, NULL},
};
