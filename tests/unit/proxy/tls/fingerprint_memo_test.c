#include "proxy/tls/fingerprint_memo.h"

#include <string.h>

#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

static bool text_is(const struct buf *text, struct buf *want) {
    bool same = text->len == want->len &&
                (want->len == 0 || memcmp(buf_data(text), buf_data(want), want->len) == 0);
    buf_cleanup(want);
    return same;
}

// agrees compares with what is computed each time.
static bool agrees(const struct client_hello *hello) {
    char ja3[JA3_SIZE], ja4[JA4_SIZE];
    struct buf text;
    buf_init(&text, 64 * 1024);
    const struct fingerprints *prints = fingerprint_memo_client(hello);
    bool ok = fingerprint_ja3(ja3, hello) && fingerprint_ja4(ja4, JA4_TCP, hello) &&
              strcmp(prints->ja3, ja3) == 0 && strcmp(prints->ja4, ja4) == 0;
    ok = ok && fingerprint_ja3_text(&text, hello) && text_is(&prints->ja3_text, &text);
    return ok && fingerprint_ja4_raw(&text, JA4_TCP, hello) && text_is(&prints->ja4_raw, &text);
}

// Each list, the order of extensions, the name of the protocol and the version make a difference.
static void test_agrees_with_what_is_computed(void) {
    static const char *const bodies[] = {
        NULL,
        "0000 0006 0004 00 0001 61  000a 0006 0004 1a1a 001d 002b 0005 04 4a4a 0304",
        "0000 0006 0004 00 0001 61  000a 0006 0004 2a2a 001d 002b 0005 04 4a4a 0304",
        "000a 0006 0004 1a1a 001d 0000 0006 0004 00 0001 61  002b 0005 04 4a4a 0304",
        "000a 0006 0004 001d 0017 002b 0003 02 0304",
        "000a 0006 0004 0017 001d 002b 0003 02 0304",
        "000a 0006 0004 0017 001d 002b 0003 02 0303",
        "000b 0002 0100  000d 0008 0006 0804 2a2a 0403  0010 0005 0003 026832",
        "000b 0002 0100  000d 0008 0006 0804 0403 2a2a  0010 0005 0003 026831",
        "0010 000b 0009 08 687474702f312e31",
        "0000 0000",
        "0a0a 0000 0000 0000 1a1a 0000",
    };
    for (size_t twice = 0; twice < 2; twice++) {
        for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
            struct made m = made_hello(bodies[i]);
            struct client_hello hello;
            (void)client_hello_parse(&hello, NULL, m.p, m.len);
            CU_ASSERT(agrees(&hello));
            made_free(&m);
        }
    }
}

static void check_server(const uint8_t *p, size_t p_len) {
    struct server_hello hello;
    char ja3s[JA3_SIZE];
    struct buf text;
    buf_init(&text, 64 * 1024);
    (void)server_hello_parse(&hello, NULL, p, p_len);
    const struct fingerprints *prints = fingerprint_memo_server(&hello);
    CU_ASSERT(fingerprint_ja3s(ja3s, &hello) && strcmp(prints->ja3, ja3s) == 0);
    CU_ASSERT(fingerprint_ja3s_text(&text, &hello) && text_is(&prints->ja3_text, &text));
}

// Whole and broken, each twice.
static void test_servers(void) {
    static const char *const names[] = {"server-hello13", "server-hello12"};
    for (size_t i = 0; i < 2 * ARRAY_LEN(names); i++) {
        const struct sample *sample = sample_get(names[i % 2]);
        check_server(sample->p, sample->len);
        sample_abuse(sample, check_server);
    }
}

static void check_cut(const uint8_t *p, size_t p_len) {
    struct client_hello hello;
    (void)client_hello_parse(&hello, NULL, p, p_len);
    CU_ASSERT(agrees(&hello));
}

// Whatever could be read of a broken hello counts, as it does without a memory.
static void test_broken_hellos(void) {
    for (const struct sample *sample = samples; sample->name != NULL; sample++) {
        if (sample->len != 0 && sample->p[0] == 1 && sample->len < 1000) {
            sample_abuse(sample, check_cut);
            break;
        }
    }
}

static void test_a_hello_too_long_to_remember(void) {
    enum { LEN = 2048 };
    uint16_t codes[LEN];
    for (size_t i = 0; i < LEN; i++) {
        codes[i] = (uint16_t)(i << 8 | i >> 8);
    }
    struct client_hello hello = {.legacy_version = 0x0303};
    hello.ciphers = (struct code_list){(const uint8_t *)codes, LEN, 2};
    const struct fingerprints *prints = fingerprint_memo_client(&hello);
    char ja3[JA3_SIZE];
    CU_ASSERT(fingerprint_ja3(ja3, &hello) && strcmp(ja3, prints->ja3) == 0);
    CU_ASSERT_EQUAL(prints->ja4_raw.len, 0); // longer than its ceiling
}

static void test_sslv2_has_none(void) {
    struct client_hello hello = {.sslv2 = true};
    CU_ASSERT_PTR_NULL(fingerprint_memo_client(&hello));
}

const struct unit_case unit_cases[] = {
    {"servers", test_servers},
    {"it agrees with what is computed", test_agrees_with_what_is_computed},
    {"broken hellos", test_broken_hellos},
    {"a hello too long to remember", test_a_hello_too_long_to_remember},
    {"a hello in SSLv2 format has none", test_sslv2_has_none},
    {NULL, NULL},
};
