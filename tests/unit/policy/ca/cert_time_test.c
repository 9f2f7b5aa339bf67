#include "policy/ca/cert_time.h"

#include <string.h>

#include "tests/unit/unit.h"

static bool parse(unsigned tag, const char *text, int64_t *out, bool *der) {
    CBS cbs;
    CBS_init(&cbs, (const uint8_t *)text, strlen(text));
    return cert_time_parse(cbs, tag, out, der);
}

static void test_parse(void) {
    // clang-format off
    static const struct { unsigned tag; const char *text; bool ok, der; int64_t want; } cases[] = {
        {CBS_ASN1_UTCTIME, "700101000000Z", true, true, 0},
        {CBS_ASN1_UTCTIME, "491231235959Z", true, true, 2524607999},
        {CBS_ASN1_UTCTIME, "500101000000Z", true, true, -631152000},
        {CBS_ASN1_UTCTIME, "240229120000Z", true, true, 1709208000},
        {CBS_ASN1_UTCTIME, "2402291200Z", true, false, 1709208000},
        {CBS_ASN1_UTCTIME, "240229130000+0100", true, false, 1709208000},
        {CBS_ASN1_UTCTIME, "230229120000Z", false, false, 0},
        {CBS_ASN1_UTCTIME, "241301000000Z", false, false, 0},
        {CBS_ASN1_UTCTIME, "240101240000Z", false, false, 0},
        {CBS_ASN1_UTCTIME, "2401010000", true, false, 1704067200},
        {CBS_ASN1_UTCTIME, "240101000000Zx", false, false, 0},
        {CBS_ASN1_UTCTIME, "24010100000xZ", false, false, 0},
        {CBS_ASN1_UTCTIME, "", false, false, 0},
        {CBS_ASN1_GENERALIZEDTIME, "99991231235959Z", true, true, 253402300799},
        {CBS_ASN1_GENERALIZEDTIME, "00000101000000Z", true, true, -62167219200},
        {CBS_ASN1_GENERALIZEDTIME, "20240229120000.5Z", true, false, 1709208000},
        {CBS_ASN1_GENERALIZEDTIME, "20240229120000+2500", false, false, 0},
        {CBS_ASN1_OCTETSTRING, "20240229120000Z", false, false, 0},
    };
    // clang-format on
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t got = 0;
        bool der = false;
        CU_ASSERT_EQUAL(parse(cases[i].tag, cases[i].text, &got, &der), cases[i].ok);
        if (cases[i].ok) {
            CU_ASSERT_EQUAL(got, cases[i].want);
            CU_ASSERT_EQUAL(der, cases[i].der);
        }
    }
}

static void test_round_trip(void) {
    for (int64_t t = -62167219200; t < 253402300799; t += 86400 * 97 + 12345) {
        CBB cbb;
        uint8_t buf[32];
        size_t len = 0;
        CBS der, text;
        unsigned tag;
        int64_t got = 0;
        bool is_der = false;
        CU_ASSERT_TRUE_FATAL(CBB_init_fixed(&cbb, buf, sizeof(buf)) && cert_time_add(&cbb, t) &&
                             CBB_finish(&cbb, NULL, &len));
        CBS_init(&der, buf, len);
        CU_ASSERT_TRUE(CBS_get_any_asn1(&der, &text, &tag));
        CU_ASSERT_EQUAL(tag == CBS_ASN1_UTCTIME, t >= -631152000 && t < 2524608000);
        CU_ASSERT_TRUE(cert_time_parse(text, tag, &got, &is_der) && is_der);
        CU_ASSERT_EQUAL(got, t);
    }
}

static void test_format(void) {
    char text[CERT_TIME_TEXT];
    cert_time_format(1795000000, text);
    CU_ASSERT_STRING_EQUAL(text, "2026-11-18T11:06:40Z");
    cert_time_format(INT64_MAX, text);
    CU_ASSERT_STRING_EQUAL(text, "9999-12-31T23:59:59Z");
    cert_time_format(INT64_MIN, text);
    CU_ASSERT_STRING_EQUAL(text, "0000-01-01T00:00:00Z");
}

const struct unit_case unit_cases[] = {
    {"times as certificates have them", test_parse},
    {"written times read back", test_round_trip},
    {"times for people", test_format},
    {NULL, NULL},
};
