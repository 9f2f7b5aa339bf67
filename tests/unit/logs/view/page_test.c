#include "logs/view/page.h"

#include <string.h>

#include "tests/unit/unit.h"

static struct buf out;
static struct page page;

static void begin(size_t width, bool color) {
    buf_init(&out, 10000);
    page = (struct page){.out = &out, .width = width, .color = color};
}

static void end_with(const char *wanted) {
    CU_ASSERT(out.len == strlen(wanted) && memcmp(buf_data(&out), wanted, out.len) == 0);
    buf_cleanup(&out);
}

static struct span span_of(const char *s) { return (struct span){(const uint8_t *)s, strlen(s)}; }

static void test_width(void) {
    CU_ASSERT_EQUAL(page_width("", 0), 0);
    CU_ASSERT_EQUAL(page_width("abc", 3), 3);
    CU_ASSERT_EQUAL(page_width("gr\xc3\xbc\xc3\x9f", 6), 4);
    CU_ASSERT_EQUAL(page_width("e\xcc\x81", 3), 1);                // a combining accent
    CU_ASSERT_EQUAL(page_width("\xe6\x97\xa5\xe6\x9c\xac", 6), 4); // two wide characters
    CU_ASSERT_EQUAL(page_width("\xff\xfe", 2), 2);
}

static void wraps(const char *text, size_t width, const char *wanted) {
    struct span rest = span_of(text);
    char lines[256] = "";
    do {
        struct span line = page_wrap(&rest, width);
        CU_ASSERT(page_width((const char *)line.p, line.len) <= width);
        strncat(lines, (const char *)line.p, line.len);
        strcat(lines, "|");
    } while (rest.len != 0);
    CU_ASSERT_STRING_EQUAL(lines, wanted);
}

static void test_wrap(void) {
    wraps("", 10, "|");
    wraps("fits here", 10, "fits here|");
    wraps("fits here too", 10, "fits here|too|");
    wraps("exactly te n", 10, "exactly te|n|");
    wraps("TLS_RSA_WITH_AES", 10, "TLS_RSA_|WITH_AES|");
    wraps("0123456789abcdef", 10, "0123456789|abcdef|");
    wraps("a b.example.test x", 10, "a b.|example.|test x|");
    wraps("some curl/7.88.1", 12, "some curl/7.|88.1|");
    wraps("enough curl/7.88.1", 12, "enough|curl/7.88.1|");
    wraps("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 4, "\xe6\x97\xa5\xe6\x9c\xac|\xe8\xaa\x9e|");
    wraps(" leading", 5, " lead|ing|");
}

static void test_row(void) {
    const struct page_cell cells[] = {
        {5, STYLE_DIM, span_of("label")},
        {8, STYLE_PLAIN, span_of("left side that wraps")},
        {1, STYLE_PLAIN, span_of("=")},
        {0, STYLE_PLAIN, span_of("right")},
    };
    begin(40, false);
    page_row(&page, cells, ARRAY_LEN(cells));
    end_with("label left     = right\n"
             "      side\n"
             "      that\n"
             "      wraps\n");
}

static void test_paragraph(void) {
    begin(30, false);
    page_puts(&page, STYLE_PLAIN, "note: ");
    page_paragraph(&page, STYLE_PLAIN, 6, true, span_of("twenty four columns are left for it"));
    page_paragraph(&page, STYLE_PLAIN, 6, false, span_of("x"));
    end_with("note: twenty four columns are\n      left for it\n      x\n");
}

static void test_color(void) {
    begin(30, true);
    page_puts(&page, STYLE_BAD, "bad");
    page_puts(&page, STYLE_PLAIN, "plain");
    page_puts(&page, STYLE_BAD, "");
    end_with("\x1b[1;31mbad\x1b[0mplain");
    begin(30, false);
    page_puts(&page, STYLE_BAD, "bad");
    end_with("bad");
}

static void test_the_ceiling(void) {
    begin(30, true);
    buf_init(&out, 10);
    page_puts(&page, STYLE_PLAIN, "0123456789abcdef");
    page_pad(&page, 5);
    page_newline(&page);
    end_with("0123456789");
}

const struct unit_case unit_cases[] = {
    {"width", test_width},  {"wrap", test_wrap},
    {"a row", test_row},    {"a paragraph", test_paragraph},
    {"colour", test_color}, {"the ceiling cuts", test_the_ceiling},
    {NULL, NULL},
};
