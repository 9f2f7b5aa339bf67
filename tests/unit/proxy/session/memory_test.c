#include "proxy/session/memory.h"

#include <string.h>

#include "tests/unit/unit.h"

static const uint8_t one[16] = {1}, two[16] = {2};

static void test_count(void) {
    struct memory *memory = memory_new(0);
    CU_ASSERT_EQUAL(memory_count(memory, one, "a.test"), 1);
    CU_ASSERT_EQUAL(memory_count(memory, one, "a.test"), 2);
    CU_ASSERT_EQUAL(memory_count(memory, two, "a.test"), 1);
    CU_ASSERT_EQUAL(memory_count(memory, one, "b.test"), 1);
    char name[16] = "";
    for (int i = 0; i < MEMORY_MAX; i++) { // the oldest is forgotten
        snprintf(name, sizeof(name), "%d.test", i);
        CU_ASSERT_EQUAL(memory_count(memory, one, name), 1);
    }
    CU_ASSERT_EQUAL(memory_count(memory, one, name), 2);
    CU_ASSERT_EQUAL(memory_count(memory, two, "a.test"), 1);
    memory_free(memory);
}

static void test_draw(void) {
    struct memory *a = memory_new(7), *b = memory_new(7), *c = memory_new(8);
    bool same = true;
    double sum = 0;
    for (int i = 0; i < 1000; i++) {
        double x = memory_draw(a);
        CU_ASSERT(x >= 0 && x < 1);
        CU_ASSERT(x == memory_draw(b));
        same = same && x == memory_draw(c);
        sum += x;
    }
    CU_ASSERT(!same && sum > 450 && sum < 550);
    memory_free(a);
    memory_free(b);
    memory_free(c);
}

static void test_punish(void) {
    struct memory *memory = memory_new(0);
    size_t reaction;
    CU_ASSERT(!memory_punished(memory, &reaction, one, "192.0.2.1:443", 0));
    memory_punish(memory, one, "192.0.2.1:443", 3, 100);
    CU_ASSERT(memory_punished(memory, &reaction, one, "192.0.2.1:443", 99) && reaction == 3);
    CU_ASSERT(!memory_punished(memory, &reaction, one, "192.0.2.1:443", 100));
    CU_ASSERT(!memory_punished(memory, &reaction, one, "192.0.2.2:443", 99));
    CU_ASSERT(!memory_punished(memory, &reaction, two, "192.0.2.1:443", 99));
    memory_free(memory);
}

static void test_staple(void) {
    struct memory *memory = memory_new(0);
    uint8_t out[8];
    CU_ASSERT_EQUAL(memory_staple(memory, out, sizeof(out), "a.test", NULL, 0), 0);
    CU_ASSERT_EQUAL(memory_staple(memory, out, sizeof(out), "a.test", (const uint8_t *)"one", 3),
                    3);
    CU_ASSERT_EQUAL(memory_staple(memory, out, sizeof(out), "a.test", (const uint8_t *)"two", 3),
                    3);
    CU_ASSERT(memcmp(out, "one", 3) == 0);
    CU_ASSERT_EQUAL(memory_staple(memory, out, 2, "a.test", NULL, 0), 0);
    memory_free(memory);
}

const struct unit_case unit_cases[] = {
    {"which connection it is", test_count},
    {"chance", test_draw},
    {"residual blocking", test_punish},
    {"the first staple", test_staple},
    {NULL, NULL},
};
