#include "proxy/tls/certificate_request.h"

#include "proxy/tls/client_hello.h"
#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

enum { TLS10 = 0x0301, TLS12 = 0x0303, TLS13 = 0x0304 };

static void test_openssl(void) {
    // clang-format off
    static const struct {
        const char *name;
        uint16_t version;
        size_t num_types, min_sigalgs;
    } rows[] = {
        {"certificate-request10", TLS10, 3, 0},
        {"certificate-request12", TLS12, 3, 10},
        {"certificate-request13", TLS13, 0, 10},
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct sample *s = sample_get(rows[i].name);
        struct certificate_request cr;
        struct note_sink notes = {0};
        CU_ASSERT_TRUE(certificate_request_parse(&cr, &notes, rows[i].version, s->p, s->len));
        CU_ASSERT_EQUAL(cr.types.num, rows[i].num_types);
        CU_ASSERT_TRUE(cr.sigalgs.num >= rows[i].min_sigalgs);
        CU_ASSERT_EQUAL(cr.num_authorities, 1);
        CBS names = cr.authorities, name;
        CU_ASSERT_TRUE(dn_next(&names, &name));
        CU_ASSERT_EQUAL(CBS_data(&name)[0], 0x30);
        CU_ASSERT_FALSE(dn_next(&names, &name));
        CU_ASSERT_EQUAL(notes.num, 0);
    }
}

static void test_tls13_extensions(void) {
    struct made m = made_message(13, "01 aa 0030 0005 0000 0012 0000 000d 0004 0002 0403"
                                     "001b 0003 02 0002 0022 0004 0002 0804 0030 0002 0000"
                                     "0032 0004 0002 0401");
    m.p[4 + 3] = (uint8_t)(m.len - 8);
    struct certificate_request cr;
    struct note_sink notes = {0};
    CU_ASSERT_TRUE(certificate_request_parse(&cr, &notes, TLS13, m.p, m.len));
    CU_ASSERT_EQUAL(CBS_len(&cr.context), 1);
    CU_ASSERT_TRUE(cr.status_request && cr.sct);
    CU_ASSERT_EQUAL(code_list_at(&cr.sigalgs, 0), 0x0403);
    CU_ASSERT_EQUAL(code_list_at(&cr.sigalgs_cert, 0), 0x0401);
    CU_ASSERT_EQUAL(code_list_at(&cr.delegated, 0), 0x0804);
    CU_ASSERT_EQUAL(code_list_at(&cr.cert_compressions, 0), 2);
    CU_ASSERT_PTR_NOT_NULL(CBS_data(&cr.oid_filters));
    CU_ASSERT_EQUAL(notes.num, 0);
    made_free(&m);
}

static void test_oddities(void) {
    // clang-format off
    static const struct {
        uint16_t version;
        const char *body;
        enum note_id note;
        bool ok;
    } rows[] = {
        {TLS12, "00 0002 0403 0000",         NOTE_CR_TYPES_EMPTY,          true},
        {TLS12, "01 01 0000 0000",           NOTE_CR_SIGALGS_EMPTY,        true},
        {TLS12, "01 01 0002 0403 0004 0002 3100", NOTE_CR_AUTHORITY_MALFORMED, true},
        {TLS12, "01 01 0002 0403 0003 0002 30", NOTE_CR_TRUNCATED,         false},
        {TLS12, "01 01 0003 040300 0000",    NOTE_CR_TRUNCATED,            false},
        {TLS12, "01 01 0002 0403 0000 aa",   NOTE_CR_TRAILING_BYTES,       true},
        {TLS10, "01 01",                     NOTE_CR_TRUNCATED,            false},
        {TLS13, "00 0000",                   NOTE_CR_SIGALGS_EMPTY,        true},
        {TLS13, "00 0004 0000 0000",         NOTE_CR_EXTENSION_FORBIDDEN,  true},
        {TLS13, "00 0005 0005 0001 00",      NOTE_CR_EXTENSION_MALFORMED,  true},
        {TLS13, "00 0008 0012 0000 0012 0000", NOTE_CR_EXTENSION_DUPLICATE, true},
        {TLS13, "",                          NOTE_CR_TRUNCATED,            false},
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct made m = made_message(13, rows[i].body);
        struct certificate_request cr;
        struct note_sink notes = {0};
        CU_ASSERT_EQUAL(certificate_request_parse(&cr, &notes, rows[i].version, m.p, m.len),
                        rows[i].ok);
        CU_ASSERT_EQUAL(noted(&notes, rows[i].note), 1);
        made_free(&m);
    }
}

static void abuse(const uint8_t *p, size_t p_len) {
    static const uint16_t versions[] = {TLS10, TLS12, TLS13};
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct certificate_request cr;
        struct note_sink notes = {0};
        (void)!certificate_request_parse(&cr, &notes, versions[i], p, p_len);
    }
}

static void test_survives(void) {
    sample_abuse(sample_get("certificate-request12"), abuse);
    sample_abuse(sample_get("certificate-request13"), abuse);
}

const struct unit_case unit_cases[] = {
    {"OpenSSL's of three versions", test_openssl},
    {"extensions of TLS 1.3", test_tls13_extensions},
    {"oddities", test_oddities},
    {"survives cuts and changes", test_survives},
    {NULL, NULL},
};
