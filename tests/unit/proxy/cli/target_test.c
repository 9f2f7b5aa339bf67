#include "proxy/cli/target.h"

#include <string.h>

#include "tests/unit/unit.h"

static bool is(const char *text, const char *host, unsigned port) {
    struct target target;
    struct err err;
    return target_parse(&target, text, &err) && strcmp(target.host, host) == 0 &&
           target.port == port;
}

static void test_good(void) {
    CU_ASSERT(is("example.org:443", "example.org", 443));
    CU_ASSERT(is("192.0.2.1:1", "192.0.2.1", 1));
    CU_ASSERT(is("[2001:db8::1]:65535", "2001:db8::1", 65535));
}

static void test_bad(void) {
    static const char *const bad[] = {"",
                                      "a",
                                      ":443",
                                      "a:",
                                      "a:0",
                                      "a:65536",
                                      "a:x",
                                      "::1:443",
                                      "[a]:443",
                                      "[]:1",
                                      "a: 1",
                                      "a:+1",
                                      "a:99999999999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct target target;
        struct err err;
        CU_ASSERT(!target_parse(&target, bad[i], &err));
    }
}

const struct unit_case unit_cases[] = {
    {"HOST:PORT", test_good},
    {"what is none", test_bad},
    {NULL, NULL},
};
