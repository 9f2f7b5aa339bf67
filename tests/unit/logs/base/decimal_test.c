#include "logs/base/decimal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static void test_as_printf(void) {
    static const uint64_t numbers[] = {0,   1,    9,          10,         99,         100,
                                       255, 1999, UINT16_MAX, UINT32_MAX, 1000000000, UINT64_MAX};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        char out[DECIMAL_MAX], expected[DECIMAL_MAX + 1];
        memset(out, '!', sizeof(out));
        size_t num = (size_t)snprintf(expected, sizeof(expected), "%" PRIu64, numbers[i]);
        CU_ASSERT_EQUAL_FATAL(decimal_write(out, numbers[i]), num);
        CU_ASSERT_NSTRING_EQUAL(out, expected, num);
        CU_ASSERT_TRUE(num == sizeof(out) || out[num] == '!');
    }
}

const struct unit_case unit_cases[] = {{"as printf writes it", test_as_printf}, {NULL, NULL}};
