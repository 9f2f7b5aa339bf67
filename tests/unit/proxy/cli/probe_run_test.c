#include "proxy/cli/probe_run.h"

#include <stdio.h>
#include <string.h>

#include "proxy/cli/exit.h"
#include "proxy/cli/probe.h"
#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/proxy/cli/capture.h"
#include "tests/unit/unit.h"

static struct captured got;

// A plan needs neither network nor log.
static void test_plan(void) {
    capture_run(&got, probe_main,
                (const char *const[]){"tlsblame probe", "--plan", "--factor", "no-sni", "--factor",
                                      "plain", "a.example:444", NULL});
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "\nno-sni            server_name=absent"));
    CU_ASSERT_PTR_NOT_NULL(strstr(
        got.out, "3 probes, at most 24 connections to a.example port 444; nothing was sent."));
}

static void test_no_log(void) {
    capture_run(
        &got, probe_main,
        (const char *const[]){"tlsblame probe", "--log", "/nowhere/log", "--like", "abc", NULL});
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "/nowhere/log"));
}

// Nobody listens on port 1: one connection is enough to say so, and the record is in the log.
static void test_refused(void) {
    char log[256];
    char *folder = pki_folder();
    snprintf(log, sizeof(log), "%s/log.ndjson", folder);
    capture_run(&got, probe_main,
                (const char *const[]){"tlsblame probe", "--log", log, "127.0.0.1:1", NULL});
    CU_ASSERT_EQUAL(got.status, EXIT_FINDING);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "server: tcp-refused"));
    capture_run(
        &got, probe_main,
        (const char *const[]){"tlsblame probe", "--json", "--log", log, "127.0.0.1:1", NULL});
    CU_ASSERT_EQUAL(got.status, EXIT_FINDING);
    CU_ASSERT_EQUAL(strncmp(got.out, "{\"@timestamp\":", 14), 0);
    pki_remove(folder);
}

const struct unit_case unit_cases[] = {
    {"plan", test_plan},
    {"no log", test_no_log},
    {"refused", test_refused},
    {NULL, NULL},
};
