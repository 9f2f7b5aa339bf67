#include "proxy/cli/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "logs/store/log_reader.h"
#include "proxy/cli/exit.h"
#include "tests/unit/logs/pcap/packets.h"
#include "tests/unit/proxy/cli/capture.h"
#include "tests/unit/unit.h"

#define CAPTURE "tests/golden/import/fronts.pcap"

static struct captured got;
static char log_path[] = "/tmp/import_test.XXXXXX";

static void run(const char *a, const char *b, const char *c, const char *d) {
    capture_run(&got, import_main, (const char *const[]){"import", a, b, c, d, NULL});
}

static void test_bad_usage(void) {
    run(NULL, NULL, NULL, NULL);
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "a capture file is expected"));
    run("--frobnicate", NULL, NULL, NULL);
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    run("--color", "green", CAPTURE, NULL);
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    run("-h", NULL, NULL, NULL);
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "usage: tlsblame import"));
}

static void test_bad_files(void) {
    run("--json", "/nonexistent.pcap", CAPTURE, NULL);
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "tlsblame import: /nonexistent.pcap: cannot be opened"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "\"origin.test\"")); // the other one was read
    run("--log", "/nonexistent/log.ndjson", CAPTURE, NULL);
    CU_ASSERT_EQUAL(got.status, EXIT_ENVIRONMENT);
}

static void test_json(void) {
    run("--json", CAPTURE, NULL, NULL);
    char *newline = strchr(got.out, '\n');
    CU_ASSERT_PTR_NOT_NULL_FATAL(newline);
    CU_ASSERT_PTR_NOT_NULL(strchr(newline + 1, '\n'));
    CU_ASSERT_EQUAL(strncmp(got.out, "{\"@timestamp\":", 14), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "33 packets, 2 TCP connections, 2 with TLS\n"));
    CU_ASSERT_PTR_NULL(strstr(got.err, "Log: "));
}

static void log_name(void) {
    strcpy(strrchr(log_path, '.'), ".XXXXXX");
    int fd = mkstemp(log_path);
    CU_ASSERT_FATAL(fd >= 0);
    close(fd);
}

static size_t log_num(void) {
    struct err err;
    struct log_reader *reader = log_reader_open(log_path, NULL, NULL, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(reader);
    size_t num = log_reader_num(reader);
    log_reader_free(reader);
    return num;
}

static void test_log_and_lines(void) {
    log_name();
    run("--log", log_path, CAPTURE, CAPTURE);
    CU_ASSERT_EQUAL(log_num(), 2); // the same ids, once
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, " origin.test:7025 "));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, " origin.test:443 "));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, log_path));
    run("--log", log_path, "-q", CAPTURE);
    CU_ASSERT_STRING_EQUAL(got.out, "");
    CU_ASSERT_STRING_EQUAL(got.err, "");
    unlink(log_path);
}

static int import_full(int argc, char **argv) {
    CHECK(freopen("/dev/full", "w", stdout) != NULL);
    return import_main(argc, argv);
}

static void test_new_log(void) {
    char folder[] = "/tmp/import_state.XXXXXX", command[128];
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    setenv("XDG_STATE_HOME", folder, 1);
    run(CAPTURE, NULL, NULL, NULL);
    const char *says = strstr(got.err, "Log: ");
    CU_ASSERT_PTR_NOT_NULL_FATAL(says);
    CU_ASSERT_EQUAL(strncmp(says + 5, folder, strlen(folder)), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(says, "/tlsblame/import-20"));
    snprintf(command, sizeof(command), "rm -r %s/tlsblame/*", folder);
    CU_ASSERT_EQUAL(system(command), 0);
    run("/nonexistent.pcap", NULL, NULL, NULL); // leaves no empty log
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_PTR_NULL(strstr(got.err, "Log: "));
    snprintf(command, sizeof(command), "rmdir %s/tlsblame && rmdir %s", folder, folder);
    CU_ASSERT_EQUAL(system(command), 0);
}

static void test_full_output(void) {
    // Standard output is what capture_run reads, so that it is replaced in the child.
    capture_run(&got, import_full, (const char *const[]){"import", "--json", CAPTURE, NULL});
    CU_ASSERT_EQUAL(got.status, EXIT_ENVIRONMENT);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(got.err, "tlsblame import: standard output: No space left on device\n"));
}

static void test_nothing_to_find(void) {
    struct wire wire = {.len = 0};
    pcap_head(&wire, LINK_ETHERNET);
    char *path = file_write(&wire);
    run("--json", path, NULL, NULL);
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_STRING_EQUAL(got.out, "");
    CU_ASSERT_STRING_EQUAL(got.err, "0 packets, 0 TCP connections, 0 with TLS\n");
    file_remove(path);
}

static void test_a_file_cut_short_is_no_failure(void) {
    struct wire wire = {.len = 0};
    pcap_head(&wire, LINK_ETHERNET);
    wire_hex(&wire, "00000000");
    char *path = file_write(&wire);
    run("--json", path, NULL, NULL);
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "; read up to there\n"));
    file_remove(path);
}

const struct unit_case unit_cases[] = {
    {"bad usage", test_bad_usage},
    {"bad files", test_bad_files},
    {"JSON", test_json},
    {"a log, and lines", test_log_and_lines},
    {"a new log", test_new_log},
    {"full output", test_full_output},
    {"nothing to find", test_nothing_to_find},
    {"a file cut short is no failure", test_a_file_cut_short_is_no_failure},
    {NULL, NULL},
};
