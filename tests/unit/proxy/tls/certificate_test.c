#include "proxy/tls/certificate.h"

#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

static void test_tls13(void) {
    const struct sample *s = sample_get("certificate13");
    struct certificate_message message;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(certificate_parse(&message, &notes, true, s->p, s->len));
    CU_ASSERT_EQUAL(message.num_entries, 2);
    CU_ASSERT_EQUAL(CBS_len(&message.context), 0);
    CU_ASSERT_EQUAL(notes.num, 0);
    CBS entries = message.entries;
    struct certificate_entry entry;
    CU_ASSERT_TRUE(certificate_next(&message, &entries, &entry));
    CU_ASSERT_EQUAL(CBS_data(&entry.der)[0], 0x30);
    CU_ASSERT_EQUAL(CBS_len(&entry.staple), 677);
    CU_ASSERT_EQUAL(entry.num_extensions, 1);
    CU_ASSERT_TRUE(certificate_next(&message, &entries, &entry));
    CU_ASSERT_PTR_NULL(CBS_data(&entry.staple));
    CU_ASSERT_FALSE(certificate_next(&message, &entries, &entry));
}

static void test_tls12(void) {
    const struct sample *s = sample_get("certificate12");
    struct certificate_message message;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(certificate_parse(&message, &notes, false, s->p, s->len));
    CU_ASSERT_EQUAL(message.num_entries, 2);
    CU_ASSERT_EQUAL(notes.num, 0);
}

static void test_oddities(void) {
    // clang-format off
    static const struct {
        bool tls13;
        const char *body;
        enum note_id note;
        bool ok;
        uint16_t num;
    } rows[] = {
        {false, "000000",                       NOTE_CERT_LIST_EMPTY,          true,  0},
        {false, "000003 000000",                NOTE_CERT_ENTRY_EMPTY,         true,  1},
        {false, "000005 000002 3100",           NOTE_CERT_DER_MALFORMED,       true,  1},
        {false, "000006 000003 3000 aa",        NOTE_CERT_DER_TRAILING_BYTES,  true,  1},
        {false, "000005 000002 3000 aa",        NOTE_CERT_TRAILING_BYTES,      true,  1},
        {false, "000009 000002 3000 000009 30", NOTE_CERT_TRUNCATED,           false, 1},
        {false, "000009 000002 3000",           NOTE_CERT_TRUNCATED,           false, 1},
        {false, "0000",                         NOTE_CERT_TRUNCATED,           false, 0},
        {true,  "00 00000b 000002 3000 0004 0000 0000", NOTE_CERT_EXTENSION_FORBIDDEN, true, 1},
        {true,  "00 00000c 000002 3000 0005 0005 0001 02", NOTE_CERT_STATUS_MALFORMED, true, 1},
        {true,  "00 00000c 000002 3000 0005 0012 0001 00", NOTE_CERT_EXTENSION_MALFORMED, true, 1},
        {true,  "00 00000f 000002 3000 0008 0022 0000 0022 0000",
                                                NOTE_CERT_EXTENSION_DUPLICATE, true,  1},
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct made m = made_message(11, rows[i].body);
        struct certificate_message message;
        struct note_sink notes = {0};
        CU_ASSERT_EQUAL(certificate_parse(&message, &notes, rows[i].tls13, m.p, m.len), rows[i].ok);
        CU_ASSERT_EQUAL(noted(&notes, rows[i].note), 1);
        CU_ASSERT_EQUAL(message.num_entries, rows[i].num);
        made_free(&m);
    }
}

static void test_chain_of_100(void) {
    struct made list = made_copy(NULL, 0), m = made_hex("0b 0001f7 0001f4");
    for (int i = 0; i < 100; i++) {
        made_join(&list, made_hex("000002 3000"));
    }
    made_join(&m, list);
    struct certificate_message message;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(certificate_parse(&message, &notes, false, m.p, m.len));
    CU_ASSERT_EQUAL(message.num_entries, 100);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CERT_CHAIN_HUGE), 1);
    made_free(&m);
}

static void test_compressed(void) {
    struct made m = made_message(25, "0002 000400 000003 aabbcc");
    struct compressed_certificate out;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(compressed_certificate_parse(&out, &notes, m.p, m.len));
    CU_ASSERT_EQUAL(out.algorithm, 2);
    CU_ASSERT_EQUAL(out.uncompressed_len, 1024);
    CU_ASSERT_EQUAL(CBS_len(&out.compressed), 3);
    CU_ASSERT_FALSE(compressed_certificate_parse(&out, &notes, m.p, m.len - 1));
    CU_ASSERT_NOT_EQUAL(noted(&notes, NOTE_CERT_TRUNCATED), 0);
    made_free(&m);
}

static void test_status(void) {
    const struct sample *s = sample_get("certificate-status12");
    struct certificate_status status;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(certificate_status_parse(&status, &notes, s->p, s->len));
    CU_ASSERT_EQUAL(status.type, 1);
    CU_ASSERT_EQUAL(CBS_len(&status.staple), 677);
    struct made m = made_message(22, "02 000008 000002 aabb 000000");
    CU_ASSERT_TRUE(certificate_status_parse(&status, &notes, m.p, m.len));
    CU_ASSERT_EQUAL(status.num_staples, 2);
    CU_ASSERT_EQUAL(CBS_len(&status.staple), 2);
    CU_ASSERT_EQUAL(notes.num, 0);
    made_free(&m);
    static const char *const broken[] = {"", "03 000000", "01 000002 aa", "02 000004 000002 aa"};
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        notes.num = 0;
        m = made_message(22, broken[i]);
        CU_ASSERT_FALSE(certificate_status_parse(&status, &notes, m.p, m.len));
        CU_ASSERT_EQUAL(noted(&notes, NOTE_CERT_STATUS_MALFORMED), 1);
        made_free(&m);
    }
}

static void abuse(const uint8_t *p, size_t p_len) {
    struct note_sink notes = {0};
    for (int tls13 = 0; tls13 < 2; tls13++) {
        struct certificate_message message;
        (void)!certificate_parse(&message, &notes, tls13 != 0, p, p_len);
        CBS entries = message.entries;
        struct certificate_entry entry;
        unsigned num = 0;
        while (certificate_next(&message, &entries, &entry)) {
            num++;
        }
        CU_ASSERT_TRUE(num >= message.num_entries);
    }
    struct certificate_status status;
    struct compressed_certificate compressed;
    (void)!certificate_status_parse(&status, &notes, p, p_len);
    (void)!compressed_certificate_parse(&compressed, &notes, p, p_len);
}

static void test_survives(void) {
    sample_abuse(sample_get("certificate13"), abuse);
    sample_abuse(sample_get("certificate12"), abuse);
    sample_abuse(sample_get("certificate-status12"), abuse);
}

const struct unit_case unit_cases[] = {
    {"TLS 1.3", test_tls13},
    {"TLS 1.2", test_tls12},
    {"oddities", test_oddities},
    {"a chain of 100", test_chain_of_100},
    {"compressed", test_compressed},
    {"status", test_status},
    {"survives cuts and changes", test_survives},
    {NULL, NULL},
};
