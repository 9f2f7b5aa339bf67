#include "logs/record/utf8.h"

#include "tests/unit/unit.h"

// encode is the way back, for codes that have one.
static size_t encode(uint8_t out[4], uint32_t code) {
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; code >>= 6) {
        out[i] = (uint8_t)(0x80 | (code & 0x3f));
    }
    out[0] = (uint8_t)(lead[n] | code);
    return n;
}

static void test_every_code(void) {
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        uint8_t p[4];
        uint32_t back = 0;
        size_t n = encode(p, code);
        size_t wanted = code >= 0xd800 && code <= 0xdfff ? 0 : n;
        if (utf8_decode(&back, p, n) != wanted || (wanted != 0 && back != code)) {
            CU_FAIL("a code does not come back");
            return;
        }
        if (n > 1 && utf8_decode(&back, p, n - 1) != 0) {
            CU_FAIL("a sequence that is cut off is taken");
            return;
        }
    }
}

static void test_wrong(void) {
    static const struct {
        uint8_t p[4];
        size_t len;
    } wrong[] = {
        {{0x80}, 1},
        {{0xbf}, 1},
        {{0xc0, 0x80}, 2},
        {{0xc1, 0xbf}, 2},
        {{0xe0, 0x9f, 0xbf}, 3},
        {{0xf0, 0x8f, 0xbf, 0xbf}, 4},
        {{0xf4, 0x90, 0x80, 0x80}, 4},
        {{0xf5, 0x80, 0x80, 0x80}, 4},
        {{0xf8, 0x80, 0x80, 0x80}, 4},
        {{0xff}, 1},
        {{0xc3, 0x28}, 2},
        {{0xe2, 0x28, 0xa1}, 3},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        uint32_t code;
        CU_ASSERT_EQUAL(utf8_decode(&code, wrong[i].p, wrong[i].len), 0);
    }
}

const struct unit_case unit_cases[] = {
    {"every code comes back", test_every_code},
    {"what is not well-formed is refused", test_wrong},
    {NULL, NULL},
};
