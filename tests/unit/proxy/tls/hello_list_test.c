#include "proxy/tls/hello_list.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/tls/hello_edit.h"
#include "tests/unit/unit.h"

static void test_pieces(void) {
    struct hello_list list = {0};
    hello_list_number(&list, 0x1234, 2);
    hello_list_name(&list, (const uint8_t *)"abc", 3, 1);
    hello_list_bytes(&list, NULL, 0);
    CU_ASSERT_EQUAL(list.len, 6);
    CU_ASSERT(memcmp(list.p,
                     "\x12\x34\x03"
                     "abc",
                     6) == 0);
    CU_ASSERT_EQUAL(hello_list_at(list.p, 3), 0x123403);
    hello_list_cleanup(&list);
    CU_ASSERT_PTR_NULL(list.p);
}

static void test_set(void) {
    struct hello_draft draft;
    struct hello_list list = {0};
    hello_draft_init(&draft);
    hello_list_number(&list, 0x0304, 2);
    hello_list_set(&draft, EXT_SUPPORTED_VERSIONS, 1, &list);
    CU_ASSERT_PTR_NULL(list.p);
    hello_list_bytes(&list, (const uint8_t *)"xyz", 3);
    hello_list_set(&draft, EXT_COOKIE, 0, &list);
    CU_ASSERT_EQUAL_FATAL(draft.num_extensions, 2);
    CU_ASSERT(memcmp(draft.extensions[0].body.p, "\x02\x03\x04", 3) == 0);
    CU_ASSERT(memcmp(draft.extensions[1].body.p, "xyz", 3) == 0);
    hello_draft_cleanup(&draft);
}

static void test_too_long(void) {
    struct hello_draft draft;
    struct hello_list list = {0};
    uint8_t *zeros = xcalloc(UINT16_MAX, 1);
    hello_draft_init(&draft);
    hello_list_bytes(&list, zeros, UINT16_MAX);
    CU_ASSERT_FALSE(list.overflow);
    hello_list_number(&list, 0, 1);
    CU_ASSERT(list.overflow);
    hello_list_set(&draft, EXT_COOKIE, 0, &list);
    CU_ASSERT(draft.overflow);
    CU_ASSERT_EQUAL(draft.num_extensions, 0);
    hello_list_name(&list, zeros, 256, 1);
    CU_ASSERT(list.overflow);
    hello_list_cleanup(&list);
    hello_draft_cleanup(&draft);
    free(zeros);
}

static void number_too_wide(void) {
    struct hello_list list = {0};
    hello_list_number(&list, 0x10000, 2);
}

static void test_number_too_wide(void) { CU_ASSERT(unit_aborts(number_too_wide, "width")); }

const struct unit_case unit_cases[] = {
    {"numbers, bytes and names", test_pieces},
    {"a list becomes the body of an extension", test_set},
    {"what is too long is not stored", test_too_long},
    {"a number that does not fit is our mistake", test_number_too_wide},
    {NULL, NULL},
};
