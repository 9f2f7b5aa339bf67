#include "proxy/cli/profiles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/cli/exit.h"
#include "tests/unit/proxy/cli/capture.h"
#include "tests/unit/unit.h"

static struct captured got;

static void run(const char *a, const char *b, const char *c) {
    capture_run(&got, profiles_main, (const char *const[]){"tlsblame profiles", a, b, c, NULL});
}

static void test_list(void) {
    run(NULL, NULL, NULL);
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "E19  squid-bump-mimic (documented)\n     Squid"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "\nE46  double-mitm (reported)\n"));
    run("--json", NULL, NULL);
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "  {\"number\": 29, \"name\": \"sni-rst\", \"line\": "));
    CU_ASSERT_STRING_EQUAL(got.out + strlen(got.out) - 5, "\"}\n]\n");
}

static void test_one(void) {
    run("zscaler-like", NULL, NULL);
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "zscaler-like (E17)\nlike Zscaler: leaves of 14 days"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "\nConfidence  measured\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "\nThe profile:\n{\n  \"name\": \"zscaler-like\",\n"));
    CU_ASSERT_PTR_NULL(strstr(got.out, "Of the template"));
    run("pcpandora-rc4", NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "\n- The hello is the template's, byte for byte."));
    run("--json", "zscaler-like", NULL);
    CU_ASSERT_EQUAL(strncmp(got.out, "{\n  \"name\"", 10), 0);
    run("superfish-komodia,panos-2018-tls12-cap", NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "\nWhere the profiles disagree:\n- client_leg.max"));
}

static void test_check(void) {
    char path[] = "/tmp/profiles_test.XXXXXX";
    int fd = mkstemp(path);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    static const char bad[] = "{\"name\": \"my-box\", \"client_leg\": {\"alpn\": \"stirp\"}}";
    CU_ASSERT_EQUAL(write(fd, bad, strlen(bad)), (ssize_t)strlen(bad));
    run("check", path, NULL);
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_STRING_EQUAL(got.out, "");
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "client_leg.alpn: expected \"mirror\", \"strip\" or "
                                           "\"fixed\", found \"stirp\"; did you mean \"strip\"?"));
    static const char good[] = "{\"name\": \"my-box\", \"number\": 0}                           ";
    CU_ASSERT_EQUAL(pwrite(fd, good, strlen(good), 0), (ssize_t)strlen(good));
    close(fd);
    run("check", path, NULL);
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_STRING_EQUAL(got.out, "{\n  \"name\": \"my-box\"\n}\n");
    unlink(path);
}

static void test_usage(void) {
    run("check", NULL, NULL);
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    run("sni-rst", "more", NULL);
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    run("sni-rts", NULL, NULL);
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "did you mean \"sni-rst\"?"));
    run("keys", NULL, NULL);
    CU_ASSERT_EQUAL(got.status, 0);
    run("schema", NULL, NULL);
    CU_ASSERT_EQUAL(got.status, 0);
}

const struct unit_case unit_cases[] = {
    {"list", test_list},   {"one", test_one}, {"check", test_check},
    {"usage", test_usage}, {NULL, NULL},
};
