#include "proxy/cli/run_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/cli/exit.h"
#include "proxy/cli/run.h"
#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/proxy/cli/capture.h"
#include "tests/unit/unit.h"

static struct captured got;
static char *folder;

static void run(const char *option, const char *command) {
    char log_file[512], ca_dir[512];
    snprintf(ca_dir, sizeof(ca_dir), "--ca-dir=%s/ca", folder);
    snprintf(log_file, sizeof(log_file), "--log=%s/log.ndjson", folder);
    capture_run(
        &got, run_main,
        (const char *const[]){"run", ca_dir, log_file, option, "--", "sh", "-c", command, NULL});
}

static void test_environment_and_status(void) {
    char want[512];
    folder = pki_folder();
    setenv("SSL_CERT_FILE", "/dev/null", 1); // the system's roots
    run("--quiet", "echo ${https_proxy%:*} $SSL_CERT_FILE $NODE_EXTRA_CA_CERTS; exit 5");
    CU_ASSERT_EQUAL(got.status, 5);
    snprintf(want, sizeof(want), "http://127.0.0.1 %s/ca/bundle.pem %s/ca/ca.pem\n", folder,
             folder);
    CU_ASSERT_STRING_EQUAL(got.out, want);
    CU_ASSERT_STRING_EQUAL(got.err, "");
    CU_ASSERT_EQUAL(pki_run("cmp '%s/ca/bundle.pem' '%s/ca/ca.pem'", folder, folder), 0);
    run("--listen=[::1]:0", "echo ${https_proxy%:*}");
    CU_ASSERT_STRING_EQUAL(got.out, "http://[::1]\n");
    run("--listen=*:0", "echo ${https_proxy%:*}");
    CU_ASSERT_STRING_EQUAL(got.out, "http://127.0.0.1\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "no connection came through the proxy"));
    unsetenv("SSL_CERT_FILE");
    pki_remove(folder);
}

// Nothing of ours is open in the command but the streams that it was given.
static void test_descriptors(void) {
    folder = pki_folder();
    setenv("SSLKEYLOGFILE", "/dev/null", 1);
    run("--quiet", "for f in /proc/$$/fd/*; do readlink $f; done | grep -E "
                   "'socket|event|epoll|pem|ndjson'");
    CU_ASSERT_EQUAL(got.status, 1);
    CU_ASSERT_STRING_EQUAL(got.out, "");
    unsetenv("SSLKEYLOGFILE");
    pki_remove(folder);
}

static void test_report(void) {
    folder = pki_folder();
    CU_ASSERT_EQUAL(
        pki_run("printf '{\"default\": {\"action\": \"refuse\"}}' > '%s/policy.json'", folder), 0);
    char policy[512];
    snprintf(policy, sizeof(policy), "--policy=%s/policy.json", folder);
    // The proxy's name and port are all that a client needs to know.
    run(policy, "python3 -c 'import os, socket, urllib.parse as u\n"
                "p = u.urlsplit(os.environ[\"https_proxy\"])\n"
                "s = socket.create_connection((p.hostname, p.port))\n"
                "s.sendall(b\"CONNECT refused.test:443 HTTP/1.1\\r\\n\\r\\n\")\n"
                "print(s.recv(12).decode())'");
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_STRING_EQUAL(got.out, "HTTP/1.1 403\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "tlsblame: 1 connection, "));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, " refused.test:443 "));
    CU_ASSERT_EQUAL(pki_run("grep -c '\"host\":\"refused.test\"' '%s/log.ndjson'", folder), 0);
    CU_ASSERT_STRING_EQUAL(pki_output, "1\n");
    pki_remove(folder);
}

static void test_no_proxy_no_command(void) {
    folder = pki_folder();
    run("--policy=/nowhere", "echo never");
    CU_ASSERT_EQUAL(got.status, EXIT_USAGE);
    CU_ASSERT_STRING_EQUAL(got.out, "");
    CU_ASSERT_EQUAL(pki_run("mkdir -p '%s/ca/bundle.pem'", folder), 0);
    run("--quiet", "echo never");
    CU_ASSERT_EQUAL(got.status, EXIT_ENVIRONMENT);
    CU_ASSERT_STRING_EQUAL(got.out, "");
    CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "bundle.pem"));
    pki_remove(folder);
}

const struct unit_case unit_cases[] = {
    {"environment and status", test_environment_and_status},
    {"descriptors", test_descriptors},
    {"report", test_report},
    {"no proxy, no command", test_no_proxy_no_command},
    {NULL, NULL},
};
