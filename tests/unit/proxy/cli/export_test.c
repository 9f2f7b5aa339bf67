#include "proxy/cli/export.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "logs/base/check.h"
#include "proxy/cli/exit.h"
#include "tests/unit/proxy/cli/capture.h"
#include "tests/unit/unit.h"

// What it writes of real connections is in tests/lab/export_test.py.
#define SAMPLES "tests/unit/logs/view/samples.ndjson"
#define EXPORT "export", "--log", SAMPLES

static struct captured got;

static void run(const char *const *argv) { capture_run(&got, export_main, argv); }

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

static int num_lines(const char *text) {
    int num = 0;
    for (; *text != '\0'; text++) {
        num += *text == '\n';
    }
    return num;
}

static void test_json(void) {
    RUN(EXPORT, "--json", "-", "01hv6k2");
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_EQUAL(num_lines(got.out), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "01hv6k2m9q0000000001"));
    RUN("export", "--json=-", SAMPLES, SAMPLES "#4");
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_EQUAL(num_lines(got.out), 6);
    RUN(EXPORT, "--json", "-");
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "01hv6k5zzz0000000005"));
}

static void test_capture(void) {
    RUN(EXPORT, "01hv6k2");
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_EQUAL(memcmp(got.out, "\x0a\x0d\x0d\x0a", 4), 0);
    CU_ASSERT_STRING_EQUAL(
        got.err, "tlsblame export: 2 of 2 legs are a ClientHello alone: more was not kept\n");
    RUN(EXPORT, "01hv6k5");
    CU_ASSERT_EQUAL(got.status, EXIT_FINDING);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "there is no handshake that a capture could show"));
    RUN(EXPORT, "--keylog", "-", "01hv6k2");
    CU_ASSERT_EQUAL(got.status, EXIT_FINDING);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "there are no secrets"));
}

static void test_files(void) {
    char folder[] = "/tmp/export-test-XXXXXX", capture[64], json[64];
    struct stat st;
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(capture, sizeof(capture), "%s/a.PCAPNG", folder);
    snprintf(json, sizeof(json), "%s/a.ndjson", folder);
    RUN("export", "-o", capture, "--json", json, SAMPLES);
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_STRING_EQUAL(got.out, "");
    CU_ASSERT(stat(capture, &st) == 0 && st.st_size > 500 && (st.st_mode & 0777) == 0600);
    CU_ASSERT(stat(json, &st) == 0 && st.st_size > 500 && (st.st_mode & 0777) == 0600);
    RUN("export", "--keylog", json, json);
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "is the log that is being read"));
    CU_ASSERT(stat(json, &st) == 0 && st.st_size > 500);
    RUN("export", "--json", "/dev/full", SAMPLES);
    CU_ASSERT_EQUAL(got.status, EXIT_ENVIRONMENT);
    unlink(capture);
    unlink(json);
    rmdir(folder);
}

static void test_bad_usage(void) {
    static const struct {
        const char *args[4], *says;
    } wrong[] = {
        {{"-o", "a.pcap"}, "a .pcap file has no room for the secrets; name it a.pcapng"},
        {{"-o", "a.xyz"}, "the ending of a.xyz says no format"},
        {{"-o", "a.json", "--json", "b.json"}, "b.json and a.json are for the same format"},
        {{"--json", "x", "--keylog", "x"}, "x is named twice"},
        {{"--json", "-", "--keylog", "-"}, "only one format can go to standard output"},
        {{"--pcapng"}, "requires an argument"},
        {{SAMPLES "#0"}, "a number from 1 is expected after # and not 0"},
        {{SAMPLES "#9"}, "holds 5 records, there is no #9"},
        {{"--log", SAMPLES, "nosuch"}, "holds no record \"nosuch\""},
        {{"--json", "/no/such/folder/x", SAMPLES}, "cannot write /no/such/folder/x"},
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        const char *const *args = wrong[i].args;
        run((const char *const[]){"export", args[0], args[1], args[2], args[3], NULL});
        CU_ASSERT(got.status == EXIT_USAGE && got.out[0] == '\0');
        CU_ASSERT_PTR_NOT_NULL(strstr(got.err, wrong[i].says));
    }
}

const struct unit_case unit_cases[] = {
    {"json", test_json},   {"capture", test_capture},
    {"files", test_files}, {"bad usage", test_bad_usage},
    {NULL, NULL},
};
