#include "proxy/cli/ca.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/base/check.h"
#include "proxy/cli/exit.h"
#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/proxy/cli/capture.h"
#include "tests/unit/unit.h"

static struct captured got;
static char *folder;

static void run(const char *verb, const char *a, const char *b, const char *c, const char *d) {
    capture_run(&got, ca_main,
                (const char *const[]){"ca", verb, "--ca-dir", folder, a, b, c, d, NULL});
}

static void test_no_ca_so_far(void) {
    folder = pki_folder();
    static const char *const verbs[] = {"show", "export"};
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        run(verbs[i], NULL, NULL, NULL, NULL);
        CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
        CU_ASSERT_STRING_EQUAL(got.out, "");
        CU_ASSERT_PTR_NOT_NULL(strstr(got.err, folder));
        CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "'tlsblame ca init' makes one"));
    }
    CU_ASSERT_EQUAL(pki_run("test -z \"$(ls -A '%s')\"", folder), 0); // and made nothing
    pki_remove(folder);
}

static void test_init_and_show(void) {
    char line[256];
    folder = pki_folder();
    run("init", NULL, NULL, NULL, NULL);
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_EQUAL(pki_run("openssl x509 -in '%s/ca.pem' -noout -fingerprint -sha256 | "
                            "sed 's/.*=/SHA-256      /' > '%s/fingerprint'; cat '%s/fingerprint'",
                            folder, folder, folder),
                    0);
    CU_ASSERT_EQUAL(strlen(pki_output), 13 + 32 * 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, pki_output));
    CU_ASSERT_EQUAL(strncmp(got.out, "subject      CN=tlsblame CA ", 28), 0);
    snprintf(line, sizeof(line), "\ncertificate  %s/ca.pem\n", folder);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, line));
    static struct captured first;
    first = got;
    run("show", NULL, NULL, NULL, NULL);
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_STRING_EQUAL(got.out, first.out);
    run("init", NULL, NULL, NULL, NULL); // leaves what is there
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_STRING_EQUAL(got.out, first.out);
    pki_remove(folder);
}

static void test_profile(void) {
    folder = pki_folder();
    run("show", "--profile", "superfish-komodia", NULL, NULL);
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "/profiles/superfish-komodia/ca.pem\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "curl --cacert '"));
    static struct captured first;
    first = got;
    run("init", "--profile", "superfish-komodia", NULL, NULL);
    CU_ASSERT_STRING_EQUAL(got.out, first.out);
    run("export", "--profile", "superfish-komodia", NULL, NULL);
    CU_ASSERT_EQUAL(strncmp(got.out, "-----BEGIN CERTIFICATE-----\n", 28), 0);
    CU_ASSERT_EQUAL(pki_run("stat -c %%a '%s/profiles/superfish-komodia/ca-key.pem'", folder), 0);
    CU_ASSERT_STRING_EQUAL(pki_output, "600\n");
    run("show", "--profile", "sni-rst", NULL, NULL);
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "has no CA of its own"));
    run("show", "--profile", "sni-rts", NULL, NULL);
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    pki_remove(folder);
}

static void test_export(void) {
    // clang-format off
    static const struct { const char *format, *reader; } CASES[] = {
        {"pem", "openssl x509"},
        {"der", "openssl x509 -inform der"},
        {"p12", "openssl pkcs12 -nokeys -passin pass: | openssl x509"},
    };
    // clang-format on
    folder = pki_folder();
    run("init", NULL, NULL, NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        char file[512];
        snprintf(file, sizeof(file), "%s/out", folder);
        run("export", "--format", CASES[i].format, "--out", file);
        CU_ASSERT_EQUAL(got.status, 0);
        CU_ASSERT_STRING_EQUAL(got.out, "");
        CU_ASSERT_EQUAL(pki_run("%s < '%s' | cmp - '%s/ca.pem'", CASES[i].reader, file, folder), 0);
    }
    CU_ASSERT_EQUAL(pki_run("cat '%s/ca.pem'", folder), 0);
    run("export", NULL, NULL, NULL, NULL);
    CU_ASSERT_STRING_EQUAL(got.out, pki_output);
    run("export", "--out", "-", NULL, NULL);
    CU_ASSERT_STRING_EQUAL(got.out, pki_output);
    CU_ASSERT_PTR_NULL(strstr(got.out, "PRIVATE"));
    run("export", "--out", "/proc/nowhere/x", NULL, NULL);
    CU_ASSERT_EQUAL(got.status, EXIT_ENVIRONMENT);
    pki_remove(folder);
}

static void test_bad_ca(void) {
    folder = pki_folder();
    run("init", NULL, NULL, NULL, NULL);
    CU_ASSERT_EQUAL(pki_run("chmod 644 '%s/ca-key.pem'", folder), 0);
    run("show", NULL, NULL, NULL, NULL);
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "chmod 600"));
    pki_remove(folder);
}

static void test_usage(void) {
    static const char *const CASES[][4] = {
        {NULL},
        {"frobnicate"},
        {"show", "more"},
        {"show", "--nope"},
        {"show", "--format", "pem2"},
        {"show", "--format", "der"},
        {"init", "--out", "x"},
        {"export", "--format", "key"},
        {"export", "--format"},
    };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        capture_run(&got, ca_main,
                    (const char *const[]){"ca", CASES[i][0], CASES[i][1], CASES[i][2], NULL});
        CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "'tlsblame ca --help' tells more\n"));
        CU_ASSERT_STRING_EQUAL(got.out, "");
    }
    capture_run(&got, ca_main, (const char *const[]){"ca", "-h", NULL});
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_EQUAL(strncmp(got.out, "usage: tlsblame ca ", 19), 0);
}

const struct unit_case unit_cases[] = {
    {"no CA so far", test_no_ca_so_far},
    {"init and show", test_init_and_show},
    {"profile", test_profile},
    {"export", test_export},
    {"a CA that cannot be used", test_bad_ca},
    {"usage", test_usage},
    {NULL, NULL},
};
