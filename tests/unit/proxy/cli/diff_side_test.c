#include "proxy/cli/diff_side.h"

#include <string.h>

#include "proxy/cli/exit.h"
#include "tests/unit/proxy/cli/two_places.h"
#include "tests/unit/unit.h"

static struct diff_side side;

static const struct place_row rows[] = {
    {"aa1", 0, "One.test", 1, 2, .alpn = true},
    {"aa2", 1500, "0123456789abcdef.probe.test", 3, 0, .alpn = true, .address = "192.0.2.7"},
    {"b", 1600, "", 0, 0, .port = 80},
    {NULL, 0, NULL, 0, 0, .alpn = false},
};

static int open_it(const char *arg, const char *log) {
    int status = 0;
    struct diff_sources from = {.log = log, .keys = key_log_new(0)};
    bool ok = diff_side_open(&side, &status, arg, &from);
    key_log_free(from.keys);
    return ok ? 0 : status;
}

static void test_a_log(void) {
    place_log(place_path("log"), rows);
    CU_ASSERT_EQUAL_FATAL(open_it(place_path("log"), NULL), 0);
    CU_ASSERT(side.num == 3 && !side.single);
    CU_ASSERT_STRING_EQUAL(side.file, place_path("log"));
    diff_side_scan(&side);
    const struct pair_record *one = &side.records[0], *two = &side.records[1];
    CU_ASSERT(one->hellos[0].random != 0 && one->hellos[1].random != 0);
    CU_ASSERT(one->hellos[0].random != one->hellos[1].random);
    CU_ASSERT(one->name == pair_key("one.test", 8) && one->nonce == 0);
    CU_ASSERT(two->hellos[1].random == 0 && two->nonce == pair_key("0123456789abcdef", 16));
    CU_ASSERT_EQUAL(two->start_us - one->start_us, 1500000);
    CU_ASSERT_NOT_EQUAL(two->place.client, one->place.client);
    CU_ASSERT_EQUAL(two->place.service, one->place.service);
    CU_ASSERT(side.records[2].hellos[0].random == 0 && side.records[2].name == 0);
    CU_ASSERT_NOT_EQUAL(side.records[2].place.service, one->place.service);
    diff_side_cleanup(&side);
}

static void test_one_record(void) {
    CU_ASSERT_EQUAL_FATAL(open_it(place_path("log#2"), NULL), 0);
    CU_ASSERT(side.single && side.num == 1 && side.first == 1);
    struct record *record = diff_side_read(&side, 0);
    CU_ASSERT(record != NULL && obj_str_is(record->root, F_RECORD_ID, "aa2"));
    record_free(record);
    diff_side_cleanup(&side);
    CU_ASSERT_EQUAL_FATAL(open_it("b", place_path("log")), 0);
    CU_ASSERT(side.single && side.first == 2);
    diff_side_cleanup(&side);
}

static void test_what_is_not_there(void) {
    CU_ASSERT_EQUAL(open_it(place_path("log#0"), NULL), EXIT_USAGE);
    CU_ASSERT_EQUAL(open_it(place_path("log#4"), NULL), EXIT_USAGE);
    CU_ASSERT_EQUAL(open_it(place_path("log#x"), NULL), EXIT_USAGE);
    CU_ASSERT_EQUAL(open_it(place_path("log#-1"), NULL), EXIT_USAGE);
    CU_ASSERT_EQUAL(open_it(place_path("none#1"), NULL), EXIT_USAGE);
    CU_ASSERT_EQUAL(open_it("aa", place_path("log")), EXIT_USAGE);
    CU_ASSERT_EQUAL(open_it("c", place_path("log")), EXIT_USAGE);
    CU_ASSERT_EQUAL(open_it("b", place_path("none")), EXIT_USAGE);
    CU_ASSERT_EQUAL(open_it("/", NULL), EXIT_USAGE);
}

static void test_a_capture(void) {
    place_capture(place_path("c.pcapng"), rows + 1);
    CU_ASSERT_EQUAL_FATAL(open_it(place_path("c.pcapng"), NULL), 0);
    CU_ASSERT(side.num >= 1 && !side.single);
    diff_side_scan(&side);
    CU_ASSERT_NOT_EQUAL(side.records[0].hellos[0].random, 0);
    CU_ASSERT_EQUAL(side.records[0].nonce, pair_key("0123456789abcdef", 16));
    diff_side_cleanup(&side);
    CU_ASSERT_EQUAL_FATAL(open_it(place_path("c.pcapng#1"), NULL), 0);
    CU_ASSERT(side.single);
    diff_side_cleanup(&side);
}

static void test_a_broken_capture(void) {
    place_text(place_path("broken.pcap"), "\n\r\r\nnot a section header block");
    CU_ASSERT_EQUAL(open_it(place_path("broken.pcap"), NULL), EXIT_USAGE);
}

const struct unit_case unit_cases[] = {
    {"a log", test_a_log},
    {"one record", test_one_record},
    {"what is not there", test_what_is_not_there},
    {"a capture", test_a_capture},
    {"a broken capture", test_a_broken_capture},
    {NULL, NULL},
};
