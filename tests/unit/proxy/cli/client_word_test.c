#include "proxy/cli/client_word.h"

#include <string.h>

#include "logs/base/check.h"
#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

static struct arena arena;
static struct client_word word;

static bool ask(enum base base, const char *lines) {
    struct record *record = case_record(base, lines);
    bool said = client_word_of(&word, &arena, record->root);
    record_free(record);
    return said;
}

// sender returns the entry in which `name` stands.
static const char *reasons_of(const char *name) {
    for (size_t i = 0; i < word.num; i++) {
        if (strstr(word.senders[i].names, name) != NULL) {
            return word.senders[i].reasons;
        }
    }
    return "";
}

static void test_alerts(void) {
    CU_ASSERT(ask(BASE_shown, "c.alert client certificate 46"));
    CU_ASSERT(word.code == 46 && strstr(word.says, "certificate_unknown (46)") != NULL);
    CU_ASSERT_STRING_EQUAL(reasons_of("Chrome"), "any objection");
    CU_ASSERT_STRING_EQUAL(reasons_of("GnuTLS"), "");
    // Those that say it for the same reasons stand together.
    CU_ASSERT(ask(BASE_shown, "c.alert client certificate 45"));
    CU_ASSERT_STRING_EQUAL(word.senders[0].names, "OpenSSL, Python (OpenSSL), curl (OpenSSL), Java, Mbed TLS");
    CU_ASSERT_STRING_EQUAL(word.senders[0].source, "measured");
    arena_cleanup(&arena);
}

static void test_versions(void) {
    // Some releases of Java have an alert of its own in TLS 1.3, others that of TLS 1.2.
    CU_ASSERT(ask(BASE_shown, "c.alert client certificate 46"));
    CU_ASSERT_PTR_NOT_NULL(strstr(reasons_of("Java"), "issuer expired"));
    CU_ASSERT(ask(BASE_shown, "c.alert client certificate 46; c.answer.version TLS 1.2"));
    CU_ASSERT_PTR_NULL(strstr(reasons_of("Java"), "issuer expired"));
    CU_ASSERT(ask(BASE_shown, "c.alert client certificate 45; c.answer.version TLS 1.2"));
    CU_ASSERT_STRING_EQUAL(reasons_of("Java"), "expired; issuer expired");
    arena_cleanup(&arena);
}

// A watcher does not see what TLS 1.3 hides, so whoever hides it did not say it.
static void test_watched(void) {
    CU_ASSERT(ask(BASE_watched13, "c.alert client certificate 42; c.end.at certificate"));
    CU_ASSERT_STRING_NOT_EQUAL(reasons_of("OpenSSL"), "");
    CU_ASSERT_STRING_EQUAL(reasons_of("GnuTLS"), "");
    CU_ASSERT(ask(BASE_watched12, "c.alert client certificate 42"));
    CU_ASSERT_STRING_EQUAL(reasons_of("GnuTLS"), "any objection");
    arena_cleanup(&arena);
}

static void test_close(void) {
    CU_ASSERT(ask(BASE_shown, "c.end.how fin"));
    CU_ASSERT_EQUAL(word.code, CLIENT_CLOSES);
    CU_ASSERT_STRING_EQUAL(reasons_of("Node.js"), "any objection");
    CU_ASSERT(ask(BASE_shown, "c.end.how rst"));
    CU_ASSERT(ask(BASE_shown, "c.end.how fin; c.end.at finished; c.tls.established true"));
    arena_cleanup(&arena);
}

static void test_nothing(void) {
    CU_ASSERT(!ask(BASE_ok, ""));
    CU_ASSERT(!ask(BASE_nothing, ""));
    CU_ASSERT(!ask(BASE_dial, "s.end.how dns; s.end.at dns"));
    // Not about a certificate: too early, too late, or what nobody says of one.
    CU_ASSERT(!ask(BASE_hello, "c.alert client client_hello 42"));
    CU_ASSERT(!ask(BASE_ok, "c.alert client data 42"));
    CU_ASSERT(!ask(BASE_shown, "c.alert client certificate 20"));
    CU_ASSERT(!ask(BASE_shown, "c.alert client certificate 300"));
    CU_ASSERT(!ask(BASE_shown, "c.alert client certificate -1"));
    arena_cleanup(&arena);
}

const struct unit_case unit_cases[] = {
    {"alerts", test_alerts}, {"versions", test_versions}, {"watched", test_watched},
    {"close", test_close},   {"nothing", test_nothing},   {NULL, NULL},
};
