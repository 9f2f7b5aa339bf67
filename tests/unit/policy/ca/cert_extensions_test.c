#include "policy/ca/cert_extensions.h"

#include <string.h>

#include "logs/base/check.h"
#include "tests/unit/unit.h"

// One Extension: its OID below id-ce, whether it is critical, and its value.
struct sample {
    uint8_t id;
    bool critical;
    const char *value;
    size_t value_len;
};

static bool parse(struct cert_facts *facts, struct arena *arena, const struct sample *samples,
                  size_t num_samples) {
    CBB cbb;
    uint8_t *der;
    size_t der_len;
    CBS extensions;
    CU_ASSERT_TRUE_FATAL(CBB_init(&cbb, 256));
    for (size_t i = 0; i < num_samples; i++) {
        const uint8_t oid[] = {0x55, 0x1d, samples[i].id};
        CBB extension, id;
        CU_ASSERT_TRUE_FATAL(CBB_add_asn1(&cbb, &extension, CBS_ASN1_SEQUENCE) &&
                             CBB_add_asn1(&extension, &id, CBS_ASN1_OBJECT) &&
                             CBB_add_bytes(&id, oid, sizeof(oid)) &&
                             (!samples[i].critical || CBB_add_asn1_bool(&extension, 1)) &&
                             CBB_add_asn1_octet_string(&extension,
                                                       (const uint8_t *)samples[i].value,
                                                       samples[i].value_len) &&
                             CBB_flush(&cbb));
    }
    CU_ASSERT_TRUE_FATAL(CBB_finish(&cbb, &der, &der_len));
    CBS_init(&extensions, der, der_len);
    *facts = (struct cert_facts){.path_len = -1};
    bool ok = cert_extensions_parse(facts, arena, extensions);
    // The view into memory that goes away here is not looked at by these tests.
    CBS_init(&facts->raw.san, NULL, 0);
    OPENSSL_free(der);
    return ok;
}

#define SAMPLE(id, critical, bytes)                                                                \
    &(struct sample) { id, critical, bytes, sizeof(bytes) - 1 }

static void test_good(void) {
    struct arena arena = {0};
    struct cert_facts f;
    CU_ASSERT_TRUE(parse(&f, &arena, SAMPLE(0x13, true, "\x30\x06\x01\x01\xff\x02\x01\x02"), 1));
    CU_ASSERT_TRUE(f.has_basic_constraints && f.basic_constraints_critical && f.ca);
    CU_ASSERT_EQUAL(f.path_len, 2);
    CU_ASSERT_TRUE(parse(&f, &arena, SAMPLE(0x13, false, "\x30\x00"), 1));
    CU_ASSERT_TRUE(f.has_basic_constraints && !f.basic_constraints_critical && !f.ca);
    CU_ASSERT_EQUAL(f.path_len, -1);
    CU_ASSERT_TRUE(parse(&f, &arena, SAMPLE(0x0f, true, "\x03\x02\x05\xa0"), 1));
    CU_ASSERT_EQUAL(f.key_usage, CERT_KU_DIGITAL_SIGNATURE | CERT_KU_KEY_ENCIPHERMENT);
    CU_ASSERT_TRUE(parse(&f, &arena, SAMPLE(0x25, false, "\x30\x06\x06\x04\x55\x1d\x25\x00"), 1));
    CU_ASSERT_TRUE(f.server_auth);
    CU_ASSERT_STRING_EQUAL(f.ext_key_usages.items[0], "anyExtendedKeyUsage");
    CU_ASSERT_TRUE(parse(&f, &arena,
                         SAMPLE(0x11, false,
                                "\x30\x05\x82\x03"
                                "a.b"),
                         1));
    CU_ASSERT_STRING_EQUAL(f.dns.items[0], "a.b");
    CU_ASSERT_TRUE(parse(&f, &arena, SAMPLE(0x1e, true, "\x30\x00"), 1));
    CU_ASSERT_TRUE(f.name_constraints);
    CU_ASSERT_TRUE(parse(&f, &arena, SAMPLE(0x7f, true, "x"), 1));
    CU_ASSERT_STRING_EQUAL(f.unknown_critical.items[0], "2.5.29.127");
    CU_ASSERT_TRUE(parse(&f, &arena, SAMPLE(0x7f, false, "x"), 1));
    CU_ASSERT_EQUAL(f.unknown_critical.num, 0);
    arena_cleanup(&arena);
}

static void strings_are(const struct cert_strings *list, const char *const *wanted, size_t num) {
    CU_ASSERT_EQUAL_FATAL(list->num, num);
    for (size_t i = 0; i < num; i++) {
        CU_ASSERT_STRING_EQUAL(list->items[i], wanted[i]);
    }
}

