#include "proxy/tls/extension.h"

#include "logs/record/codepoint.h"
#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

static void test_walk(void) {
    struct made m = made_hex("0017 0000 0010 0003 aabbcc 0005 00ff 00");
    CBS block;
    CBS_init(&block, m.p, m.len);
    struct extension ext;
    CU_ASSERT_TRUE(extension_next(&block, &ext));
    CU_ASSERT_EQUAL(ext.type, EXT_EXTENDED_MASTER_SECRET);
    CU_ASSERT_EQUAL(CBS_len(&ext.body), 0);
    CU_ASSERT_TRUE(extension_next(&block, &ext));
    CU_ASSERT_EQUAL(ext.type, EXT_ALPN);
    CU_ASSERT_PTR_EQUAL(CBS_data(&ext.body), m.p + 4 + EXTENSION_HEADER_LEN);
    CU_ASSERT_FALSE(extension_next(&block, &ext));
    CU_ASSERT_EQUAL(CBS_len(&block), 5); // the broken rest stays
    made_free(&m);
}

static void test_find(void) {
    struct made m = made_hex("0017 0000 0010 0001 aa 0010 0001 bb");
    CBS block, body;
    CBS_init(&block, m.p, m.len);
    CU_ASSERT_TRUE(extension_find(&body, block, EXT_ALPN));
    CU_ASSERT_EQUAL(CBS_data(&body)[0], 0xaa);
    CU_ASSERT_FALSE(extension_find(&body, block, EXT_COOKIE));
    made_free(&m);
}

// The rows of RFC 8446, section 4.2, that are easiest to get wrong.
static void test_places(void) {
    CU_ASSERT_TRUE(extension_allowed(EXT_KEY_SHARE, EXT_IN_HRR));
    CU_ASSERT_FALSE(extension_allowed(EXT_KEY_SHARE, EXT_IN_EE));
    CU_ASSERT_TRUE(extension_allowed(EXT_COOKIE, EXT_IN_HRR));
    CU_ASSERT_FALSE(extension_allowed(EXT_COOKIE, EXT_IN_SH));
    CU_ASSERT_TRUE(extension_allowed(EXT_ALPN, EXT_IN_EE));
    CU_ASSERT_FALSE(extension_allowed(EXT_ALPN, EXT_IN_SH));
    CU_ASSERT_TRUE(extension_allowed(EXT_ALPN, EXT_IN_S12));
    CU_ASSERT_TRUE(extension_allowed(EXT_STATUS_REQUEST, EXT_IN_CT));
    CU_ASSERT_FALSE(extension_allowed(EXT_STATUS_REQUEST, EXT_IN_EE));
    CU_ASSERT_TRUE(extension_allowed(EXT_EARLY_DATA, EXT_IN_NST));
    CU_ASSERT_FALSE(extension_allowed(EXT_OID_FILTERS, EXT_IN_CH));
    CU_ASSERT_FALSE(extension_allowed(EXT_PADDING, EXT_IN_SH));
    CU_ASSERT_TRUE(extension_allowed(0x1234, EXT_IN_SH)); // unknown ones may
}

// What is known here is registered, so that the parser need not ask for it.
static void test_known_ones_are_registered(void) {
    size_t num = 0;
    for (uint32_t type = 0; type <= UINT16_MAX; type++) {
        if (extension_known((uint16_t)type)) {
            CU_ASSERT_PTR_NOT_NULL(codepoint_find(REGISTRY_EXTENSION, (uint16_t)type));
            num++;
        }
    }
    CU_ASSERT(num > 30);
}

const struct unit_case unit_cases[] = {
    {"known ones are registered", test_known_ones_are_registered},
    {"walk", test_walk},
    {"find", test_find},
    {"places", test_places},
    {NULL, NULL},
};
