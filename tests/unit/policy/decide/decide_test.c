#include "policy/decide/decide.h"

#include <stdio.h>
#include <string.h>

#include "policy/config/network.h"
#include "tests/unit/unit.h"

static struct policy *parse(const char *text) {
    struct err err = {0};
    struct policy *policy = policy_parse("p.json", text, strlen(text), NULL, &err);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(policy);
    return policy;
}

static struct question ask(const char *host, const char *sni, uint16_t port, const char *client) {
    struct question q = {.host = host, .sni = sni, .port = port};
    CU_ASSERT_FATAL(network_parse_address(q.client, client));
    return q;
}

// clang-format off
static const struct { const char *glob, *host, *sni; bool matches; } HOSTS[] = {
    {"example.test", "example.test", NULL, true},
    {"example.test", "EXAMPLE.Test", NULL, true},
    {"EXAMPLE.Test", "example.test", NULL, true},
    {"example.test", "example.test.", NULL, true},
    {"example.test.", "example.test", NULL, true},
    {"example.test", "example.test..", NULL, false},
    {"example.test", "xexample.test", NULL, false},
    {"example.test", "example.testx", NULL, false},
    {"example.test", "example", NULL, false},
    {"example.test", "", NULL, false},
    {"example.test", ".", NULL, false},
    {"*.example.test", "www.example.test", NULL, true},
    {"*.example.test", "a.b.example.test", NULL, true},
    {"*.example.test", "WWW.EXAMPLE.TEST.", NULL, true},
    {"*.example.test", "example.test", NULL, false},
    {"*.example.test", "badexample.test", NULL, false},
    {"*.example.test", "www.example.test.evil.test", NULL, false},
    {"*example.test", "example.test", NULL, true},
    {"*example.test", "badexample.test", NULL, true},
    {"www.*", "www.example.test", NULL, true},
    {"www.*", "www.", NULL, false},
    {"www*", "www", NULL, true},
    {"*", "anything", NULL, true},
    {"*", "", NULL, true},
    {"*", "::1", NULL, true},
    {"*", "192.0.2.1", "a.test", true},
    {"**", "", NULL, true},
    {"a*b*c", "abc", NULL, true},
    {"a*b*c", "axxbxxbyyc", NULL, true},
    {"a*b*c", "axxbxxbyycd", NULL, false},
    {"a*b*c", "acb", NULL, false},
    {"*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL, false},
    {"xn--bcher-kva.test", "XN--BCHER-KVA.test", NULL, true},
    {"a_b.test", "a_b.test", NULL, true},
    // a name is matched by itself; the SNI says nothing
    {"b.test", "a.test", "b.test", false},
    {"a.test", "a.test", "b.test", true},
    // an address literal as an address, and by the SNI
    {"192.0.2.1", "192.0.2.1", NULL, true},
    {"192.0.2.1", "::ffff:192.0.2.1", NULL, true},
    {"192.0.2.1", "::FFFF:C000:201", NULL, true},
    {"192.0.2.1", "192.0.2.10", NULL, false},
    {"192.0.2.0/24", "192.0.2.77", NULL, true},
    {"192.0.2.0/24", "192.0.3.77", NULL, false},
    {"192.0.2.0/24", "192.0.2.77", "a.test", true},
    {"192.0.2.0/24", "a.test", "192.0.2.77", false},
    {"::1", "0:0:0:0:0:0:0:1", NULL, true},
    {"0:0::1", "::1", NULL, true},
    {"::1", "::2", NULL, false},
    {"2001:db8::/32", "2001:DB8:0::0:7", NULL, true},
    {"::/0", "192.0.2.1", NULL, false},
    {"0.0.0.0/0", "a.test", NULL, false},
    {"*.test", "192.0.2.1", "a.test", true},
    {"*.test", "192.0.2.1", "A.TEST.", true},
    {"*.test", "2001:db8::1", "a.test", true},
    {"*.test", "192.0.2.1", NULL, false},
    {"*.test", "192.0.2.1", "", false},
    {"192.0.2.*", "192.0.2.1", NULL, true},
    {"192.0.2.*", "::ffff:192.0.2.1", NULL, true},
    {"192.0.2.*", "192.0.20.1", NULL, false},
    {"192.*", "192.example.test", NULL, true},
};
// clang-format on

static void test_hosts(void) {
    for (size_t i = 0; i < ARRAY_LEN(HOSTS); i++) {
        char text[256];
        snprintf(text, sizeof(text), "{\"rules\": [{\"hosts\": [\"never.test\", \"%s\"]}]}",
                 HOSTS[i].glob);
        struct policy *policy = parse(text);
        struct question q = ask(HOSTS[i].host, HOSTS[i].sni, 443, "192.0.2.200");
        const struct policy_rule *rule = policy_decide(policy, &q);
        CU_ASSERT_PTR_EQUAL(rule, policy_rule(policy, HOSTS[i].matches ? 0 : 1));
        if (rule->index != (HOSTS[i].matches ? 0 : 1)) {
            printf("\n  glob %s, host %s\n", HOSTS[i].glob, HOSTS[i].host);
        }
        policy_unref(policy);
    }
}

static size_t decided(const struct policy *policy, const char *host, uint16_t port,
                      const char *client) {
    struct question q = ask(host, NULL, port, client);
    return policy_decide(policy, &q)->index;
}

static void test_ports(void) {
    struct policy *policy = parse("{\"rules\": [{\"ports\": [443, \"8000-8999\"]}]}");
    static const struct {
        uint16_t port;
        size_t index;
    } PORTS[] = {{442, 1},  {443, 0},  {444, 1},  {7999, 1}, {8000, 0},
                 {8500, 0}, {8999, 0}, {9000, 1}, {1, 1},    {65535, 1}};
    for (size_t i = 0; i < ARRAY_LEN(PORTS); i++) {
        CU_ASSERT_EQUAL(decided(policy, "a.test", PORTS[i].port, "::1"), PORTS[i].index);
    }
    policy_unref(policy);
}

static void test_clients(void) {
    struct policy *policy = parse("{\"rules\": [{\"clients\": [\"192.0.2.0/24\"]},"
                                  "{\"clients\": [\"2001:db8::/32\", \"::1\"]},"
                                  "{\"clients\": [\"::/0\"]}]}");
    CU_ASSERT_EQUAL(decided(policy, "a.test", 443, "192.0.2.9"), 0);
    CU_ASSERT_EQUAL(decided(policy, "a.test", 443, "2001:db8:1::"), 1);
    CU_ASSERT_EQUAL(decided(policy, "a.test", 443, "::1"), 1);
    CU_ASSERT_EQUAL(decided(policy, "a.test", 443, "2001:db9::"), 2);
    CU_ASSERT_EQUAL(decided(policy, "a.test", 443, "192.0.3.9"), 3);
    policy_unref(policy);
}

static void test_all_matchers_must_match(void) {
    struct policy *policy = parse("{\"rules\": [{\"hosts\": [\"a.test\"], \"ports\": [443],"
                                  "\"clients\": [\"192.0.2.1\"]}]}");
    CU_ASSERT_EQUAL(decided(policy, "a.test", 443, "192.0.2.1"), 0);
    CU_ASSERT_EQUAL(decided(policy, "b.test", 443, "192.0.2.1"), 1);
    CU_ASSERT_EQUAL(decided(policy, "a.test", 444, "192.0.2.1"), 1);
    CU_ASSERT_EQUAL(decided(policy, "a.test", 443, "192.0.2.2"), 1);
    policy_unref(policy);
}

static void test_the_first_match_counts(void) {
    struct policy *policy = parse("{\"rules\": [{\"hosts\": [\"www.a.test\"]},"
                                  "{\"hosts\": [\"*.a.test\"]}, {}, {\"hosts\": [\"b.test\"]}]}");
    CU_ASSERT_EQUAL(decided(policy, "www.a.test", 443, "::1"), 0);
    CU_ASSERT_EQUAL(decided(policy, "x.a.test", 443, "::1"), 1);
    CU_ASSERT_EQUAL(decided(policy, "b.test", 443, "::1"), 2);
    // A rule without matchers matches all that can be asked.
    CU_ASSERT_EQUAL(decided(policy, "192.0.2.1", 1, "0.0.0.0"), 2);
    CU_ASSERT_EQUAL(decided(policy, "2001:db8::1", 65535, "255.255.255.255"), 2);
    policy_unref(policy);
}

// An address is decided before the hello where no SNI could change it.
static void test_an_sni_to_come(void) {
    static const struct {
        const char *host;
        uint16_t port;
        int rule; // -1: not yet
    } rows[] = {
        {"192.0.2.1", 443, 0},    {"198.51.100.1", 443, -1}, {"198.51.100.1", 80, 2},
        {"203.0.113.1", 443, -1}, {"203.0.113.1", 80, 3},    {"x.test", 443, 3},
    };
    struct policy *policy = parse("{\"rules\": [{\"hosts\": [\"192.0.2.0/24\"]},"
                                  "{\"hosts\": [\"10.0.0.0/8\", \"*.a.test\"], \"ports\": [443]},"
                                  "{\"hosts\": [\"198.51.100.0/24\"]}]}");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct question q = ask(rows[i].host, NULL, rows[i].port, "::1");
        q.sni_to_come = true;
        const struct policy_rule *rule = policy_decide(policy, &q);
        CU_ASSERT_EQUAL(rule == NULL ? -1 : (int)rule->index, rows[i].rule);
    }
    policy_unref(policy);
}

static void test_default(void) {
    struct policy *policy = policy_default();
    CU_ASSERT_EQUAL(decided(policy, "a.test", 443, "::1"), 0);
    CU_ASSERT_EQUAL(decided(policy, "", 0, "::"), 0);
    policy_unref(policy);
}

const struct unit_case unit_cases[] = {
    {"hosts", test_hosts},
    {"ports", test_ports},
    {"clients", test_clients},
    {"all matchers must match", test_all_matchers_must_match},
    {"the first match counts", test_the_first_match_counts},
    {"an SNI to come", test_an_sni_to_come},
    {"default", test_default},
    {NULL, NULL},
};
