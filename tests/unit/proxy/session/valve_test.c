#include "proxy/session/valve.h"

#include "tests/unit/unit.h"

static void test_open(void) {
    struct valve valve;
    valve_init(&valve);
    CU_ASSERT_EQUAL(valve_room(&valve, 1000, 5), 1000);
    valve_passed(&valve, 1000, 5);
    CU_ASSERT(!valve_swallows(&valve));
    CU_ASSERT_EQUAL(valve_room(&valve, 7, 5), 7);
    CU_ASSERT_EQUAL(valve_deadline(&valve, 7, 5), INT64_MAX);
}

static void test_pieces(void) {
    struct valve valve;
    valve_init(&valve);
    valve_cut(&valve, 10, 1000);
    CU_ASSERT_EQUAL(valve_room(&valve, 25, 0), 10);
    valve_passed(&valve, 4, 0); // the kernel took less
    CU_ASSERT_EQUAL(valve_room(&valve, 21, 0), 6);
    valve_passed(&valve, 6, 0);
    CU_ASSERT_EQUAL(valve_room(&valve, 15, 999), 0);
    CU_ASSERT_EQUAL(valve_deadline(&valve, 15, 999), 1000);
    CU_ASSERT_EQUAL(valve_deadline(&valve, 0, 999), INT64_MAX);
    CU_ASSERT_EQUAL(valve_room(&valve, 15, 1000), 10);
    valve_cut(&valve, 0, 0);
    CU_ASSERT_EQUAL(valve_room(&valve, 15, 1000), 15);
}

static void test_bound(void) {
    struct valve valve;
    valve_init(&valve);
    valve.left = 3;
    CU_ASSERT_EQUAL(valve_room(&valve, 5, 0), 3);
    CU_ASSERT(!valve_swallows(&valve));
    valve_passed(&valve, 3, 0);
    CU_ASSERT(valve_swallows(&valve));
    valve_other_spoke(&valve);
    CU_ASSERT(valve_swallows(&valve));
    valve.flight = 3;
    valve_other_spoke(&valve);
    CU_ASSERT(!valve_swallows(&valve));
    CU_ASSERT_EQUAL(valve_room(&valve, 5, 0), 3);
}

const struct unit_case unit_cases[] = {
    {"open", test_open},
    {"pieces", test_pieces},
    {"a bound", test_bound},
    {NULL, NULL},
};
