#include "logs/store/log_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static char folder[64], path[96], warnings[8192];

static void hear(void *ctx, const char *says) {
    size_t used = strlen(warnings);
    (void)ctx;
    snprintf(warnings + used, sizeof(warnings) - used, "%s\n", says);
}

static void begin(void) {
    strcpy(folder, "/tmp/log_reader_test.XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/log", folder);
    warnings[0] = '\0';
}

static void end(void) {
    char name[128];
    unlink(path);
    for (int i = 1; i < 5; i++) {
        snprintf(name, sizeof(name), "%s.%d", path, i);
        unlink(name);
    }
    CU_ASSERT_EQUAL(rmdir(folder), 0);
}

static void file_write(const char *suffix, const char *text) {
    char name[128];
    snprintf(name, sizeof(name), "%s%s", path, suffix);
    FILE *f = fopen(name, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fputs(text, f);
    CU_ASSERT(fclose(f) == 0);
}

#define REC(id, host) "{\"schema\":\"1.0\",\"id\":\"" id "\",\"host\":\"" host "\"}"

static struct log_reader *open_log(void) {
    struct err err = {0};
    struct log_reader *reader = log_reader_open(path, hear, NULL, &err);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(reader);
    return reader;
}

static void ids_are(const struct log_reader *reader, const char *wanted) {
    char text[256] = "";
    for (size_t i = 0; i < log_reader_num(reader); i++) {
        strcat(text, log_reader_id(reader, i));
        strcat(text, " ");
    }
    CU_ASSERT_STRING_EQUAL(text, wanted);
}

static void host_is(struct log_reader *reader, size_t i, const char *wanted) {
    struct err err = {0};
    struct record *record = log_reader_read(reader, i, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(record);
    CU_ASSERT(obj_str_is(record->root, F_RECORD_HOST, wanted));
    record_free(record);
}

static void test_records(void) {
    begin();
    file_write("", REC("a", "one") "\n" REC("b", "two") "\n\n  \r\n" REC("c", "three"));
    struct log_reader *reader = open_log();
    ids_are(reader, "a b c ");
    host_is(reader, 2, "three");
    host_is(reader, 0, "one");
    struct span line;
    CU_ASSERT(log_reader_line(reader, &line, 1, NULL));
    CU_ASSERT(line.len == strlen(REC("b", "two")) &&
              memcmp(line.p, REC("b", "two"), line.len) == 0);
    struct record_scan_plan plan;
    record_scan_plan_init(&plan, (const enum field[]){F_RECORD_HOST}, 1);
    struct record *record = log_reader_scan(reader, 1, &plan, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(record);
    CU_ASSERT(obj_str_is(record->root, F_RECORD_HOST, "two"));
    record_free(record);
    CU_ASSERT_STRING_EQUAL(warnings, "");
    log_reader_free(reader);
    log_reader_free(NULL);
    end();
}

static void test_an_empty_log(void) {
    begin();
    file_write("", "");
    struct log_reader *reader = open_log();
    size_t i;
    struct err err = {0};
    CU_ASSERT_EQUAL(log_reader_num(reader), 0);
    CU_ASSERT_FALSE(log_reader_find(reader, &i, NULL, &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "the log holds no record");
    log_reader_free(reader);
    end();
}

static void test_broken_lines(void) {
    begin();
    file_write("",
               REC("a", "one") "\ngarbage\n{\"schema\":\"1.0\",\"id\":\"x\n" REC(
                   "b", "two") "\n"
                               "{\"schema\":\"9.0\",\"id\":\"y\"}\n[]\n{\"schema\":\"1.0\",\"i");
    struct log_reader *reader = open_log();
    ids_are(reader, "a b ");
    char wanted[512];
    snprintf(wanted, sizeof(wanted), "%s:2: skipped, not a record: byte 0: expected an object\n",
             path);
    CU_ASSERT(strncmp(warnings, wanted, strlen(wanted)) == 0);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(warnings, ":3: skipped, not a record: byte 23: the line ends early"));
    CU_ASSERT_PTR_NOT_NULL(strstr(warnings, ":5: skipped, not a record: schema: \"9.0\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(warnings, ":6: skipped"));
    CU_ASSERT_PTR_NOT_NULL(strstr(warnings, ":7: skipped, a half-written line: "));
    log_reader_free(reader);
    end();
}

static void test_the_last_line_of_an_id_counts(void) {
    begin();
    file_write("", REC("a", "early") "\n" REC("b", "two") "\n" REC("a", "late") "\n" REC(
                       "c", "three") "\n" REC("b", "two") "x\n");
    struct log_reader *reader = open_log();
    ids_are(reader, "b a c ");
    host_is(reader, 1, "late");
    log_reader_free(reader);
    end();
}

static void test_rotated_files(void) {
    begin();
    file_write("", REC("e", "newest") "\n" REC("a", "ended") "\n");
    file_write(".1", REC("c", "three") "\n" REC("d", "four") "\n");
    file_write(".2", REC("a", "early") "\n" REC("b", "two") "\nbroken\n");
    struct log_reader *reader = open_log();
    ids_are(reader, "b c d e a ");
    host_is(reader, 4, "ended");
    CU_ASSERT_PTR_NOT_NULL(strstr(warnings, "/log.2:3: skipped"));
    log_reader_free(reader);
    // Just rotated, and nothing written since.
    CU_ASSERT(unlink(path) == 0);
    reader = open_log();
    ids_are(reader, "a b c d ");
    log_reader_free(reader);
    end();
}

static void test_find(void) {
    begin();
    file_write("",
               REC("abc1", "") "\n" REC("abc2", "") "\n" REC("abd", "") "\n" REC("ab", "") "\n");
    struct log_reader *reader = open_log();
    struct err err = {0};
    size_t i;
    CU_ASSERT(log_reader_find(reader, &i, NULL, &err) && i == 3);
    CU_ASSERT(log_reader_find(reader, &i, "abc2", &err) && i == 1);
    CU_ASSERT(log_reader_find(reader, &i, "abd", &err) && i == 2);
    CU_ASSERT(log_reader_find(reader, &i, "ab", &err) && i == 3);
    CU_ASSERT_FALSE(log_reader_find(reader, &i, "abc", &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "2 ids in the log begin with \"abc\"; the newest is abc2");
    CU_ASSERT_FALSE(log_reader_find(reader, &i, "x", &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "the log holds no record \"x\"");
    log_reader_free(reader);
    end();
}

static void test_cannot_open(void) {
    begin();
    struct err err = {0};
    CU_ASSERT_PTR_NULL(log_reader_open(path, hear, NULL, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "No such file"));
    CU_ASSERT_PTR_NULL(log_reader_open(folder, hear, NULL, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "not a regular file"));
    CU_ASSERT_PTR_NULL(log_reader_open("/dev/null", hear, NULL, &err));
    end();
}

// Lines longer than what is read at once, and one that no record may have.
static void test_long_lines(void) {
    begin();
    FILE *f = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fputs("{\"schema\":\"1.0\",\"id\":\"a\",\"host\":\"", f);
    for (int i = 0; i < 100000; i++) {
        fputs("0123456789", f);
    }
    fputs("\"}\n{\"schema\":\"1.0\",\"id\":\"huge\",\"host\":\"", f);
    for (int i = 0; i < LOG_LINE_MAX / 10 * 2; i++) {
        fputs("0123456789", f);
    }
    fputs("\"}\nbroken\n" REC("b", "two") "\n", f);
    CU_ASSERT(fclose(f) == 0);
    struct log_reader *reader = open_log();
    ids_are(reader, "a b ");
    host_is(reader, 1, "two");
    CU_ASSERT_PTR_NOT_NULL(strstr(warnings, ":2: skipped, longer than any record"));
    CU_ASSERT_PTR_NULL(strstr(strchr(warnings, '\n') + 1, ":2:"));
    CU_ASSERT_PTR_NOT_NULL(strstr(warnings, ":3: skipped"));
    log_reader_free(reader);
    end();
}

static void test_many_records(void) {
    begin();
    FILE *f = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    for (int i = 0; i < 5000; i++) {
        fprintf(f, "{\"schema\":\"1.0\",\"id\":\"%d\"}\n", i % 3000);
    }
    CU_ASSERT(fclose(f) == 0);
    struct log_reader *reader = open_log();
    CU_ASSERT_EQUAL_FATAL(log_reader_num(reader), 3000);
    CU_ASSERT_STRING_EQUAL(log_reader_id(reader, 0), "2000");
    CU_ASSERT_STRING_EQUAL(log_reader_id(reader, 2999), "1999");
    log_reader_free(reader);
    end();
}

static void test_a_file_cut_while_it_is_read(void) {
    begin();
    file_write("", REC("a", "one") "\n" REC("b", "two") "\n");
    struct log_reader *reader = open_log();
    struct err err = {0};
    struct span line;
    CU_ASSERT(truncate(path, 20) == 0);
    CU_ASSERT_FALSE(log_reader_line(reader, &line, 1, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "became shorter"));
    CU_ASSERT_PTR_NULL(log_reader_read(reader, 0, &err));
    log_reader_free(reader);
    end();
}

const struct unit_case unit_cases[] = {
    {"records", test_records},
    {"an empty log", test_an_empty_log},
    {"broken lines are reported and skipped", test_broken_lines},
    {"the last line of an id counts", test_the_last_line_of_an_id_counts},
    {"rotated files come first", test_rotated_files},
    {"find", test_find},
    {"what cannot be opened", test_cannot_open},
    {"long lines", test_long_lines},
    {"many records", test_many_records},
    {"a file cut while it is read", test_a_file_cut_while_it_is_read},
    {NULL, NULL},
};
