// A line of a log, as anybody may have written it. What is read must come back the same when it is
// written and read again, must be shown without a byte that steers the terminal, and becomes a
// capture.
#include <string.h>

#include "logs/pcap/record_capture.h"
#include "logs/record/difference.h"
#include "logs/record/json.h"
#include "logs/store/record_read.h"
#include "logs/store/record_scan.h"
#include "logs/view/one_line.h"
#include "logs/view/side_by_side.h"

enum { MAX = 64 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

static void check_page(const struct buf *out) {
    const uint8_t *p = buf_data(out);
    for (size_t i = 0; i < out->len; i++) {
        CHECK((p[i] >= 0x20 && p[i] != 0x7f) || p[i] == '\n');
    }
}

static void show(const struct obj *root) {
    struct buf out;
    buf_init(&out, MAX);
    struct page page = {.out = &out, .width = 80};
    one_line_write(&(struct one_line){.page = &page, .id_width = 10, .date = true}, root);
    side_by_side_write(&page, root);
    check_page(&out);
    buf_cleanup(&out);
}

static void capture(const struct obj *root) {
    static FILE *nowhere;
    struct err err;
    size_t bare = 0;
    nowhere = nowhere != NULL ? nowhere : fopen("/dev/null", "wb");
    struct capture_writer *writer = capture_writer_new(nowhere);
    (void)record_capture_write(writer, &bare, root);
    CHECK(capture_writer_free(writer, &err));
}

static void round_trip(const struct obj *root) {
    struct buf first, second;
    buf_init(&first, MAX);
    buf_init(&second, MAX);
    CHECK(json_write(&first, root));
    struct record *again = record_read((const char *)buf_data(&first), first.len, NULL);
    CHECK(again != NULL && json_write(&second, again->root));
    CHECK(first.len == second.len && memcmp(buf_data(&first), buf_data(&second), first.len) == 0);
    record_free(again);
    buf_cleanup(&first);
    buf_cleanup(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len) {
    struct record_scan_plan plan;
    record_scan_plan_init(&plan, one_line_fields, one_line_num_fields);
    record_free(record_scan((const char *)data, data_len, &plan, NULL));
    struct record *record = record_read((const char *)data, data_len, NULL);
    if (record != NULL) {
        round_trip(record->root);
        difference_record(record->root);
        show(record->root);
        capture(record->root);
    }
    record_free(record);
    return 0;
}
