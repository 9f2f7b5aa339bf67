#include "proxy/cli/client_env.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct arena arena;

// value_of returns the value of `name` in the list, or NULL where it is not there.
static const char *value_of(const struct client_env *env, const char *name) {
    for (char **variable = client_env_list(&arena, env); *variable != NULL; variable++) {
        size_t len = strlen(name);
        if (strncmp(*variable, name, len) == 0 && (*variable)[len] == '=') {
            return *variable + len + 1;
        }
    }
    return NULL;
}

static void test_values(void) {
    struct client_env env = {.host = "127.0.0.1",
                             .port = 8080,
                             .ca = "/c/ca.pem",
                             .bundle = "/c/bundle.pem",
                             .java_bundle = "/c/bundle.jks"};
    CU_ASSERT_STRING_EQUAL(value_of(&env, "HTTPS_PROXY"), "http://127.0.0.1:8080");
    CU_ASSERT_STRING_EQUAL(value_of(&env, "https_proxy"), "http://127.0.0.1:8080");
    CU_ASSERT_STRING_EQUAL(value_of(&env, "HTTP_PROXY"), "http://127.0.0.1:8080");
    CU_ASSERT_STRING_EQUAL(value_of(&env, "http_proxy"), "http://127.0.0.1:8080");
    static const char *const BUNDLES[] = {"SSL_CERT_FILE",      "CURL_CA_BUNDLE", "PIP_CERT",
                                          "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO", "AWS_CA_BUNDLE",
                                          "CARGO_HTTP_CAINFO"};
    for (size_t i = 0; i < ARRAY_LEN(BUNDLES); i++) {
        CU_ASSERT_STRING_EQUAL(value_of(&env, BUNDLES[i]), "/c/bundle.pem");
    }
    CU_ASSERT_STRING_EQUAL(value_of(&env, "NODE_EXTRA_CA_CERTS"), "/c/ca.pem");
    CU_ASSERT_STRING_EQUAL(value_of(&env, "DENO_CERT"), "/c/ca.pem");
    CU_ASSERT_STRING_EQUAL(value_of(&env, "JAVA_TOOL_OPTIONS"),
                           "-Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort=8080 "
                           "-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=8080 "
                           "-Dhttp.nonProxyHosts= -Djavax.net.ssl.trustStore=/c/bundle.jks "
                           "-Djavax.net.ssl.trustStoreType=JKS "
                           "-Djavax.net.ssl.trustStorePassword=changeit");
    CU_ASSERT_PTR_NULL(value_of(&env, "NO_PROXY"));
    CU_ASSERT_PTR_NULL(value_of(&env, "no_proxy"));
    CU_ASSERT_PTR_NULL(value_of(&env, "ALL_PROXY"));
    arena_cleanup(&arena);
}

static void test_missing_files(void) {
    struct client_env env = {.host = "::1", .port = 1};
    CU_ASSERT_STRING_EQUAL(value_of(&env, "HTTPS_PROXY"), "http://[::1]:1");
    CU_ASSERT_PTR_NULL(value_of(&env, "SSL_CERT_FILE"));
    CU_ASSERT_PTR_NULL(value_of(&env, "NODE_EXTRA_CA_CERTS"));
    CU_ASSERT_STRING_EQUAL(value_of(&env, "JAVA_TOOL_OPTIONS"),
                           "-Dhttp.proxyHost=::1 -Dhttp.proxyPort=1 -Dhttps.proxyHost=::1 "
                           "-Dhttps.proxyPort=1 -Dhttp.nonProxyHosts=");
    arena_cleanup(&arena);
}

static void test_java_quotes(void) {
    static const struct {
        const char *path, *option;
    } PATHS[] = {{"/a b/c", "trustStore='/a b/c' "}, {"/it's", "trustStore=\"/it's\" "}};
    for (size_t i = 0; i < ARRAY_LEN(PATHS); i++) {
        struct client_env env = {.host = "h", .port = 1, .java_bundle = PATHS[i].path};
        CU_ASSERT_PTR_NOT_NULL(strstr(value_of(&env, "JAVA_TOOL_OPTIONS"), PATHS[i].option));
    }
    struct client_env env = {.host = "h", .port = 1, .java_options = "-Xmx1g"};
    CU_ASSERT_EQUAL(strncmp(value_of(&env, "JAVA_TOOL_OPTIONS"), "-Xmx1g -Dhttp", 13), 0);
    arena_cleanup(&arena);
}

static void test_java_no_proxy(void) {
    static const struct {
        const char *no_proxy, *hosts;
    } CASES[] = {
        {NULL, ""},
        {"", ""},
        {" , ,", ""},
        {"*", "*"},
        {"a.test", "a.test|*.a.test"},
        {".a.test", "a.test|*.a.test"},
        {"*.a.test, b.test", "a.test|*.a.test|b.test|*.b.test"},
        {"192.0.2.1,192.0.2.0/24,a.test:8080,[::1],::1,c.test", "192.0.2.1|c.test|*.c.test"},
        {"a'b c\"d x|y -Dz", "-Dz|*.-Dz"},
    };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        struct client_env env = {.host = "h", .port = 1, .no_proxy = CASES[i].no_proxy};
        const char *at = strstr(value_of(&env, "JAVA_TOOL_OPTIONS"), "nonProxyHosts=");
        CU_ASSERT_PTR_NOT_NULL_FATAL(at);
        CU_ASSERT_STRING_EQUAL(at + strlen("nonProxyHosts="), CASES[i].hosts);
    }
    arena_cleanup(&arena);
}

static void test_init(void) {
    struct client_env env;
    unsetenv("no_proxy");
    setenv("NO_PROXY", "upper.test", 1);
    setenv("JAVA_TOOL_OPTIONS", "-Da=b", 1);
    client_env_init(&env, "h", 7);
    CU_ASSERT_STRING_EQUAL(env.no_proxy, "upper.test");
    CU_ASSERT_STRING_EQUAL(env.java_options, "-Da=b");
    CU_ASSERT_EQUAL(env.port, 7);
    CU_ASSERT_PTR_NULL(env.bundle);
    setenv("no_proxy", "lower.test", 1);
    client_env_init(&env, "h", 7);
    CU_ASSERT_STRING_EQUAL(env.no_proxy, "lower.test");
}

const struct unit_case unit_cases[] = {
    {"values", test_values},
    {"missing files", test_missing_files},
    {"quotes for Java", test_java_quotes},
    {"NO_PROXY for Java", test_java_no_proxy},
    {"init", test_init},
    {NULL, NULL},
};
