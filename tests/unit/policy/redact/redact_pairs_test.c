#include "policy/redact/redact_pairs.h"

#include <string.h>

#include "tests/unit/unit.h"

static void text_is(struct redact_pairs *pairs, const char *in, const char *want) {
    struct buf out;
    buf_init(&out, 1000);
    CU_ASSERT(redact_pairs_text(pairs, &out, in, strlen(in)));
    CU_ASSERT_EQUAL(out.len, strlen(want));
    CU_ASSERT(out.len == 0 || memcmp(buf_data(&out), want, out.len) == 0);
    buf_cleanup(&out);
}

static void texts(void) {
    struct redact_pairs pairs = {0};
    redact_pairs_add_text(&pairs, "corp.test", "abcd.zzzz", 9);
    redact_pairs_add_text(&pairs, "login.corp.test", "qwert.abcd.zzzz", 15);
    redact_pairs_add_text(&pairs, "corp.test", "never.two", 9); // the first counts
    redact_pairs_add_text(&pairs, "ACM", "XYZ", 3);
    text_is(&pairs, "LOGIN.corp.TEST, *.corp.test", "qwert.abcd.zzzz, *.abcd.zzzz");
    text_is(&pairs, "acm acme O=ACM", "XYZ acme O=XYZ");
    text_is(&pairs, "", "");
    redact_pairs_cleanup(&pairs);
}

static void raw(void) {
    struct redact_pairs pairs = {0};
    redact_pairs_add_text(&pairs, "corp.test", "abcd.zzzz", 9);
    redact_pairs_add_text(&pairs, "ACM", "XYZ", 3);
    redact_pairs_add_bytes(&pairs, (const uint8_t *)"\1\2\3\4\5\6", (const uint8_t *)"abcdef", 6);
    uint8_t bytes[] = "\0xCORP.test ACM \1\2\3\4\5\6\1\2\3\4\5";
    redact_pairs_raw(&pairs, bytes, sizeof(bytes) - 1);
    CU_ASSERT_EQUAL(memcmp(bytes, "\0xabcd.zzzz ACM abcdef\1\2\3\4\5", sizeof(bytes)), 0);
    text_is(&pairs, "serial 010203040506", "serial 616263646566");
    uint8_t big[] = "\0c\0o\0r\0p\0.\0t\0e\0s\0t", little[] = "c\0o\0r\0p\0.\0t\0e\0s\0t\0";
    redact_pairs_raw(&pairs, big, 18);
    redact_pairs_raw(&pairs, little, 18);
    CU_ASSERT_EQUAL(memcmp(big, "\0a\0b\0c\0d\0.\0z\0z\0z\0z", 18), 0);
    CU_ASSERT_EQUAL(memcmp(little, "a\0b\0c\0d\0.\0z\0z\0z\0z\0", 18), 0);
    redact_pairs_cleanup(&pairs);
}

static void addresses(void) {
    struct redact_pairs pairs = {0};
    redact_pairs_add_address(&pairs, "10.0.0.1", "192.0.2.1", "0.0.0.00");
    text_is(&pairs, "10.0.0.1:443 110.0.0.1 10.0.0.12", "192.0.2.1:443 110.0.0.1 10.0.0.12");
    uint8_t bytes[] = "to 10.0.0.1.";
    redact_pairs_raw(&pairs, bytes, 12);
    CU_ASSERT_EQUAL(memcmp(bytes, "to 0.0.0.00.", 12), 0);
    redact_pairs_cleanup(&pairs);
}

const struct unit_case unit_cases[] = {
    {"texts in any case, the longer first", texts},
    {"bytes, and texts as UTF-16", raw},
    {"addresses as whole words", addresses},
    {NULL, NULL},
};
