#include "proxy/cli/explain_page.h"

#include <string.h>

#include "logs/base/check.h"
#include "logs/store/log_reader.h"
#include "tests/unit/logs/view/golden.h"
#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

// The pages are as `tlsblame explain --width 80 [--log explain.ndjson] WHAT` writes them.
#define FOLDER "tests/unit/proxy/cli/"

enum { WIDTH = 80 };

static struct buf out;
static struct page page;

static void begin(size_t width) {
    buf_init(&out, 1024 * 1024);
    page = (struct page){.out = &out, .width = width};
}

static void test_causes(void) {
    static const char *const ids[] = {"server-cert-expired", "proxy-ca-not-installed",
                                      "sni-filter-rst"};
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        char name[128] = FOLDER "explain-";
        begin(WIDTH);
        explain_cause_page(&page, cause_find(ids[i]));
        strcat(strcat(name, ids[i]), ".txt");
        CU_ASSERT(golden_is(&out, name));
    }
}

static void test_records(void) {
    static const char *const names[] = {FOLDER "explain-record-expired.txt",
                                        FOLDER "explain-record-untrusted.txt",
                                        FOLDER "explain-record-closed.txt"};
    struct err err = {0};
    struct log_reader *reader = log_reader_open(FOLDER "explain.ndjson", NULL, NULL, &err);
    CHECK(reader != NULL);
    CU_ASSERT_EQUAL_FATAL(log_reader_num(reader), ARRAY_LEN(names));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct record *record = log_reader_read(reader, i, &err);
        CHECK(record != NULL);
        begin(WIDTH);
        explain_record_page(&page, record->root);
        CU_ASSERT(golden_is(&out, names[i]));
        record_free(record);
    }
    log_reader_free(reader);
}

// fits returns whether no line has more than `width` columns or ends in a space.
static bool fits(size_t width) {
    const char *p = (const char *)buf_data(&out), *end = p + out.len;
    for (const char *newline; p < end; p = newline + 1) {
        newline = memchr(p, '\n', (size_t)(end - p));
        if (newline == NULL || page_width(p, (size_t)(newline - p)) > width ||
            (newline != p && newline[-1] == ' ')) {
            return false;
        }
    }
    return true;
}

static void test_every_cause_fits(void) {
    for (enum cause cause = 0; cause < CAUSE_COUNT; cause++) {
        begin(WIDTH);
        explain_cause_page(&page, cause);
        CU_ASSERT(out.len > 200 && fits(WIDTH));
        buf_cleanup(&out);
    }
    begin(WIDTH);
    explain_list_page(&page);
    CU_ASSERT(fits(WIDTH));
    buf_cleanup(&out);
}

static bool has(const char *text) {
    return memmem(buf_data(&out), out.len, text, strlen(text)) != NULL;
}

// A verdict of another version, with a cause that is not known here and values that are not clean.
static void test_foreign_verdict(void) {
    struct record *record = case_record(BASE_shown, "verdict.party server; verdict.cause new-one");
    struct obj *verdict = obj_get(record->root, F_RECORD_VERDICT);
    obj_set_str(verdict, F_VERDICT_REMEDY, "Be\x1b[31m careful.");
    begin(WIDTH);
    explain_record_page(&page, record->root);
    CU_ASSERT(has("server: new-one ()") && has("Be\\x1b[31m careful."));
    CU_ASSERT(!has("\x1b") && !has("WHAT PEOPLE SEE") && !has("tells more about"));
    buf_cleanup(&out);
    record_free(record);
}

const struct unit_case unit_cases[] = {
    {"causes", test_causes},
    {"records", test_records},
    {"every cause fits", test_every_cause_fits},
    {"a foreign verdict", test_foreign_verdict},
    {NULL, NULL},
};
