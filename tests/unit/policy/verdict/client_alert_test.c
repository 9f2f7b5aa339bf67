#include "policy/verdict/client_alert.h"

#include <string.h>

#include "logs/base/check.h"
#include "logs/record/codepoint.h"
#include "tests/unit/unit.h"

static bool says(enum client_stack stack, uint8_t code, bool tls13, const char *wanted) {
    struct buf out;
    buf_init(&out, 1000);
    bool any = client_alert_reasons(&out, stack, code, tls13);
    CU_ASSERT_TRUE_FATAL(buf_append(&out, "", 1));
    bool same = strcmp((const char *)buf_data(&out), wanted) == 0;
    buf_cleanup(&out);
    return same && any == (*wanted != '\0');
}

static void test_reasons(void) {
    CU_ASSERT(says(CLIENT_STACK_OPENSSL, 45, true, "expired; issuer expired"));
    CU_ASSERT(says(CLIENT_STACK_OPENSSL, 47, true, ""));
    CU_ASSERT(says(CLIENT_STACK_CURL_OPENSSL, CLIENT_CLOSES, false,
                   "wrong name; refused by the program (a pin)"));
    CU_ASSERT(says(CLIENT_STACK_CHROMIUM, 46, false, "any objection"));
    CU_ASSERT(says(CLIENT_STACK_GNUTLS, 42, false, "any objection"));
    CU_ASSERT(says(CLIENT_STACK_GNUTLS, 71, false, "weak key or hash"));
    CU_ASSERT(says(CLIENT_STACK_CHROMIUM, CLIENT_CLOSES, false, ""));
    CU_ASSERT(says(CLIENT_STACK_NODE, CLIENT_CLOSES, true, "any objection"));
    // One of two that occur.
    CU_ASSERT(says(CLIENT_STACK_RUSTLS, 49, true, "refused by the program (a pin)"));
}

// Java tells defects apart in TLS 1.2, and in TLS 1.3 not in every release.
static void test_versions(void) {
    CU_ASSERT(says(CLIENT_STACK_JSSE, 45, false, "expired; issuer expired"));
    CU_ASSERT(says(CLIENT_STACK_JSSE, 45, true, "expired; issuer expired"));
    CU_ASSERT(
        says(CLIENT_STACK_JSSE, 46, false,
             "untrusted root or missing issuer; self-signed leaf; wrong name; not for servers; "
             "chain too long; refused by the program (a pin)"));
    CU_ASSERT(client_alert(CLIENT_STACK_JSSE, CLIENT_VERDICT_EXPIRED)->by_version);
}

static void test_source(void) {
    CU_ASSERT_EQUAL(client_alert_source(CLIENT_STACK_OPENSSL, 45, true), SOURCE_MEASURED);
    // One of the reasons was only read.
    CU_ASSERT_EQUAL(client_alert_source(CLIENT_STACK_OPENSSL, 48, true), SOURCE_READ);
    CU_ASSERT_EQUAL(client_alert_source(CLIENT_STACK_SCHANNEL, 48, true), SOURCE_REPORTED);
    CU_ASSERT_EQUAL(client_alert_source(CLIENT_STACK_GO, 48, true), SOURCE_UNKNOWN);
    CU_ASSERT_EQUAL(client_clear(CLIENT_STACK_OPENSSL), CLEAR_IN_CLEAR);
    CU_ASSERT_EQUAL(client_clear(CLIENT_STACK_CHROMIUM), CLEAR_HIDDEN);
    CU_ASSERT_STRING_EQUAL(client_source_name(SOURCE_READ), "read in its source");
}

static void test_agents(void) {
    enum client_stack stack;
    CU_ASSERT(client_stack_of(&stack, "Wget/1.21.3") && stack == CLIENT_STACK_WGET_GNUTLS);
    CU_ASSERT(client_stack_of(&stack, "Mozilla/5.0 (X11) Gecko/20100101 Firefox/153.0") &&
              stack == CLIENT_STACK_NSS);
    CU_ASSERT(client_stack_of(&stack, "git/2.39.5") && stack == CLIENT_STACK_PROGRAM_GNUTLS);
    CU_ASSERT(client_stack_of(&stack, "cargo 1.65.0") && stack == CLIENT_STACK_PROGRAM_GNUTLS);
    CU_ASSERT(client_stack_of(&stack, "PycURL/7.45.2 libcurl/7.88.1 GnuTLS/3.7.9 zlib/1.2.13") &&
              stack == CLIENT_STACK_PROGRAM_GNUTLS);
    CU_ASSERT_FALSE(client_stack_of(&stack, "curl/8.9.1"));
    CU_ASSERT_FALSE(client_stack_of(&stack, NULL));
}

// Every cell is an alert that exists, and says that two differ only where they do.
static void test_table(void) {
    for (enum client_stack stack = 0; stack < CLIENT_STACK_COUNT; stack++) {
        size_t known = 0;
        for (enum client_verdict i = 0; i < CLIENT_VERDICT_COUNT; i++) {
            const struct client_alert *alert = client_alert(stack, i);
            known += alert->source != SOURCE_UNKNOWN;
            CU_ASSERT(!alert->by_version || alert->codes[0] != alert->codes[1]);
            for (size_t k = 0; k < 2 && alert->source != SOURCE_UNKNOWN; k++) {
                char name[CODEPOINT_NAME_MAX];
                CU_ASSERT(alert->codes[k] == CLIENT_CLOSES ||
                          strncmp(codepoint_name(REGISTRY_ALERT, alert->codes[k], name), "0x", 2));
                CU_ASSERT(alert->codes[k] >= 40);
            }
        }
        CU_ASSERT(known > 0 && client_stack_name(stack) != NULL);
    }
    CU_ASSERT_STRING_EQUAL(client_verdict_words(CLIENT_VERDICT_REVOKED), "revoked");
}

static void beyond(void) { (void)client_stack_name(CLIENT_STACK_COUNT); }

static void test_bounds(void) { CU_ASSERT(unit_aborts(beyond, "client_alert.c")); }

const struct unit_case unit_cases[] = {
    {"reasons", test_reasons},
    {"versions", test_versions},
    {"source", test_source},
    {"agents", test_agents},
    {"table", test_table},
    {"bounds", test_bounds},
    {NULL, NULL},
};
