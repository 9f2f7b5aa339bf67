#include "proxy/observe/syn.h"

#include <string.h>

#include "logs/record/record.h"
#include "logs/record/text.h"
#include "tests/unit/unit.h"

// Linux: mss 1460, sack-ok, timestamps, nop, window-scale 7.
static const uint8_t tcp[] = {0xc7, 0x38, 1, 0xbb, 0, 0, 0, 1, 0, 0,    0, 0, 0xa0, 2,
                              0xfa, 0xf0, 0, 0,    0, 0, 2, 4, 5, 0xb4, 4, 2, 8,    10,
                              0,    0,    0, 1,    0, 0, 0, 0, 1, 3,    3, 7};

static size_t ipv4(uint8_t *out, uint8_t ttl) {
    memset(out, 0, 20);
    out[0] = 0x45;
    out[8] = ttl;
    out[9] = 6;
    memcpy(out + 20, tcp, sizeof(tcp));
    return 20 + sizeof(tcp);
}

static size_t ipv6(uint8_t *out, uint8_t hops) {
    memset(out, 0, 40);
    out[0] = 0x60;
    out[6] = 6;
    out[7] = hops;
    memcpy(out + 40, tcp, sizeof(tcp));
    return 40 + sizeof(tcp);
}

static void expect(const struct syn *syn, int ttl, int initial, int hops) {
    struct record *record = record_new();
    struct obj *out = obj_new(obj_arena(record->root), KIND_SYN);
    syn_record(out, syn);
    CU_ASSERT(obj_is(out, F_SYN_TTL, ttl));
    CU_ASSERT(obj_is(out, F_SYN_INITIAL_TTL, initial));
    CU_ASSERT(obj_is(out, F_SYN_HOPS, hops));
    CU_ASSERT(obj_is(out, F_SYN_WINDOW, 64240));
    CU_ASSERT(obj_is(out, F_SYN_MSS, 1460));
    CU_ASSERT(obj_is(out, F_SYN_WINDOW_SCALE, 7));
    const char *text = text_or_empty(obj_arena(record->root), out, F_SYN_OPTIONS);
    CU_ASSERT_STRING_EQUAL(text, "mss 1460, sack-ok, timestamps, nop, window-scale 7");
    record_free(record);
}

static void test_both_families(void) {
    uint8_t packet[120];
    struct syn syn;
    CU_ASSERT_TRUE(syn_parse(&syn, packet, ipv4(packet, 57)));
    expect(&syn, 57, 64, 7);
    CU_ASSERT_TRUE(syn_parse(&syn, packet, ipv6(packet, 118)));
    expect(&syn, 118, 128, 10);
    CU_ASSERT_TRUE(syn_parse(&syn, packet, ipv4(packet, 64)));
    expect(&syn, 64, 64, 0);
    CU_ASSERT_TRUE(syn_parse(&syn, packet, ipv4(packet, 243)));
    expect(&syn, 243, 255, 12);
}

static void test_refused(void) {
    uint8_t packet[120];
    struct syn syn;
    size_t len = ipv4(packet, 64);
    for (size_t i = 0; i < len; i++) {
        CU_ASSERT_FALSE(syn_parse(&syn, packet, i));
        CU_ASSERT_FALSE(syn.seen);
    }
    packet[9] = 17; // UDP
    CU_ASSERT_FALSE(syn_parse(&syn, packet, len));
    ipv4(packet, 64);
    packet[20 + 13] = 0x10; // no SYN
    CU_ASSERT_FALSE(syn_parse(&syn, packet, len));
    ipv4(packet, 64);
    packet[0] = 0x44; // a header that is too short
    CU_ASSERT_FALSE(syn_parse(&syn, packet, len));
    len = ipv6(packet, 64);
    CU_ASSERT_FALSE(syn_parse(&syn, packet, len - 1));
}

static const char *options_text(struct arena *arena, const char *bytes, uint8_t len) {
    struct record *record = record_new();
    struct syn syn = {.seen = true, .options_len = len};
    memcpy(syn.options, bytes, len);
    struct obj *out = obj_new(obj_arena(record->root), KIND_SYN);
    syn_record(out, &syn);
    const char *text = text_or_empty(arena, out, F_SYN_OPTIONS);
    record_free(record);
    return text;
}

static void test_odd_options(void) {
    struct arena arena = {0};
    CU_ASSERT_STRING_EQUAL(options_text(&arena, "", 0), "");
    CU_ASSERT_STRING_EQUAL(options_text(&arena, "\x01\x00\x01", 3), "nop, end");
    CU_ASSERT_STRING_EQUAL(options_text(&arena, "\xfd\x04zz\x22\x02", 6), "option-253, fast-open");
    CU_ASSERT_STRING_EQUAL(options_text(&arena, "\x02\x04\x05", 3), "malformed");
    CU_ASSERT_STRING_EQUAL(options_text(&arena, "\x04\x01", 2), "malformed");
    CU_ASSERT_STRING_EQUAL(options_text(&arena, "\x04", 1), "malformed");
    CU_ASSERT_STRING_EQUAL(options_text(&arena, "\x02\x03\x05", 3), "mss");
    arena_cleanup(&arena);
}

static void test_not_seen(void) {
    struct record *record = record_new();
    struct obj *out = obj_new(obj_arena(record->root), KIND_SYN);
    syn_record(out, &(struct syn){.ttl = 64});
    CU_ASSERT_EQUAL(obj_next(out, F_SYN_FIRST), F_SYN_END);
    record_free(record);
}

const struct unit_case unit_cases[] = {
    {"both families", test_both_families},
    {"refused", test_refused},
    {"odd options", test_odd_options},
    {"not seen", test_not_seen},
    {NULL, NULL},
};
