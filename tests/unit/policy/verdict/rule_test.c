#include "policy/verdict/rule.h"

#include <string.h>

#include "logs/base/check.h"
#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

static bool chooses(enum base base, const char *lines, const char *id) {
    struct reading reading;
    struct record *record = case_record(base, lines);
    reading_init(&reading, record->root);
    bool same = strcmp(rule_choose(&reading)->id, id) == 0;
    record_free(record);
    return same;
}

// What failed first explains what failed later.
static void test_first_in_time(void) {
    // The server refused, and the proxy handed the alert on to the client.
    CU_ASSERT(
        chooses(BASE_hello,
                "s.end.how alert; s.alert server client_hello 70; c.alert server client_hello 70",
                "old-server"));
    // The certificate had expired, and the client said of its copy that its issuer is unknown.
    CU_ASSERT(chooses(BASE_shown, "s.defect expired 0; c.alert client certificate 48", "expired"));
    // The client objected, and the server's leg was closed for that.
    CU_ASSERT(chooses(BASE_shown, "c.alert client certificate 48; s.end.by client", "unknown-ca"));
    // No address, so there was nothing that the client could have been shown.
    CU_ASSERT(chooses(BASE_dial,
                      "s.end.how dns; s.end.at dns; s.dns.error not-found; c.end.by client",
                      "dns-missing"));
}

// What the client was not shown is not why it left; what it was not seen to be shown accuses
// nobody.
static void test_hidden_defect(void) {
    CU_ASSERT(chooses(
        BASE_shown, "policy.verify_server false; s.defect expired 0; c.alert client certificate 48",
        "unknown-ca"));
    CU_ASSERT(chooses(BASE_shown,
                      "-policy.verify_server; s.defect expired 0; c.alert client certificate 48",
                      "client-says-no"));
    CU_ASSERT(chooses(BASE_ok, "policy.verify_server false; s.defect wrong-host 0",
                      "healthy-unverified"));
    CU_ASSERT(chooses(BASE_probe, "-policy.verify_server; s.defect expired 0", "expired"));
}

// Of several causes at one step the surest is told.
static void test_surest(void) {
    CU_ASSERT(chooses(BASE_shown,
                      "s.defect unknown-root 1; s.defect wrong-host 0; s.defect expired 0;"
                      "s.tls.server.not_after 1790000001; c.alert client certificate 45",
                      "expired"));
    CU_ASSERT(
        chooses(BASE_shown, "s.defect wrong-host 0; s.defect unknown-root 1", "name-mismatch"));
}

// The server's answer after the client had left made nobody leave.
static void test_client_left(void) {
    static const char alert[] = "s.end.how alert; s.alert server client_hello 70; c.end.by client;"
                                "c.end.how fin;";
    char lines[256];
    strcpy(lines, alert);
    strcat(lines, "c.timing_ms.end 30");
    CU_ASSERT(chooses(BASE_hello, lines, "client-gone"));
    strcpy(lines, alert);
    strcat(lines, "c.timing_ms.end 33");
    CU_ASSERT(chooses(BASE_hello, lines, "old-server"));
    // Who was first is unknown: nobody is accused.
    strcpy(lines, alert);
    strcat(lines, "-c.timing_ms.end");
    CU_ASSERT(!chooses(BASE_hello, lines, "old-server"));
}

static enum confidence confidence(enum base base, const char *lines) {
    struct reading reading;
    struct record *record = case_record(base, lines);
    reading_init(&reading, record->root);
    enum confidence sure = rule_confidence(&reading, rule_choose(&reading));
    record_free(record);
    return sure;
}

static void test_confidence(void) {
#define EXPIRED "s.defect expired 0; s.tls.server.not_after 1794000000;"
    // The proxy's clock alone says so.
    CU_ASSERT_EQUAL(confidence(BASE_shown, EXPIRED), CONFIDENCE_POSSIBLE);
    // The client's own clock agrees; so do other hosts' dates.
    CU_ASSERT_EQUAL(confidence(BASE_shown, EXPIRED "c.alert client certificate 45"),
                    CONFIDENCE_LIKELY);
    CU_ASSERT_EQUAL(confidence(BASE_shown, EXPIRED "c.alert client certificate 45;"
                                                   "history.clock.hosts_in 3"),
                    CONFIDENCE_CERTAIN);
#undef EXPIRED
    // An open look-alike makes it less sure until it is ruled out.
    CU_ASSERT_EQUAL(confidence(BASE_shown, "s.defect weak-key 0"), CONFIDENCE_LIKELY);
    CU_ASSERT_EQUAL(confidence(BASE_shown, "s.defect cn-only 0; s.defect unknown-root 1"),
                    CONFIDENCE_POSSIBLE);
}

static void test_literals(void) {
    struct reading reading;
    struct record *record = case_record(BASE_shown, "");
    reading_init(&reading, record->root);
    CU_ASSERT_EQUAL(reading_ask(&reading, IS(VERIFIED)), YES);
    CU_ASSERT_EQUAL(reading_ask(&reading, NOT(VERIFIED)), NO);
    CU_ASSERT_EQUAL(reading_ask(&reading, IS(LOOPBACK)), NO);
    CU_ASSERT_EQUAL(reading_ask(&reading, NOT(HELLO_ACKED)), UNKNOWN);
    // An answer is remembered.
    case_apply(record->root, "s.verification.ok false");
    CU_ASSERT_EQUAL(reading_ask(&reading, IS(VERIFIED)), YES);
    record_free(record);
}

const struct unit_case unit_cases[] = {
    {"first in time", test_first_in_time},
    {"surest", test_surest},
    {"a defect that was not shown", test_hidden_defect},
    {"client left", test_client_left},
    {"confidence", test_confidence},
    {"literals", test_literals},
    {NULL, NULL},
};
