#include "proxy/cli/learn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/cli/exit.h"
#include "tests/unit/proxy/cli/capture.h"
#include "tests/unit/unit.h"

// Two hellos, one of a client and one of a box.
#define CLIENT "FgMBAC0BAAApAwMBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQAAAsAvAQA="
#define BOX "FgMBAC0BAAApAwMCAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgAAAgAFAQA="

#define RECORD(behind)                                                                             \
    "{\"@timestamp\": \"2026-11-20T10:00:00.000Z\", \"schema\": \"1.0\", \"id\": \"feed\", "       \
    "\"mode\": \"intercept\", \"host\": \"a.test\", \"legs\": {\"client\": {\"offer\": "           \
    "{\"ciphers\": "                                                                               \
    "[\"0xc02f\"], \"raw\": \"" CLIENT                                                             \
    "\"}}, \"server\": {\"offer\": {\"ciphers\": [\"0x0005\"], "                                   \
    "\"versions\": [\"TLS 1.2\"], \"raw\": \"" behind "\"}}}}\n"

static struct captured got;
static char path[] = "/tmp/learn_test.XXXXXX";

static void run(const char *a, const char *b, const char *c) {
    capture_run(&got, learn_main, (const char *const[]){"tlsblame learn", a, b, c, NULL});
}

// log_make writes a log of one record.
static void log_make(const char *text) {
    strcpy(path + strlen(path) - 6, "XXXXXX");
    int fd = mkstemp(path);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void test_usage(void) {
    run("--help", NULL, NULL);
    CU_ASSERT_EQUAL(got.status, 0);
    run(NULL, NULL, NULL);
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    run("--name", "Not This", "x");
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "--name takes small letters"));
    run("--keylog", "/dev/null/x", "x");
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    run("--log", "/dev/null/x", "x");
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
}

static void test_legs(void) {
    log_make(RECORD(BOX));
    run("--name", "my-box", path);
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_EQUAL(strncmp(got.out, "{\n  \"name\": \"my-box\"", 20), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "\"TLS_RSA_WITH_RC4_128_SHA\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "server_leg.hello, from 1 record: feed"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "\nNot learned:\n"));
    run("--json", path, NULL);
    CU_ASSERT_STRING_EQUAL(got.err, "");
    run("--output", "/dev/null/x", path);
    CU_ASSERT_EQUAL(got.status, EXIT_ENVIRONMENT);
    unlink(path);
}

static void test_no_box(void) {
    log_make(RECORD(CLIENT));
    run(path, NULL, NULL);
    CU_ASSERT_EQUAL(got.status, EXIT_FINDING);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "nobody stood in between"));
    CU_ASSERT_STRING_EQUAL(got.out, "");
    unlink(path);
}

const struct unit_case unit_cases[] = {
    {"usage", test_usage},
    {"legs", test_legs},
    {"no box", test_no_box},
    {NULL, NULL},
};
