#include "proxy/tls/key_exchange.h"

#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

enum { TLS10 = 0x0301, TLS12 = 0x0303, TLS13 = 0x0304 };

static void test_ecdhe(void) {
    const struct sample *s = sample_get("server-key-exchange-ecdhe12");
    struct server_key_exchange ske;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(server_key_exchange_parse(&ske, &notes, TLS12, 0xc02c, s->p, s->len));
    CU_ASSERT_EQUAL(ske.group, 29);
    CU_ASSERT_EQUAL(CBS_len(&ske.public_key), 32);
    CU_ASSERT_TRUE(ske.has_scheme);
    CU_ASSERT_EQUAL(ske.scheme, 0x0403);
    CU_ASSERT_NOT_EQUAL(CBS_len(&ske.signature), 0);
    CU_ASSERT_EQUAL(notes.num, 0);
}

static void test_ecdhe_before_tls12(void) {
    const struct sample *s = sample_get("server-key-exchange-ecdhe10");
    struct server_key_exchange ske;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(server_key_exchange_parse(&ske, &notes, TLS10, 0xc013, s->p, s->len));
    CU_ASSERT_EQUAL(ske.group, 29);
    CU_ASSERT_FALSE(ske.has_scheme);
    CU_ASSERT_EQUAL(CBS_len(&ske.signature), 256);
    CU_ASSERT_EQUAL(notes.num, 0);
}

static void test_dhe(void) {
    const struct sample *s = sample_get("server-key-exchange-dhe12");
    struct server_key_exchange ske;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(server_key_exchange_parse(&ske, &notes, TLS12, 0x009e, s->p, s->len));
    CU_ASSERT_EQUAL(ske.prime_bits, 2048);
    CU_ASSERT_EQUAL(CBS_len(&ske.generator), 1);
    CU_ASSERT_TRUE(ske.has_scheme);
    CU_ASSERT_EQUAL(notes.num, 0);
}

static void test_other_kinds(void) {
    struct server_key_exchange ske;
    struct note_sink notes = {0};
    struct made m = made_message(12, "0004 68696e74");
    CU_ASSERT_TRUE(server_key_exchange_parse(&ske, &notes, TLS12, 0x008c, m.p, m.len)); // PSK
    CU_ASSERT_TRUE(CBS_mem_equal(&ske.psk_hint, (const uint8_t *)"hint", 4));
    made_free(&m);
    m = made_message(12, "0000 03 001d 01 aa"); // ECDHE_PSK: no signature
    CU_ASSERT_TRUE(server_key_exchange_parse(&ske, &notes, TLS12, 0xc035, m.p, m.len));
    CU_ASSERT_EQUAL(noted(&notes, NOTE_SKE_KEY_LENGTH), 1);
    made_free(&m);
    m = made_message(12, "0002 00ff 0001 02 0001 03"); // DH_anon
    CU_ASSERT_TRUE(server_key_exchange_parse(&ske, &notes, TLS12, 0x0034, m.p, m.len));
    CU_ASSERT_EQUAL(ske.prime_bits, 8);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_SKE_DH_SMALL), 1);
    made_free(&m);
    m = made_message(12, "0002 1fff 0001 02 01 aa 0001 bb"); // SRP
    CU_ASSERT_TRUE(server_key_exchange_parse(&ske, &notes, TLS12, 0xc01d, m.p, m.len));
    CU_ASSERT_EQUAL(ske.prime_bits, 13);
    made_free(&m);
    m = made_message(12, "0001 aa 0001 03 0001 bb"); // RSA_EXPORT, TLS 1.0
    CU_ASSERT_TRUE(server_key_exchange_parse(&ske, &notes, TLS10, 0x0003, m.p, m.len));
    CU_ASSERT_EQUAL(CBS_len(&ske.signature), 1);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_SKE_TRAILING_BYTES), 0);
    made_free(&m);
}

