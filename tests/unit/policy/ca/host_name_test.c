#include "policy/ca/host_name.h"

#include <string.h>

#include "tests/unit/unit.h"

static void test_init(void) {
    // clang-format off
    static const struct { const char *in, *want; size_t ip_len; } cases[] = {
        {"Example.TEST", "example.test", 0},
        {"example.test.", "example.test", 0},
        {"localhost", "localhost", 0},
        {"_srv._tcp.example.test", "_srv._tcp.example.test", 0},
        {"192.0.2.1", "192.0.2.1", 4},
        {"[2001:DB8::0001]", "2001:db8::1", 16},
        {"fe80::1%eth0", "fe80::1", 16},
        {"1.2.3", "1.2.3", 0},
        // The samples are from RFC 3492 section 7.1 and common use.
        {"b\xc3\xbc" "cher.example", "xn--bcher-kva.example", 0},
        {"B\xc3\xbc" "cher.example", "xn--bcher-kva.example", 0},
        {"xn--bcher-kva.example", "xn--bcher-kva.example", 0},
        {"\xe4\xbb\x96\xe4\xbb\xac\xe4\xb8\xba\xe4\xbb\x80\xe4\xb9\x88\xe4\xb8\x8d\xe8\xaf\xb4\xe4\xb8\xad\xe6\x96\x87", "xn--ihqwcrb4cv8a8dqg056pqjye", 0},
        {"\xd7\x9c\xd7\x9e\xd7\x94\xd7\x94\xd7\x9d\xd7\xa4\xd7\xa9\xd7\x95\xd7\x98\xd7\x9c\xd7\x90\xd7\x9e\xd7\x93\xd7\x91\xd7\xa8\xd7\x99\xd7\x9d\xd7\xa2\xd7\x91\xd7\xa8\xd7\x99\xd7\xaa", "xn--4dbcagdahymbxekheh6e0a7fei0b", 0},
        {"3\xe5\xb9\xb4" "b\xe7\xb5\x84\xe9\x87\x91\xe5\x85\xab\xe5\x85\x88\xe7\x94\x9f", "xn--3b-ww4c5e180e575a65lsy2b", 0},
        {"\xf0\x9f\x92\xa9.la", "xn--ls8h.la", 0},
        {"", NULL, 0},
        {".", NULL, 0},
        {"a..b", NULL, 0},
        {"a.b..", NULL, 0},
        {".a", NULL, 0},
        {"a b", NULL, 0},
        {"a\x7f", NULL, 0},
        {"a\n", NULL, 0},
        {"\xc3", NULL, 0},
        {"\xed\xa0\x80.test", NULL, 0},
        {"a23456789-123456789-123456789-123456789-123456789-123456789-123x", NULL, 0},
        {"a23456789-123456789-123456789-123456789-123456789-123456789-123",
         "a23456789-123456789-123456789-123456789-123456789-123456789-123", 0},
    };
    // clang-format on
    struct host_name name;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool ok = host_name_init(&name, cases[i].in);
        CU_ASSERT_EQUAL(ok, cases[i].want != NULL);
        CU_ASSERT_STRING_EQUAL(name.text, cases[i].want != NULL ? cases[i].want : "");
        CU_ASSERT_EQUAL(name.ip_len, cases[i].ip_len);
    }
    char long_name[300];
    for (size_t i = 0; i < sizeof(long_name); i++) {
        long_name[i] = i % 10 == 9 ? '.' : 'a';
    }
    long_name[254] = '\0';
    CU_ASSERT_FALSE(host_name_init(&name, long_name));
    long_name[253] = '\0';
    CU_ASSERT_TRUE(host_name_init(&name, long_name));
    // 63 letters outside ASCII cannot fit, whatever they are.
    char wide[63 * 4 + 1] = "";
    for (size_t i = 0; i < 63; i++) {
        strcat(wide, "\xf4\x8f\xbf\xbf");
    }
    CU_ASSERT_FALSE(host_name_init(&name, wide));
}

static void test_matches(void) {
    // clang-format off
    static const struct { const char *host, *pattern; bool want; } cases[] = {
        {"a.example.test", "a.example.test", true},
        {"a.example.test", "A.EXAMPLE.TEST", true},
        {"a.example.test", "*.example.test", true},
        {"a.example.test", "*.EXAMPLE.test", true},
        {"example.test", "*.example.test", false},
        {"b.a.example.test", "*.example.test", false},
        {"b.a.example.test", "*.a.example.test", true},
        {"a.example.test", "a*.example.test", false},
        {"a.example.test", "*a.example.test", false},
        {"a.example.test", "*.*.test", false},
        {"a.example.test", "a.*.test", false},
        {"example.test", "*.test", false},
        {"test", "*", false},
        {"a.example.test", "*.", false},
        {"a.example.test", "", false},
        {"a.example.test", "a.example.test.", false},
        {"192.0.2.1", "192.0.2.1", false},
        {"192.0.2.1", "*.0.2.1", false},
        {"xn--bcher-kva.example.test", "*.example.test", true},
        {"b\xc3\xbc" "cher.test", "xn--bcher-kva.test", true},
        {"b\xc3\xbc" "cher.test", "b\xc3\xbc" "cher.test", false},
    };
    // clang-format on
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct host_name name;
        CBS pattern;
        CU_ASSERT_TRUE(host_name_init(&name, cases[i].host));
        CBS_init(&pattern, (const uint8_t *)cases[i].pattern, strlen(cases[i].pattern));
        CU_ASSERT_EQUAL(host_name_matches(&name, pattern), cases[i].want);
    }
    // A NUL does not end a name.
    struct host_name name;
    CBS pattern;
    CU_ASSERT_TRUE(host_name_init(&name, "a.test"));
    CBS_init(&pattern, (const uint8_t *)"a.test\0.evil.test", 17);
    CU_ASSERT_FALSE(host_name_matches(&name, pattern));
}

static void test_in_san(void) {
    static const uint8_t san[] = {0x81, 3,   'a', '@',  'b', 0x82, 6, 'a', '.', 't',
                                  'e',  's', 't', 0x87, 4,   192,  0, 2,   1};
    struct host_name name;
    CBS cbs, found;
    CBS_init(&cbs, san, sizeof(san));
    CU_ASSERT_TRUE(host_name_init(&name, "a.test"));
    CU_ASSERT_TRUE(host_name_in_san(&name, cbs, &found));
    CU_ASSERT_EQUAL(CBS_len(&found), 8);
    CU_ASSERT_TRUE(host_name_init(&name, "192.0.2.1"));
    CU_ASSERT_TRUE(host_name_in_san(&name, cbs, NULL));
    CU_ASSERT_TRUE(host_name_init(&name, "192.0.2.2"));
    CU_ASSERT_FALSE(host_name_in_san(&name, cbs, NULL));
    CU_ASSERT_TRUE(host_name_has_identifiers(cbs));
    CBS_init(&cbs, san, 5);
    CU_ASSERT_FALSE(host_name_has_identifiers(cbs));
    CBS_init(&cbs, san, sizeof(san) - 1);
    CU_ASSERT_TRUE(host_name_init(&name, "192.0.2.1"));
    CU_ASSERT_FALSE(host_name_in_san(&name, cbs, NULL));
}

const struct unit_case unit_cases[] = {
    {"names as they come", test_init},
    {"RFC 9525: names and wildcards", test_matches},
    {"alternative names", test_in_san},
    {NULL, NULL},
};
