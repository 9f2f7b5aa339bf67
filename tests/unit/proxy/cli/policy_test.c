#include "proxy/cli/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/cli/exit.h"
#include "tests/unit/proxy/cli/capture.h"
#include "tests/unit/unit.h"

static struct captured got;

static void run(const char *a, const char *b, const char *c) {
    capture_run(&got, policy_main, (const char *const[]){"policy", a, b, c, NULL});
}

static char file[] = "/tmp/policy_cli_test.XXXXXX";

static void write_file(const char *text) {
    strcpy(strrchr(file, '.'), ".XXXXXX");
    int fd = mkstemp(file);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void test_check(void) {
    write_file("{\"rules\": [{\"hosts\": [\"A.test\"], \"action\": \"tunnel\"}]}");
    run("check", file, NULL);
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_STRING_EQUAL(got.err, "");
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "      \"hosts\": [\"a.test\"],\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "\n  \"default\": {\n    \"action\": \"intercept\",\n"));
    unlink(file);
}

static void test_check_of_a_bad_file(void) {
    write_file("{\"default\": {\"action\": \"drop\"}}");
    run("check", file, NULL);
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_STRING_EQUAL(got.out, "");
    char want[256];
    snprintf(want, sizeof(want),
             "tlsblame policy: %s: default.action: expected \"intercept\", \"tunnel\", "
             "\"refuse\" or \"emulate\", found "
             "\"drop\"\n",
             file);
    CU_ASSERT_STRING_EQUAL(got.err, want);
    unlink(file);
    run("check", "/nowhere/p.json", NULL);
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_STRING_EQUAL(got.err,
                           "tlsblame policy: /nowhere/p.json: No such file or directory\n");
}

static void test_keys(void) {
    run("keys", NULL, NULL);
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "\non_server_failure\n    value    \"mirror\", "));
}

static void test_help(void) {
    static const char *const asked[][2] = {{"--help", NULL}, {"-h", NULL}, {"check", "--help"}};
    for (size_t i = 0; i < 3; i++) {
        run(asked[i][0], asked[i][1], NULL);
        CU_ASSERT_EQUAL(got.status, 0);
        CU_ASSERT_EQUAL(strncmp(got.out, "usage: tlsblame policy check FILE\n", 34), 0);
        CU_ASSERT_STRING_EQUAL(got.err, "");
    }
}

static void test_bad_usage(void) {
    static const char *const asked[][3] = {
        {NULL}, {"check"}, {"check", "a", "b"}, {"keys", "a"}, {"chekc", "a"}};
    for (size_t i = 0; i < 5; i++) {
        run(asked[i][0], asked[i][1], asked[i][2]);
        CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
        CU_ASSERT_STRING_EQUAL(got.out, "");
        CU_ASSERT_EQUAL(strncmp(got.err, "usage: ", 7), 0);
    }
}

const struct unit_case unit_cases[] = {
    {"check", test_check},         {"check of a bad file", test_check_of_a_bad_file},
    {"keys", test_keys},           {"help", test_help},
    {"bad usage", test_bad_usage}, {NULL, NULL},
};
