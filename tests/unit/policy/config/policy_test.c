#include "policy/config/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

enum { PRINT_MAX = 8 * 1024 * 1024 };

static struct policy *parse(const char *text, struct err *err) {
    return policy_parse("p.json", text, strlen(text), NULL, err);
}

static struct policy *parse_good(const char *text) {
    struct err err = {0};
    struct policy *policy = parse(text, &err);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(policy);
    return policy;
}

// print returns the effective policy; the caller frees it.
static char *print(const struct policy *policy) {
    struct buf out;
    buf_init(&out, PRINT_MAX);
    CU_ASSERT_FATAL(policy_print(&out, policy));
    char *text = xmemdup(buf_data(&out), out.len);
    buf_cleanup(&out);
    return text;
}

#define HOST "a host name, a glob such as \"*.example.test\", an address or a network"
#define PORT "a port from 1 to 65535 or a range such as \"8000-8999\""
#define NETWORK "an address or a network such as \"192.0.2.0/24\" or \"2001:db8::/32\""
#define ACTION "\"intercept\", \"tunnel\", \"refuse\" or \"emulate\""
#define VERSION "\"any\", \"1.0\", \"1.1\", \"1.2\" or \"1.3\""
#define FORM "\"rsa\", \"short\", \"exact-name\", \"no-aki\", \"with-root\" or \"sha384\""
#define RULE_KEYS                                                                                  \
    "\"hosts\", \"ports\", \"clients\", \"action\", \"profile\", \"on_server_failure\", "          \
    "\"parent\", \"client_leg\", \"server_leg\", \"experiments\", \"record\", \"trust\", "         \
    "\"crls\" or \"fetch\""
#define GLOB_LETTERS "a name has letters, digits, \"-\", \"_\" and \".\", a glob \"*\" as well"

