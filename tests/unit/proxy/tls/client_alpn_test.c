#include "proxy/tls/client_hello.h"
#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

static struct client_hello parse(struct made *out_bytes, struct note_sink *out_notes,
                                 const char *extensions) {
    struct client_hello ch;
    *out_bytes = made_hello(extensions);
    *out_notes = (struct note_sink){0};
    CU_ASSERT_TRUE(client_hello_parse(&ch, out_notes, out_bytes->p, out_bytes->len));
    return ch;
}

static void test_alpn(void) {
    struct made m;
    struct note_sink notes;
    struct client_hello ch = parse(&m, &notes, "0010 000b 0009 02 6832 02 0a0a 02 6833");
    CU_ASSERT_EQUAL(ch.num_alpn, 3);
    CU_ASSERT_EQUAL(ch.grease, GREASE_ALPN);
    CBS names = ch.alpn, name;
    CU_ASSERT_TRUE(name_next(&names, &name));
    CU_ASSERT_TRUE(CBS_mem_equal(&name, (const uint8_t *)"h2", 2));
    CU_ASSERT_TRUE(name_next(&names, &name) && name_next(&names, &name));
    CU_ASSERT_FALSE(name_next(&names, &name));
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_ALPN_MALFORMED), 0);
    made_free(&m);
}

static void test_odd_alpn(void) {
    // clang-format off
    static const struct {
        const char *extension;
        enum note_id note;
        uint16_t num;
    } rows[] = {
        {"0010 0002 0000",                NOTE_CH_ALPN_EMPTY,      0},
        {"0010 0006 0004 00 02 6832",     NOTE_CH_ALPN_EMPTY_NAME, 2},
        {"0010 0008 0006 026832 026832",  NOTE_CH_ALPN_DUPLICATE,  2},
        {"0010 0006 0004 02 6832 05",     NOTE_CH_ALPN_MALFORMED,  1},
        {"0010 0001 00",                  NOTE_CH_ALPN_MALFORMED,  0},
        {"0010 0005 0009 026832",         NOTE_CH_ALPN_MALFORMED,  0},
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct made m;
        struct note_sink notes;
        struct client_hello ch = parse(&m, &notes, rows[i].extension);
        CU_ASSERT_EQUAL(noted(&notes, rows[i].note), 1);
        CU_ASSERT_EQUAL(ch.num_alpn, rows[i].num);
        made_free(&m);
    }
}

static void test_alps(void) {
    struct made m;
    struct note_sink notes;
    struct client_hello ch = parse(&m, &notes, "44cd 0005 0003 02 6832");
    CU_ASSERT_EQUAL(ch.num_alps, 1);
    CU_ASSERT_EQUAL(ch.alps_type, 17613);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_ALPS_LEGACY), 0);
    made_free(&m);
    ch = parse(&m, &notes, "4469 0005 0003 02 6832");
    CU_ASSERT_EQUAL(ch.alps_type, 17513);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_ALPS_LEGACY), 1);
    made_free(&m);
}

static void test_npn(void) {
    struct made m;
    struct note_sink notes;
    CU_ASSERT_TRUE(parse(&m, &notes, "3374 0000").npn);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_NPN_OFFERED), 1);
    made_free(&m);
}

const struct unit_case unit_cases[] = {
    {"ALPN", test_alpn}, {"odd ALPN", test_odd_alpn}, {"ALPS", test_alps}, {"NPN", test_npn},
    {NULL, NULL},
};
