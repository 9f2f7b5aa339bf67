#include "proxy/cli/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/cli/exit.h"
#include "tests/unit/proxy/cli/capture.h"
#include "tests/unit/unit.h"

static struct captured got;

static const char *printed(struct buf *out, enum shell shell, const char *value) {
    buf_init(out, 1000);
    CU_ASSERT(env_print_variable(out, shell, "NAME", value));
    CU_ASSERT(buf_append(out, "", 1));
    return (const char *)buf_data(out);
}

static void test_quoting(void) {
    // clang-format off
    static const struct { enum shell shell; const char *value, *command; } CASES[] = {
        {SHELL_SH, "", "export NAME='';\n"},
        {SHELL_SH, "a b$c`d\"e\\f!", "export NAME='a b$c`d\"e\\f!';\n"},
        {SHELL_SH, "it's", "export NAME='it'\\''s';\n"},
        {SHELL_FISH, "a b$c\"!", "set -gx NAME 'a b$c\"!';\n"},
        {SHELL_FISH, "it's\\", "set -gx NAME 'it\\'s\\\\';\n"},
        {SHELL_CSH, "a b$c`d\"e\\f", "setenv NAME 'a b$c`d\"e\\f';\n"},
        {SHELL_CSH, "it's!\n", "setenv NAME 'it'\\''s\\!\\\n';\n"},
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        struct buf out;
        CU_ASSERT_STRING_EQUAL(printed(&out, CASES[i].shell, CASES[i].value), CASES[i].command);
        buf_cleanup(&out);
    }
}

static void test_a_shell_reads_it_back(void) {
    static const char VALUE[] = " it's $HOME `id` \\ \"!\" *\n#;&|<> \xc3\xbc ";
    struct buf out;
    printed(&out, SHELL_SH, VALUE);
    setenv("COMMANDS", (const char *)buf_data(&out), 1);
    buf_cleanup(&out);
    FILE *sh = popen("eval \"$COMMANDS\"; printf %s \"$NAME\"", "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(sh);
    char text[200];
    text[fread(text, 1, sizeof(text) - 1, sh)] = '\0';
    CU_ASSERT_EQUAL(pclose(sh), 0);
    CU_ASSERT_STRING_EQUAL(text, VALUE);
}

static void test_print_stops_at_the_ceiling(void) {
    struct buf out;
    for (size_t max = 0; max < strlen("export NAME='it'\\''s';\n"); max++) {
        buf_init(&out, max);
        CU_ASSERT_FALSE(env_print_variable(&out, SHELL_SH, "NAME", "it's"));
        buf_cleanup(&out);
    }
}

static void run(const char *a, const char *b, const char *c, const char *d) {
    capture_run(&got, env_main, (const char *const[]){"env", a, b, c, d, NULL});
}

static void touch(const char *folder, const char *name) {
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fclose(file);
}

static void test_main(void) {
    char folder[] = "/tmp/env_test.XXXXXX", want[256], path[64];
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    setenv("SHELL", "/bin/bash", 1);
    run("--ca-dir", folder, NULL, NULL);
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_STRING_EQUAL(got.out, "");
    snprintf(want, sizeof(want),
             "tlsblame env: %s/bundle.pem, which 'tlsblame run' makes: No such "
             "file or directory\n",
             folder);
    CU_ASSERT_STRING_EQUAL(got.err, want);

    touch(folder, "bundle.pem");
    run("--ca-dir", folder, "--proxy", "[::1]:99");
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_EQUAL(strncmp(got.out, "export https_proxy='http://[::1]:99';\n", 38), 0);
    snprintf(want, sizeof(want), "\nexport SSL_CERT_FILE='%s/bundle.pem';\n", folder);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, want));
    snprintf(want, sizeof(want), "\nexport NODE_EXTRA_CA_CERTS='%s/bundle.pem';\n", folder);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, want));
    CU_ASSERT_PTR_NULL(strstr(got.out, "trustStore"));

    touch(folder, "ca.pem");
    touch(folder, "bundle.jks");
    setenv("SHELL", "/usr/bin/fish", 1);
    run("--ca-dir", folder, NULL, NULL);
    CU_ASSERT_EQUAL(strncmp(got.out, "set -gx https_proxy 'http://127.0.0.1:8080';\n", 45), 0);
    snprintf(want, sizeof(want), "\nset -gx NODE_EXTRA_CA_CERTS '%s/ca.pem';\n", folder);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, want));
    snprintf(want, sizeof(want), " -Djavax.net.ssl.trustStore=%s/bundle.jks ", folder);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, want));
    run("--ca-dir", folder, "-s", "tcsh");
    CU_ASSERT_EQUAL(strncmp(got.out, "setenv https_proxy '", 20), 0);
    snprintf(path, sizeof(path), "%s/ca.pem", folder);
    run("--ca-bundle", path, "-s", "sh");
    snprintf(want, sizeof(want), "\nexport SSL_CERT_FILE='%s';\n", path);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, want));

    static const char *const names[] = {"ca.pem", "bundle.pem", "bundle.jks"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    CU_ASSERT_EQUAL(rmdir(folder), 0);
}

static void test_bad_usage(void) {
    static const char *const PROXIES[] = {"",
                                          "x",
                                          ":80",
                                          "a:",
                                          "a:0",
                                          "a:+1",
                                          "a:65536",
                                          "a: 1",
                                          "a:1x",
                                          "::1:80",
                                          "[a]:80",
                                          "[]:80",
                                          "a b:80",
                                          "a;b:80",
                                          "http://a:80",
                                          "[::1:8",
                                          "a:99999999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(PROXIES); i++) {
        run("-p", PROXIES[i], NULL, NULL);
        CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
        CU_ASSERT_EQUAL(strncmp(got.err, "tlsblame env: --proxy: expected HOST:PORT", 41), 0);
    }
    run("-s", "ksh", NULL, NULL);
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "--shell: expected sh, fish or csh, found 'ksh'\n"));
    run("--nope", NULL, NULL, NULL);
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "env: unrecognized option '--nope'\n"));
    run("more", NULL, NULL, NULL);
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "unexpected argument 'more'\n"));
}

static void test_help(void) {
    run("--help", NULL, NULL, NULL);
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_STRING_EQUAL(got.err, "");
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "\n  REQUESTS_CA_BUNDLE   Python requests\n"));
    size_t len;
    for (const char *p = got.out; *p != '\0'; p += len + 1) {
        len = strcspn(p, "\n");
        CU_ASSERT(len <= 80);
    }
}

const struct unit_case unit_cases[] = {
    {"quoting", test_quoting},
    {"a shell reads it back", test_a_shell_reads_it_back},
    {"print stops at the ceiling", test_print_stops_at_the_ceiling},
    {"main", test_main},
    {"bad usage", test_bad_usage},
    {"help", test_help},
    {NULL, NULL},
};
