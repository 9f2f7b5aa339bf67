#include "proxy/tls/fingerprint.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

// Compares what a buffer holds with `want`, and empties it.
static bool text_is(struct buf *buf, const char *want) {
    bool same = buf->len == strlen(want) && memcmp(buf_data(buf), want, buf->len) == 0;
    buf_consume(buf, buf->len);
    return same;
}

static void test_known_hello(void) {
    struct made m = made_hello("0000 0006 0004 00 0001 61  000a 0006 0004 1a1a 001d"
                               "000b 0002 0100  000d 0008 0006 0804 2a2a 0403"
                               "0010 0005 0003 026832  3a3a 0000  002b 0005 04 4a4a 0304");
    struct client_hello ch;
    CU_ASSERT_TRUE(client_hello_parse(&ch, NULL, m.p, m.len));
    struct buf buf;
    buf_init(&buf, 4096);
    CU_ASSERT_TRUE(fingerprint_ja3_text(&buf, &ch));
    CU_ASSERT_TRUE(text_is(&buf, "771,4865-49199,0-10-11-13-16-43,29,0"));
    CU_ASSERT_TRUE(fingerprint_ja4_raw(&buf, JA4_TCP, &ch));
    CU_ASSERT_TRUE(text_is(&buf, "t13d0206h2_1301,c02f_000a,000b,000d,002b_0804,0403"));
    char ja3[JA3_SIZE], ja4[JA4_SIZE];
    CU_ASSERT_TRUE(fingerprint_ja3(ja3, &ch));
    CU_ASSERT_STRING_EQUAL(ja3, "e857756ff458633748388d5dc1486381");
    CU_ASSERT_TRUE(fingerprint_ja4(ja4, JA4_QUIC, &ch));
    CU_ASSERT_STRING_EQUAL(ja4, "q13d0206h2_c1929292aa6b_1c0340dc273e");
    made_free(&m);
    buf_cleanup(&buf);
}

// The first part of JA4 for each version and first protocol name.
static void test_ja4_parts(void) {
    // clang-format off
    static const struct {
        const char *extensions;
        const char *raw;
    } rows[] = {
        {NULL,                                      "t12i020000_1301,c02f_"},
        {"0010 0002 0000",                          "t12i020100_1301,c02f_"},
        {"0010 0003 0001 00",                       "t12i020100_1301,c02f_"},
        {"0010 0004 0002 01 61",                    "t12i0201aa_1301,c02f_"},
        {"0010 000b 0009 08 687474702f312e31",      "t12i0201h1_1301,c02f_"},
        {"0010 0004 0002 01 ab",                    "t12i0201ab_1301,c02f_"},
        {"0010 0005 0003 02 abcd",                  "t12i0201ad_1301,c02f_"},
        {"0010 0005 0003 02 30ab",                  "t12i02013b_1301,c02f_"},
        {"0010 0007 0005 04 3031abcd",              "t12i02013d_1301,c02f_"},
        {"0010 0007 0005 04 30abcd31",              "t12i020101_1301,c02f_"},
        {"002b 0003 02 0301",                       "t10i020100_1301,c02f_002b"},
        {"002b 0003 02 0300",                       "ts3i020100_1301,c02f_002b"},
        {"002b 0005 04 fefc fafa",                  "td3i020100_1301,c02f_002b"},
        {"002b 0003 02 7f1c",                       "t00i020100_1301,c02f_002b"},
        {"0000 0000",                               "t12d020100_1301,c02f_"},
        {"0033 0002 0000 0005 0000",                "t12i020200_1301,c02f_0005,0033"},
        {"000d 0004 0002 1a1a",                     "t12i020100_1301,c02f_000d"},
    };
    // clang-format on
    struct buf buf;
    buf_init(&buf, 4096);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct made m = made_hello(rows[i].extensions);
        struct client_hello ch;
        CU_ASSERT_TRUE(client_hello_parse(&ch, NULL, m.p, m.len));
        CU_ASSERT_TRUE(fingerprint_ja4_raw(&buf, JA4_TCP, &ch));
        CU_ASSERT_TRUE(text_is(&buf, rows[i].raw));
        made_free(&m);
    }
    buf_cleanup(&buf);
}

static void test_ja4_of_nothing(void) {
    struct made m = made_message(1, "0303"
                                    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e"
                                    "1f 00 0002 0a0a 0100");
    struct client_hello ch;
    CU_ASSERT_TRUE(client_hello_parse(&ch, NULL, m.p, m.len));
    char ja4[JA4_SIZE];
    CU_ASSERT_TRUE(fingerprint_ja4(ja4, JA4_TCP, &ch));
    CU_ASSERT_STRING_EQUAL(ja4, "t12i000000_000000000000_000000000000");
    made_free(&m);
}

static void test_ja3s(void) {
    const struct sample *s = sample_get("server-hello13");
    struct server_hello sh;
    CU_ASSERT_TRUE(server_hello_parse(&sh, NULL, s->p, s->len));
    struct buf buf;
    buf_init(&buf, 4096);
    CU_ASSERT_TRUE(fingerprint_ja3s_text(&buf, &sh));
    CU_ASSERT_TRUE(text_is(&buf, "771,4866,43-51"));
    char ja3s[JA3_SIZE];
    CU_ASSERT_TRUE(fingerprint_ja3s(ja3s, &sh));
    CU_ASSERT_STRING_EQUAL(ja3s, "15af977ce25de452b96affa2addb1036");
    buf_cleanup(&buf);
}

static void test_sslv2_has_none(void) {
    struct client_hello ch = {.sslv2 = true};
    char ja3[JA3_SIZE], ja4[JA4_SIZE];
    CU_ASSERT_FALSE(fingerprint_ja3(ja3, &ch));
    CU_ASSERT_FALSE(fingerprint_ja4(ja4, JA4_TCP, &ch));
}

// A hello as full of suites as a message can be: counts stay two digits, and it ends in time.
static void test_huge(void) {
    size_t num = 32767;
    uint8_t *p = xmalloc(2 * num);
    for (size_t i = 0; i < num; i++) {
        p[2 * i] = (uint8_t)((num - i) >> 8);
        p[2 * i + 1] = (uint8_t)(num - i);
    }
    struct client_hello ch = {.legacy_version = 0x0303,
                              .ciphers = {.p = p, .num = (uint16_t)num, .width = 2}};
    struct buf buf;
    buf_init(&buf, 1000);
    char ja3[JA3_SIZE], ja4[JA4_SIZE];
    CU_ASSERT_TRUE(fingerprint_ja3(ja3, &ch));
    CU_ASSERT_TRUE(fingerprint_ja4(ja4, JA4_TCP, &ch));
    CU_ASSERT_TRUE(memcmp(ja4, "t12i990000_", 11) == 0);
    CU_ASSERT_FALSE(fingerprint_ja4_raw(&buf, JA4_TCP, &ch)); // the ceiling of `buf`
    buf_cleanup(&buf);
    free(p);
}

const struct unit_case unit_cases[] = {
    {"a known hello", test_known_hello},
    {"parts of JA4", test_ja4_parts},
    {"JA4 of nothing", test_ja4_of_nothing},
    {"JA3S", test_ja3s},
    {"SSLv2 has none", test_sslv2_has_none},
    {"a huge hello", test_huge},
    {NULL, NULL},
};
