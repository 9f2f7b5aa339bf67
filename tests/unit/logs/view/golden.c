#include "tests/unit/logs/view/golden.h"

#include <stdio.h>
#include <string.h>

#define FOLDER "tests/unit/logs/view/"

struct log_reader *golden_samples(void) {
    struct err err = {0};
    struct log_reader *reader = log_reader_open(FOLDER "samples.ndjson", NULL, NULL, &err);
    CHECK(reader != NULL);
    return reader;
}

struct record *golden_record(const char *id) {
    struct log_reader *reader = golden_samples();
    size_t i;
    CHECK(log_reader_find(reader, &i, id, NULL));
    struct record *record = log_reader_read(reader, i, NULL);
    CHECK(record != NULL);
    log_reader_free(reader);
    return record;
}

static bool line_is(const char *wanted, const char *is, size_t is_len, int number) {
    bool same = strlen(wanted) == is_len && memcmp(wanted, is, is_len) == 0;
    if (!same) {
        printf("\n    line %d\n    is:     %.*s    wanted: %s", number, (int)is_len, is, wanted);
    }
    return same;
}

bool golden_is(struct buf *page, const char *name) {
    char path[256], line[4096];
    snprintf(path, sizeof(path), "%s%s", strchr(name, '/') == NULL ? FOLDER : "", name);
    FILE *f = fopen(path, "r");
    CHECK(f != NULL);
    size_t at = 0;
    bool same = true;
    for (int number = 1; same && fgets(line, sizeof(line), f) != NULL; number++) {
        const char *is = (const char *)buf_data(page) + at;
        const char *newline = page->len > at ? memchr(is, '\n', page->len - at) : NULL;
        size_t len = newline != NULL ? (size_t)(newline - is) + 1 : page->len - at;
        same = line_is(line, is, len, number);
        at += len;
    }
    same = same && at == page->len;
    fclose(f);
    buf_cleanup(page);
    return same;
}
