#include "proxy/net/clock.h"

#include <poll.h>
#include <time.h>

#include "tests/unit/unit.h"

static void test_units(void) {
    int64_t before = clock_mono_us();
    poll(NULL, 0, 20);
    int64_t took = clock_mono_us() - before;
    CU_ASSERT_TRUE(took >= 20000 && took < 5000000);
    int64_t off = clock_wall_ms() - (int64_t)time(NULL) * 1000;
    CU_ASSERT_TRUE(off > -2000 && off < 2000);
}

// What the kernel of this machine says is its own affair; that it is asked is ours.
static void test_kept(void) {
    bool first = false, second = false;
    bool known = clock_kept(&first);
    CU_ASSERT_EQUAL(clock_kept(&second), known);
    CU_ASSERT_EQUAL(first, second);
    CU_ASSERT(known || !first);
}

const struct unit_case unit_cases[] = {
    {"units", test_units},
    {"kept", test_kept},
    {NULL, NULL},
};
