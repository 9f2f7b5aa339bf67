#include "logs/record/note.h"

#include <ctype.h>
#include <string.h>

#include "tests/unit/unit.h"

static const char *const names[] = {
#define NOTE(name, id, says) #name,
#include "logs/record/note.inc"
#undef NOTE
};

static const char *const prefixes[] = {"ch-",  "sh-",  "ee-", "cr-",    "cert-", "ske-",  "cv-",
                                       "nst-", "rec-", "hs-", "alert-", "tcp-",  "http-", "front-"};

static void test_id_is_enumerator(void) {
    CU_ASSERT_EQUAL(ARRAY_LEN(names), NOTE_COUNT);
    for (size_t i = 0; i < NOTE_COUNT; i++) {
        const char *id = note_info((enum note_id)i)->id;
        CU_ASSERT_EQUAL_FATAL(strlen(id), strlen(names[i]));
        for (size_t j = 0; id[j] != '\0'; j++) {
            char expected = names[i][j] == '_' ? '-' : (char)tolower((unsigned char)names[i][j]);
            CU_ASSERT_EQUAL(id[j], expected);
        }
    }
}

static void test_id_has_prefix(void) {
    for (size_t i = 0; i < NOTE_COUNT; i++) {
        const char *id = note_info((enum note_id)i)->id;
        bool found = false;
        for (size_t j = 0; j < ARRAY_LEN(prefixes); j++) {
            found = found || strncmp(id, prefixes[j], strlen(prefixes[j])) == 0;
        }
        CU_ASSERT_TRUE(found);
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
    {"the id is the enumerator in kebab case", test_id_is_enumerator},
    {"every id has a known prefix", test_id_has_prefix},
    {"ids and sentences are unique", test_unique},
    {"a note says one sentence", test_one_sentence},
    {"every id parses back", test_parse},
    {"an unknown id changes nothing", test_parse_unknown},
    {"an id out of range aborts", test_out_of_range},
    {NULL, NULL},
};
