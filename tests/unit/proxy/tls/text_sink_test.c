#include "proxy/tls/text_sink.h"

#include <string.h>

#include "tests/unit/unit.h"

static void put(struct text_sink *sink, const char *s) {
    while (*s != '\0') {
        text_sink_char(sink, *s++);
    }
}

static void test_hashes(void) {
    struct text_sink sink;
    char out[65];
    text_sink_md5(&sink);
    put(&sink, "abc");
    text_sink_hash(&sink, out, 32);
    CU_ASSERT_STRING_EQUAL(out, "900150983cd24fb0d6963f7d28e17f72");
    text_sink_sha256(&sink);
    put(&sink, "abc");
    text_sink_hash(&sink, out, 12);
    CU_ASSERT_STRING_EQUAL(out, "ba7816bf8f01");
}

static void test_numbers(void) {
    struct buf buf;
    struct text_sink sink;
    buf_init(&buf, 64);
    text_sink_buf(&sink, &buf);
    text_sink_decimal(&sink, 0);
    text_sink_char(&sink, ' ');
    text_sink_decimal(&sink, 4294967295u);
    text_sink_char(&sink, ' ');
    text_sink_hex16(&sink, 0x0a1f);
    CU_ASSERT_TRUE(text_sink_end(&sink));
    CU_ASSERT_EQUAL(buf.len, 17);
    CU_ASSERT_TRUE(memcmp(buf_data(&buf), "0 4294967295 0a1f", 17) == 0);
    buf_cleanup(&buf);
}

static void test_long_text_is_whole(void) {
    struct buf buf;
    struct text_sink sink;
    buf_init(&buf, 3 * TEXT_SINK_CHUNK);
    text_sink_buf(&sink, &buf);
    for (size_t i = 0; i < 3 * TEXT_SINK_CHUNK; i++) {
        text_sink_char(&sink, (char)('a' + i % 26));
    }
    CU_ASSERT_TRUE(text_sink_end(&sink));
    CU_ASSERT_EQUAL(sink.total, 3 * TEXT_SINK_CHUNK);
    CU_ASSERT_EQUAL(buf.len, 3 * TEXT_SINK_CHUNK);
    CU_ASSERT_EQUAL(buf_data(&buf)[TEXT_SINK_CHUNK], 'a' + TEXT_SINK_CHUNK % 26);
    buf_cleanup(&buf);
}

static void test_ceiling_is_told(void) {
    struct buf buf;
    struct text_sink sink;
    buf_init(&buf, 10);
    text_sink_buf(&sink, &buf);
    put(&sink, "more than ten");
    CU_ASSERT_FALSE(text_sink_end(&sink));
    buf_cleanup(&buf);
}

const struct unit_case unit_cases[] = {
    {"hashes", test_hashes},
    {"numbers", test_numbers},
    {"a long text is whole", test_long_text_is_whole},
    {"the ceiling is told", test_ceiling_is_told},
    {NULL, NULL},
};
