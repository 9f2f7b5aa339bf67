#include "proxy/cli/probe_target.h"

#include <string.h>

#include "tests/unit/unit.h"

static struct probe_target target;
static struct err err;

static void check(const char *text, const char *host, uint16_t port, bool literal) {
    CU_ASSERT_TRUE(probe_target_parse(&target, text, 443, &err));
    CU_ASSERT_STRING_EQUAL(target.host, host);
    CU_ASSERT_EQUAL(target.port, port);
    CU_ASSERT_EQUAL(target.literal, literal);
}

static void test_hosts(void) {
    check("A.Example", "a.example", 443, false);
    check("a.example.", "a.example", 443, false);
    check("a.example:8443", "a.example", 8443, false);
    check("https://a.example/path?x#y", "a.example", 443, false);
    check("https://a.example:444/", "a.example", 444, false);
    check("192.0.2.1", "192.0.2.1", 443, true);
    check("192.0.2.1:1", "192.0.2.1", 1, true);
    check("[2001:DB8::1]:65535", "2001:db8::1", 65535, true);
    check("[::1]", "::1", 443, true);
    check("::1", "::1", 443, true);
}

static void test_bad_hosts(void) {
    static const char *const bad[] = {
        "",       "a b",   "a:0", "a:65536", "a:",  ":443",    "[a]:1",   "[::1",
        "::1:x:", "a:1:2", "a/b", "[::1]x",  "a\n", "[::1]:0", "https://"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        CU_ASSERT_FALSE(probe_target_parse(&target, bad[i], 443, &err));
        CU_ASSERT_TRUE(err.msg[0] != '\0');
    }
    char longest[600];
    memset(longest, 'a', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    CU_ASSERT_FALSE(probe_target_parse(&target, longest, 443, &err));
    static const char *const labels[] = {".", "..", "a..b", ".a", "a..", ".:443"};
    for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
        CU_ASSERT_FALSE(probe_target_parse(&target, labels[i], 443, &err));
    }
    longest[64] = '\0';
    CU_ASSERT_FALSE(probe_target_parse(&target, longest, 443, &err));
    longest[63] = '\0';
    CU_ASSERT_TRUE(probe_target_parse(&target, longest, 443, &err));
}

static void test_addresses(void) {
    const char *address = NULL;
    CU_ASSERT_TRUE(probe_target_address(&address, "A.example=192.0.2.1", "a.example", &err));
    CU_ASSERT_STRING_EQUAL(address, "192.0.2.1");
    address = NULL;
    CU_ASSERT_FALSE(probe_target_address(&address, "b.example=192.0.2.1", "a.example", &err));
    CU_ASSERT(err.msg[0] == '\0' && address == NULL);
    CU_ASSERT_FALSE(probe_target_address(&address, "a.example=b", "a.example", &err));
    CU_ASSERT_TRUE(err.msg[0] != '\0');
    CU_ASSERT_FALSE(probe_target_address(&address, "a.example", "a.example", &err));
    CU_ASSERT_TRUE(err.msg[0] != '\0');
}

const struct unit_case unit_cases[] = {
    {"hosts", test_hosts},
    {"bad hosts", test_bad_hosts},
    {"addresses", test_addresses},
    {NULL, NULL},
};
