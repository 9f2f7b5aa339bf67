#include "policy/decide/glob.h"

#include <string.h>

#include "tests/unit/unit.h"

static bool matches(const char *pattern, const char *text) {
    return glob_matches(pattern, text, strlen(text));
}

static void test_matches(void) {
    CU_ASSERT(matches("a.test", "A.Test"));
    CU_ASSERT(matches("*.test", "a.b.test") && matches("*", "") && matches("*a*b*", "xaxxbx"));
    CU_ASSERT(matches("*ab", "aab") && matches("a**b", "ab"));
}

static void test_does_not(void) {
    CU_ASSERT(!matches("a.test", "a.testx") && !matches("a.test", "a.tes"));
    CU_ASSERT(!matches("*.test", "test") && !matches("", "a") && !matches("a*b", "ac"));
    CU_ASSERT(!glob_matches("ab", "ab", 1));
}

const struct unit_case unit_cases[] = {
    {"what matches", test_matches},
    {"what does not", test_does_not},
    {NULL, NULL},
};