// clang-format off
static const struct { const char *text, *says; } BAD[] = {
    // not JSON
    {"", "line 1, column 0: '[' or '{' expected near end of file"},
    {"{\n  \"rules\": [}\n", "line 2, column 13: unexpected token near '}'"},
    {"{} x", "line 1, column 4: end of file expected near 'x'"},
    {"{\"rules\": [] /* why */}", "line 1, column 14: '}' expected near '/'"},
    {"{\"rules\": [], \"rules\": []}", "line 1, column 21: duplicate object key near '\"rules\"'"},
    {"{\"default\": {\"verify\\u0000\": 1}}", "line 1, column 27: a string may not hold \\u0000"},
    {"{\"default\": {\"action\": \"tunnel\\u0000\"}}", "line 1, column 37: a string may not hold \\u0000"},
    {"{\"a\": \"\xff\"}", "line 1, column 7: unable to decode byte 0xff near '\"'"},

    // the whole
    {"[]", "expected an object, found an empty list"},
    {"{\"rulse\": []}", "rulse: unknown key, expected \"rules\" or \"default\"; did you mean \"rules\"?"},
    {"{\"\": []}", "[\"\"]: unknown key, expected \"rules\" or \"default\""},
    {"{\"a b\\u001b\": []}", "[\"a b\\u001B\"]: unknown key, expected \"rules\" or \"default\""},
    {"{\"rules\": {}}", "rules: expected a list of at most 1000 rules, found an object"},
    {"{\"rules\": null}", "rules: expected a list of at most 1000 rules, found null"},
    {"{\"rules\": [{}, 1]}", "rules[1]: expected an object, found 1"},
    {"{\"default\": []}", "default: expected an object, found an empty list"},

    // keys where they are unknown
    {"{\"rules\": [{}, {\"Host\": []}]}", "rules[1].Host: unknown key, expected " RULE_KEYS "; did you mean \"hosts\"?"},
    {"{\"default\": {\"record\": {\"secrets\": \"handshakes\"}}}", "default.record.secrets: expected \"handshake\", \"none\" or \"all\", found \"handshakes\"; did you mean \"handshake\"?"},
    {"{\"default\": {\"record\": {\"secrets\": true}}}", "default.record.secrets: expected \"handshake\", \"none\" or \"all\", found true"},
    {"{\"rules\": [{\"verify\": true}]}", "rules[0].verify: unknown key, expected " RULE_KEYS},
    {"{\"default\": {\"hosts\": [\"*\"]}}", "default.hosts: unknown key, expected \"action\", \"profile\", \"on_server_failure\", \"parent\", \"client_leg\", \"server_leg\", \"experiments\", \"record\", \"trust\", \"crls\" or \"fetch\""},
    {"{\"default\": {\"client_leg\": {\"verify\": true}}}", "default.client_leg.verify: unknown key, expected \"min_version\", \"max_version\", \"retry_tunnel\", \"retry_leaf\" or \"canary\""},
    {"{\"default\": {\"server_leg\": {\"min-version\": \"1.2\"}}}", "default.server_leg[\"min-version\"]: unknown key, expected \"min_version\", \"max_version\" or \"verify\"; did you mean \"min_version\"?"},

    // hosts
    {"{\"rules\": [{\"hosts\": \"a.test\"}]}", "rules[0].hosts: expected a list, each item " HOST ", found \"a.test\""},
    {"{\"rules\": [{\"hosts\": []}]}", "rules[0].hosts: expected a list, each item " HOST ", found an empty list; leave the key out to match everything"},
    {"{\"rules\": [{\"hosts\": [\"a.test\", 5]}]}", "rules[0].hosts[1]: expected " HOST ", found 5"},
    {"{\"rules\": [{\"hosts\": [\"\"]}]}", "rules[0].hosts[0]: expected " HOST ", found \"\"; part of the name is empty"},
    {"{\"rules\": [{\"hosts\": [\".\"]}]}", "rules[0].hosts[0]: expected " HOST ", found \".\"; part of the name is empty"},
    {"{\"rules\": [{\"hosts\": [\".example.test\"]}]}", "rules[0].hosts[0]: expected " HOST ", found \".example.test\"; part of the name is empty"},
    {"{\"rules\": [{\"hosts\": [\"a..test\"]}]}", "rules[0].hosts[0]: expected " HOST ", found \"a..test\"; part of the name is empty"},
    {"{\"rules\": [{\"hosts\": [\"a.test..\"]}]}", "rules[0].hosts[0]: expected " HOST ", found \"a.test..\"; part of the name is empty"},
    {"{\"rules\": [{\"hosts\": [\"a?.test\"]}]}", "rules[0].hosts[0]: expected " HOST ", found \"a?.test\"; " GLOB_LETTERS},
    {"{\"rules\": [{\"hosts\": [\"[ab].test\"]}]}", "rules[0].hosts[0]: expected " HOST ", found \"[ab].test\"; " GLOB_LETTERS},
    {"{\"rules\": [{\"hosts\": [\"b\xc3\xbc" "cher.test\"]}]}", "rules[0].hosts[0]: expected " HOST ", found \"b\xc3\xbc" "cher.test\"; write an international name in its ASCII form, \"xn--...\""},
    {"{\"rules\": [{\"hosts\": [\"a.test:443\"]}]}", "rules[0].hosts[0]: expected " HOST ", found \"a.test:443\"; a port goes to \"ports\", an IPv6 address has no brackets here"},
    {"{\"rules\": [{\"hosts\": [\"[::1]\"]}]}", "rules[0].hosts[0]: expected " HOST ", found \"[::1]\"; a port goes to \"ports\", an IPv6 address has no brackets here"},
    {"{\"rules\": [{\"hosts\": [\"https://a.test\"]}]}", "rules[0].hosts[0]: expected " HOST ", found \"https://a.test\"; only a network has a slash"},
    {"{\"rules\": [{\"hosts\": [\"192.0.2.256\"]}]}", "rules[0].hosts[0]: expected " HOST ", found \"192.0.2.256\"; this is neither a name nor an address"},
    {"{\"rules\": [{\"hosts\": [\"192.0.2\"]}]}", "rules[0].hosts[0]: expected " HOST ", found \"192.0.2\"; this is neither a name nor an address"},
    {"{\"rules\": [{\"hosts\": [\"192.0.2.0/33\"]}]}", "rules[0].hosts[0]: expected " HOST ", found \"192.0.2.0/33\"; the prefix length is 0 to 32 for IPv4, 0 to 128 for IPv6"},
    {"{\"rules\": [{\"hosts\": [\"2001:db8::1/32\"]}]}", "rules[0].hosts[0]: expected " HOST ", found \"2001:db8::1/32\"; bits are set beyond the prefix, did you mean \"2001:db8::/32\"?"},

    // ports
    {"{\"rules\": [{\"ports\": 443}]}", "rules[0].ports: expected a list, each item " PORT ", found 443"},
    {"{\"rules\": [{\"ports\": []}]}", "rules[0].ports: expected a list, each item " PORT ", found an empty list; leave the key out to match everything"},
    {"{\"rules\": [{\"ports\": [0]}]}", "rules[0].ports[0]: expected " PORT ", found 0"},
    {"{\"rules\": [{\"ports\": [-1]}]}", "rules[0].ports[0]: expected " PORT ", found -1"},
    {"{\"rules\": [{\"ports\": [443, 70000]}]}", "rules[0].ports[1]: expected " PORT ", found 70000"},
    {"{\"rules\": [{\"ports\": [443.5]}]}", "rules[0].ports[0]: expected " PORT ", found 443.5"},
    {"{\"rules\": [{\"ports\": [true]}]}", "rules[0].ports[0]: expected " PORT ", found true"},
    {"{\"rules\": [{\"ports\": [\"\"]}]}", "rules[0].ports[0]: expected " PORT ", found \"\""},
    {"{\"rules\": [{\"ports\": [\"https\"]}]}", "rules[0].ports[0]: expected " PORT ", found \"https\""},
    {"{\"rules\": [{\"ports\": [\"0-10\"]}]}", "rules[0].ports[0]: expected " PORT ", found \"0-10\""},
    {"{\"rules\": [{\"ports\": [\"10-65536\"]}]}", "rules[0].ports[0]: expected " PORT ", found \"10-65536\""},
    {"{\"rules\": [{\"ports\": [\"10-4294967297\"]}]}", "rules[0].ports[0]: expected " PORT ", found \"10-4294967297\""},
    {"{\"rules\": [{\"ports\": [\"10-\"]}]}", "rules[0].ports[0]: expected " PORT ", found \"10-\""},
    {"{\"rules\": [{\"ports\": [\"-10\"]}]}", "rules[0].ports[0]: expected " PORT ", found \"-10\""},
    {"{\"rules\": [{\"ports\": [\"1 - 2\"]}]}", "rules[0].ports[0]: expected " PORT ", found \"1 - 2\""},
    {"{\"rules\": [{\"ports\": [\"1-2-3\"]}]}", "rules[0].ports[0]: expected " PORT ", found \"1-2-3\""},
    {"{\"rules\": [{\"ports\": [\"8999-8000\"]}]}", "rules[0].ports[0]: expected " PORT ", found \"8999-8000\"; the first port is the larger"},

    // clients
    {"{\"rules\": [{\"clients\": \"192.0.2.1\"}]}", "rules[0].clients: expected a list, each item " NETWORK ", found \"192.0.2.1\""},
    {"{\"rules\": [{\"clients\": [7]}]}", "rules[0].clients[0]: expected " NETWORK ", found 7"},
    {"{\"rules\": [{\"clients\": [\"localhost\"]}]}", "rules[0].clients[0]: expected " NETWORK ", found \"localhost\""},
    {"{\"rules\": [{\"clients\": [\"\"]}]}", "rules[0].clients[0]: expected " NETWORK ", found \"\""},
    {"{\"rules\": [{\"clients\": [\"192.0.2.0/\"]}]}", "rules[0].clients[0]: expected " NETWORK ", found \"192.0.2.0/\"; the prefix length is 0 to 32 for IPv4, 0 to 128 for IPv6"},
    {"{\"rules\": [{\"clients\": [\"192.0.2.0/024\"]}]}", "rules[0].clients[0]: expected " NETWORK ", found \"192.0.2.0/024\"; the prefix length is 0 to 32 for IPv4, 0 to 128 for IPv6"},
    {"{\"rules\": [{\"clients\": [\"::/129\"]}]}", "rules[0].clients[0]: expected " NETWORK ", found \"::/129\"; the prefix length is 0 to 32 for IPv4, 0 to 128 for IPv6"},
    {"{\"rules\": [{\"clients\": [\"192.0.2.7/24\"]}]}", "rules[0].clients[0]: expected " NETWORK ", found \"192.0.2.7/24\"; bits are set beyond the prefix, did you mean \"192.0.2.0/24\"?"},

    // words
    {"{\"default\": {\"action\": \"emulate\"}}", "default.profile: expected the name of a profile to emulate, found none"},
    {"{\"default\": {\"profile\": 1}}", "default.profile: expected the names of profiles, found 1"},
    {"{\"default\": {\"action\": 1}}", "default.action: expected " ACTION ", found 1"},
    {"{\"default\": {\"action\": \"\"}}", "default.action: expected " ACTION ", found \"\""},
    {"{\"default\": {\"action\": \"tunel\"}}", "default.action: expected " ACTION ", found \"tunel\"; did you mean \"tunnel\"?"},
    {"{\"default\": {\"action\": \"Refuse\"}}", "default.action: expected " ACTION ", found \"Refuse\"; did you mean \"refuse\"?"},
    {"{\"default\": {\"action\": \"block\"}}", "default.action: expected " ACTION ", found \"block\""},
    {"{\"rules\": [{\"on_server_failure\": \"mirrror\"}]}", "rules[0].on_server_failure: expected \"mirror\", \"alert\" or \"page\", found \"mirrror\"; did you mean \"mirror\"?"},

    // legs
    {"{\"rules\": [{\"client_leg\": 1}]}", "rules[0].client_leg: expected an object, found 1"},
    {"{\"rules\": [{\"client_leg\": {\"min_version\": 1.2}}]}", "rules[0].client_leg.min_version: expected " VERSION ", found 1.2"},
    {"{\"rules\": [{\"client_leg\": {\"min_version\": \"SSL 3.0\"}}]}", "rules[0].client_leg.min_version: expected " VERSION ", found \"SSL 3.0\""},
    {"{\"rules\": [{\"client_leg\": {\"max_version\": \"1.4\"}}]}", "rules[0].client_leg.max_version: expected " VERSION ", found \"1.4\""},
    {"{\"rules\": [{\"client_leg\": {\"max_version\": \"TLS any\"}}]}", "rules[0].client_leg.max_version: expected " VERSION ", found \"TLS any\""},
    {"{\"rules\": [{\"server_leg\": {\"verify\": \"no\"}}]}", "rules[0].server_leg.verify: expected true or false, found \"no\""},
    {"{\"rules\": [{\"client_leg\": {\"retry_tunnel\": \"yes\"}}]}", "rules[0].client_leg.retry_tunnel: expected true or false, found \"yes\""},
    {"{\"default\": {\"client_leg\": {\"canary\": 1}}}", "default.client_leg.canary: expected true or false, found 1"},
    {"{\"rules\": [{}, {\"client_leg\": {\"retry_leaf\": \"rsa\"}}]}", "rules[1].client_leg.retry_leaf: expected a list, each item " FORM ", found \"rsa\""},
    {"{\"rules\": [{\"client_leg\": {\"retry_leaf\": [\"rsa\", \"shrot\"]}}]}", "rules[0].client_leg.retry_leaf[1]: expected " FORM ", found \"shrot\"; did you mean \"short\"?"},
    {"{\"rules\": [{\"client_leg\": {\"retry_leaf\": [null]}}]}", "rules[0].client_leg.retry_leaf[0]: expected " FORM ", found null"},
    {"{\"rules\": [{\"client_leg\": {\"retry_leaf\": [\"untrusted\"]}}]}", "rules[0].client_leg.retry_leaf[0]: expected " FORM ", found \"untrusted\""},
    {"{\"default\": {\"client_leg\": {\"min_version\": \"1.3\", \"max_version\": \"1.2\"}}}", "default.client_leg: expected \"min_version\" to be at most \"max_version\", found \"1.3\" and \"1.2\""},
    {"{\"default\": {\"server_leg\": {\"max_version\": \"1.1\"}}, \"rules\": [{\"server_leg\": {\"min_version\": \"1.2\"}}]}", "rules[0].server_leg: expected \"min_version\" to be at most \"max_version\", found \"1.2\" and \"1.1\""},

    // crls, fetch
    {"{\"default\": {\"crls\": [\"/nowhere/a.crl\"]}}", "default.crls[0]: expected the path of a PEM file, found \"/nowhere/a.crl\"; /nowhere/a.crl: No such file or directory"},
    {"{\"default\": {\"fetch\": {\"aia\": 1}}}", "default.fetch.aia: expected true or false, found 1"},
    {"{\"default\": {\"fetch\": {\"ocsp\": true}}}", "default.fetch.ocsp: unknown key, expected \"aia\" or \"crl\""},
    // trust
    {"{\"default\": {\"trust\": \"a.pem\"}}", "default.trust: expected a list, each item the path of a PEM file, found \"a.pem\""},
    {"{\"default\": {\"trust\": [false]}}", "default.trust[0]: expected the path of a PEM file, found false"},
    {"{\"default\": {\"trust\": [\"\"]}}", "default.trust[0]: expected the path of a PEM file, found \"\""},
    {"{\"default\": {\"trust\": [\"/nowhere/a.pem\"]}}", "default.trust[0]: expected the path of a PEM file, found \"/nowhere/a.pem\"; /nowhere/a.pem: No such file or directory"},
    {"{\"default\": {\"trust\": [\"/\"]}}", "default.trust[0]: expected the path of a PEM file, found \"/\"; /: not a regular file"},
};
// clang-format on

