#include "policy/verdict/manual.h"

#include <stdio.h>
#include <string.h>

#include "logs/base/check.h"
#include "tests/unit/unit.h"

// is_prose returns whether `text` is plain ASCII and ends as a sentence does.
static bool is_prose(const char *text) {
    for (const char *p = text; *p != '\0'; p++) {
        if (*p < ' ' || *p > '~') {
            return false;
        }
    }
    size_t len = strlen(text);
    return len > 3 && strchr(".?", text[len - 1]) != NULL && strstr(text, "  ") == NULL;
}

static void check(bool ok, enum cause cause, const char *what) {
    CU_ASSERT(ok);
    if (!ok) {
        printf("\n  %s: %s", cause_row(cause)->id, what);
    }
}

// Every cause has a page: what the legs show, how it is told apart, what is seen and done about it.
static void test_complete(void) {
    for (enum cause cause = 0; cause < CAUSE_COUNT; cause++) {
        const struct manual *manual = manual_row(cause);
        const char *const prose[] = {manual->client, manual->server, manual->apart};
        for (size_t i = 0; i < ARRAY_LEN(prose); i++) {
            check(prose[i] != NULL && is_prose(prose[i]), cause, "a leg, or how it is told apart");
        }
        bool failure = cause_row(cause)->number != 0, somebody = false;
        for (enum program i = 0; i < PROGRAM_COUNT; i++) {
            check((manual->sees[i] != NULL) == failure, cause, program_name(i));
        }
        for (enum reader i = 0; i < READER_COUNT; i++) {
            somebody = somebody || manual->remedy[i] != NULL;
            check(manual->remedy[i] == NULL || is_prose(manual->remedy[i]), cause, reader_name(i));
        }
        check(somebody || cause_row(cause)->party == PARTY_NONE, cause, "nobody can do anything");
        check(manual->test == NULL || is_prose(manual->test), cause, "what settles it");
    }
}

// What the record cannot tell has a test that can.
static void test_settled(void) {
    size_t num[4] = {0};
    for (enum cause cause = 0; cause < CAUSE_COUNT; cause++) {
        struct tellers tellers;
        manual_tellers(&tellers, cause);
        num[tellers.telling]++;
        CU_ASSERT(tellers.telling == TELLS_NOTHING || tellers.num != 0);
        check(tellers.telling >= TELLS_HISTORY || manual_row(cause)->test != NULL, cause,
              "nothing settles it");
    }
    CU_ASSERT(num[TELLS_NOTHING] > 0 && num[TELLS_SUSPICION] > 0 && num[TELLS_CAUSE] > 0);
}

static void test_tellers(void) {
    struct tellers tellers;
    manual_tellers(&tellers, CAUSE_SERVER_CERT_EXPIRED);
    CU_ASSERT(tellers.telling == TELLS_CAUSE && tellers.surest == CONFIDENCE_CERTAIN);
    CU_ASSERT_EQUAL_FATAL(tellers.num, 5);
    CU_ASSERT_STRING_EQUAL(tellers.rules[0]->id, "x-expired");
    CU_ASSERT_STRING_EQUAL(tellers.rules[4]->id, "wire-expired");
    // Only rules that do not dare name a party.
    manual_tellers(&tellers, CAUSE_MTU_BLACKHOLE);
    CU_ASSERT(tellers.telling == TELLS_SUSPICION && tellers.num > 0);
    // A rule that names one, and is merely possible.
    manual_tellers(&tellers, CAUSE_CLIENT_USER_CANCELLED);
    CU_ASSERT_EQUAL(tellers.telling, TELLS_SUSPICION);
    // Other connections make it likely.
    manual_tellers(&tellers, CAUSE_CLIENT_PINNED);
    CU_ASSERT_EQUAL(tellers.telling, TELLS_HISTORY);
    CU_ASSERT_EQUAL(tellers.surest, CONFIDENCE_LIKELY);
    manual_tellers(&tellers, CAUSE_QUIC_ONLY_DIVERGENCE);
    CU_ASSERT_EQUAL(tellers.telling, TELLS_NOTHING);
    // Every rule is found under its cause.
    size_t num, found = 0;
    (void)rule_list(&num);
    for (enum cause cause = 0; cause < CAUSE_COUNT; cause++) {
        manual_tellers(&tellers, cause);
        found += tellers.num;
    }
    CU_ASSERT_EQUAL(found, num);
}

static void test_sections(void) {
    CU_ASSERT_STRING_EQUAL(manual_section(CAUSE_HEALTHY), "No failure, or none known");
    CU_ASSERT_STRING_EQUAL(manual_section(CAUSE_LEGACY_DISTRUSTED_CA), "The server's certificate");
    CU_ASSERT_STRING_EQUAL(manual_section(CAUSE_VERSION_MISMATCH_OLD_CLIENT), "Negotiation");
    CU_ASSERT_STRING_EQUAL(manual_section(CAUSE_CAPTIVE_PORTAL), "Name, identity, policy");
    CU_ASSERT_STRING_EQUAL(manual_section(CAUSE_QUIC_ONLY_DIVERGENCE), "Transport");
}

static void beyond(void) { (void)manual_row(CAUSE_COUNT); }

static void test_bounds(void) { CU_ASSERT(unit_aborts(beyond, "manual.c")); }

const struct unit_case unit_cases[] = {
    {"complete", test_complete}, {"settled", test_settled}, {"tellers", test_tellers},
    {"sections", test_sections}, {"bounds", test_bounds},   {NULL, NULL},
};