static void test_names_of_other_kinds(void) {
    // clang-format off
    static const uint8_t san[] = {0x30, 0x0d,
                                  0x81, 0x03, 'a', '@', 'b',
                                  0x86, 0x03, 'u', ':', 'v',
                                  0x88, 0x01, 0x2a};
    // clang-format on
    static const char *const wanted[] = {"email:a@b", "URI:u:v"};
    const struct sample sample = {0x11, false, (const char *)san, sizeof(san)};
    struct arena arena = {0};
    struct cert_facts f;
    CU_ASSERT_TRUE(parse(&f, &arena, &sample, 1));
    CU_ASSERT(f.has_san && f.dns.num == 0 && f.ip.num == 0);
    strings_are(&f.other_names, wanted, ARRAY_LEN(wanted));
    arena_cleanup(&arena);
}

static void test_name_constraints(void) {
    // clang-format off
    static const uint8_t der[] = {
        0x30, 0x49,
        0xa0, 0x17,
        0x30, 0x04, 0x82, 0x02, '.', 'a',
        0x30, 0x0a, 0x87, 0x08, 10, 0, 0, 0, 255, 0, 0, 0,
        0x30, 0x03, 0x81, 0x01, 'b',
        0xa1, 0x2e,
        0x30, 0x02, 0x82, 0x00,
        0x30, 0x0a, 0x87, 0x08, 1, 2, 3, 4, 255, 0, 255, 0,
        0x30, 0x10, 0xa4, 0x0e, 0x30, 0x0c, 0x31, 0x0a, 0x30, 0x08,
                    0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, 'x',
        0x30, 0x03, 0x88, 0x01, 0x2a,
        0x30, 0x05, 0x87, 0x03, 1, 2, 3,
    };
    // clang-format on
    static const char *const permitted[] = {".a", "10.0.0.0/8", "email:b"};
    static const char *const excluded[] = {"every DNS name", "1.2.3.4/255.0.255.0",
                                           "directory:CN=x", "names of another kind",
                                           "names of another kind"};
    const struct sample sample = {0x1e, true, (const char *)der, sizeof(der)};
    struct arena arena = {0};
    struct cert_facts f;
    CU_ASSERT_TRUE(parse(&f, &arena, &sample, 1));
    strings_are(&f.permitted_names, permitted, ARRAY_LEN(permitted));
    strings_are(&f.excluded_names, excluded, ARRAY_LEN(excluded));
    arena_cleanup(&arena);
}

static void test_malformed(void) {
    static const struct {
        struct sample sample;
        const char *name;
    } cases[] = {
        {{0x13, true, "\x30\x03\x01\x01\x01", 5}, "basicConstraints"},
        {{0x13, true, "\x30\x00\x00", 3}, "basicConstraints"},
        {{0x13, true, "\x30\x06\x01\x01\xff\x02\x01\xff", 8}, "basicConstraints"},
        {{0x0f, true, "\x03\x02\x09\xa0", 4}, "keyUsage"},
        {{0x0f, true, "", 0}, "keyUsage"},
        {{0x11, false,
          "\x30\x05\x82\x04"
          "a.b",
          7},
         "subjectAltName"},
        {{0x11, false,
          "\x30\x05\x87\x03"
          "abc",
          7},
         "subjectAltName"},
        {{0x25, false, "\x30\x02\x05\x00", 4}, "extKeyUsage"},
        {{0x23, false, "\x31\x00", 2}, "authorityKeyIdentifier"},
        {{0x0e, false,
          "\x04\x05"
          "abc",
          5},
         "subjectKeyIdentifier"},
        {{0x1f, false, "\x30\x02\x31\x00", 4}, "cRLDistributionPoints"},
        {{0x20, false, "\x30\x02\x30\x00", 4}, "certificatePolicies"},
        {{0x1e, true, "x", 1}, "nameConstraints"},
        {{0x1e, true, "\x30\x04\xa0\x02\x05\x00", 6}, "nameConstraints"},
        {{0x1e, true, "\x30\x04\xa1\x02\x30\x00", 6}, "nameConstraints"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena arena = {0};
        struct cert_facts f;
        CU_ASSERT_FALSE(parse(&f, &arena, &cases[i].sample, 1));
        CU_ASSERT_PTR_NOT_NULL_FATAL(f.problem);
        CU_ASSERT_PTR_NOT_NULL(strstr(f.problem, cases[i].name));
        arena_cleanup(&arena);
    }
}

// The first one counts; those behind it are still read.
static void test_repeated(void) {
    static const struct sample samples[] = {{0x13, true, "\x30\x00", 2},
                                            {0x13, true, "\x30\x03\x01\x01\xff", 5},
                                            {0x0f, true, "\x03\x02\x07\x80", 4}};
    struct arena arena = {0};
    struct cert_facts f;
    CU_ASSERT_FALSE(parse(&f, &arena, samples, 3));
    CU_ASSERT_STRING_EQUAL(f.problem, "repeated extension basicConstraints");
    CU_ASSERT_FALSE(f.ca);
    CU_ASSERT_TRUE(f.has_key_usage);
    arena_cleanup(&arena);
}

const struct unit_case unit_cases[] = {
    {"names of other kinds", test_names_of_other_kinds},
    {"name constraints", test_name_constraints},
    {"as they should be", test_good},
    {"malformed ones are named", test_malformed},
    {"repeated ones", test_repeated},
    {NULL, NULL},
};
