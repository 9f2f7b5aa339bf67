#include "logs/record/note.h"

#include <string.h>

#include "tests/unit/unit.h"

// Ids are in logs that people keep: what is here stays as it is.
// clang-format off
static const struct {
    enum note_id note;
    const char *id;
} kept[] = {
    {NOTE_CH_TRUNCATED,             "ch-truncated"},
    {NOTE_CH_SNI_IP_ADDRESS,        "ch-sni-ip-address"},
    {NOTE_CH_ECH_LIKELY_GREASE,     "ch-ech-likely-grease"},
    {NOTE_SH_CIPHER_NOT_OFFERED,    "sh-cipher-not-offered"},
    {NOTE_SH_DOWNGRADE_TLS12,       "sh-downgrade-tls12"},
    {NOTE_EE_ALPN_NOT_OFFERED,      "ee-alpn-not-offered"},
    {NOTE_CR_SIGALGS_EMPTY,         "cr-sigalgs-empty"},
    {NOTE_CERT_LIST_EMPTY,          "cert-list-empty"},
    {NOTE_SKE_DH_SMALL,             "ske-dh-small"},
    {NOTE_CV_SCHEME_NOT_OFFERED,    "cv-scheme-not-offered"},
    {NOTE_NST_LIFETIME_TOO_LONG,    "nst-lifetime-too-long"},
    {NOTE_HS_TYPE_UNKNOWN,          "hs-type-unknown"},
    {NOTE_REC_VERSION_ODD,          "rec-version-odd"},
    {NOTE_ALERT_LEVEL_UNKNOWN,      "alert-level-unknown"},
    {NOTE_TCP_NO_CLOSE_NOTIFY,      "tcp-no-close-notify"},
    {NOTE_HTTP_HOST_MISMATCH,       "http-host-mismatch"},
    {NOTE_FRONT_LOOP,               "front-loop"},
};
// clang-format on

static const char *const prefixes[] = {"key-", "ch-",   "sh-",    "ee-",  "cr-", "cert-",
                                       "ske-", "cv-",   "nst-",   "rec-", "hs-", "alert-",
                                       "tcp-", "http-", "front-", "cap-"};

static void test_kept(void) {
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        CU_ASSERT_STRING_EQUAL(note_info(kept[i].note)->id, kept[i].id);
    }
}

static void test_id_has_shape(void) {
    for (size_t i = 0; i < NOTE_COUNT; i++) {
        const char *id = note_info((enum note_id)i)->id;
        bool found = false;
        for (size_t j = 0; j < ARRAY_LEN(prefixes); j++) {
            found = found || strncmp(id, prefixes[j], strlen(prefixes[j])) == 0;
        }
        CU_ASSERT_TRUE(found);
        CU_ASSERT_EQUAL(strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(id));
    }
}

static void test_unique(void) {
    for (size_t i = 0; i < NOTE_COUNT; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct note_info *a = note_info((enum note_id)i), *b = note_info((enum note_id)j);
            CU_ASSERT_STRING_NOT_EQUAL(a->id, b->id);
            CU_ASSERT_STRING_NOT_EQUAL(a->says, b->says);
        }
    }
}

static void test_one_sentence(void) {
    for (size_t i = 0; i < NOTE_COUNT; i++) {
        const char *says = note_info((enum note_id)i)->says;
        size_t len = strlen(says);
        CU_ASSERT_FATAL(len > 10 && len <= 100);
        CU_ASSERT_EQUAL(says[len - 1], '.');
        CU_ASSERT_PTR_NULL(strstr(says, ". "));
    }
}

static void test_parse(void) {
    for (size_t i = 0; i < NOTE_COUNT; i++) {
        enum note_id id = NOTE_COUNT;
        CU_ASSERT_TRUE(note_parse(&id, note_info((enum note_id)i)->id));
        CU_ASSERT_EQUAL(id, (enum note_id)i);
    }
}

static void test_parse_unknown(void) {
    static const char *const bad[] = {"", "ch-", "ch-trailing-byte", "CH-TRAILING-BYTES",
                                      "ch-trailing-bytes "};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        enum note_id id = NOTE_CH_SSLV2;
        CU_ASSERT_FALSE(note_parse(&id, bad[i]));
        CU_ASSERT_EQUAL(id, NOTE_CH_SSLV2);
    }
}

static void info_of_count(void) { (void)note_info(NOTE_COUNT); }

static void test_out_of_range(void) { CU_ASSERT_TRUE(unit_aborts(info_of_count, "NOTE_COUNT")); }

const struct unit_case unit_cases[] = {
    {"ids stay what they were", test_kept},
    {"every id is kebab case after a known prefix", test_id_has_shape},
    {"ids and sentences are unique", test_unique},
    {"a note says one sentence", test_one_sentence},
    {"every id parses back", test_parse},
    {"an unknown id changes nothing", test_parse_unknown},
    {"an id out of range aborts", test_out_of_range},
    {NULL, NULL},
};
