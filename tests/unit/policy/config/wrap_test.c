#include "policy/config/wrap.h"

#include <string.h>

#include "tests/unit/unit.h"

static void test_wraps(void) {
    struct buf out;
    buf_init(&out, 1000);
    CU_ASSERT_TRUE(wrap_text(&out, 8, "  label",
                             "one two three four five six seven eight nine ten eleven twelve "
                             "thirteen fourteen"));
    static const char expected[] =
        "  label one two three four five six seven eight nine ten eleven twelve thirteen\n"
        "        fourteen\n";
    CU_ASSERT_EQUAL(out.len, strlen(expected));
    CU_ASSERT_EQUAL(memcmp(buf_data(&out), expected, out.len), 0);
    buf_cleanup(&out);
}

static void test_ceiling(void) {
    struct buf out;
    buf_init(&out, 12);
    CU_ASSERT_FALSE(wrap_text(&out, 4, "", "longer than that"));
    buf_cleanup(&out);
}

const struct unit_case unit_cases[] = {
    {"wraps", test_wraps},
    {"ceiling", test_ceiling},
    {NULL, NULL},
};
