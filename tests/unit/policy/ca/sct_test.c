#include "policy/ca/sct.h"

#include <string.h>

#include "tests/unit/unit.h"

enum { ITEM_LEN = 2 + 1 + 32 + 8 + 2 + 4 + 3 };

// Appends a timestamp of log `fill`, made at 0x0000019a00000000 ms.
static size_t put(uint8_t *p, uint8_t version, uint8_t fill) {
    static const uint8_t tail[] = {0, 0, 1, 0x9a, 0, 0, 0, 0, 0, 0, 4, 3, 0, 3, 'a', 'b', 'c'};
    p[0] = 0;
    p[1] = ITEM_LEN - 2;
    p[2] = version;
    memset(p + 3, fill, 32);
    memcpy(p + 35, tail, sizeof(tail));
    return ITEM_LEN;
}

static void test_list(void) {
    uint8_t bytes[2 + 2 * ITEM_LEN] = {0, 2 * ITEM_LEN};
    CBS in, list;
    struct sct sct;
    size_t len = 2 + put(bytes + 2, 0, 7);
    len += put(bytes + len, 0, 8);
    CBS_init(&in, bytes, len);
    CU_ASSERT_TRUE_FATAL(sct_list_open(&list, in));
    CU_ASSERT_TRUE(sct_next(&list, &sct));
    CU_ASSERT_STRING_EQUAL(sct.log_id, "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
    CU_ASSERT_PTR_NULL(sct.log);
    CU_ASSERT_EQUAL(sct.time_ms, INT64_C(0x19a00000000));
    CU_ASSERT_TRUE(sct_next(&list, &sct));
    CU_ASSERT_FALSE(sct_next(&list, &sct));
    CU_ASSERT_EQUAL(CBS_len(&list), 0);
    CBS_init(&in, bytes, len - 1);
    CU_ASSERT_FALSE(sct_list_open(&list, in));
}

// An unknown version is passed over; a malformed timestamp ends the list before it.
static void test_odd(void) {
    uint8_t bytes[2 * ITEM_LEN];
    CBS list;
    struct sct sct;
    size_t len = put(bytes, 5, 7);
    len += put(bytes + len, 0, 8);
    CBS_init(&list, bytes, len);
    CU_ASSERT_TRUE(sct_next(&list, &sct));
    CU_ASSERT_EQUAL(sct.version, 5);
    CU_ASSERT_STRING_EQUAL(sct.log_id, "");
    bytes[ITEM_LEN + 35] = 0x80; // a time that no clock shows
    CU_ASSERT_FALSE(sct_next(&list, &sct));
    CU_ASSERT_EQUAL(CBS_len(&list), ITEM_LEN);
    for (size_t i = 1; i < ITEM_LEN; i++) {
        CBS_init(&list, bytes, i);
        CU_ASSERT_FALSE(sct_next(&list, &sct));
    }
}

// The table: every id is the base64 of 32 bytes and stands there once.
static void test_logs(void) {
    static const char *const ids[] = {
#define SCT_LOG(id, name) id,
#include "policy/ca/sct_logs.inc"
#undef SCT_LOG
    };
    size_t num = sizeof(ids) / sizeof(ids[0]);
    for (size_t i = 0; i < num; i++) {
        uint8_t bytes[48];
        size_t len;
        CU_ASSERT_EQUAL(strlen(ids[i]), SCT_LOG_ID_TEXT - 1);
        CU_ASSERT_TRUE(
            EVP_DecodeBase64(bytes, &len, sizeof(bytes), (const uint8_t *)ids[i], strlen(ids[i])));
        CU_ASSERT_EQUAL(len, 32);
        for (size_t k = 0; k < i; k++) {
            CU_ASSERT_STRING_NOT_EQUAL(ids[k], ids[i]);
        }
    }
    CU_ASSERT_TRUE(num > 100);
}

const struct unit_case unit_cases[] = {
    {"list", test_list},
    {"odd ones", test_odd},
    {"logs", test_logs},
    {NULL, NULL},
};
