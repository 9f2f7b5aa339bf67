#include "logs/record/code_text.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct span text(const char *s) { return (struct span){(const uint8_t *)s, strlen(s)}; }

static bool finds(enum registry registry, const uint16_t *codes, size_t num, const char *want) {
    struct span found = code_text_find(registry, codes, num);
    return found.p != NULL && found.len == strlen(want) && memcmp(found.p, want, found.len) == 0;
}

static void test_keeps(void) {
    static const uint16_t codes[] = {1, 2, 3, 4}, others[] = {1, 2, 3, 5};
    CU_ASSERT_PTR_NULL(code_text_find(REGISTRY_CIPHER, codes, 4).p);
    code_text_keep(REGISTRY_CIPHER, codes, 4, text("[four]"));
    CU_ASSERT(finds(REGISTRY_CIPHER, codes, 4, "[four]"));
    CU_ASSERT_PTR_NULL(code_text_find(REGISTRY_GROUP, codes, 4).p);
    CU_ASSERT_PTR_NULL(code_text_find(REGISTRY_CIPHER, codes, 3).p);
    CU_ASSERT_PTR_NULL(code_text_find(REGISTRY_CIPHER, others, 4).p);
}

static void test_makes_room(void) {
    uint16_t codes[3] = {7, 7, 0};
    char name[16];
    size_t found = 0;
    for (uint16_t i = 0; i < 1000; i++) {
        codes[2] = i;
        snprintf(name, sizeof(name), "[%u]", i);
        code_text_keep(REGISTRY_CIPHER, codes, 3, text(name));
        CU_ASSERT(finds(REGISTRY_CIPHER, codes, 3, name));
    }
    for (uint16_t i = 0; i < 1000; i++) {
        codes[2] = i;
        snprintf(name, sizeof(name), "[%u]", i);
        struct span kept = code_text_find(REGISTRY_CIPHER, codes, 3);
        CU_ASSERT(kept.p == NULL || finds(REGISTRY_CIPHER, codes, 3, name));
        found += kept.p != NULL;
    }
    CU_ASSERT(found > 0 && found < 1000);
}

static void test_lengths_that_are_not_kept(void) {
    uint16_t codes[65] = {0};
    static const size_t nums[] = {0, 2, 65};
    for (size_t i = 0; i < ARRAY_LEN(nums); i++) {
        code_text_keep(REGISTRY_CIPHER, codes, nums[i], text("[]"));
        CU_ASSERT_PTR_NULL(code_text_find(REGISTRY_CIPHER, codes, nums[i]).p);
    }
    code_text_keep(REGISTRY_CIPHER, codes, 64, text("[64]"));
    CU_ASSERT(finds(REGISTRY_CIPHER, codes, 64, "[64]"));
}

const struct unit_case unit_cases[] = {
    {"it keeps", test_keeps},
    {"it makes room", test_makes_room},
    {"lengths that are not kept", test_lengths_that_are_not_kept},
    {NULL, NULL},
};
