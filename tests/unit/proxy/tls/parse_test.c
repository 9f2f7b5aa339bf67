#include "proxy/tls/parse.h"

#include "proxy/tls/extension.h"
#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

static const struct parse_ids ids = {
    .truncated = NOTE_EE_TRUNCATED,
    .trailing = NOTE_EE_TRAILING_BYTES,
    .ext_length = NOTE_EE_TRUNCATED,
    .ext_duplicate = NOTE_EE_EXTENSION_DUPLICATE,
    .ext_malformed = NOTE_EE_EXTENSION_MALFORMED,
    .ext_forbidden = NOTE_EE_EXTENSION_FORBIDDEN,
    .ext_message = EXT_IN_EE,
};

static void test_open(void) {
    // clang-format off
    static const struct {
        const char *message;
        bool opens, ok;
        size_t body_len;
        unsigned truncated, trailing;
    } rows[] = {
        {"08 000002 aabb",    true,  true,  2, 0, 0},
        {"08 000003 aabb",    true,  false, 2, 1, 0},
        {"08 000001 aabb",    true,  true,  1, 0, 1},
        {"08 000000",         true,  true,  0, 0, 0},
        {"08 0000",           false, false, 0, 1, 0},
        {"",                  false, false, 0, 1, 0},
        {"09 000002 aabb",    false, false, 0, 0, 0},
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct made m = made_hex(rows[i].message);
        struct parse ps;
        struct note_sink notes = {0};
        CBS body;
        CU_ASSERT_EQUAL(parse_open(&ps, &body, &ids, &notes, 8, m.p, m.len), rows[i].opens);
        CU_ASSERT_EQUAL(ps.ok, rows[i].ok);
        CU_ASSERT_EQUAL(CBS_len(&body), rows[i].body_len);
        CU_ASSERT_EQUAL(noted(&notes, NOTE_EE_TRUNCATED), rows[i].truncated);
        CU_ASSERT_EQUAL(noted(&notes, NOTE_EE_TRAILING_BYTES), rows[i].trailing);
        made_free(&m);
    }
}

static void test_codes(void) {
    struct made m = made_hex("0005 0001 0002 03 02 0a0b");
    CBS cbs;
    struct code_list list;
    CBS_init(&cbs, m.p, m.len);
    CU_ASSERT_FALSE(parse_codes16(&list, &cbs, 2)); // a byte is left over
    CU_ASSERT_EQUAL(list.num, 2);
    CU_ASSERT_EQUAL(code_list_at(&list, 1), 2);
    CU_ASSERT_TRUE(parse_codes8(&list, &cbs, 1));
    CU_ASSERT_EQUAL(list.num, 2);
    CU_ASSERT_TRUE(code_list_has(&list, 0x0b));
    CU_ASSERT_FALSE(code_list_has(&list, 0x0c));
    CU_ASSERT_FALSE(parse_codes8(&list, &cbs, 1));
    made_free(&m);
}

static void test_duplicates(void) {
    struct made m = made_hex("0001 0100 ffff 0000 0001");
    struct code_list list = {.p = m.p, .num = 4, .width = 2};
    CU_ASSERT_FALSE(parse_has_duplicate(&list));
    list.num = 5;
    CU_ASSERT_TRUE(parse_has_duplicate(&list));
    made_free(&m);
}

static bool flag(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    return parse_flag(out, body);
}

static void test_extensions(void) {
    static const struct parse_extension rows[] = {{EXT_EARLY_DATA, flag}};
    struct made m = made_hex("0019 002a 0001 00 002a 0000 0033 0000 0a0a 0000 e001 0000 0001 01");
    struct note_sink notes = {0};
    struct parse ps = {.base = m.p, .notes = &notes, .ok = true};
    CBS cbs, block;
    uint16_t num;
    bool early_data = false;
    CBS_init(&cbs, m.p, m.len);
    parse_extensions(&ps, &block, &num, &cbs, &early_data, &ids, rows, ARRAY_LEN(rows));
    CU_ASSERT_EQUAL(num, 5);
    CU_ASSERT_TRUE(early_data);
    CU_ASSERT_FALSE(ps.ok); // the last one is cut
    CU_ASSERT_TRUE(noted_at(&notes, NOTE_EE_EXTENSION_MALFORMED, 2));
    CU_ASSERT_TRUE(noted_at(&notes, NOTE_EE_EXTENSION_DUPLICATE, 7));
    CU_ASSERT_TRUE(noted_at(&notes, NOTE_EE_EXTENSION_FORBIDDEN, 11));
    CU_ASSERT_TRUE(ps.ext_grease);
    CU_ASSERT_PTR_EQUAL(ps.ext_unknown, m.p + 19);
    CU_ASSERT_TRUE(parse_has_extension(&ps, EXT_KEY_SHARE));
    CU_ASSERT_FALSE(parse_has_extension(&ps, EXT_ALPN));
    made_free(&m);
}

static void test_one_name(void) {
    // clang-format off
    static const struct {
        const char *body;
        bool ok, one;
    } rows[] = {
        {"0003 02 6832",         true,  true},
        {"0006 02 6832 02 6833", true,  false},
        {"0001 00",              true,  false},
        {"0000",                 false, false},
        {"0003 05 6832",         false, false},
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct made m = made_hex(rows[i].body);
        CBS body, name;
        bool one;
        CBS_init(&body, m.p, m.len);
        CU_ASSERT_EQUAL(parse_one_name(&name, &one, &body), rows[i].ok);
        CU_ASSERT_EQUAL(one, rows[i].one);
        made_free(&m);
    }
}

const struct unit_case unit_cases[] = {
    {"the header", test_open},       {"lists of codes", test_codes},
    {"duplicates", test_duplicates}, {"extensions", test_extensions},
    {"one name", test_one_name},     {NULL, NULL},
};
