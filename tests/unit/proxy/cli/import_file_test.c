#include "proxy/cli/import_file.h"

#include <stdlib.h>
#include <string.h>

#include "logs/pcap/capture_writer.h"
#include "tests/unit/logs/pcap/packets.h"
#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

static struct import_counts counts;
static struct err err;
static struct record *last;
static uint64_t num_records;

static void on_record(void *ctx, struct record *record) {
    (void)ctx;
    num_records++;
    record_free(last);
    last = record;
}

static const struct import_reader reader = {.on_record = on_record};

static bool import(const char *path) {
    counts = (struct import_counts){0};
    num_records = 0;
    record_free(last);
    last = NULL;
    return import_file(&counts, &reader, path, &err);
}

static void done(void) {
    record_free(last);
    last = NULL;
}

// Writing: a capture with whatever connections a test wants.
static char *text;
static size_t text_len;
static FILE *out;
static struct capture_writer *writer;
static struct capture_stream stream;
static int64_t now_us;

static void capture_begin(void) {
    out = open_memstream(&text, &text_len);
    writer = capture_writer_new(out);
    now_us = 1000000;
}

static void stream_begin(uint16_t port) {
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    stream = (struct capture_stream){.client = {.port = port}, .server = {.port = 443}};
    memcpy(stream.client.address, prefix, sizeof(prefix));
    memcpy(stream.server.address, prefix, sizeof(prefix));
    memcpy(stream.client.address + 12, "\xc0\0\x02\x01", 4);
    memcpy(stream.server.address + 12, "\xc6\x33\x64\x02", 4);
    capture_stream_open(writer, &stream, now_us);
}

static void stream_text(bool from_client, const char *says) {
    now_us += 1000;
    capture_stream_data(writer, &stream, from_client, says, strlen(says), now_us);
}

static void stream_sample(bool from_client, const char *name) {
    const struct sample *sample = sample_get(name);
    struct made records = made_records(22, sample->p, sample->len, 16384);
    now_us += 1000;
    capture_stream_data(writer, &stream, from_client, records.p, records.len, now_us);
    made_free(&records);
}

static void stream_end(bool reset) {
    now_us += 1000;
    if (reset) {
        capture_stream_reset(writer, &stream, true, now_us);
    } else {
        capture_stream_fin(writer, &stream, false, now_us);
        capture_stream_fin(writer, &stream, true, now_us);
    }
}

// capture_end returns the path of the first `len` bytes of the capture, 0 for all.
static char *capture_end(size_t len) {
    struct wire wire = {.len = 0};
    CU_ASSERT_TRUE(capture_writer_free(writer, &err));
    fclose(out);
    wire_bytes(&wire, text, len != 0 ? len : text_len);
    free(text);
    return file_write(&wire);
}

static void test_every_kind_of_connection(void) {
    capture_begin();
    stream_begin(1);
    stream_sample(true, "hello-openssl12");
    stream_sample(false, "server-hello12");
    stream_sample(false, "certificate12");
    stream_end(true);
    stream_begin(2);
    stream_text(true, "GET / HTTP/1.0\r\n\r\n");
    stream_text(false, "HTTP/1.0 200 OK\r\n\r\n");
    stream_end(false);
    stream_begin(3);
    stream_end(false);
    stream_begin(4);
    stream_text(true, "CONNECT a.test:443 HTTP/1.1\r\n\r\n");
    stream_text(false, "HTTP/1.1 503 No\r\n\r\n");
    stream_end(false);
    char *path = capture_end(0);
    CU_ASSERT_TRUE(import(path));
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_EQUAL(counts.files, 1);
    CU_ASSERT_EQUAL(counts.flow.streams, 4);
    CU_ASSERT_EQUAL(counts.tls, 1);
    CU_ASSERT_EQUAL(counts.other, 1);
    CU_ASSERT_EQUAL(counts.empty, 1);
    CU_ASSERT_EQUAL(counts.refused, 1);
    CU_ASSERT_EQUAL_FATAL(num_records, 1);
    const struct obj *leg = record_leg(last->root, false);
    CU_ASSERT_PTR_NULL(record_leg(last->root, true));
    CU_ASSERT_TRUE(obj_has(obj_get(last->root, F_RECORD_VERDICT), F_VERDICT_PARTY));
    CU_ASSERT_TRUE(obj_is(last->root, F_RECORD_TIMESTAMP, 1000));
    CU_ASSERT_TRUE(obj_str_is(leg, F_LEG_ADDRESS, "192.0.2.1"));
    CU_ASSERT_TRUE(obj_str_is(leg, F_LEG_TLS_VERSION, "1.2"));
    CU_ASSERT_TRUE(obj_str_is(leg, F_LEG_END_HOW, "rst"));
    CU_ASSERT_TRUE(obj_str_is(leg, F_LEG_END_BY, "client"));
    CU_ASSERT_TRUE(obj_str_is(leg, F_LEG_END_AT, "certificate"));
    CU_ASSERT_TRUE(obj_is(leg, F_LEG_MS_HELLO, 1000));
    CU_ASSERT_TRUE(obj_is(leg, F_LEG_MS_END, 4000));
    CU_ASSERT_TRUE(obj_is(leg, F_LEG_RETRANSMITS, 0));
    CU_ASSERT_TRUE(obj_is(leg, F_LEG_RTT, 0));
    file_remove(path);
    done();
}

static void test_the_same_file_again_gives_the_same_id(void) {
    char id[32];
    capture_begin();
    stream_begin(1);
    stream_sample(true, "hello-curl");
    char *path = capture_end(0);
    CU_ASSERT_TRUE(import(path));
    CU_ASSERT_PTR_NOT_NULL_FATAL(last);
    snprintf(id, sizeof(id), "%s", obj_str(last->root, F_RECORD_ID));
    CU_ASSERT_TRUE(import(path));
    CU_ASSERT_TRUE(obj_str_is(last->root, F_RECORD_ID, id));
    file_remove(path);
    done();
}

static void test_a_file_that_ends_inside(void) {
    capture_begin();
    stream_begin(1);
    stream_sample(true, "hello-curl");
    size_t len = (size_t)ftell(out);
    stream_sample(false, "server-hello12");
    char *path = capture_end(len + 30);
    CU_ASSERT_TRUE(import(path));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, ": ends at offset "));
    CU_ASSERT_EQUAL(counts.cut_files, 1);
    CU_ASSERT_EQUAL(counts.bad_files, 0);
    CU_ASSERT_EQUAL(num_records, 1);
    file_remove(path);
    done();
}

static void test_files_that_are_none(void) {
    CU_ASSERT_FALSE(import("/nonexistent/a.pcap"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "cannot be opened"));
    CU_ASSERT_EQUAL(counts.bad_files, 1);
    capture_begin();
    stream_begin(1);
    stream_sample(true, "hello-curl");
    fwrite("\x06\0\0\0\x07\0\0\0", 1, 8, out);
    char *path = capture_end(0);
    CU_ASSERT_FALSE(import(path));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "is expected"));
    CU_ASSERT_EQUAL(counts.bad_files, 1);
    CU_ASSERT_EQUAL(num_records, 1); // what came before
    file_remove(path);
    done();
}

const struct unit_case unit_cases[] = {
    {"every kind of connection", test_every_kind_of_connection},
    {"the same file again gives the same id", test_the_same_file_again_gives_the_same_id},
    {"a file that ends inside", test_a_file_that_ends_inside},
    {"files that are none", test_files_that_are_none},
    {NULL, NULL},
};
