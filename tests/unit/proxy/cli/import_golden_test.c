// The captures of tests/golden/import and the records that come of them, verdicts left out: those
// have tests of their own. After a change that is meant, look at what this test says and write the
// files anew, from the root of the tree:
//
//     GOLDEN_WRITE=1 bazel-bin/tests/unit/cli_import_golden_test
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/record/json.h"
#include "proxy/cli/import_file.h"
#include "tests/unit/unit.h"

#define FOLDER "tests/golden/import/"

static void on_record(void *ctx, struct record *record) {
    struct buf *lines = ctx;
    obj_unset(record->root, F_RECORD_VERDICT);
    CU_ASSERT_TRUE(json_write(lines, record->root));
    CU_ASSERT_TRUE(buf_append(lines, "\n", 1));
    record_free(record);
}

static struct buf file_read(const char *path) {
    struct buf text;
    buf_init(&text, 1024 * 1024);
    FILE *file = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    uint8_t *p = buf_reserve(&text, 512 * 1024);
    buf_commit(&text, fread(p, 1, 512 * 1024, file));
    fclose(file);
    return text;
}

static void file_replace(const char *path, const struct buf *text) {
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(buf_data(text), 1, text->len, file), text->len);
    fclose(file);
}

static void golden(const char *name, const char *ending, uint64_t num) {
    char capture[256], path[256];
    struct import_counts counts = {0};
    struct buf lines;
    struct err err;
    snprintf(capture, sizeof(capture), FOLDER "%s%s", name, ending);
    snprintf(path, sizeof(path), FOLDER "%s.ndjson", name);
    buf_init(&lines, 1024 * 1024);
    const struct import_reader reader = {
        .ctx = &lines, .keys = key_log_new(0), .on_record = on_record};
    CU_ASSERT_TRUE(import_file(&counts, &reader, capture, &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_EQUAL(counts.tls, num);
    if (getenv("GOLDEN_WRITE") != NULL) {
        file_replace(path, &lines);
    }
    struct buf want = file_read(path);
    bool same = want.len == lines.len && memcmp(buf_data(&want), buf_data(&lines), want.len) == 0;
    CU_ASSERT_TRUE(same);
    if (!same) {
        printf("%s is now:\n%.*s", path, (int)lines.len, (const char *)buf_data(&lines));
    }
    buf_cleanup(&want);
    buf_cleanup(&lines);
    key_log_free(reader.keys);
}

static void test_tls13_with_secrets(void) { golden("tls13-secrets", ".pcapng", 1); }
static void test_tls13_retry(void) { golden("tls13-retry", ".pcap", 1); }
static void test_tls12_ipv6_unknown_ca(void) { golden("tls12-unknown-ca", ".pcap", 1); }
static void test_tls12_mutual_refused(void) { golden("tls12-mtls-refused", ".pcap", 1); }
static void test_starttls_and_connect(void) { golden("fronts", ".pcap", 2); }

const struct unit_case unit_cases[] = {
    {"TLS 1.3, with secrets", test_tls13_with_secrets},
    {"TLS 1.3 with a HelloRetryRequest", test_tls13_retry},
    {"TLS 1.2 over IPv6, the client does not know the CA", test_tls12_ipv6_unknown_ca},
    {"TLS 1.2, no client certificate", test_tls12_mutual_refused},
    {"STARTTLS and CONNECT", test_starttls_and_connect},
    {NULL, NULL},
};
