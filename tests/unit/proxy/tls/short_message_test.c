#include "proxy/tls/short_message.h"

#include "proxy/tls/handshake.h"
#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

static void test_alerts(void) {
    // clang-format off
    static const struct {
        const char *bytes;
        bool ok;
        enum note_id note; // NOTE_COUNT: none
    } rows[] = {
        {"02 28",    true,  NOTE_COUNT},
        {"01 00",    true,  NOTE_COUNT},
        {"01 70",    true,  NOTE_COUNT}, // unrecognized_name
        {"02 00",    true,  NOTE_ALERT_FATAL_CLOSE_NOTIFY},
        {"01 28",    true,  NOTE_ALERT_WARNING_ALWAYS_FATAL},
        {"03 28",    true,  NOTE_ALERT_LEVEL_UNKNOWN},
        {"02 fe",    true,  NOTE_ALERT_UNKNOWN},
        {"02 29",    true,  NOTE_ALERT_OBSOLETE},
        {"02 28 00", true,  NOTE_ALERT_LENGTH},
        {"02",       false, NOTE_ALERT_LENGTH},
        {"",         false, NOTE_ALERT_LENGTH},
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct made m = made_hex(rows[i].bytes);
        struct alert alert;
        struct note_sink notes = {0};
        CU_ASSERT_EQUAL(alert_parse(&alert, &notes, m.p, m.len, m.len), rows[i].ok);
        CU_ASSERT_EQUAL(alert.level, rows[i].ok ? m.p[0] : 0);
        CU_ASSERT_EQUAL(alert.code, rows[i].ok ? m.p[1] : 0);
        CU_ASSERT_EQUAL(notes.num, rows[i].note != NOTE_COUNT ? 1 : 0);
        CU_ASSERT_EQUAL(noted(&notes, rows[i].note), rows[i].note != NOTE_COUNT ? 1 : 0);
        made_free(&m);
    }
}

static void test_finished(void) {
    static const char *const names[] = {"finished12", "finished13"};
    struct note_sink notes = {0};
    CBS data;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct sample *s = sample_get(names[i]);
        CU_ASSERT_TRUE(finished_parse(&data, &notes, s->p, s->len));
        CU_ASSERT_EQUAL(CBS_len(&data), s->len - 4);
    }
    CU_ASSERT_EQUAL(notes.num, 0);
    struct made m = made_message(20, "aabb");
    CU_ASSERT_TRUE(finished_parse(&data, &notes, m.p, m.len));
    CU_ASSERT_EQUAL(noted(&notes, NOTE_HS_FINISHED_LENGTH), 1);
    made_free(&m);
}

static void test_key_update(void) {
    static const char *const bodies[] = {"00", "01", "02", "", "0000"};
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct made m = made_message(24, bodies[i]);
        struct note_sink notes = {0};
        bool requested = false;
        CU_ASSERT_EQUAL(key_update_parse(&requested, &notes, m.p, m.len), i < 2);
        CU_ASSERT_EQUAL(requested, i == 1);
        CU_ASSERT_EQUAL(noted(&notes, NOTE_HS_KEY_UPDATE_MALFORMED), i < 2 ? 0 : 1);
        made_free(&m);
    }
}

static void test_empty(void) {
    const struct sample *s = sample_get("server-hello-done");
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(empty_message_parse(&notes, HANDSHAKE_SERVER_HELLO_DONE, s->p, s->len));
    CU_ASSERT_FALSE(empty_message_parse(&notes, HANDSHAKE_HELLO_REQUEST, s->p, s->len));
    CU_ASSERT_EQUAL(notes.num, 0);
    struct made m = made_message(0, "aa");
    CU_ASSERT_TRUE(empty_message_parse(&notes, HANDSHAKE_HELLO_REQUEST, m.p, m.len));
    CU_ASSERT_EQUAL(noted(&notes, NOTE_HS_BODY_NOT_EMPTY), 1);
    made_free(&m);
}

const struct unit_case unit_cases[] = {
    {"alerts", test_alerts},
    {"Finished", test_finished},
    {"KeyUpdate", test_key_update},
    {"messages without a body", test_empty},
    {NULL, NULL},
};
