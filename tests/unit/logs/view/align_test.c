#include "logs/view/align.h"

#include <stdio.h>
#include <string.h>

#include "logs/record/record.h"
#include "tests/unit/unit.h"

// Lists are strings of one-letter items; '?' is a GREASE item.
static size_t items_of(struct align_item *out, const char *letters) {
    size_t num = strlen(letters);
    for (size_t i = 0; i < num; i++) {
        out[i] = (struct align_item){{(const uint8_t *)&letters[i], 1}, letters[i] == '?'};
    }
    return num;
}

static void aligns(const char *left, const char *right, bool set, const char *wanted) {
    struct align_item a[64], b[64];
    struct arena arena = {0};
    size_t num, num_a = items_of(a, left), num_b = items_of(b, right);
    const struct align_row *rows = align_lists(&arena, &num, a, num_a, b, num_b, set);
    char text[512] = "";
    for (size_t i = 0; i < num; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "%c%c%c ",
                 rows[i].left < 0 ? '.' : left[rows[i].left], rows[i].mark,
                 rows[i].right < 0 ? '.' : right[rows[i].right]);
    }
    CU_ASSERT_STRING_EQUAL(text, wanted);
    arena_cleanup(&arena);
}

static void test_ordered(void) {
    aligns("", "", false, "");
    aligns("abc", "abc", false, "a=a b=b c=c ");
    aligns("abc", "ac", false, "a=a b<. c=c ");
    aligns("ac", "abc", false, "a=a .>b c=c ");
    aligns("abc", "", false, "a<. b<. c<. ");
    aligns("", "x", false, ".>x ");
    aligns("ab", "xy", false, "a<. b<. .>x .>y ");
    aligns("abcd", "bcda", false, "a~. b=b c=c d=d .~a ");
    aligns("ab", "ba", false, "a~. b=b .~a ");
    aligns("aab", "ab", false, "a=a a<. b=b ");
}

static void test_set(void) {
    aligns("abc", "cab", true, "a=a b=b c=c ");
    aligns("abc", "cx", true, "a<. b<. c=c .>x ");
    aligns("aa", "a", true, "a=a a<. ");
}

static void test_grease(void) {
    aligns("?a", "?a", false, "?=? a=a ");
    struct arena arena = {0};
    struct record *record = record_new();
    struct obj *leg = obj_sub(record->root, F_RECORD_LEG_CLIENT);
    obj_add_code(leg, F_LEG_OFFER_GROUPS, 0x1a1a);
    obj_add_code(leg, F_LEG_OFFER_GROUPS, 29);
    obj_set_int(obj_add(leg, F_LEG_OFFER_KEY_SHARES), F_KEY_SHARE_GROUP, 0x2a2a);
    obj_add_str(leg, F_LEG_OFFER_ALPN, "GREASE (0x1a1a)", 15);
    size_t num;
    const struct align_item *items = align_items(&arena, &num, leg, F_LEG_OFFER_GROUPS);
    CU_ASSERT(num == 2 && items[0].grease && !items[1].grease);
    CU_ASSERT(align_items(&arena, &num, leg, F_LEG_OFFER_KEY_SHARES)[0].grease);
    CU_ASSERT_FALSE(align_items(&arena, &num, leg, F_LEG_OFFER_ALPN)[0].grease);
    (void)align_items(&arena, &num, NULL, F_LEG_OFFER_GROUPS);
    CU_ASSERT_EQUAL(num, 0);
    record_free(record);
    arena_cleanup(&arena);
}

// Two hostile hellos of some 30,000 suites: no gigabytes, no minutes.
static void test_very_long_lists(void) {
    enum { NUM = 30000 };
    struct arena arena = {0};
    struct align_item *items = arena_alloc(&arena, NUM * sizeof(*items));
    for (size_t i = 0; i < NUM; i++) {
        items[i].text = (struct span){(const uint8_t *)"ab" + (i & 1), 1};
    }
    size_t num;
    const struct align_row *rows = align_lists(&arena, &num, items, NUM, items + 1, NUM - 1, false);
    CU_ASSERT_EQUAL_FATAL(num, NUM);
    CU_ASSERT(rows[0].mark == '~' && rows[NUM - 1].mark == '<');
    CU_ASSERT(arena.used < 8 * 1024 * 1024);
    arena_cleanup(&arena);
}

const struct unit_case unit_cases[] = {
    {"lists whose order counts", test_ordered}, {"sets", test_set}, {"GREASE", test_grease},
    {"very long lists", test_very_long_lists},  {NULL, NULL},
};
