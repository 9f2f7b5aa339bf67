#include "logs/store/json_skip.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

// naive does what json_brackets does, a byte at a time.
static uint64_t naive(bool *in_string, bool *escaped, const char *p) {
    uint64_t brackets = 0;
    for (int i = 0; i < JSON_BLOCK; i++) {
        bool was_escaped = *escaped;
        *escaped = !was_escaped && p[i] == '\\';
        if (p[i] == '"' && !was_escaped) {
            *in_string = !*in_string;
        } else if (!*in_string && p[i] != '\0' && strchr("{}[]", p[i]) != NULL) {
            brackets |= UINT64_C(1) << i;
        }
    }
    return brackets;
}

static void test_brackets_of_anything(void) {
    static const char alphabet[] = "{}[]\"\"\\\\ax;|\x5c\x7b\xdb\xfb\xa2";
    struct json_state state = {0};
    bool in_string = false, escaped = false;
    srand(1);
    for (int round = 0; round < 20000; round++) {
        char block[JSON_BLOCK];
        // Some blocks are full of backslashes, some have hardly any.
        int most = round % 3 == 0 ? 6 : (int)sizeof(alphabet) - 1;
        for (int i = 0; i < JSON_BLOCK; i++) {
            block[i] = alphabet[rand() % most];
            block[i] = round % 7 == 0 && rand() % 4 != 0 ? '\\' : block[i];
        }
        CU_ASSERT_EQUAL(json_brackets(&state, block), naive(&in_string, &escaped, block));
        CU_ASSERT_EQUAL(state.in_string != 0, in_string);
        CU_ASSERT_EQUAL(state.escaped != 0, escaped);
    }
}

static void test_string_end(void) {
    static const struct {
        const char *text;
        int after; // -1: it does not end
    } rows[] = {
        {"\"", 1},
        {"abc\"x", 4},
        {"", -1},
        {"abc", -1},
        {"\\\"\"", 3},
        {"\\\\\"", 3},
        {"\\\\\\\"", -1},
        {"1234567\"", 8},
        {"12345678\"", 9},
        {"!!!!!!!!!#######\"", 17},
        {"\xa2\xa2\xa2\xa2\xa2\xa2\xa2\xa2\"", 9},
        {"0123456789012345678901234567890123456789012345678901234567890123456789\\\"0123456\"", 80},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *p = rows[i].text, *after = json_string_end(p, p + strlen(p));
        CU_ASSERT_EQUAL(after != NULL ? (int)(after - p) : -1, rows[i].after);
    }
    // What lies behind the end does not count.
    static const char text[] = "abcdefgh\"";
    CU_ASSERT_PTR_NULL(json_string_end(text, text + 8));
}

const struct unit_case unit_cases[] = {
    {"brackets of anything", test_brackets_of_anything},
    {"string end", test_string_end},
    {NULL, NULL},
};
