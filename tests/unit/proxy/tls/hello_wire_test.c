#include <string.h>

#include "proxy/tls/hello_draft.h"
#include "proxy/tls/hello_edit.h"
#include "tests/unit/proxy/tls/hellos.h"
#include "tests/unit/unit.h"

static struct hello_draft draft;
static struct hello_segments segments;
static struct buf wire;

static void begin(const char *name) {
    struct err err;
    const struct sample *hello = hellos_get(name);
    hello_draft_init(&draft);
    buf_init(&wire, HELLO_DRAFT_WIRE_MAX);
    CU_ASSERT_FATAL(hello_draft_read_wire(&draft, NULL, hello->p, hello->len, &err));
}

static void end(void) {
    hello_draft_cleanup(&draft);
    buf_cleanup(&wire);
}

static void write_again(void) {
    struct err err = {0};
    buf_cleanup(&wire);
    CU_ASSERT_FATAL(hello_draft_wire(&draft, &wire, &segments, &err));
}

static void test_clients_come_back(void) {
    for (const struct sample *hello = hellos; hello->name != NULL; hello++) {
        begin(hello->name);
        write_again();
        CU_ASSERT_EQUAL(wire.len, hello->len);
        CU_ASSERT(memcmp(buf_data(&wire), hello->p, hello->len) == 0);
        CU_ASSERT_EQUAL(segments.num, 1);
        CU_ASSERT_EQUAL(segments.segments[0].len, hello->len);
        end();
    }
}

// Reads what was written, and writes it again to the same bytes.
static void check_round_trip(void) {
    struct hello_draft again;
    struct buf second;
    struct err err = {0};
    size_t wire_len;
    hello_draft_init(&again);
    buf_init(&second, HELLO_DRAFT_WIRE_MAX);
    write_again();
    CU_ASSERT(hello_draft_read_wire(&again, &wire_len, buf_data(&wire), wire.len, &err));
    CU_ASSERT_EQUAL(wire_len, wire.len);
    CU_ASSERT(hello_draft_wire(&again, &second, NULL, &err));
    CU_ASSERT(second.len == wire.len && memcmp(buf_data(&second), buf_data(&wire), wire.len) == 0);
    buf_cleanup(&second);
    hello_draft_cleanup(&again);
}

static void test_record_cuts(void) {
    begin("curl");
    draft.record_version = 0x0303;
    hello_edit_cut_record(&draft, 100);
    hello_edit_cut_record(&draft, 1);
    hello_edit_cut_record(&draft, 1); // an empty record
    hello_edit_cut_record(&draft, 9999);
    draft.record_cuts[0].version = 0x0301;
    check_round_trip();
    CU_ASSERT_EQUAL(wire.len, 517 + 3 * 5);
    const uint8_t *p = buf_data(&wire);
    CU_ASSERT(memcmp(p, "\x16\x03\x03\x00\x01\x01\x16\x03\x01\x00\x00\x16\x03\x03\x00\x63", 16) ==
              0);
    CU_ASSERT(memcmp(p + 16 + 99, "\x16\x03\x03\x01\x9c", 5) == 0);
    end();
}

static void test_record_cut_in_sni(void) {
    begin("openssl"); // a.localhost
    hello_edit_cut_record(&draft, HELLO_CUT_IN_SNI);
    check_round_trip();
    CU_ASSERT_EQUAL(wire.len, 317 + 5);
    CU_ASSERT(memmem(buf_data(&wire), wire.len, "a.loc\x16\x03\x01", 8) != NULL);
    hello_edit_no_cuts(&draft);
    hello_edit_sni(&draft, NULL);
    hello_edit_cut_record(&draft, HELLO_CUT_IN_SNI);
    write_again();
    CU_ASSERT_EQUAL(buf_data(&wire)[4], hello_draft_len(&draft) / 2);
    end();
}

static void test_segments(void) {
    begin("openssl");
    hello_edit_cut_segment(&draft, 300, 7);
    hello_edit_cut_segment(&draft, 3, 20);
    hello_edit_cut_segment(&draft, HELLO_CUT_IN_SNI, 50);
    hello_edit_cut_segment(&draft, 0, 9);
    hello_edit_cut_segment(&draft, 317, 9);
    check_round_trip();
    CU_ASSERT_EQUAL(wire.len, 317);
    CU_ASSERT_EQUAL_FATAL(segments.num, 4);
    CU_ASSERT_EQUAL(segments.segments[0].len, 3);
    CU_ASSERT_EQUAL(segments.segments[0].pause_ms, 0);
    CU_ASSERT_EQUAL(segments.segments[1].pause_ms, 20);
    CU_ASSERT_EQUAL(segments.segments[2].pause_ms, 50);
    size_t sni_at = segments.segments[0].len + segments.segments[1].len;
    CU_ASSERT(memcmp(buf_data(&wire) + sni_at - 5, "a.localhost", 11) == 0);
    CU_ASSERT_EQUAL(segments.segments[3].len, 17);
    CU_ASSERT_EQUAL(segments.segments[3].pause_ms, 7);
    end();
}

static void test_long_ones_are_cut(void) {
    uint8_t zeros[30000] = {0};
    begin("openssl");
    hello_edit_insert(&draft, 0, 0xfff0, zeros, sizeof(zeros));
    check_round_trip();
    CU_ASSERT_EQUAL(wire.len, 317 + 4 + 30000 + 5);
    CU_ASSERT_EQUAL(buf_data(&wire)[3] << 8 | buf_data(&wire)[4], 16384);
    hello_edit_cut_record(&draft, 20000);
    check_round_trip();
    CU_ASSERT_EQUAL(wire.len, 317 + 4 + 30000 + 10);
    end();
}

static void test_bad_wire(void) {
    struct err err = {0};
    const struct sample *curl = hellos_get("curl");
    uint8_t more[600];
    begin("go");
    CU_ASSERT_FALSE(hello_draft_read_wire(&draft, NULL, curl->p, curl->len - 1, &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "the ClientHello is cut");
    CU_ASSERT_FALSE(
        hello_draft_read_wire(&draft, NULL, (const uint8_t *)"GET / HTTP/1.0\r\n", 16, &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "this is not a ClientHello");
    memcpy(more, curl->p, curl->len);
    more[4] += 3; // the record announces more than the hello
    memcpy(more + curl->len, "abc", 3);
    CU_ASSERT_FALSE(hello_draft_read_wire(&draft, NULL, more, curl->len + 3, &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "the record of the ClientHello holds more than that");
    for (int i = 0; i < HELLO_CUTS_MAX; i++) {
        hello_edit_cut_record(&draft, i + 1);
    }
    check_round_trip();
    hello_edit_cut_record(&draft, 1);
    CU_ASSERT(draft.overflow);
    CU_ASSERT_FALSE(hello_draft_wire(&draft, &wire, NULL, &err));
    end();
}

static void test_small_room(void) {
    struct err err;
    struct buf small;
    begin("curl");
    buf_init(&small, 100);
    CU_ASSERT_FALSE(hello_draft_wire(&draft, &small, NULL, &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "the ClientHello in its records is longer than 100 bytes");
    buf_cleanup(&small);
    end();
}

const struct unit_case unit_cases[] = {
    {"what clients send comes back byte for byte", test_clients_come_back},
    {"records are cut where they should be, empty ones too", test_record_cuts},
    {"a cut in the SNI finds it", test_record_cut_in_sni},
    {"segments", test_segments},
    {"a hello longer than a record is cut", test_long_ones_are_cut},
    {"what is no whole hello is not read", test_bad_wire},
    {"no room", test_small_room},
    {NULL, NULL},
};
