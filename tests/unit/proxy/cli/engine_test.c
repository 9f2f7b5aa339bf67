#include "proxy/cli/engine.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/cli/exit.h"
#include "proxy/net/address.h"
#include "proxy/net/listen.h"
#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/unit.h"

static char *folder;
static char ca_dir[512], log_file[512], policy_file[512];
static struct address listens[1];
static struct engine_options options;

static void prepare(void) {
    folder = pki_folder();
    snprintf(ca_dir, sizeof(ca_dir), "%s/ca", folder);
    snprintf(log_file, sizeof(log_file), "%s/state/log.ndjson", folder);
    snprintf(policy_file, sizeof(policy_file), "%s/policy.json", folder);
    CHECK(listen_parse(&listens[0], "127.0.0.1:0", NULL));
    options = (struct engine_options){
        .listens = listens, .num_listens = 1, .ca_dir = ca_dir, .log = log_file};
}

static void expect_failure(int status, const char *says) {
    struct err err = {0};
    int got = -1;
    CU_ASSERT_PTR_NULL(engine_new(&options, &got, &err));
    CU_ASSERT_EQUAL(got, status);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, says));
}

static struct engine *expect_success(void) {
    struct err err = {0};
    int status;
    struct engine *engine = engine_new(&options, &status, &err);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(engine);
    return engine;
}

static void test_what_it_opens(void) {
    struct err err = {0};
    prepare();
    struct engine *engine = expect_success();
    CU_ASSERT_EQUAL(engine_num_addresses(engine), 1);
    CU_ASSERT_NOT_EQUAL(engine_address(engine, 0)->port, 0);
    CU_ASSERT_STRING_EQUAL(engine_ca(engine)->dir, ca_dir);
    CU_ASSERT_STRING_EQUAL(engine_log_file(engine), log_file);
    CU_ASSERT(engine_write_bundles(engine, &err));
    CU_ASSERT_EQUAL(pki_run("grep -qF \"$(sed -n 2p '%s/ca.pem')\" '%s/bundle.pem' && "
                            "test -s '%s/bundle.jks'",
                            ca_dir, ca_dir, ca_dir),
                    0);
    engine_free(engine);
    engine_free(NULL);
    pki_remove(folder);
}

static void test_what_is_the_users_mistake(void) {
    prepare();
    options.policy = policy_file;
    expect_failure(EXIT_USAGE, "policy.json");
    CU_ASSERT_EQUAL(pki_run("echo '{\"nonsense\": 1}' > '%s'", policy_file), 0);
    expect_failure(EXIT_USAGE, "nonsense");
    CU_ASSERT_EQUAL(access(ca_dir, F_OK), -1); // nothing was made in vain
    options.policy = NULL;
    char *trust[] = {policy_file};
    options.trust = trust;
    options.num_trust = 1;
    expect_failure(EXIT_USAGE, "no certificate");
    pki_remove(folder);
}

static void test_what_is_the_environments(void) {
    prepare();
    struct engine *engine = expect_success();
    listens[0] = *engine_address(engine, 0);
    expect_failure(EXIT_ENVIRONMENT, "127.0.0.1:");
    engine_free(engine);
    options.log = "/proc/nowhere/log";
    expect_failure(EXIT_ENVIRONMENT, "/proc/nowhere");
    options.log = log_file;
    options.ca_dir = "/proc/nowhere";
    expect_failure(EXIT_ENVIRONMENT, "/proc/nowhere");
    options.ca_dir = ca_dir;
    setenv("SSLKEYLOGFILE", "/proc/nowhere/keys", 1);
    expect_failure(EXIT_ENVIRONMENT, "SSLKEYLOGFILE");
    unsetenv("SSLKEYLOGFILE");
    pki_remove(folder);
}

static char refused_host[64];

static void on_record(void *ctx, const struct obj *root) {
    CHECK(ctx == refused_host);
    snprintf(refused_host, sizeof(refused_host), "%s", obj_str(root, F_RECORD_HOST));
}

static void *run(void *engine) { return engine_run(engine, NULL) ? engine : NULL; }

// What has connected before the stop is served within the grace, and its record handed over.
static void test_run(void) {
    static const char request[] = "CONNECT refused.test:443 HTTP/1.1\r\nHost: x\r\n\r\n";
    prepare();
    CU_ASSERT_EQUAL(pki_run("echo '{\"default\": {\"action\": \"refuse\"}}' > '%s'", policy_file),
                    0);
    options.policy = policy_file;
    options.prepare = true;
    options.grace_us = 10 * 1000 * 1000;
    options.on_record = on_record;
    options.ctx = refused_host;
    struct engine *engine = expect_success();
    struct sockaddr_storage sa;
    socklen_t len = address_to_sockaddr(&sa, engine_address(engine, 0));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&sa, len), 0);
    CU_ASSERT_EQUAL(write(fd, request, strlen(request)), (ssize_t)strlen(request));
    CU_ASSERT_EQUAL(shutdown(fd, SHUT_WR), 0);
    engine_stop(engine);
    pthread_t thread;
    void *result = NULL;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, run, engine), 0);
    CU_ASSERT_EQUAL(pthread_join(thread, &result), 0);
    CU_ASSERT_PTR_EQUAL(result, engine);
    char answer[32] = "";
    CU_ASSERT(read(fd, answer, sizeof(answer) - 1) > 12);
    CU_ASSERT_EQUAL(strncmp(answer, "HTTP/1.1 403", 12), 0);
    close(fd);
    CU_ASSERT_STRING_EQUAL(refused_host, "refused.test");
    CU_ASSERT_EQUAL(
        pki_run("cd '%s' && test -s leaf-rsa-key.pem && test -s self-signed-rsa-key.pem", ca_dir),
        0);
    engine_free(engine);
    pki_remove(folder);
}

const struct unit_case unit_cases[] = {
    {"what it opens", test_what_it_opens},
    {"what is the user's mistake", test_what_is_the_users_mistake},
    {"what is the environment's", test_what_is_the_environments},
    {"run", test_run},
    {NULL, NULL},
};
