#include "proxy/tls/hello_peek.h"

#include <string.h>

#include "proxy/tls/handshake.h"
#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

// Gives the stream a byte at a time and returns what comes of it; every step but the last needs
// more and never more than is still to come.
static enum hello_peek_result peek_slowly(struct hello_peek *peek, const struct made *m) {
    *peek = (struct hello_peek){0};
    enum hello_peek_result result = HELLO_NEED_MORE;
    for (size_t len = 0; len <= m->len && result == HELLO_NEED_MORE; len++) {
        struct made part = made_copy(m->p, len);
        result = hello_peek(peek, part.p, part.len);
        if (result == HELLO_NEED_MORE) {
            CU_ASSERT_NOT_EQUAL(peek->need, 0);
        }
        made_free(&part);
    }
    return result;
}

static void test_whole(void) {
    static const size_t cuts[] = {16384, 200, 7, 1};
    for (const struct sample *s = samples; s->name != NULL; s++) {
        for (size_t i = 0; s->p[0] == 1 && i < ARRAY_LEN(cuts); i++) {
            struct made m = made_records(CONTENT_HANDSHAKE, s->p, s->len, cuts[i]);
            struct hello_peek at_once = {0}, slow;
            CU_ASSERT_EQUAL(hello_peek(&at_once, m.p, m.len), HELLO_WHOLE);
            CU_ASSERT_EQUAL(peek_slowly(&slow, &m), HELLO_WHOLE);
            CU_ASSERT_EQUAL(at_once.hello_len, s->len);
            CU_ASSERT_EQUAL(at_once.wire_len, m.len);
            CU_ASSERT_EQUAL(slow.hello_len, s->len);
            CU_ASSERT_EQUAL(slow.wire_len, m.len);
            CU_ASSERT_EQUAL(slow.num_records, at_once.num_records);
            made_free(&m);
        }
    }
}

static void test_need_is_exact_in_one_record(void) {
    const struct sample *s = sample_get("hello-curl");
    struct made m = made_records(CONTENT_HANDSHAKE, s->p, s->len, 16384);
    for (size_t len = 9; len < m.len; len++) {
        struct hello_peek peek = {0};
        CU_ASSERT_EQUAL(hello_peek(&peek, m.p, len), HELLO_NEED_MORE);
        CU_ASSERT_EQUAL(peek.need, m.len - len);
    }
    made_free(&m);
}

static void test_what_follows_is_left(void) {
    const struct sample *s = sample_get("hello-gnutls");
    struct made m = made_records(CONTENT_HANDSHAKE, s->p, s->len, 100);
    size_t hello_len = m.len;
    made_join(&m, made_hex("1703030001aa"));
    struct hello_peek peek = {0};
    CU_ASSERT_EQUAL(hello_peek(&peek, m.p, m.len), HELLO_WHOLE);
    CU_ASSERT_EQUAL(peek.wire_len, hello_len);
    made_free(&m);
}

static void test_sslv2(void) {
    struct made m = made_hex("802b 01 0301 0012 0000 0010 000004 000005 00000a 010080 0700c0 030080"
                             "000102030405060708090a0b0c0d0e0f");
    struct hello_peek peek;
    CU_ASSERT_EQUAL(peek_slowly(&peek, &m), HELLO_SSLV2);
    CU_ASSERT_EQUAL(peek.wire_len, m.len);
    made_free(&m);
}

static void test_not_tls(void) {
    static const char http[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    struct made m = made_copy((const uint8_t *)http, sizeof(http) - 1);
    struct hello_peek peek;
    CU_ASSERT_EQUAL(peek_slowly(&peek, &m), HELLO_NOT_TLS);
    CU_ASSERT_EQUAL(peek.banner, BANNER_HTTP_REQUEST);
    made_free(&m);
}

static void test_broken(void) {
    // clang-format off
    static const struct {
        const char *bytes;
        enum hello_broken broken;
    } rows[] = {
        {"15 0301 0002 0228",                    HELLO_BROKEN_RECORD_TYPE},
        {"17 0301 0002 0228",                    HELLO_BROKEN_RECORD_TYPE},
        {"16 0301 0002 0100 17 0301 0001 00",    HELLO_BROKEN_RECORD_TYPE},
        {"16 0301 0002 0100 16 0401 0001 00",    HELLO_BROKEN_VERSION},
        {"16 0301 4001",                         HELLO_BROKEN_RECORD_LEN},
        {"16 0301 0004 02000040",                HELLO_BROKEN_MESSAGE_TYPE},
        {"16 0301 0004 01000003",                HELLO_BROKEN_LEN},
        {"16 0301 0004 01010000",                HELLO_BROKEN_LEN},
        {"8004 01 0301",                         HELLO_BROKEN_LEN},
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct made m = made_hex(rows[i].bytes);
        struct hello_peek peek, at_once = {0};
        CU_ASSERT_EQUAL(peek_slowly(&peek, &m), HELLO_BROKEN);
        CU_ASSERT_EQUAL(peek.broken, rows[i].broken);
        CU_ASSERT_EQUAL(hello_peek(&at_once, m.p, m.len), HELLO_BROKEN);
        CU_ASSERT_EQUAL(at_once.broken, rows[i].broken);
        CU_ASSERT_NOT_EQUAL(strlen(hello_broken_says(peek.broken)), 0);
        made_free(&m);
    }
}

static void test_empty_records(void) {
    const struct sample *s = sample_get("hello-curl");
    for (size_t num = 32; num <= 33; num++) {
        struct made m = made_copy(NULL, 0);
        for (size_t i = 0; i < num; i++) {
            made_join(&m, made_hex("1603010000"));
        }
        made_join(&m, made_records(CONTENT_HANDSHAKE, s->p, s->len, 16384));
        struct hello_peek peek = {0};
        CU_ASSERT_EQUAL(hello_peek(&peek, m.p, m.len), num == 32 ? HELLO_WHOLE : HELLO_BROKEN);
        made_free(&m);
    }
}

const struct unit_case unit_cases[] = {
    {"whole, however cut", test_whole},
    {"what is needed is exact", test_need_is_exact_in_one_record},
    {"what follows is left", test_what_follows_is_left},
    {"SSLv2", test_sslv2},
    {"not TLS", test_not_tls},
    {"broken", test_broken},
    {"empty records", test_empty_records},
    {NULL, NULL},
};
