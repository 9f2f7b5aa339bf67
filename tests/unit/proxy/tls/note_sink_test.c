#include "proxy/tls/note_sink.h"

#include "tests/unit/unit.h"

static void test_counts_and_keeps_first_offset(void) {
    struct note_sink sink = {0};
    note_sink_add(&sink, NOTE_CH_SNI_NUL, 7);
    note_sink_add(&sink, NOTE_CH_SNI_NUL, 9);
    note_sink_add(&sink, NOTE_CH_SSLV2, 0);
    CU_ASSERT_EQUAL(sink.num, 2);
    const struct note_seen *seen = note_sink_find(&sink, NOTE_CH_SNI_NUL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(seen);
    CU_ASSERT_EQUAL(seen->times, 2);
    CU_ASSERT_EQUAL(seen->offset, 7);
    CU_ASSERT_PTR_NULL(note_sink_find(&sink, NOTE_CH_ECH));
}

static void test_has_a_ceiling(void) {
    struct note_sink sink = {0};
    for (int id = 0; id < NOTE_SINK_MAX + 5; id++) {
        note_sink_add(&sink, (enum note_id)id, 1);
    }
    note_sink_add(&sink, (enum note_id)0, 2);
    CU_ASSERT_EQUAL(sink.num, NOTE_SINK_MAX);
    CU_ASSERT_EQUAL(sink.num_dropped, 5);
    CU_ASSERT_EQUAL(sink.notes[0].times, 2);
}

static void test_null_is_nothing(void) { note_sink_add(NULL, NOTE_CH_SSLV2, 0); }

const struct unit_case unit_cases[] = {
    {"counts and keeps the first offset", test_counts_and_keeps_first_offset},
    {"has a ceiling", test_has_a_ceiling},
    {"NULL is nothing", test_null_is_nothing},
    {NULL, NULL},
};
