#include "proxy/tls/certificate_inflate.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

// "certificate certificate certificate", as zlib and brotli write it.
#define TEXT "certificate certificate certificate"
#define ZLIB "789c4b4e2d2ac94ccb4c4e2c495548c6ce0600f8720dca"
#define BROTLI "1b2200f825000a18626a016f4c0d"

static bool inflates(uint16_t algorithm, const char *hex, size_t out_len) {
    struct made in = made_hex(hex), out = made_copy((const uint8_t *)TEXT TEXT, out_len);
    memset(out.p, 0, out_len);
    bool ok = certificate_inflate(out.p, out_len, algorithm, in.p, in.len);
    ok = ok && memcmp(out.p, TEXT, strlen(TEXT)) == 0;
    made_free(&in);
    made_free(&out);
    return ok;
}

static void test_inflate(void) {
    CU_ASSERT(inflates(CERTIFICATE_ZLIB, ZLIB, strlen(TEXT)));
    CU_ASSERT(inflates(CERTIFICATE_BROTLI, BROTLI, strlen(TEXT)));
}

// Another length than announced, another algorithm, what is cut, what is not compressed.
static void test_refuse(void) {
    static const char *const texts[] = {ZLIB, BROTLI};
    for (uint16_t i = 0; i < 2; i++) {
        char cut[256];
        snprintf(cut, sizeof(cut), "%.*s", (int)strlen(texts[i]) - 4, texts[i]);
        CU_ASSERT_FALSE(inflates(i + 1, texts[i], strlen(TEXT) - 1));
        CU_ASSERT_FALSE(inflates(i + 1, texts[i], strlen(TEXT) + 1));
        CU_ASSERT_FALSE(inflates(i + 1, texts[!i], strlen(TEXT)));
        CU_ASSERT_FALSE(inflates(i + 1, cut, strlen(TEXT)));
        CU_ASSERT_FALSE(inflates(i + 1, "", strlen(TEXT)));
        CU_ASSERT_FALSE(inflates(3, texts[i], strlen(TEXT)));
        CU_ASSERT_FALSE(inflates(0, texts[i], strlen(TEXT)));
    }
}

const struct unit_case unit_cases[] = {
    {"zlib and brotli", test_inflate},
    {"what cannot be right", test_refuse},
    {NULL, NULL},
};
