#include "policy/redact/redact_words.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static const struct redact_salt salt = {"a salt"};

typedef void map_fn(const struct redact_salt *salt, char *out, const char *in, size_t len);

static char *map(char out[200], map_fn *fn, const char *in) {
    memset(out, 0, 200);
    fn(&salt, out, in, strlen(in));
    CU_ASSERT_EQUAL(strlen(out), strlen(in));
    return out;
}

static void names(void) {
    char a[200], b[200];
    map(a, redact_name, "login.corp.example");
    CU_ASSERT_PTR_NULL(strstr(a, "corp"));
    CU_ASSERT_PTR_NULL(strstr(a, "login"));
    CU_ASSERT(a[5] == '.' && strcmp(a + 10, ".example") == 0);
    CU_ASSERT_STRING_EQUAL(map(b, redact_name, "*.CORP.example") + 2, a + 6);
    CU_ASSERT_EQUAL(b[0], '*');
    CU_ASSERT_STRING_EQUAL(map(b, redact_name, "shop.firm.de") + 9, ".zz");
    CU_ASSERT_STRING_EQUAL(map(b, redact_name, "x.corp") + 1, ".test");
    CU_ASSERT_EQUAL(strncmp(map(b, redact_name, "www.firm.de"), "www.", 4), 0);
    CU_ASSERT_STRING_EQUAL(map(b, redact_name, "secret.google.com") + 6, ".google.com");
    CU_ASSERT_NOT_EQUAL(strncmp(b, "secret", 6), 0);
    CU_ASSERT_STRING_EQUAL(map(b, redact_name, "site.localhost") + 4, ".localhost");
    CU_ASSERT_STRING_EQUAL(map(b, redact_name, "expired.badssl.com"), "expired.badssl.com");
    CU_ASSERT_STRING_EQUAL(map(b, redact_name, "client"), "client");
    CU_ASSERT_STRING_NOT_EQUAL(map(b, redact_name, "intranet"), "intranet");
    map(b, redact_name, "a..b.");
    map(b, redact_name, ".");
}

static void is_name(void) {
    CU_ASSERT(redact_is_name("a.example", 9));
    CU_ASSERT(!redact_is_name("1.1", 3));
    CU_ASSERT(!redact_is_name("example", 7));
    CU_ASSERT(!redact_is_name("a..example", 10));
    CU_ASSERT(!redact_is_name("10.0.0.1", 8));
}

static void distinguished_names(void) {
    char a[200], b[200];
    map(a, redact_dn, "CN=login.corp.example,O=Acme\\, Inc.,C=DE");
    CU_ASSERT_PTR_NULL(strstr(a, "Acme"));
    CU_ASSERT_PTR_NULL(strstr(a, "login"));
    CU_ASSERT_PTR_NOT_NULL(strstr(a, "\\, Inc.,C=DE"));
    CU_ASSERT_EQUAL(strncmp(a + 3, map(b, redact_name, "login.corp.example"), 18), 0);
    CU_ASSERT_STRING_EQUAL(map(a, redact_dn, "CN=R11,O=Let's Encrypt,C=US"),
                           "CN=R11,O=Let's Encrypt,C=US");
    map(a, redact_dn, "CN=FGT60E4Q16000001,O=Fortinet");
    CU_ASSERT_STRING_EQUAL(a + 19, ",O=Fortinet");
    CU_ASSERT_PTR_NULL(strstr(a, "FGT60"));
    map(a, redact_dn, "no name at all");
    CU_ASSERT(redact_dn_is_public("O=DigiCert Inc, CN=x", 20));
    CU_ASSERT(!redact_dn_is_public("CN=DigiCert", 11));
}

static void agents(void) {
    static const char chrome[] = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 "
                                 "(KHTML, like Gecko) Chrome/104.0.0.0 Safari/537.36";
    char a[200];
    CU_ASSERT_STRING_EQUAL(map(a, redact_agent, chrome), chrome);
    CU_ASSERT_STRING_EQUAL(map(a, redact_agent, "curl/7.88.1"), "curl/7.88.1");
    CU_ASSERT_STRING_EQUAL(map(a, redact_agent, "") + 0, "");
    map(a, redact_agent, "AcmePayroll/9.8 (host-17) curl/8.0");
    CU_ASSERT_PTR_NULL(strstr(a, "Acme"));
    CU_ASSERT_PTR_NULL(strstr(a, "17"));
    CU_ASSERT_STRING_EQUAL(a + 26, "curl/8.0");
}

const struct unit_case unit_cases[] = {
    {"names", names},
    {"what is a name", is_name},
    {"distinguished names", distinguished_names},
    {"User-Agents", agents},
    {NULL, NULL},
};