static void test_bad_values(void) {
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct err err = {0};
        struct policy *policy = parse(BAD[i].text, &err);
        CU_ASSERT_PTR_NULL(policy);
        char says[sizeof(err.msg)];
        snprintf(says, sizeof(says), "p.json: %s", BAD[i].says);
        CU_ASSERT_STRING_EQUAL(err.msg, says);
        if (strcmp(err.msg, says) != 0) {
            printf("\n  text %s\n  says %s\n  want %s\n", BAD[i].text, err.msg, says);
        }
        policy_unref(policy);
    }
}

static void test_ceilings(void) {
    struct err err = {0};
    size_t len = POLICY_MAX_LEN + 1;
    char *text = xmalloc(len + 1);
    memset(text, ' ', len);
    memcpy(text, "{}", 2);
    struct policy *policy = policy_parse("p.json", text, len - 1, NULL, &err);
    CU_ASSERT_PTR_NOT_NULL(policy);
    policy_unref(policy);
    CU_ASSERT_PTR_NULL(policy_parse("p.json", text, len, NULL, &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "p.json: expected at most 1048576 bytes");

    memset(text, '[', len);
    CU_ASSERT_PTR_NULL(policy_parse("p.json", text, len - 1, NULL, &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "p.json: line 1, column 2049: objects and lists are nested too "
                                    "deeply");

    strcpy(text, "{\"rules\": [{}");
    for (int i = 1; i < POLICY_MAX_RULES; i++) {
        strcat(text, ",{}");
    }
    char *end = text + strlen(text);
    strcpy(end, "]}");
    policy = parse_good(text);
    CU_ASSERT_EQUAL(policy_num_rules(policy), POLICY_MAX_RULES + 1);
    char *printed = print(policy);
    CU_ASSERT(strlen(printed) < POLICY_MAX_LEN);
    free(printed);
    policy_unref(policy);
    strcpy(end, ",{}]}");
    CU_ASSERT_PTR_NULL(parse(text, &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "p.json: rules: expected a list of at most 1000 rules, found "
                                    "1001");
    free(text);
}

static void test_long_things_are_cut(void) {
    struct err err = {0};
    char name[1000], text[1000];
    memset(name, 'n', sizeof(name));
    strcpy(name + 900, "/p.json");
    snprintf(text, sizeof(text), "{\"default\": {\"action\": \"%0300d\"}}", 0);
    CU_ASSERT_PTR_NULL(policy_parse(name, text, strlen(text), NULL, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "nnn/p.json: default.action: expected \"intercept\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "000..."));
    CU_ASSERT_EQUAL(strncmp(err.msg, "...nnn", 6), 0);

    snprintf(text, sizeof(text), "{\"%0300d\": 1}", 0);
    CU_ASSERT_PTR_NULL(parse(text, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "0...]: unknown key, expected \"rules\""));

    snprintf(text, sizeof(text), "{\"rules\": [{\"hosts\": [\"%0254d.test\"]}]}", 0);
    CU_ASSERT_PTR_NULL(parse(text, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "; a name has at most 253 characters"));
    // A cut falls between characters, or the message would not be UTF-8.
    for (int shift = 0; shift < 3; shift++) {
        strcpy(text, "{\"default\": {\"action\": \"xx");
        text[strlen(text) - (size_t)shift] = '\0';
        for (int i = 0; i < 100; i++) {
            strcat(text, "\xe2\x82\xac");
        }
        strcat(text, "\"}}");
        CU_ASSERT_PTR_NULL(parse(text, &err));
        CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "\xe2\x82\xac..."));
    }
}

static void expect_default(const struct policy_rule *rule) {
    CU_ASSERT_STRING_EQUAL(rule->path, "default");
    CU_ASSERT_EQUAL(rule->num_hosts, 0);
    CU_ASSERT_EQUAL(rule->num_ports, 0);
    CU_ASSERT_EQUAL(rule->num_clients, 0);
    CU_ASSERT_EQUAL(rule->action, ACTION_INTERCEPT);
    CU_ASSERT_EQUAL(rule->on_failure, ON_FAILURE_MIRROR);
    CU_ASSERT_EQUAL(rule->client_leg.min_version, 0);
    CU_ASSERT_EQUAL(rule->client_leg.max_version, 0);
    CU_ASSERT_EQUAL(rule->server_leg.min_version, 0);
    CU_ASSERT_EQUAL(rule->server_leg.max_version, 0);
    CU_ASSERT(rule->server_leg.verify);
    CU_ASSERT(rule->experiments);
    CU_ASSERT(rule->record.handshake_bytes);
    CU_ASSERT_FALSE(rule->record.application_data);
    CU_ASSERT_EQUAL(rule->record.secrets, SECRETS_HANDSHAKE);
    CU_ASSERT_EQUAL(rule->num_trust, 0);
    CU_ASSERT_EQUAL(rule->num_crls, 0);
    CU_ASSERT_FALSE(rule->fetch.aia || rule->fetch.crl);
    CU_ASSERT_EQUAL(rule->index, 0);
}

static void test_default(void) {
    struct policy *policy = policy_default();
    CU_ASSERT_EQUAL(policy_num_rules(policy), 1);
    expect_default(policy_rule(policy, 0));
    char *implied = print(policy);
    policy_unref(policy);
    policy = parse_good("{}");
    expect_default(policy_rule(policy, 0));
    char *empty = print(policy);
    policy_unref(policy);
    policy = parse_good("{\"rules\": [], \"default\": {\"client_leg\": {}}}");
    char *said = print(policy);
    policy_unref(policy);
    CU_ASSERT_STRING_EQUAL(implied, empty);
    CU_ASSERT_STRING_EQUAL(implied, said);
    free(implied);
    free(empty);
    free(said);
}

static void test_every_key(void) {
    struct policy *policy = parse_good(
        "{\"rules\": [{\"hosts\": [\"*.Example.TEST.\", \"192.0.2.9\", \"2001:DB8::/32\"],"
        "\"ports\": [443, \"8000-8999\", \"25\"], \"clients\": [\"192.0.2.0/24\"],"
        "\"action\": \"refuse\", \"on_server_failure\": \"page\","
        "\"client_leg\": {\"min_version\": \"1.0\", \"max_version\": \"TLS 1.1\"},"
        "\"server_leg\": {\"min_version\": \"TLSv1.2\", \"max_version\": \"1.3\", "
        "\"verify\": false}, \"record\": {\"handshake_bytes\": false, \"secrets\": \"all\", "
        "\"application_data\": true}, \"experiments\": false,"
        "\"trust\": [\"/dev/../etc/passwd\"]}]}");
    CU_ASSERT_EQUAL_FATAL(policy_num_rules(policy), 2);
    const struct policy_rule *rule = policy_rule(policy, 0);
    CU_ASSERT_STRING_EQUAL(rule->path, "rules[0]");
    CU_ASSERT_EQUAL_FATAL(rule->num_hosts, 3);
    CU_ASSERT_STRING_EQUAL(rule->hosts[0].pattern, "*.example.test");
    CU_ASSERT_PTR_NULL(rule->hosts[1].pattern);
    CU_ASSERT_EQUAL(rule->hosts[1].network.bits, 128);
    CU_ASSERT_EQUAL(
        memcmp(rule->hosts[1].network.address, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\x9", 16), 0);
    CU_ASSERT_EQUAL(rule->hosts[2].network.bits, 32);
    CU_ASSERT_EQUAL_FATAL(rule->num_ports, 3);
    CU_ASSERT_EQUAL(rule->ports[0].first, 443);
    CU_ASSERT_EQUAL(rule->ports[0].last, 443);
    CU_ASSERT_EQUAL(rule->ports[1].first, 8000);
    CU_ASSERT_EQUAL(rule->ports[1].last, 8999);
    CU_ASSERT_EQUAL(rule->ports[2].first, 25);
    CU_ASSERT_EQUAL(rule->ports[2].last, 25);
    CU_ASSERT_EQUAL_FATAL(rule->num_clients, 1);
    CU_ASSERT_EQUAL(rule->clients[0].bits, 120);
    CU_ASSERT_EQUAL(rule->action, ACTION_REFUSE);
    CU_ASSERT_EQUAL(rule->on_failure, ON_FAILURE_PAGE);
    CU_ASSERT_EQUAL(rule->client_leg.min_version, 0x0301);
    CU_ASSERT_EQUAL(rule->client_leg.max_version, 0x0302);
    CU_ASSERT_EQUAL(rule->server_leg.min_version, 0x0303);
    CU_ASSERT_EQUAL(rule->server_leg.max_version, 0x0304);
    CU_ASSERT_FALSE(rule->server_leg.verify);
    CU_ASSERT_FALSE(rule->experiments);
    CU_ASSERT_FALSE(rule->record.handshake_bytes);
    CU_ASSERT(rule->record.application_data);
    CU_ASSERT_EQUAL(rule->record.secrets, SECRETS_ALL);
    CU_ASSERT_EQUAL_FATAL(rule->num_trust, 1);
    CU_ASSERT_STRING_EQUAL(rule->trust[0], "/dev/../etc/passwd");
    policy_unref(policy);
}

static void test_inheritance(void) {
    // The defaults count wherever they stand, and key by key within a leg.
    struct policy *policy = parse_good(
        "{\"rules\": [{}, {\"action\": \"intercept\", \"server_leg\": {\"verify\": true}},"
        "{\"server_leg\": {\"min_version\": \"any\"}, \"trust\": []}],"
        "\"default\": {\"action\": \"tunnel\", \"on_server_failure\": \"alert\", "
        "\"server_leg\": {\"min_version\": \"1.1\", \"verify\": false}, "
        "\"trust\": [\"/etc/passwd\"]}}");
    CU_ASSERT_EQUAL_FATAL(policy_num_rules(policy), 4);
    const struct policy_rule *rule = policy_rule(policy, 0);
    CU_ASSERT_EQUAL(rule->action, ACTION_TUNNEL);
    CU_ASSERT_EQUAL(rule->on_failure, ON_FAILURE_ALERT);
    CU_ASSERT_EQUAL(rule->server_leg.min_version, 0x0302);
    CU_ASSERT_FALSE(rule->server_leg.verify);
    CU_ASSERT_EQUAL(rule->num_trust, 1);
    CU_ASSERT_EQUAL(rule->num_hosts, 1);
    rule = policy_rule(policy, 1);
    CU_ASSERT_EQUAL(rule->index, 1);
    CU_ASSERT_EQUAL(rule->action, ACTION_INTERCEPT);
    CU_ASSERT_EQUAL(rule->on_failure, ON_FAILURE_ALERT);
    CU_ASSERT_EQUAL(rule->server_leg.min_version, 0x0302);
    CU_ASSERT(rule->server_leg.verify);
    rule = policy_rule(policy, 2);
    CU_ASSERT_EQUAL(rule->server_leg.min_version, 0);
    CU_ASSERT_FALSE(rule->server_leg.verify);
    CU_ASSERT_EQUAL(rule->num_trust, 0);
    rule = policy_rule(policy, 3);
    CU_ASSERT_STRING_EQUAL(rule->path, "default");
    CU_ASSERT_EQUAL(rule->index, 3);
    CU_ASSERT_EQUAL(rule->num_hosts, 0);
    policy_unref(policy);
}

#define RECORD                                                                                     \
    "\"record\": {\"handshake_bytes\": true, \"secrets\": \"handshake\", "                         \
    "\"application_data\": false},\n"

#define RETRY "\"retry_tunnel\": false, \"retry_leaf\": [], \"canary\": false"

static void test_print(void) {
    struct policy *policy = parse_good(
        "{\"rules\": [{\"hosts\": [\"*.Example.test.\", \"::FFFF:192.0.2.0/120\", \"0:0::1\"],"
        "\"ports\": [\"443-443\", \"8000-8999\"], \"clients\": [\"0.0.0.0/0\"],"
        "\"client_leg\": {\"min_version\": \"TLS 1.2\"}}, {\"trust\": [\"/etc/passwd\"]}],"
        "\"default\": {\"action\": \"tunnel\"}}");
    static const char WANT[] =
        "{\n"
        "  \"rules\": [\n"
        "    {\n"
        "      \"hosts\": [\"*.example.test\", \"192.0.2.0/24\", \"::1\"],\n"
        "      \"ports\": [443, \"8000-8999\"],\n"
        "      \"clients\": [\"0.0.0.0/0\"],\n"
        "      \"action\": \"tunnel\",\n"
        "      \"profile\": \"\",\n"
        "      \"on_server_failure\": \"mirror\",\n"
        "      \"parent\": true,\n"
        "      \"client_leg\": {\"min_version\": \"1.2\", \"max_version\": \"any\", " RETRY "},\n"
        "      \"server_leg\": {\"min_version\": \"any\", \"max_version\": \"any\", "
        "\"verify\": true},\n"
        "      \"experiments\": true,\n"
        "      " RECORD "      \"trust\": [],\n"
        "      \"crls\": [],\n"
        "      \"fetch\": {\"aia\": false, \"crl\": false}\n"
        "    },\n"
        "    {\n"
        "      \"hosts\": [\"*\"],\n"
        "      \"ports\": [\"1-65535\"],\n"
        "      \"clients\": [\"0.0.0.0/0\", \"::/0\"],\n"
        "      \"action\": \"tunnel\",\n"
        "      \"profile\": \"\",\n"
        "      \"on_server_failure\": \"mirror\",\n"
        "      \"parent\": true,\n"
        "      \"client_leg\": {\"min_version\": \"any\", \"max_version\": \"any\", " RETRY "},\n"
        "      \"server_leg\": {\"min_version\": \"any\", \"max_version\": \"any\", "
        "\"verify\": true},\n"
        "      \"experiments\": true,\n"
        "      " RECORD "      \"trust\": [\"/etc/passwd\"],\n"
        "      \"crls\": [],\n"
        "      \"fetch\": {\"aia\": false, \"crl\": false}\n"
        "    }\n"
        "  ],\n"
        "  \"default\": {\n"
        "    \"action\": \"tunnel\",\n"
        "    \"profile\": \"\",\n"
        "    \"on_server_failure\": \"mirror\",\n"
        "    \"parent\": true,\n"
        "    \"client_leg\": {\"min_version\": \"any\", \"max_version\": \"any\", " RETRY "},\n"
        "    \"server_leg\": {\"min_version\": \"any\", \"max_version\": \"any\", "
        "\"verify\": true},\n"
        "    \"experiments\": true,\n"
        "    " RECORD "    \"trust\": [],\n"
        "    \"crls\": [],\n"
        "    \"fetch\": {\"aia\": false, \"crl\": false}\n"
        "  }\n"
        "}\n";
    char *once = print(policy);
    policy_unref(policy);
    CU_ASSERT_STRING_EQUAL(once, WANT);
    policy = parse_good(once);
    char *twice = print(policy);
    policy_unref(policy);
    CU_ASSERT_STRING_EQUAL(once, twice);
    free(once);
    free(twice);
}

static void test_print_stops_at_the_ceiling(void) {
    struct policy *policy = policy_default();
    char *text = print(policy);
    for (size_t max = 0; max <= strlen(text); max++) {
        struct buf out;
        buf_init(&out, max);
        CU_ASSERT_EQUAL(policy_print(&out, policy), max == strlen(text));
        CU_ASSERT(out.len <= max);
        buf_cleanup(&out);
    }
    free(text);
    policy_unref(policy);
}

// lines_fit returns whether no line of `text` is longer than `max`.
static bool lines_fit(const char *text, size_t max) {
    for (size_t len; *text != '\0'; text += len + (text[len] == '\n')) {
        len = strcspn(text, "\n");
        if (len > max || (len > 0 && text[len - 1] == ' ')) {
            return false;
        }
    }
    return true;
}

static void test_print_keys(void) {
    struct buf out;
    buf_init(&out, PRINT_MAX);
    CU_ASSERT(policy_print_keys(&out));
    char *text = xmemdup(buf_data(&out), out.len);
    buf_cleanup(&out);
    CU_ASSERT(lines_fit(text, 80));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nclients  (rules only)\n"
                                        "    value    a list, each item an address or a network "
                                        "such as \"192.0.2.0/24\" or\n"
                                        "             \"2001:db8::/32\"\n"
                                        "    default  [\"0.0.0.0/0\", \"::/0\"]\n"
                                        "    The address that the client connects from.\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nserver_leg.verify\n"
                                        "    value    true or false\n"
                                        "    default  true\n"
                                        "    Whether defects"));
    free(text);
    buf_init(&out, 500);
    CU_ASSERT_FALSE(policy_print_keys(&out));
    buf_cleanup(&out);
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    fclose(file);
}

static void test_load(void) {
    char folder[] = "/tmp/policy_test.XXXXXX", path[64], before[4096], want[128];
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    CU_ASSERT_PTR_NOT_NULL_FATAL(getcwd(before, sizeof(before)));
    CU_ASSERT_EQUAL_FATAL(chdir(folder), 0);
    CU_ASSERT_EQUAL_FATAL(mkdir("sub", 0700), 0);
    write_file("sub/extra.pem", "x");
    write_file("sub/p.json", "{\"default\": {\"trust\": [\"extra.pem\"]}}");
    snprintf(path, sizeof(path), "%s/sub/p.json", folder);
    snprintf(want, sizeof(want), "%s/sub/extra.pem", folder);

    // From the file's folder, whatever it was called, and absolute ever after.
    const char *const names[] = {"sub/p.json", path, "./sub/../sub/p.json"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct err err = {0};
        struct policy *policy = policy_load(names[i], &err);
        CU_ASSERT_PTR_NOT_NULL_FATAL(policy);
        CU_ASSERT_STRING_EQUAL(policy_rule(policy, 0)->trust[0], want);
        policy_unref(policy);
    }
    CU_ASSERT_EQUAL_FATAL(chdir("sub"), 0);
    struct err err = {0};
    struct policy *policy = policy_load("p.json", &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(policy);
    CU_ASSERT_STRING_EQUAL(policy_rule(policy, 0)->trust[0], want);
    policy_unref(policy);

    unlink("extra.pem");
    CU_ASSERT_PTR_NULL(policy_load("p.json", &err));
    char says[512];
    snprintf(says, sizeof(says),
             "p.json: default.trust[0]: expected the path of a PEM file, found "
             "\"extra.pem\"; %s: No such file or directory",
             want);
    CU_ASSERT_STRING_EQUAL(err.msg, says);
    if (geteuid() != 0) {
        write_file("extra.pem", "x");
        chmod("extra.pem", 0);
        CU_ASSERT_PTR_NULL(policy_load("p.json", &err));
        CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "extra.pem: Permission denied"));
        unlink("extra.pem");
    }
    unlink("p.json");
    CU_ASSERT_PTR_NULL(policy_load("p.json", &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "p.json: No such file or directory");
    CU_ASSERT_PTR_NULL(policy_load(".", &err));
    CU_ASSERT_STRING_EQUAL(err.msg, ".: Is a directory");

    // A file that ends within the policy that it held before is an error, not half a policy.
    write_file("p.json", "{\"rules\": [{\"action\": \"tun");
    CU_ASSERT_PTR_NULL(policy_load("p.json", &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "p.json: line 1, column 26: premature end of input"));
    unlink("p.json");
    CU_ASSERT_EQUAL(chdir(before), 0);
    snprintf(path, sizeof(path), "%s/sub", folder);
    rmdir(path);
    CU_ASSERT_EQUAL(rmdir(folder), 0);
}

static void test_folder_that_is_not_utf8(void) {
    struct err err = {0};
    static const char TEXT[] = "{\"default\": {\"trust\": [\"a.pem\"]}}";
    CU_ASSERT_PTR_NULL(policy_parse("p.json", TEXT, strlen(TEXT), "/\xff", &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "p.json: default.trust[0]: expected the path of a PEM file, "
                                    "found \"a.pem\"; the name of the policy's folder is not "
                                    "UTF-8");
}

static void test_reference(void) {
    struct policy *policy = policy_default();
    CU_ASSERT_PTR_EQUAL(policy_ref(policy), policy);
    policy_unref(policy);
    expect_default(policy_rule(policy, 0));
    policy_unref(policy);
    policy_unref(NULL);
}

static void ask_beyond_the_last(void) {
    struct policy *policy = policy_default();
    policy_rule(policy, 1);
}

static void test_misuse_aborts(void) {
    CU_ASSERT(unit_aborts(ask_beyond_the_last, "i < policy->num_rules"));
}

// What the caller has for the defaults gives way to what the file says.
static void test_load_over(void) {
    static const char over[] =
        "{\"client_leg\": {\"retry_tunnel\": true, \"retry_leaf\": [\"sha384\", \"rsa\"]}}";
    struct err err;
    struct policy *policy = policy_load_over(NULL, over, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(policy);
    const struct retry_policy *retry = &policy_rule(policy, 0)->retry;
    CU_ASSERT(retry->tunnel && !retry->canary && retry->num_forms == 2);
    CU_ASSERT(retry->forms[0] == LEAF_FORM_SHA384 && retry->forms[1] == LEAF_FORM_RSA);
    policy_unref(policy);

    char path[] = "/tmp/policy_over.XXXXXX";
    int fd = mkstemp(path);
    static const char text[] =
        "{\"rules\": [{\"hosts\": [\"a.test\"], \"client_leg\": {\"retry_tunnel\": false}}],"
        "\"default\": {\"client_leg\": {\"retry_leaf\": []}}}";
    CU_ASSERT_FATAL(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    policy = policy_load_over(path, over, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(policy);
    CU_ASSERT(!policy_rule(policy, 0)->retry.tunnel && policy_rule(policy, 1)->retry.tunnel);
    CU_ASSERT(policy_rule(policy, 0)->retry.num_forms == 0);
    policy_unref(policy);
    policy = policy_load(path, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(policy);
    CU_ASSERT(!policy_rule(policy, 1)->retry.tunnel);
    policy_unref(policy);
    unlink(path);
}

const struct unit_case unit_cases[] = {
    {"load over", test_load_over},
    {"bad values", test_bad_values},
    {"ceilings", test_ceilings},
    {"long things are cut", test_long_things_are_cut},
    {"default", test_default},
    {"every key", test_every_key},
    {"inheritance", test_inheritance},
    {"print", test_print},
    {"print stops at the ceiling", test_print_stops_at_the_ceiling},
    {"print keys", test_print_keys},
    {"load", test_load},
    {"a folder that is not UTF-8", test_folder_that_is_not_utf8},
    {"reference", test_reference},
    {"misuse aborts", test_misuse_aborts},
    {NULL, NULL},
};
