#include "policy/ca/verification_pack.h"

#include <string.h>

#include "tests/unit/unit.h"

// Nothing in a packed answer points to where it came from.
static void test_all(void) {
    char says[] = "long ago", code_text[] = "old", subject[] = "CN=a", because[] = "0: gone";
    char missing[] = "CN=x", url[] = "http://ca.test/x", issuer[] = "der";
    struct trust_defect defects[3] = {
        {.kind = TRUST_EXPIRED, .fatal = true, .says = says, .code_text = "of libcrypto"},
        {.kind = TRUST_CN_ONLY, .index = -1, .says = says},
    };
    struct trust_step path[2] = {{.subject = subject, .index = -1, .sha256 = {7}}};
    struct trust_try tries[2] = {{.subjects = {subject, missing},
                                  .num_subjects = 2,
                                  .because = {because},
                                  .num_because = 1}};
    struct verification v = {.ok = true,
                             .defects = defects,
                             .num_defects = 2,
                             .path = path,
                             .num_path = 1,
                             .tries = tries,
                             .num_tries = 1,
                             .missing_issuer = missing,
                             .ca_issuers = url};
    CBS_init(&v.issuer, (const uint8_t *)issuer, strlen(issuer));
    CHECK(arena_printf(&v.arena, "%s", code_text) != NULL);
    verification_pack(&v);
    memset(defects, 0, sizeof(defects));
    memset(path, 0, sizeof(path));
    memset(tries, 0, sizeof(tries));
    for (size_t i = 0; i < 7; i++) {
        char *const texts[] = {says, code_text, subject, because, missing, url, issuer};
        memset(texts[i], '?', strlen(texts[i]));
    }
    CU_ASSERT_TRUE(v.ok);
    CU_ASSERT_EQUAL_FATAL(v.num_defects, 2);
    CU_ASSERT_EQUAL(v.defects[0].kind, TRUST_EXPIRED);
    CU_ASSERT_STRING_EQUAL(v.defects[0].says, "long ago");
    CU_ASSERT_STRING_EQUAL(v.defects[0].code_text, "of libcrypto");
    CU_ASSERT_EQUAL(v.defects[1].index, -1);
    CU_ASSERT_STRING_EQUAL(v.path[0].subject, "CN=a");
    CU_ASSERT_EQUAL(v.path[0].sha256[0], 7);
    CU_ASSERT_STRING_EQUAL(v.tries[0].subjects[1], "CN=x");
    CU_ASSERT_STRING_EQUAL(v.tries[0].because[0], "0: gone");
    CU_ASSERT_STRING_EQUAL(v.missing_issuer, "CN=x");
    CU_ASSERT_STRING_EQUAL(v.ca_issuers, "http://ca.test/x");
    CU_ASSERT_TRUE(CBS_mem_equal(&v.issuer, (const uint8_t *)"der", 3));
    CU_ASSERT_EQUAL(v.arena.used, 0);
    verification_cleanup(&v);
    CU_ASSERT_PTR_NULL(v.held);
}

static void test_nothing(void) {
    struct trust_defect unused;
    struct verification v = {.ok = true, .defects = &unused};
    verification_pack(&v);
    CU_ASSERT_PTR_NULL(v.held);
    CU_ASSERT_PTR_NULL(v.defects);
    CU_ASSERT_PTR_NULL(v.missing_issuer);
    CU_ASSERT_EQUAL(CBS_len(&v.issuer), 0);
    verification_cleanup(&v);
}

const struct unit_case unit_cases[] = {
    {"everything is copied", test_all},
    {"nothing", test_nothing},
    {NULL, NULL},
};
