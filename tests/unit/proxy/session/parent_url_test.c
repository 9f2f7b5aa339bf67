#include "proxy/session/parent_url.h"

#include <string.h>

#include "tests/unit/unit.h"

static bool is(const char *url, const char *host, unsigned port, bool tls,
               const char *authorization) {
    struct parent parent;
    struct err err;
    return parent_parse(&parent, url, &err) && strcmp(parent.host, host) == 0 &&
           parent.port == port && parent.tls == tls &&
           strcmp(parent.authorization, authorization) == 0;
}

static void test_good(void) {
    CU_ASSERT(is("http://gw.test:3128", "gw.test", 3128, false, ""));
    CU_ASSERT(is("http://gw.test/", "gw.test", 80, false, ""));
    CU_ASSERT(is("HTTPS://gw.test", "gw.test", 443, true, ""));
    CU_ASSERT(is("http://[2001:db8::1]:8080", "2001:db8::1", 8080, false, ""));
    CU_ASSERT(is("http://[::1]", "::1", 80, false, ""));
    CU_ASSERT(is("http://u:p@gw.test", "gw.test", 80, false, "Basic dTpw"));
    CU_ASSERT(is("http://u:p%40%3A@gw.test", "gw.test", 80, false, "Basic dTpwQDo="));
    CU_ASSERT(is("http://u:p@x@gw.test", "gw.test", 80, false, "Basic dTpwQHg="));
}

static void test_bad(void) {
    static const char *const bad[] = {
        "",           "gw.test:3128",          "ftp://gw.test",      "http://",
        "http://:80", "http://gw.test:0",      "http://gw.test:x",   "http://gw.test:65536",
        "http://::1", "http://gw.test/path",   "http://[gw.test]:1", "http://u:secret%4@gw.test",
        "http://a b", "http://secret@gw.test", "http://gw.test:",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct parent parent;
        struct err err;
        CU_ASSERT(!parent_parse(&parent, bad[i], &err));
        CU_ASSERT_PTR_NULL(strstr(err.msg, "secret"));
    }
}

static void test_credentials(void) {
    struct parent parent;
    struct err err;
    char text[PARENT_CREDENTIALS_MAX + 2];
    memset(text, ':', sizeof(text));
    text[PARENT_CREDENTIALS_MAX + 1] = '\0';
    CU_ASSERT(!parent_set_credentials(&parent, text, &err));
    text[PARENT_CREDENTIALS_MAX] = '\0';
    CU_ASSERT(parent_set_credentials(&parent, text, &err));
    CU_ASSERT(strlen(parent.authorization) + 1 == sizeof(parent.authorization));
}

const struct unit_case unit_cases[] = {
    {"URLs", test_good},
    {"what is none", test_bad},
    {"credentials", test_credentials},
    {NULL, NULL},
};
