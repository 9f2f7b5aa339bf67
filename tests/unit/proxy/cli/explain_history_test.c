#include "proxy/cli/explain_history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "logs/record/json.h"
#include "policy/verdict/verdict.h"
#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

enum { LINE_MAX_BYTES = 64 * 1024 };

static char path[512];

struct line {
    int at;
    enum base base;
    const char *lines;
};

// log_make writes a log of connections, each judged by itself, and opens it.
static struct log_reader *log_make(const struct line *lines, size_t num) {
    const char *folder = getenv("TEST_TMPDIR");
    struct err err;
    snprintf(path, sizeof(path), "%s/around.ndjson", folder != NULL ? folder : "/tmp");
    FILE *f = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    for (size_t i = 0; i < num; i++) {
        struct record *record = case_record(lines[i].base, lines[i].lines);
        struct buf text;
        buf_init(&text, LINE_MAX_BYTES);
        obj_set_int(record->root, F_RECORD_TIMESTAMP, (1795000000LL + lines[i].at) * 1000);
        obj_set_strf(record->root, F_RECORD_ID, "%zu", i);
        verdict_decide(record->root);
        CU_ASSERT(json_write(&text, record->root));
        fprintf(f, "%.*s\n", (int)text.len, (const char *)buf_data(&text));
        buf_cleanup(&text);
        record_free(record);
    }
    fclose(f);
    struct log_reader *reader = log_reader_open(path, NULL, NULL, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(reader);
    return reader;
}

#define ALERT "c.alert client certificate 46;"
#define PROGRAM "c.tls.client.ja4 a_b_c;"

static bool cause_is(const struct record *record, const char *cause) {
    return record != NULL &&
           obj_str_is(obj_get(record->root, F_RECORD_VERDICT), F_VERDICT_CAUSE, cause);
}

// What came later counts as well as what came before.
static void test_around(void) {
    static const struct line lines[] = {
        {0, BASE_shown, PROGRAM ALERT},
        {5, BASE_ok, PROGRAM "host other.test"},
        {9, BASE_shown, PROGRAM ALERT "c.address 192.0.2.77"},
        {5000, BASE_shown, PROGRAM ALERT},
        {30, BASE_shown, PROGRAM ALERT},
    };
    struct log_reader *reader = log_make(lines, ARRAY_LEN(lines));
    struct record *record = explain_history(reader, 0);
    CU_ASSERT(cause_is(record, "client-pinned"));
    record_free(record);
    // Nothing around tells more of another client, of another time, or of what worked.
    CU_ASSERT_PTR_NULL(explain_history(reader, 1));
    CU_ASSERT_PTR_NULL(explain_history(reader, 2));
    CU_ASSERT_PTR_NULL(explain_history(reader, 3));
    log_reader_free(reader);
    unlink(path);
}

// A connection is no witness of its own.
static void test_alone(void) {
    static const struct line lines[] = {{0, BASE_shown, PROGRAM ALERT}};
    struct log_reader *reader = log_make(lines, ARRAY_LEN(lines));
    CU_ASSERT_PTR_NULL(explain_history(reader, 0));
    log_reader_free(reader);
    unlink(path);
}

const struct unit_case unit_cases[] = {
    {"around", test_around},
    {"alone", test_alone},
    {NULL, NULL},
};
