#include "tests/unit/proxy/cli/two_places.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/pcap/capture_writer.h"
#include "logs/record/json.h"
#include "proxy/observe/observe.h"
#include "tests/unit/proxy/tls/samples.h"

enum { RANDOM_OFFSET = 6, RANDOM_LEN = 32, RECORD_MAX = 16384, HANDSHAKE = 22 };

#define DAY_MS INT64_C(1795209543120) // 2026-11-20

const char *place_path(const char *name) {
    static char folder[256], paths[4][512];
    static unsigned next;
    if (folder[0] == '\0') {
        const char *tmp = getenv("TEST_TMPDIR");
        snprintf(folder, sizeof(folder), "%s/places-XXXXXX", tmp != NULL ? tmp : "/tmp");
        CHECK(mkdtemp(folder) != NULL);
    }
    char *path = paths[next++ % ARRAY_LEN(paths)];
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

// hello_make makes the ClientHello of a leg in records.
static struct made hello_make(const struct place_row *row, uint8_t random) {
    char hex[1024];
    size_t len = strlen(row->name);
    int n = snprintf(hex, sizeof(hex), "%s0000 %04zx %04zx 00 %04zx",
                     row->alpn ? "0010 0005 0003 02 6832 " : "", len + 5, len + 3, len);
    for (size_t i = 0; i < len; i++) {
        n += snprintf(hex + n, sizeof(hex) - (size_t)n, "%02x", (unsigned char)row->name[i]);
    }
    struct made hello = made_hello(hex);
    memset(hello.p + RANDOM_OFFSET, random, RANDOM_LEN);
    struct made records = made_records(HANDSHAKE, hello.p, hello.len, RECORD_MAX);
    made_free(&hello);
    return records;
}

static void leg_make(struct record *record, const struct place_row *row, bool server) {
    struct observe observe;
    uint8_t random = server ? row->server : row->client;
    if (random == 0) {
        return;
    }
    struct made hello = hello_make(row, random);
    observe_init(&observe, record->root, server, 0);
    observe_hello(&observe, hello.p, hello.len, 1, 0);
    made_free(&hello);
}

struct record *place_record(const struct place_row *row) {
    struct record *record = record_new();
    obj_set_str(record->root, F_RECORD_ID, row->id);
    obj_set_int(record->root, F_RECORD_TIMESTAMP, DAY_MS + row->ms);
    obj_set_str(record->root, F_RECORD_HOST, row->name);
    obj_set_int(record->root, F_RECORD_PORT, row->port != 0 ? row->port : 443);
    leg_make(record, row, false);
    leg_make(record, row, true);
    struct obj *client = record_leg(record->root, false);
    if (client != NULL) {
        obj_set_str(client, F_LEG_ADDRESS, row->address != NULL ? row->address : "192.0.2.1");
    }
    return record;
}

void place_log(const char *path, const struct place_row *rows) {
    FILE *f = fopen(path, "w");
    CHECK(f != NULL);
    for (; rows->id != NULL; rows++) {
        struct buf line;
        buf_init(&line, 1024 * 1024);
        struct record *record = place_record(rows);
        CHECK(json_write(&line, record->root) && buf_append(&line, "\n", 1));
        CHECK(fwrite(buf_data(&line), 1, line.len, f) == line.len);
        record_free(record);
        buf_cleanup(&line);
    }
    CHECK(fclose(f) == 0);
}

static struct capture_end end_of(const char *address, uint16_t port) {
    struct capture_end end = {.address = {[10] = 0xff, [11] = 0xff}, .port = port};
    CHECK(inet_pton(AF_INET, address, end.address + 12) == 1);
    return end;
}

void place_capture(const char *path, const struct place_row *rows) {
    FILE *f = fopen(path, "w");
    CHECK(f != NULL);
    struct capture_writer *writer = capture_writer_new(f);
    for (uint16_t port = 50000; rows->id != NULL; rows++, port++) {
        int64_t us = (DAY_MS + rows->ms) * 1000;
        struct made hello = hello_make(rows, rows->client);
        struct capture_stream stream = {
            .client = end_of(rows->address != NULL ? rows->address : "192.0.2.1", port),
            .server = end_of("192.0.2.80", rows->port != 0 ? rows->port : 443)};
        capture_stream_open(writer, &stream, us);
        capture_stream_data(writer, &stream, true, hello.p, hello.len, us);
        capture_stream_fin(writer, &stream, true, us);
        capture_stream_fin(writer, &stream, false, us);
        made_free(&hello);
    }
    CHECK(capture_writer_free(writer, NULL) && fclose(f) == 0);
}

void place_text(const char *path, const char *text) {
    FILE *f = fopen(path, "w");
    CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}
