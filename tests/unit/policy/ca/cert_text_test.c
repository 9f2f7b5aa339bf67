#include "policy/ca/cert_text.h"

#include <string.h>

#include "policy/ca/cert_build.h"
#include "tests/unit/unit.h"

static CBS bytes(const void *p, size_t p_len) {
    CBS cbs;
    CBS_init(&cbs, p, p_len);
    return cbs;
}

static void test_strings(void) {
    // clang-format off
    static const struct { unsigned tag; const char *in; size_t len; const char *want; } cases[] = {
        {CBS_ASN1_UTF8STRING, "plain", 5, "plain"},
        {CBS_ASN1_UTF8STRING, "b\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80", 10, "b\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80"},
        {CBS_ASN1_UTF8STRING, "a\0b\x1b[31m\n", 9, "a\\00b\\1B[31m\\0A"},
        {CBS_ASN1_UTF8STRING, "\xc0\xaf\xed\xa0\x80\xff", 6, "\\C0\\AF\\ED\\A0\\80\\FF"},
        {CBS_ASN1_UTF8STRING, "x\xe2\x80\xaey", 5, "x\\E2\\80\\AEy"},
        {CBS_ASN1_UTF8STRING, "\xc3", 1, "\\C3"},
        {CBS_ASN1_UTF8STRING, "a\\b", 3, "a\\\\b"},
        {CBS_ASN1_T61STRING, "\xe9", 1, "\xc3\xa9"},
        {CBS_ASN1_BMPSTRING, "\0a\x20\xac\xd8\0\0", 7, "a\xe2\x82\xac\\D8\\00\\00"},
        {CBS_ASN1_UNIVERSALSTRING, "\0\1\xf6\0\0\x11\0\0", 8, "\xf0\x9f\x98\x80\\00\\11\\00\\00"},
        {CBS_ASN1_UTF8STRING, "", 0, ""},
    };
    // clang-format on
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CU_ASSERT_STRING_EQUAL(
            cert_text_string(bytes(cases[i].in, cases[i].len), cases[i].tag, &arena),
            cases[i].want);
    }
    char long_one[5000];
    memset(long_one, 'x', sizeof(long_one));
    const char *cut =
        cert_text_string(bytes(long_one, sizeof(long_one)), CBS_ASN1_IA5STRING, &arena);
    CU_ASSERT_EQUAL(strlen(cut), CERT_TEXT_STRING_MAX + 3);
    CU_ASSERT_STRING_EQUAL(cut + CERT_TEXT_STRING_MAX, "...");
    arena_cleanup(&arena);
}

static void test_names(void) {
    struct arena arena = {0};
    CBB cbb;
    uint8_t *der = NULL;
    size_t der_len = 0;
    const char *text;
    CBS name, value;
    unsigned tag;
    static const char cn[] = "#a,b+c ";
    CU_ASSERT_TRUE(CBB_init(&cbb, 64) &&
                   cert_build_name(&cbb, bytes(cn, 7), CBS_ASN1_UTF8STRING, "A \"B\"; C") &&
                   CBB_finish(&cbb, &der, &der_len));
    name = bytes(der, der_len);
    CU_ASSERT_TRUE(CBS_get_asn1(&name, &name, CBS_ASN1_SEQUENCE));
    CU_ASSERT_TRUE(cert_text_name(name, &arena, &text));
    CU_ASSERT_STRING_EQUAL(text, "CN=\\#a\\,b\\+c\\ , O=A \\\"B\\\"\\; C");
    CU_ASSERT_TRUE(cert_text_attribute(name, "O", &value, &tag));
    CU_ASSERT_STRING_EQUAL(cert_text_string(value, tag, &arena), "A \"B\"; C");
    CU_ASSERT_FALSE(cert_text_attribute(name, "OU", &value, &tag));
    // Cut short: what came before is kept.
    CU_ASSERT_FALSE(cert_text_name(bytes(CBS_data(&name), CBS_len(&name) - 1), &arena, &text));
    CU_ASSERT_STRING_EQUAL(text, "O=A \\\"B\\\"\\; C");
    OPENSSL_free(der);
    // An unknown attribute, a value that is no string, and two attributes in one part.
    static const uint8_t odd[] = {0x31, 0x18, 0x30, 0x08, 0x06, 0x03, 0x2a, 0x03, 0x04,
                                  0x02, 0x01, 0x05, 0x30, 0x0c, 0x06, 0x03, 0x55, 0x04,
                                  0x06, 0x13, 0x05, 'E',  'a',  's',  't',  '!'};
    CU_ASSERT_TRUE(cert_text_name(bytes(odd, sizeof(odd)), &arena, &text));
    CU_ASSERT_STRING_EQUAL(text, "1.2.3.4=#05+C=East!");
    arena_cleanup(&arena);
}

static void test_endless_name(void) {
    struct arena arena = {0};
    static uint8_t parts[200000];
    const char *text;
    for (size_t i = 0; i + 2 <= sizeof(parts); i += 2) {
        parts[i] = 0x31;
    }
    CU_ASSERT_TRUE(cert_text_name(bytes(parts, sizeof(parts)), &arena, &text));
    CU_ASSERT_TRUE(arena.used < 10000);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "..."));
    arena_cleanup(&arena);
}

const struct unit_case unit_cases[] = {
    {"strings of every coding", test_strings},
    {"names", test_names},
    {"a name of a hundred thousand parts", test_endless_name},
    {NULL, NULL},
};