static void test_oddities(void) {
    // clang-format off
    static const struct {
        uint16_t cipher;
        const char *body;
        enum note_id note;
        bool ok;
    } rows[] = {
        {0xc02f, "01 0001 17",                      NOTE_SKE_CURVE_EXPLICIT,  false},
        {0xc02f, "03 001d",                         NOTE_SKE_TRUNCATED,       false},
        {0xc02f, "03 001d 01 aa 0403 0001 bb cc",   NOTE_SKE_TRAILING_BYTES,  true},
        {0x002f, "aabb",                            NOTE_SKE_UNEXPECTED,      true},
        {0x009e, "0001 ff 0001",                    NOTE_SKE_TRUNCATED,       false},
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct made m = made_message(12, rows[i].body);
        struct server_key_exchange ske;
        struct note_sink notes = {0};
        CU_ASSERT_EQUAL(server_key_exchange_parse(&ske, &notes, TLS12, rows[i].cipher, m.p, m.len),
                        rows[i].ok);
        CU_ASSERT_EQUAL(noted(&notes, rows[i].note), 1);
        made_free(&m);
    }
}

static void test_verify(void) {
    const struct sample *s = sample_get("certificate-verify13");
    struct certificate_verify cv;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(certificate_verify_parse(&cv, &notes, TLS13, s->p, s->len));
    CU_ASSERT_EQUAL(cv.scheme, 0x0403);
    CU_ASSERT_EQUAL(notes.num, 0);
    // clang-format off
    static const struct {
        uint16_t version;
        const char *body;
        enum note_id note; // NOTE_COUNT: none
    } rows[] = {
        {TLS13, "0401 0001 aa",    NOTE_CV_SCHEME_FORBIDDEN},
        {TLS13, "0203 0001 aa",    NOTE_CV_SCHEME_FORBIDDEN},
        {TLS13, "0603 0001 aa",    NOTE_COUNT},
        {TLS13, "0807 0001 aa",    NOTE_COUNT},
        {TLS12, "0401 0001 aa",    NOTE_COUNT},
        {TLS10, "0001 aa",         NOTE_COUNT},
        {TLS13, "0804 0000",       NOTE_CV_SIGNATURE_EMPTY},
        {TLS13, "0804 0001 aa bb", NOTE_CV_TRAILING_BYTES},
        {TLS13, "0804 0002 aa",    NOTE_CV_TRUNCATED},
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct made m = made_message(15, rows[i].body);
        notes.num = 0;
        CU_ASSERT_EQUAL(certificate_verify_parse(&cv, &notes, rows[i].version, m.p, m.len),
                        rows[i].note != NOTE_CV_TRUNCATED);
        CU_ASSERT_EQUAL(notes.num, rows[i].note != NOTE_COUNT ? 1 : 0);
        CU_ASSERT_EQUAL(noted(&notes, rows[i].note), rows[i].note != NOTE_COUNT ? 1 : 0);
        made_free(&m);
    }
}

static void abuse(const uint8_t *p, size_t p_len) {
    static const uint16_t ciphers[] = {0xc02f, 0x009e, 0x0003, 0xc01d, 0xc035, 0x008c, 0xeeee};
    struct note_sink notes = {0};
    for (size_t i = 0; i < ARRAY_LEN(ciphers); i++) {
        struct server_key_exchange ske;
        (void)!server_key_exchange_parse(&ske, &notes, TLS12, ciphers[i], p, p_len);
        (void)!server_key_exchange_parse(&ske, &notes, TLS10, ciphers[i], p, p_len);
    }
    struct certificate_verify cv;
    (void)!certificate_verify_parse(&cv, &notes, TLS13, p, p_len);
}

static void test_survives(void) {
    sample_abuse(sample_get("server-key-exchange-ecdhe12"), abuse);
    sample_abuse(sample_get("server-key-exchange-dhe12"), abuse);
    sample_abuse(sample_get("certificate-verify13"), abuse);
}

const struct unit_case unit_cases[] = {
    {"ECDHE", test_ecdhe},
    {"ECDHE before TLS 1.2", test_ecdhe_before_tls12},
    {"DHE", test_dhe},
    {"other kinds", test_other_kinds},
    {"oddities", test_oddities},
    {"CertificateVerify", test_verify},
    {"survives cuts and changes", test_survives},
    {NULL, NULL},
};
