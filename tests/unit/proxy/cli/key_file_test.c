#include "proxy/cli/key_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "logs/base/buf.h"
#include "tests/unit/unit.h"

#define RANDOM "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SECRET "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"

static void broken_add(void *ctx, const struct err *err) {
    CU_ASSERT(buf_printf(ctx, "%.8s|", err->msg));
}

static void test_read(void) {
    char path[] = "/tmp/key_file_test.XXXXXX";
    struct key_log *log = key_log_new(0);
    struct buf numbers;
    struct err err;
    size_t num_broken;
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs("# keys\nEXPORTER_SECRET " RANDOM " " SECRET "\nbroken line\n", file);
    // A comment and a broken line, both longer than what is read of a line.
    fprintf(file, "#%05000d\n", 0);
    fprintf(file, "EXPORTER_SECRET " RANDOM " %05000d\n", 0);
    fputs("CLIENT_TRAFFIC_SECRET_0 " RANDOM " " SECRET, file); // no line end
    fclose(file);
    buf_init(&numbers, 1024);
    CU_ASSERT(key_file_read(log, &num_broken, path, broken_add, &numbers, &err));
    CU_ASSERT_EQUAL(num_broken, 2);
    CU_ASSERT_EQUAL(key_log_num(log), 2);
    // Read once more, lines are counted from 1 again.
    CU_ASSERT(key_file_read(log, &num_broken, path, broken_add, &numbers, &err));
    CU_ASSERT(buf_append(&numbers, "", 1));
    CU_ASSERT_STRING_EQUAL(buf_data(&numbers), "line 3: |line 5: |line 3: |line 5: |");
    CU_ASSERT(key_file_read(log, &num_broken, path, NULL, NULL, &err));
    CU_ASSERT_EQUAL(num_broken, 2);
    unlink(path);
    buf_cleanup(&numbers);
    key_log_free(log);
}

static void test_no_file(void) {
    struct key_log *log = key_log_new(0);
    struct err err;
    size_t num_broken;
    CU_ASSERT_FALSE(key_file_read(log, &num_broken, "/nonexistent/keys", NULL, NULL, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "/nonexistent/keys: No such file"));
    CU_ASSERT_FALSE(key_file_read(log, &num_broken, "/", NULL, NULL, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "Is a directory"));
    key_log_free(log);
}

const struct unit_case unit_cases[] = {
    {"lines", test_read},
    {"files that cannot be read", test_no_file},
    {NULL, NULL},
};
