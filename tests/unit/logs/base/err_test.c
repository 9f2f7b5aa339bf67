#include "logs/base/err.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

static void test_set(void) {
    struct err err = {.errnum = 7};
    CU_ASSERT_FALSE(err_set(&err, "%s:%d is no port", "host", 70000));
    CU_ASSERT_STRING_EQUAL(err.msg, "host:70000 is no port");
    CU_ASSERT_EQUAL(err.errnum, 0);
}

static void test_errno(void) {
    struct err err = {0};
    errno = ENOENT;
    CU_ASSERT_FALSE(err_errno(&err, "open %s", "file"));
    CU_ASSERT_STRING_EQUAL(err.msg, "open file: No such file or directory");
    CU_ASSERT_EQUAL(err.errnum, ENOENT);
}

static void test_prefix(void) {
    struct err err = {0};
    errno = EACCES;
    err_errno(&err, "open");
    CU_ASSERT_FALSE(err_prefix(&err, "%s: ", "log"));
    CU_ASSERT_STRING_EQUAL(err.msg, "log: open: Permission denied");
    CU_ASSERT_EQUAL(err.errnum, EACCES);
}

static void test_null_is_allowed(void) {
    CU_ASSERT_FALSE(err_set(NULL, "x"));
    CU_ASSERT_FALSE(err_errno(NULL, "x"));
    CU_ASSERT_FALSE(err_prefix(NULL, "x"));
}

static void test_long_messages_are_cut(void) {
    struct err err = {0};
    err_set(&err, "%1000d", 1);
    CU_ASSERT_EQUAL(strlen(err.msg), sizeof(err.msg) - 1);
    err_set(&err, "%1000d", 1);
    errno = EIO;
    err_errno(&err, "%1000d", 1);
    CU_ASSERT_EQUAL(strlen(err.msg), sizeof(err.msg) - 1);
    err_set(&err, "%*s", (int)sizeof(err.msg) - 1, "end");
    err_prefix(&err, "start: ");
    CU_ASSERT_EQUAL(strlen(err.msg), sizeof(err.msg) - 1);
    CU_ASSERT_EQUAL(strncmp(err.msg, "start: ", 7), 0);
    err_prefix(&err, "%1000d", 1);
    CU_ASSERT_EQUAL(strlen(err.msg), sizeof(err.msg) - 1);
    CU_ASSERT_PTR_NULL(strstr(err.msg, "start"));
}

const struct unit_case unit_cases[] = {
    {"set", test_set},
    {"errno", test_errno},
    {"prefix", test_prefix},
    {"NULL is allowed", test_null_is_allowed},
    {"long messages are cut", test_long_messages_are_cut},
    {NULL, NULL},
};
