// Target functions: import_stream_bytes, import_stream_gap, import_stream_end, import_front_*,
// wire_tap_gap, record_reader_gap, record_sync_find.
//
// The first byte says how the stream begins and ends; then come segments: two bytes of length with
// the side in the top bit, and a gap instead of bytes where the next bit says so.
#include <stdlib.h>

#include "logs/record/json.h"
#include "proxy/observe/import_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

enum { JSON_MAX = 16 * 1024 * 1024 };

static void segments(struct import_stream *stream, const uint8_t *data, size_t data_len) {
    bool more = true;
    int64_t now_us = 0;
    for (size_t at = 0; more && data_len - at >= 2;) {
        bool from_client = (data[at] & 0x80) == 0, gap = (data[at] & 0x40) != 0;
        size_t len = (size_t)(data[at] & 0x3f) << 8 | data[at + 1];
        at += 2;
        now_us += 1000;
        if (gap && len != 0) {
            more = import_stream_gap(stream, from_client, len);
            continue;
        }
        len = len < data_len - at ? len : data_len - at;
        uint8_t *copy = xmemdup(data + at, len);
        more = len == 0 || import_stream_bytes(stream, from_client, copy, len, now_us);
        free(copy);
        at += len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len) {
    if (data_len == 0) {
        return 0;
    }
    const struct import_start start = {
        .roles_known = data[0] & 1, .whole = data[0] & 2, .connect_us = data[0] & 4 ? 1000 : -1};
    const struct import_finish finish = {.ended = data[0] & 8,
                                         .reset = data[0] & 16,
                                         .from_client = data[0] & 32,
                                         .fin = {data[0] & 64, data[0] & 128},
                                         .rtt_us = -1};
    enum import_kind kind;
    struct import_stream *stream = import_stream_new(&start);
    segments(stream, data + 1, data_len - 1);
    struct record *record = import_stream_end(stream, &kind, &finish);
    CHECK((record != NULL) == (kind == IMPORT_TLS));
    if (record != NULL) {
        struct buf json;
        buf_init(&json, JSON_MAX);
        CHECK(json_write(&json, record->root));
        CHECK(obj_has(record->root, F_RECORD_ID) && obj_has(record->root, F_RECORD_HOST));
        buf_cleanup(&json);
    }
    record_free(record);
    return 0;
}
