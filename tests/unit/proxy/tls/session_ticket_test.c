#include "proxy/tls/session_ticket.h"

#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

static void test_openssl(void) {
    struct session_ticket nst;
    struct note_sink notes = {0};
    const struct sample *s = sample_get("session-ticket13");
    CU_ASSERT_TRUE(session_ticket_parse(&nst, &notes, true, s->p, s->len));
    CU_ASSERT_EQUAL(nst.lifetime, 7200);
    CU_ASSERT_EQUAL(CBS_len(&nst.nonce), 8);
    CU_ASSERT_NOT_EQUAL(CBS_len(&nst.ticket), 0);
    CU_ASSERT_FALSE(nst.has_early_data);
    s = sample_get("session-ticket12");
    CU_ASSERT_TRUE(session_ticket_parse(&nst, &notes, false, s->p, s->len));
    CU_ASSERT_EQUAL(nst.lifetime, 7200);
    CU_ASSERT_EQUAL(CBS_len(&nst.ticket), 176);
    CU_ASSERT_EQUAL(notes.num, 0);
}

static void test_oddities(void) {
    // clang-format off
    static const struct {
        bool tls13;
        const char *body;
        enum note_id note; // NOTE_COUNT: none
        bool ok;
    } rows[] = {
        {true,  "00093a80 01020304 00 0001 aa 0008 002a 0004 00004000", NOTE_COUNT,       true},
        {true,  "00093a81 01020304 00 0001 aa 0000", NOTE_NST_LIFETIME_TOO_LONG,          true},
        {false, "00093a81 0001 aa",                  NOTE_COUNT,                          true},
        {false, "00000000 0000",                     NOTE_NST_EMPTY,                      true},
        {false, "00000000 0001 aa bb",               NOTE_NST_TRAILING_BYTES,             true},
        {true,  "00000000 01020304 00 0001 aa 0005 002a 0001 00",
                                                     NOTE_NST_EXTENSION_MALFORMED,        true},
        {true,  "00000000 01020304 00 0001 aa 0010 002a 0004 00000000 002a 0004 00000000",
                                                     NOTE_NST_EXTENSION_DUPLICATE,        true},
        {true,  "00000000 0001 aa",                  NOTE_NST_TRUNCATED,                  false},
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct made m = made_message(4, rows[i].body);
        struct session_ticket nst;
        struct note_sink notes = {0};
        CU_ASSERT_EQUAL(session_ticket_parse(&nst, &notes, rows[i].tls13, m.p, m.len), rows[i].ok);
        CU_ASSERT_EQUAL(notes.num, rows[i].note != NOTE_COUNT ? 1 : 0);
        CU_ASSERT_EQUAL(noted(&notes, rows[i].note), rows[i].note != NOTE_COUNT ? 1 : 0);
        if (i == 0) {
            CU_ASSERT_TRUE(nst.has_early_data);
            CU_ASSERT_EQUAL(nst.early_data_max, 0x4000);
            CU_ASSERT_EQUAL(nst.age_add, 0x01020304);
        }
        made_free(&m);
    }
}

static void abuse(const uint8_t *p, size_t p_len) {
    struct session_ticket nst;
    struct note_sink notes = {0};
    (void)!session_ticket_parse(&nst, &notes, true, p, p_len);
    (void)!session_ticket_parse(&nst, &notes, false, p, p_len);
}

static void test_survives(void) { sample_abuse(sample_get("session-ticket13"), abuse); }

const struct unit_case unit_cases[] = {
    {"OpenSSL's", test_openssl},
    {"oddities", test_oddities},
    {"survives cuts and changes", test_survives},
    {NULL, NULL},
};
