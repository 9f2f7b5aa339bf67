#include "proxy/tls/encrypted_extensions.h"

#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

static void test_openssl(void) {
    const struct sample *s = sample_get("encrypted-extensions");
    struct encrypted_extensions ee;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(encrypted_extensions_parse(&ee, &notes, s->p, s->len));
    CU_ASSERT_TRUE(CBS_mem_equal(&ee.alpn, (const uint8_t *)"h2", 2));
    CU_ASSERT_EQUAL(ee.num_extensions, 1);
    CU_ASSERT_EQUAL(notes.num, 0);
}

static void test_all(void) {
    struct made m = made_message(8, "003b 0000 0000 0001 0001 01 000a 0004 0002 001d 001c 0002 4001"
                                    "002a 0000 0039 0001 aa 44cd 0002 bbcc fe0d 0004 0002 dddd"
                                    "0010 0005 0003 026832");
    m.p[4 + 1] = (uint8_t)(m.len - 6);
    struct encrypted_extensions ee;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(encrypted_extensions_parse(&ee, &notes, m.p, m.len));
    CU_ASSERT_EQUAL(ee.num_extensions, 9);
    CU_ASSERT_TRUE(ee.server_name && ee.early_data);
    CU_ASSERT_EQUAL(ee.max_fragment_length, 1);
    CU_ASSERT_EQUAL(code_list_at(&ee.groups, 0), 29);
    CU_ASSERT_EQUAL(ee.record_size_limit, 16385);
    CU_ASSERT_EQUAL(CBS_len(&ee.quic_parameters), 1);
    CU_ASSERT_EQUAL(ee.alps_type, 17613);
    CU_ASSERT_EQUAL(CBS_len(&ee.alps), 2);
    CU_ASSERT_EQUAL(CBS_len(&ee.ech_retry_configs), 2);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_EE_ECH_RETRY), 1);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_EE_EARLY_DATA_ACCEPTED), 1);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_EE_EXTENSION_MALFORMED), 0);
    made_free(&m);
}

static void test_oddities(void) {
    // clang-format off
    static const struct {
        const char *body;
        enum note_id note;
        bool ok;
    } rows[] = {
        {"0004 0033 0000",                     NOTE_EE_EXTENSION_FORBIDDEN, true},
        {"0008 0000 0000 0000 0000",           NOTE_EE_EXTENSION_DUPLICATE, true},
        {"0005 0000 0001 00",                  NOTE_EE_EXTENSION_MALFORMED, true},
        {"0006 0010 0002 0000",                NOTE_EE_ALPN_SEVERAL,        true},
        {"0000 aa",                            NOTE_EE_TRAILING_BYTES,      true},
        {"0005 0000 0000",                     NOTE_EE_TRUNCATED,           false},
        {"00",                                 NOTE_EE_TRUNCATED,           false},
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct made m = made_message(8, rows[i].body);
        struct encrypted_extensions ee;
        struct note_sink notes = {0};
        CU_ASSERT_EQUAL(encrypted_extensions_parse(&ee, &notes, m.p, m.len), rows[i].ok);
        CU_ASSERT_EQUAL(noted(&notes, rows[i].note), 1);
        made_free(&m);
    }
}

static void abuse(const uint8_t *p, size_t p_len) {
    struct encrypted_extensions ee;
    struct note_sink notes = {0};
    (void)!encrypted_extensions_parse(&ee, &notes, p, p_len);
}

static void test_survives(void) { sample_abuse(sample_get("encrypted-extensions"), abuse); }

const struct unit_case unit_cases[] = {
    {"OpenSSL's", test_openssl},
    {"all extensions", test_all},
    {"oddities", test_oddities},
    {"survives cuts and changes", test_survives},
    {NULL, NULL},
};
