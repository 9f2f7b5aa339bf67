#include "logs/view/comparison_page.h"

#include <string.h>

#include "tests/unit/logs/compare/legs.h"
#include "tests/unit/logs/view/golden.h"
#include "tests/unit/unit.h"

enum { PAGE_MAX = 64 * 1024 };

static struct legs_pair legs;
static struct buf out;
static struct page page;

static void begin(size_t width) {
    legs_pair_begin(&legs);
    buf_init(&out, PAGE_MAX);
    page = (struct page){.out = &out, .width = width};
}

static void end(void) {
    buf_cleanup(&out);
    legs_pair_end(&legs);
}

static void sighting(enum field side, const char *file, int number) {
    struct obj *from = obj_sub(legs.out, side);
    obj_set_str(from, F_SIGHTING_FILE, file);
    obj_set_int(from, F_SIGHTING_NUMBER, number);
    obj_set_str(from, F_SIGHTING_ID, "01hv6k2m9q");
    obj_set_str(from, F_SIGHTING_LEG, number == 1 ? "client" : "server");
    obj_set_int(from, F_SIGHTING_TIME, legs.sides[0].time_ms);
}

static void compare(enum pair_reason reason) {
    legs_pair_compare(&legs, reason);
    obj_set_str(legs.out, F_COMPARISON_HOST, "a.test");
    sighting(F_COMPARISON_A, "folder/front.ndjson", 2);
    sighting(F_COMPARISON_B, "back.pcapng", 1);
}

// An inspector that speaks with suites of its own, and whose certificate hides an old one.
static void inspect(void) {
    struct obj *forged = obj_at(legs.a, F_LEG_CHAIN, 0), *old = obj_at(legs.b, F_LEG_CHAIN, 0);
    legs_pair_other_hello(&legs);
    obj_set_codes(legs.b, F_LEG_OFFER_CIPHERS, (const uint16_t[]){0x1302, 0x1301, 0xc02f}, 3);
    obj_unset(legs.b, F_LEG_OFFER_ALPN);
    obj_set_int(legs.b, F_LEG_ANSWER_VERSION, 0x0301);
    obj_set_str(legs.a, F_LEG_TLS_VERSION, "1.2");
    obj_set_str(legs.b, F_LEG_TLS_VERSION, "1.0");
    obj_set_str(forged, F_CERT_ISSUER, "CN=Box");
    obj_set_str(forged, F_CERT_SHA256, "b0");
    obj_add_str(forged, F_CERT_SANS, "b.test", 6);
    obj_set_int(old, F_CERT_NOT_AFTER, legs.sides[0].time_ms / 1000 - 60);
}

static void test_an_inspector(void) {
    begin(80);
    inspect();
    compare(PAIR_NAME);
    comparison_page_write(&page, legs.out, legs.a, legs.b);
    CU_ASSERT(golden_is(&out, "diff-80.txt"));
    end();
    begin(140);
    inspect();
    compare(PAIR_NAME);
    comparison_page_write(&page, legs.out, legs.a, legs.b);
    CU_ASSERT(golden_is(&out, "diff-140.txt"));
    end();
}

static void test_an_edit(void) {
    begin(80);
    legs.sides[1].hello.message.len--;
    legs.sides[1].hello.extensions[1].body.len--;
    obj_set_codes(legs.b, F_LEG_OFFER_EXTENSIONS, (const uint16_t[]){0, 16, 21}, 3);
    compare(PAIR_RANDOM);
    comparison_page_write(&page, legs.out, legs.a, legs.b);
    CU_ASSERT(golden_is(&out, "diff-edited-80.txt"));
    end();
}

static bool line_is(const char *wanted) {
    comparison_page_line(&page, legs.out);
    bool is = out.len == strlen(wanted) && memcmp(buf_data(&out), wanted, out.len) == 0;
    buf_cleanup(&out);
    return is;
}

static void test_lines(void) {
    begin(200);
    compare(PAIR_RANDOM);
    CU_ASSERT(line_is("same      a.test: front.ndjson#2, server leg = back.pcapng#1, client leg; "
                      "hello identical (client-random), certificate same\n"));
    legs.out = obj_new(&legs.arena, KIND_COMPARISON);
    comparison_alone(legs.out, true);
    sighting(F_COMPARISON_B, "/x/back.pcapng", 1);
    obj_unset(obj_get(legs.out, F_COMPARISON_B), F_SIGHTING_LEG);
    CU_ASSERT(line_is("only-b    (no name): back.pcapng#1\n"));
    end();
}

const struct unit_case unit_cases[] = {
    {"an inspector", test_an_inspector},
    {"an edit", test_an_edit},
    {"lines", test_lines},
    {NULL, NULL},
};
