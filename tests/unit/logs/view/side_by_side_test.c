#include "logs/view/side_by_side.h"

#include <string.h>

#include "tests/unit/logs/full_record.h"
#include "tests/unit/logs/view/golden.h"
#include "tests/unit/unit.h"

enum { MAX = 4 * 1024 * 1024 };

static void write_page(struct buf *out, const struct obj *root, size_t width, bool color) {
    buf_init(out, MAX);
    struct page page = {.out = out, .width = width, .color = color};
    side_by_side_write(&page, root);
}

static void sample_is(const char *id, size_t width, const char *name) {
    struct record *record = golden_record(id);
    struct buf out;
    write_page(&out, record->root, width, false);
    CU_ASSERT(golden_is(&out, name));
    record_free(record);
}

static void test_samples(void) {
    sample_is("01hv6k2", 80, "healthy-80.txt");
    sample_is("01hv6k3", 100, "expired-100.txt");
    sample_is("01hv6k3", 160, "expired-160.txt");
    sample_is("01hv6k4a", 80, "dns-80.txt");
    sample_is("01hv6k4q", 80, "tunnel-80.txt");
    sample_is("01hv6k5", 80, "plain-80.txt");
}

// width_max returns the columns of the widest line.
static size_t width_max(const struct buf *out) {
    const char *p = (const char *)buf_data(out), *end = p + out->len;
    size_t max = 0;
    while (p < end) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        CU_ASSERT_PTR_NOT_NULL_FATAL(newline);
        size_t width = page_width(p, (size_t)(newline - p));
        max = width > max ? width : max;
        CU_ASSERT(newline == p || newline[-1] != ' ');
        p = newline + 1;
    }
    return max;
}

static void test_fits_every_width(void) {
    struct log_reader *reader = golden_samples();
    for (size_t i = 0; i < log_reader_num(reader); i++) {
        struct record *record = log_reader_read(reader, i, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(record);
        for (size_t width = 60; width <= 200; width += 7) {
            struct buf out;
            write_page(&out, record->root, width, false);
            CU_ASSERT(width_max(&out) <= width);
            buf_cleanup(&out);
        }
        record_free(record);
    }
    log_reader_free(reader);
}

static void test_color_only_adds_escapes(void) {
    struct record *record = golden_record("01hv6k3");
    struct buf plain, color;
    write_page(&plain, record->root, 80, false);
    write_page(&color, record->root, 80, true);
    const uint8_t *p = buf_data(&color), *end = p + color.len;
    size_t at = 0, escapes = 0;
    while (p < end) {
        if (*p == '\x1b') {
            p = memchr(p, 'm', (size_t)(end - p));
            CU_ASSERT_PTR_NOT_NULL_FATAL(p);
            escapes++;
        } else if (at < plain.len) {
            CU_ASSERT_EQUAL_FATAL(*p, buf_data(&plain)[at]);
            at++;
        }
        p++;
    }
    CU_ASSERT_EQUAL(at, plain.len);
    CU_ASSERT(escapes > 50);
    buf_cleanup(&plain);
    buf_cleanup(&color);
    record_free(record);
}

// poison puts bytes that steer a terminal into every string of `obj` and of what hangs in it.
static void poison(struct obj *obj) {
    static const char evil[] = "\x1b]0;x\x07\r\n\b\x9b\xc2\x9b\xe2\x80\xae\xff";
    const struct kind_row *kind = kind_row(obj_kind(obj));
    for (enum field field = obj_next(obj, kind->first); field < kind->end;
         field = obj_next(obj, field + 1)) {
        switch ((enum field_type)field_row(field)->type) {
        case TYPE_STR:
            obj_set_strn(obj, field, evil, sizeof(evil) - 1);
            break;
        case TYPE_STRS:
            obj_add_str(obj, field, evil, sizeof(evil) - 1);
            break;
        case TYPE_OBJ:
            poison(obj_get(obj, field));
            break;
        case TYPE_OBJS:
            for (size_t i = 0; i < obj_num(obj, field); i++) {
                poison(obj_at(obj, field, i));
            }
            break;
        default:
            break;
        }
    }
}

static void test_nothing_steers_the_terminal(void) {
    struct record *record = full_record_new();
    poison(record->root);
    for (size_t width = 60; width < 120; width++) {
        struct buf out;
        write_page(&out, record->root, width, false);
        for (size_t i = 0; i < out.len; i++) {
            uint8_t c = buf_data(&out)[i];
            CU_ASSERT((c >= 0x20 && c < 0x7f) || c == '\n');
        }
        CU_ASSERT(out.len > 1000);
        buf_cleanup(&out);
    }
    record_free(record);
}

static void test_a_client_with_a_certificate(void) {
    struct record *record = golden_record("01hv6k2");
    struct buf out;
    struct obj *cert = obj_add(record_leg(record->root, false), F_LEG_CLIENT_CHAIN);
    obj_set_str(cert, F_CERT_SUBJECT, "CN=the client");
    write_page(&out, record->root, 80, false);
    CU_ASSERT_TRUE(buf_append(&out, "", 1));
    const char *page = (const char *)buf_data(&out);
    const char *title = strstr(page, "\nCLIENT'S CERTIFICATE 0 (leaf), client leg\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(title);
    CU_ASSERT_PTR_NOT_NULL(strstr(title, "CN=the client"));
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "\nCERTIFICATE 0 (leaf)\n"));
    buf_cleanup(&out);
    record_free(record);
}

static void test_nothing_known(void) {
    struct record *record = record_new();
    struct buf out;
    write_page(&out, record->root, 80, false);
    CU_ASSERT(out.len > 0);
    buf_cleanup(&out);
    (void)obj_sub(record->root, F_RECORD_LEG_SERVER);
    (void)obj_sub(record->root, F_RECORD_VERDICT);
    write_page(&out, record->root, 80, false);
    CU_ASSERT(out.len > 0);
    buf_cleanup(&out);
    record_free(record);
}

const struct unit_case unit_cases[] = {
    {"a client with a certificate", test_a_client_with_a_certificate},
    {"samples", test_samples},
    {"pages fit every width, no line ends in space", test_fits_every_width},
    {"colour only adds escapes", test_color_only_adds_escapes},
    {"nothing steers the terminal", test_nothing_steers_the_terminal},
    {"a record of which nothing is known", test_nothing_known},
    {NULL, NULL},
};
