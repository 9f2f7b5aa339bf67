#include "proxy/probe/element.h"

#include <string.h>

#include "proxy/tls/extension.h"
#include "proxy/tls/hello_edit.h"
#include "tests/unit/unit.h"

static bool inner(struct elements *out, uint16_t type, const char *bytes, size_t len) {
    return elements_inner(out, type, &(struct hello_bytes){(uint8_t *)bytes, len});
}

static void test_lists(void) {
    struct elements e;
    CU_ASSERT(inner(&e, EXT_SUPPORTED_GROUPS, "\x00\x04\x00\x1d\x00\x17", 6));
    CU_ASSERT(e.num == 2 && e.all[0].code == 29 && e.all[1].key == 23);
    CU_ASSERT(inner(&e, EXT_SUPPORTED_VERSIONS, "\x02\x03\x04", 3));
    CU_ASSERT(e.num == 1 && e.all[0].code == 0x0304);
    CU_ASSERT(inner(&e, EXT_PSK_KEY_EXCHANGE_MODES, "\x02\x00\x01", 3));
    CU_ASSERT_EQUAL(e.num, 2);
    CU_ASSERT(inner(&e, EXT_ALPN, "\x00\x06\x02h2\x02h3", 8));
    CU_ASSERT(e.num == 2 && e.all[0].len == 3 && e.all[0].key != e.all[1].key);
    CU_ASSERT(inner(&e, EXT_KEY_SHARE,
                    "\x00\x06\x00\x1d\x00\x02"
                    "ab",
                    8));
    CU_ASSERT(e.num == 1 && e.all[0].len == 6 && e.all[0].code == 29);
    CU_ASSERT_EQUAL(elements_prefix(EXT_SUPPORTED_VERSIONS), 1);
    CU_ASSERT_EQUAL(elements_prefix(EXT_COOKIE), 0);
}

static void test_no_lists(void) {
    struct elements e;
    CU_ASSERT_FALSE(inner(&e, EXT_SUPPORTED_GROUPS, "\x00\x03\x00\x1d\x00", 5)); // odd
    CU_ASSERT_FALSE(inner(&e, EXT_SUPPORTED_GROUPS, "\x00\x02\x00\x1d\x00", 5)); // bytes behind
    CU_ASSERT_FALSE(inner(&e, EXT_SUPPORTED_GROUPS, "\x00\x04\x00\x1d", 4));     // cut
    CU_ASSERT_FALSE(inner(&e, EXT_ALPN, "\x00\x02\x05h", 4));
    CU_ASSERT_FALSE(inner(&e, EXT_COOKIE, "\x00\x02\x05h", 4));
    CU_ASSERT_FALSE(inner(&e, EXT_ALPN, NULL, 0));
}

static void test_keys(void) {
    struct elements e;
    CU_ASSERT(inner(&e, EXT_SUPPORTED_GROUPS, "\x00\x08\x1a\x1a\x00\x1d\x00\x1d\x2a\x2a", 10));
    CU_ASSERT_EQUAL(e.num, 4);
    CU_ASSERT(element_key_is_grease(e.all[0].key) && element_key_is_grease(e.all[3].key));
    CU_ASSERT(e.all[0].key != e.all[3].key && e.all[1].key != e.all[2].key);
    CU_ASSERT_FALSE(element_key_is_grease(e.all[2].key));
    uint32_t grease = e.all[0].key;
    CU_ASSERT(inner(&e, EXT_SUPPORTED_GROUPS, "\x00\x02\x8a\x8a", 4));
    CU_ASSERT_EQUAL(e.all[0].key, grease);
    CU_ASSERT_EQUAL(elements_find(&e, grease), 0);
    CU_ASSERT_EQUAL(elements_find(&e, 1), e.num);
}

// Keeps all but the key that `ctx` points at.
static bool keep(const void *ctx, uint32_t key) { return key != *(const uint32_t *)ctx; }

static void merged_is(const char *base, const char *other, uint32_t without, const char *expected) {
    struct elements a, b, merged;
    char list_a[64] = {0, (char)strlen(base)}, list_b[64] = {0, (char)strlen(other)};
    memcpy(list_a + 2, base, strlen(base));
    memcpy(list_b + 2, other, strlen(other));
    CU_ASSERT_FATAL(inner(&a, EXT_SUPPORTED_GROUPS, list_a, 2 + strlen(base)));
    CU_ASSERT_FATAL(inner(&b, EXT_SUPPORTED_GROUPS, list_b, 2 + strlen(other)));
    elements_merge(&merged, &a, &b, &a, keep, &without);
    CU_ASSERT_EQUAL_FATAL(merged.num, strlen(expected) / 2);
    for (size_t i = 0; i < merged.num; i++) {
        CU_ASSERT(memcmp(merged.all[i].p, expected + 2 * i, 2) == 0);
    }
}

static void test_merge(void) {
    merged_is("aabbcc", "aaxxcc", 0, "aaxxbbcc");
    merged_is("aabbcc", "xxyyaa", 0, "xxyyaabbcc");
    merged_is("aabbcc", "ccbbaa", 0, "aabbcc");
    merged_is("aabbcc", "bbxx", 'b' << 8 | 'b', "xxaacc");
    merged_is("", "xxyy", 0, "xxyy");
}

static void test_order(void) {
    struct elements a, b;
    CU_ASSERT(inner(&a, EXT_SUPPORTED_GROUPS,
                    "\x00\x06"
                    "aabbcc",
                    8));
    CU_ASSERT(inner(&b, EXT_SUPPORTED_GROUPS,
                    "\x00\x06"
                    "aaxxcc",
                    8));
    CU_ASSERT(elements_same_order(&a, &b));
    CU_ASSERT(inner(&b, EXT_SUPPORTED_GROUPS,
                    "\x00\x04"
                    "ccaa",
                    6));
    CU_ASSERT_FALSE(elements_same_order(&a, &b));
}

static void test_hello(void) {
    struct hello_draft draft;
    struct elements e;
    hello_draft_init(&draft);
    CU_ASSERT(elements_ciphers(&e, &draft) && e.num == 0);
    hello_edit_ciphers(&draft, (const uint32_t[]){0x1301, 0x0a0a}, 2);
    CU_ASSERT(elements_ciphers(&e, &draft) && e.num == 2);
    hello_edit_set(&draft, 5, (const uint8_t *)"abc", 3);
    CU_ASSERT(elements_extensions(&e, &draft) && e.num == 1 && e.all[0].len == 3);
    for (uint16_t i = 0; i < ELEMENTS_MAX / 2; i++) {
        hello_edit_insert(&draft, 0, 0x7000 + i, NULL, 0);
    }
    CU_ASSERT_FALSE(elements_extensions(&e, &draft));
    hello_draft_cleanup(&draft);
}

const struct unit_case unit_cases[] = {
    {"lists inside extensions", test_lists},
    {"what is no list", test_no_lists},
    {"keys are of GREASE, and of the first and second of a kind", test_keys},
    {"two lists become one", test_merge},
    {"order", test_order},
    {"suites and extensions", test_hello},
    {NULL, NULL},
};
