#include "logs/view/one_line.h"

#include <stdio.h>
#include <string.h>

#include "logs/record/record.h"
#include "tests/unit/logs/view/golden.h"
#include "tests/unit/unit.h"

static struct buf out;

static void list(const struct one_line *line) {
    struct log_reader *reader = golden_samples();
    struct record_scan_plan plan;
    record_scan_plan_init(&plan, one_line_fields, one_line_num_fields);
    one_line_head(line);
    for (size_t i = 0; i < log_reader_num(reader); i++) {
        struct record *record = log_reader_scan(reader, i, &plan, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(record);
        one_line_write(line, record->root);
        record_free(record);
    }
    log_reader_free(reader);
}

static void test_list(void) {
    struct page page = {.out = &out, .width = 160};
    struct one_line line = {.page = &page, .id_width = 20, .date = true};
    buf_init(&out, 100000);
    list(&line);
    CU_ASSERT(golden_is(&out, "list-160.txt"));
    page.width = 80;
    line.id_width = 0;
    line.date = false;
    list(&line);
    CU_ASSERT(golden_is(&out, "list-80.txt"));
}

static void line_is(const struct obj *root, const char *wanted) {
    struct page page = {.out = &out, .width = 80};
    buf_init(&out, 1000);
    one_line_write(&(struct one_line){.page = &page}, root);
    CU_ASSERT(out.len == strlen(wanted) && memcmp(buf_data(&out), wanted, out.len) == 0);
    if (out.len != strlen(wanted)) {
        printf("\n%.*s%s", (int)out.len, (const char *)buf_data(&out), wanted);
    }
    buf_cleanup(&out);
}

static void test_nothing_known(void) {
    struct record *record = record_new();
    line_is(record->root, "           :                        -        -          -          -\n");
    record_free(record);
}

// A finding beside a connection that worked is not shown as a failure.
static void test_worked(void) {
    struct record *record = record_new();
    struct obj *verdict = obj_sub(record->root, F_RECORD_VERDICT);
    obj_set_str(verdict, F_VERDICT_PARTY, "box-in-front");
    obj_set_str(verdict, F_VERDICT_CAUSE, "a-cause");
    obj_set_int(verdict, F_VERDICT_WORKED, true);
    line_is(record->root, "           :                        -        -          -          "
                          "worked; box-in-front: a-cause\n");
    record_free(record);
}

static void test_hostile(void) {
    struct record *record = record_new();
    obj_set_str(record->root, F_RECORD_HOST, "a\x1b[2Jb\n");
    obj_set_int(record->root, F_RECORD_PORT, 1);
    struct obj *leg = obj_sub(record->root, F_RECORD_LEG_CLIENT);
    obj_add_str(leg, F_LEG_OFFER_ALPN, "\r", 1);
    obj_add_code(leg, F_LEG_OFFER_VERSIONS, 0x0a0a);
    obj_add_code(leg, F_LEG_OFFER_VERSIONS, 0x0301);
    obj_add_code(leg, F_LEG_OFFER_VERSIONS, 0x7f1c);
    line_is(record->root,
            "           a\\x1b[2Jb\\x0a:1          1.0 \\x0d -          -          -\n");
    record_free(record);
}

// What was agreed on, but not finished, has an x.
static void test_broken(void) {
    struct record *record = record_new();
    struct obj *leg = obj_sub(record->root, F_RECORD_LEG_CLIENT);
    obj_set_str(leg, F_LEG_TLS_VERSION, "1.2");
    line_is(record->root, "           :                        -        1.2 x      -          -\n");
    obj_set_int(leg, F_LEG_TLS_ESTABLISHED, 1);
    line_is(record->root, "           :                        -        1.2        -          -\n");
    obj_set_int(leg, F_LEG_TLS_ESTABLISHED, 0);
    line_is(record->root, "           :                        -        1.2 x      -          -\n");
    record_free(record);
}

static void test_color(void) {
    struct record *record = golden_record("01hv6k3");
    struct page page = {.out = &out, .width = 80, .color = true};
    buf_init(&out, 1000);
    one_line_write(&(struct one_line){.page = &page}, record->root);
    CU_ASSERT_PTR_NOT_NULL(
        memmem(buf_data(&out), out.len, "\x1b[1;31mserver: server-cert-expired\x1b[0m\n", 38));
    buf_cleanup(&out);
    record_free(record);
}

const struct unit_case unit_cases[] = {
    {"worked", test_worked},
    {"a list", test_list},
    {"a record of which nothing is known", test_nothing_known},
    {"hostile names", test_hostile},
    {"broken handshakes", test_broken},
    {"colour", test_color},
    {NULL, NULL},
};
