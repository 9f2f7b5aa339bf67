#include <string.h>

#include "proxy/tls/client_hello.h"
#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

// Makes a hello for `name`, parses it and returns its notes.
static struct note_sink name_notes(const char *name, size_t name_len) {
    char hex[4096];
    int n = snprintf(hex, sizeof(hex), "0000 %04zx %04zx 00 %04zx", name_len + 5, name_len + 3,
                     name_len);
    for (size_t i = 0; i < name_len; i++) {
        n += snprintf(hex + n, sizeof(hex) - (size_t)n, "%02x", (uint8_t)name[i]);
    }
    struct made m = made_hello(hex);
    struct client_hello ch;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(client_hello_parse(&ch, &notes, m.p, m.len));
    CU_ASSERT_EQUAL(CBS_len(&ch.sni), name_len);
    CU_ASSERT_TRUE(memcmp(CBS_data(&ch.sni), name, name_len) == 0);
    made_free(&m);
    return notes;
}

static void test_odd_names(void) {
    // clang-format off
    static const struct {
        const char *name;
        size_t len;
        enum note_id note;
    } rows[] = {
#define ROW(name, note) {name, sizeof(name) - 1, note}
        ROW("sample.test",                 NOTE_COUNT),
        ROW("xn--bcher-kva.test",          NOTE_COUNT),
        ROW("",                            NOTE_CH_SNI_EMPTY),
        ROW("a\0b.test",                   NOTE_CH_SNI_NUL),
        ROW("127.0.0.1",                   NOTE_CH_SNI_IP_ADDRESS),
        ROW("::1",                         NOTE_CH_SNI_IP_ADDRESS),
        ROW("[2001:db8::1]",               NOTE_CH_SNI_IP_ADDRESS),
        ROW("my_host.test",                NOTE_CH_SNI_UNDERSCORE),
        ROW("b\xc3\xbc" "cher.test",       NOTE_CH_SNI_NON_ASCII),
        ROW("a b.test",                    NOTE_CH_SNI_BAD_CHARACTER),
        ROW("https://sample.test/",        NOTE_CH_SNI_BAD_CHARACTER),
        ROW("sample.test.",                NOTE_CH_SNI_TRAILING_DOT),
        ROW("a123456789a123456789a123456789a123456789a123456789a123456789abcd.test",
            NOTE_CH_SNI_TOO_LONG),
#undef ROW
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct note_sink notes = name_notes(rows[i].name, rows[i].len);
        for (int id = NOTE_CH_SNI_MISSING; id <= NOTE_CH_SNI_SEVERAL; id++) {
            CU_ASSERT_EQUAL(noted(&notes, (enum note_id)id) != 0, id == (int)rows[i].note);
        }
    }
}

static void test_long_name(void) {
    char name[1000];
    for (size_t i = 0; i < sizeof(name); i++) {
        name[i] = i % 10 == 9 ? '.' : 'a';
    }
    name[253] = 'a';
    struct note_sink at_limit = name_notes(name, 253), above = name_notes(name, 254);
    CU_ASSERT_EQUAL(noted(&at_limit, NOTE_CH_SNI_TOO_LONG), 0);
    CU_ASSERT_EQUAL(noted(&above, NOTE_CH_SNI_TOO_LONG), 1);
}

static void test_lists(void) {
    struct made m = made_hello("0000 000e 000c 01 0001 61 00 0001 62 00 0001 63");
    struct client_hello ch;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(client_hello_parse(&ch, &notes, m.p, m.len));
    CU_ASSERT_EQUAL(ch.num_sni, 3);
    CU_ASSERT_TRUE(CBS_mem_equal(&ch.sni, (const uint8_t *)"b", 1));
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_SNI_SEVERAL), 1);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_SNI_TYPE_UNKNOWN), 1);
    made_free(&m);
}

static void test_wrong_list_length_hides_nothing(void) {
    struct made m = made_hello("0000 0007 2a2a 00 0002 3432");
    struct client_hello ch;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(client_hello_parse(&ch, &notes, m.p, m.len));
    CU_ASSERT_TRUE(CBS_mem_equal(&ch.sni, (const uint8_t *)"42", 2));
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CH_EXTENSION_MALFORMED), 1);
    made_free(&m);
}

const struct unit_case unit_cases[] = {
    {"odd names", test_odd_names},
    {"long names", test_long_name},
    {"lists of names", test_lists},
    {"a wrong list length hides nothing", test_wrong_list_length_hides_nothing},
    {NULL, NULL},
};
