#include "logs/record/codepoint.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "tests/unit/unit.h"

#define ROW(code, mark, name)                                                                      \
    { code, mark, sizeof(name) - 1, name }

// clang-format off
static const struct {
    enum registry registry;
    struct codepoint row;
} known[] = {
    {REGISTRY_VERSION,                ROW(0x0002, 'D', "SSL 2.0")},
    {REGISTRY_VERSION,                ROW(0x0300, 'D', "SSL 3.0")},
    {REGISTRY_VERSION,                ROW(0x0303, '-', "TLS 1.2")},
    {REGISTRY_VERSION,                ROW(0x0304, 'Y', "TLS 1.3")},
    {REGISTRY_VERSION,                ROW(0x7f1c, 'D', "TLS 1.3 draft-28")},
    {REGISTRY_VERSION,                ROW(0xfefd, '-', "DTLS 1.2")},
    {REGISTRY_CIPHER,                 ROW(0x0000, 'N', "TLS_NULL_WITH_NULL_NULL")},
    {REGISTRY_CIPHER,                 ROW(0x0005, 'D', "TLS_RSA_WITH_RC4_128_SHA")},
    {REGISTRY_CIPHER,                 ROW(0x0064, 'D', "TLS_RSA_EXPORT1024_WITH_RC4_56_SHA")},
    {REGISTRY_CIPHER,                 ROW(0x009e, 'D', "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256")},
    {REGISTRY_CIPHER,                 ROW(0x00c6, 'N', "TLS_SM4_GCM_SM3")},
    {REGISTRY_CIPHER,                 ROW(0x00ff, 'N', "TLS_EMPTY_RENEGOTIATION_INFO_SCSV")},
    {REGISTRY_CIPHER,                 ROW(0x1301, 'Y', "TLS_AES_128_GCM_SHA256")},
    {REGISTRY_CIPHER,                 ROW(0x1305, 'N', "TLS_AES_128_CCM_8_SHA256")},
    {REGISTRY_CIPHER,                 ROW(0x5600, 'N', "TLS_FALLBACK_SCSV")},
    {REGISTRY_CIPHER,                 ROW(0xc006, 'D', "TLS_ECDHE_ECDSA_WITH_NULL_SHA")},
    {REGISTRY_CIPHER,                 ROW(0xc013, 'N', "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA")},
    {REGISTRY_CIPHER,                 ROW(0xc01d, 'N', "TLS_SRP_SHA_WITH_AES_128_CBC_SHA")},
    {REGISTRY_CIPHER,                 ROW(0xc02f, 'Y', "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")},
    {REGISTRY_CIPHER,                 ROW(0xc061, 'N', "TLS_ECDHE_RSA_WITH_ARIA_256_GCM_SHA384")},
    {REGISTRY_CIPHER,                 ROW(0xc101, 'N', "TLS_GOSTR341112_256_WITH_MAGMA_CTR_OMAC")},
    {REGISTRY_CIPHER,                 ROW(0xcca8, 'Y', "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256")},
    {REGISTRY_CIPHER,                 ROW(0xd001, 'Y', "TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256")},
    {REGISTRY_CIPHER,                 ROW(0xfeff, 'D', "SSL_RSA_FIPS_WITH_3DES_EDE_CBC_SHA")},
    {REGISTRY_CIPHER,                 ROW(0xffe0, 'D', "SSL_RSA_OLDFIPS_WITH_3DES_EDE_CBC_SHA")},
    {REGISTRY_GROUP,                  ROW(0x0001, 'D', "sect163k1")},
    {REGISTRY_GROUP,                  ROW(0x0017, 'Y', "secp256r1")},
    {REGISTRY_GROUP,                  ROW(0x0019, 'N', "secp521r1")},
    {REGISTRY_GROUP,                  ROW(0x001d, 'Y', "x25519")},
    {REGISTRY_GROUP,                  ROW(0x001f, 'N', "brainpoolP256r1tls13")},
    {REGISTRY_GROUP,                  ROW(0x0029, 'N', "curveSM2")},
    {REGISTRY_GROUP,                  ROW(0x0100, 'N', "ffdhe2048")},
    {REGISTRY_GROUP,                  ROW(0x0202, 'N', "MLKEM1024")},
    {REGISTRY_GROUP,                  ROW(0x11ec, 'Y', "X25519MLKEM768")},
    {REGISTRY_GROUP,                  ROW(0x4138, 'D', "CECPQ2")},
    {REGISTRY_GROUP,                  ROW(0x6399, 'D', "X25519Kyber768Draft00")},
    {REGISTRY_SIGNATURE_SCHEME,       ROW(0x0101, 'D', "rsa_pkcs1_md5")},
    {REGISTRY_SIGNATURE_SCHEME,       ROW(0x0202, 'D', "dsa_sha1")},
    {REGISTRY_SIGNATURE_SCHEME,       ROW(0x0403, 'Y', "ecdsa_secp256r1_sha256")},
    {REGISTRY_SIGNATURE_SCHEME,       ROW(0x0420, 'N', "rsa_pkcs1_sha256_legacy")},
    {REGISTRY_SIGNATURE_SCHEME,       ROW(0x0708, 'N', "sm2sig_sm3")},
    {REGISTRY_SIGNATURE_SCHEME,       ROW(0x0804, 'Y', "rsa_pss_rsae_sha256")},
    {REGISTRY_SIGNATURE_SCHEME,       ROW(0x0905, 'N', "mldsa65")},
    {REGISTRY_EXTENSION,              ROW(0,     'Y', "server_name")},
    {REGISTRY_EXTENSION,              ROW(4,     'D', "truncated_hmac")},
    {REGISTRY_EXTENSION,              ROW(23,    'Y', "extended_main_secret")},
    {REGISTRY_EXTENSION,              ROW(51,    'Y', "key_share")},
    {REGISTRY_EXTENSION,              ROW(57,    'Y', "quic_transport_parameters")},
    {REGISTRY_EXTENSION,              ROW(13172, 'D', "next_protocol_negotiation")},
    {REGISTRY_EXTENSION,              ROW(17513, 'D', "application_settings_old")},
    {REGISTRY_EXTENSION,              ROW(17613, '-', "application_settings")},
    {REGISTRY_EXTENSION,              ROW(0xfe0d, 'Y', "encrypted_client_hello")},
    {REGISTRY_EXTENSION,              ROW(0xff01, 'Y', "renegotiation_info")},
    {REGISTRY_ALERT,                  ROW(0,     '-', "close_notify")},
    {REGISTRY_ALERT,                  ROW(48,    '-', "unknown_ca")},
    {REGISTRY_ALERT,                  ROW(100,   'D', "no_renegotiation")},
    {REGISTRY_ALERT,                  ROW(121,   '-', "ech_required")},
    {REGISTRY_HANDSHAKE_TYPE,         ROW(1,     '-', "client_hello")},
    {REGISTRY_HANDSHAKE_TYPE,         ROW(25,    '-', "compressed_certificate")},
    {REGISTRY_HANDSHAKE_TYPE,         ROW(254,   '-', "message_hash")},
    {REGISTRY_CONTENT_TYPE,           ROW(22,    '-', "handshake")},
    {REGISTRY_CERT_COMPRESSION,       ROW(2,     '-', "brotli")},
    {REGISTRY_COMPRESSION_METHOD,     ROW(1,     'D', "DEFLATE")},
    {REGISTRY_POINT_FORMAT,           ROW(0,     '-', "uncompressed")},
    {REGISTRY_PSK_MODE,               ROW(1,     'Y', "psk_dhe_ke")},
    {REGISTRY_CLIENT_CERTIFICATE_TYPE,ROW(64,    'Y', "ecdsa_sign")},
    {REGISTRY_HPKE_KEM,               ROW(0x0020, '-', "DHKEM(X25519, HKDF-SHA256)")},
    {REGISTRY_HPKE_KDF,               ROW(1,     '-', "HKDF-SHA256")},
    {REGISTRY_HPKE_AEAD,              ROW(3,     '-', "ChaCha20Poly1305")},
};
// clang-format on

static bool is_one_byte(enum registry registry) {
    switch (registry) {
    case REGISTRY_ALERT:
    case REGISTRY_HANDSHAKE_TYPE:
    case REGISTRY_CONTENT_TYPE:
    case REGISTRY_COMPRESSION_METHOD:
    case REGISTRY_POINT_FORMAT:
    case REGISTRY_PSK_MODE:
    case REGISTRY_CLIENT_CERTIFICATE_TYPE:
        return true;
    default:
        return false;
    }
}

static void test_rows(void) {
    for (int r = 0; r < REGISTRY_COUNT; r++) {
        size_t num;
        const struct codepoint *rows = codepoint_list(r, &num);
        CU_ASSERT_TRUE_FATAL(num > 0);
        for (size_t i = 0; i < num; i++) {
            CU_ASSERT_TRUE(i == 0 || rows[i - 1].code < rows[i].code);
            CU_ASSERT_TRUE(rows[i].code <= 0xff || !is_one_byte(r));
            CU_ASSERT_FALSE(codepoint_is_grease(r, rows[i].code));
            CU_ASSERT_PTR_NOT_NULL(memchr("YND-", rows[i].mark, 4));
            CU_ASSERT_PTR_EQUAL(codepoint_find(r, rows[i].code), &rows[i]);
        }
    }
}

static void test_names_are_unique(void) {
    for (int r = 0; r < REGISTRY_COUNT; r++) {
        size_t num;
        const struct codepoint *rows = codepoint_list(r, &num);
        for (size_t i = 0; i < num; i++) {
            CU_ASSERT_NOT_EQUAL(strncasecmp(rows[i].name, "0x", 2), 0);
            CU_ASSERT_NOT_EQUAL(strncasecmp(rows[i].name, "GREASE", 6), 0);
            for (size_t j = 0; j < i; j++) {
                CU_ASSERT_NOT_EQUAL(strcasecmp(rows[i].name, rows[j].name), 0);
            }
        }
    }
}

static void test_known(void) {
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        const struct codepoint *row = codepoint_find(known[i].registry, known[i].row.code);
        CU_ASSERT_PTR_NOT_NULL_FATAL(row);
        CU_ASSERT_STRING_EQUAL(row->name, known[i].row.name);
        CU_ASSERT_EQUAL(row->mark, known[i].row.mark);
    }
    CU_ASSERT_PTR_NULL(codepoint_find(REGISTRY_CIPHER, 0x1a1a));
    CU_ASSERT_PTR_NULL(codepoint_find(REGISTRY_CIPHER, 0x1234));
    CU_ASSERT_PTR_NULL(codepoint_find(REGISTRY_GROUP, 0x0000));
    CU_ASSERT_PTR_NULL(codepoint_find(REGISTRY_GROUP, 0xffff));
}

static void test_grease(void) {
    for (int r = 0; r < REGISTRY_COUNT; r++) {
        int num = 0, expected = 0;
        for (unsigned code = 0; code <= 0xffff; code++) {
            num += codepoint_is_grease(r, (uint16_t)code);
        }
        if (r == REGISTRY_PSK_MODE) {
            expected = 8;
        } else if (r <= REGISTRY_EXTENSION) {
            expected = 16;
        }
        CU_ASSERT_EQUAL(num, expected);
    }
    CU_ASSERT_TRUE(codepoint_is_grease(REGISTRY_EXTENSION, 0x0a0a));
    CU_ASSERT_TRUE(codepoint_is_grease(REGISTRY_EXTENSION, 0xfafa));
    CU_ASSERT_FALSE(codepoint_is_grease(REGISTRY_EXTENSION, 0x0a1a));
    CU_ASSERT_TRUE(codepoint_is_grease(REGISTRY_PSK_MODE, 0x0b));
    CU_ASSERT_TRUE(codepoint_is_grease(REGISTRY_PSK_MODE, 0xe4));
    CU_ASSERT_FALSE(codepoint_is_grease(REGISTRY_PSK_MODE, 0x0103));
    CU_ASSERT_FALSE(codepoint_is_grease(REGISTRY_PSK_MODE, 0x0a0a));
}

static void test_name(void) {
    char out[CODEPOINT_NAME_MAX];
    CU_ASSERT_STRING_EQUAL(codepoint_name(REGISTRY_GROUP, 29, out), "x25519");
    CU_ASSERT_STRING_EQUAL(codepoint_name(REGISTRY_GROUP, 0x1a1a, out), "GREASE (0x1a1a)");
    CU_ASSERT_STRING_EQUAL(codepoint_name(REGISTRY_CIPHER, 0x1234, out), "0x1234 (unknown)");
    CU_ASSERT_STRING_EQUAL(codepoint_name(REGISTRY_EXTENSION, 0x40, out), "0x0040 (unknown)");
    CU_ASSERT_STRING_EQUAL(codepoint_name(REGISTRY_PSK_MODE, 0x2a, out), "GREASE (0x2a)");
    CU_ASSERT_STRING_EQUAL(codepoint_name(REGISTRY_ALERT, 5, out), "0x05 (unknown)");
    CU_ASSERT_STRING_EQUAL(codepoint_name(REGISTRY_ALERT, 0x105, out), "0x105 (unknown)");
}

static void test_round_trip(void) {
    size_t num_wrong = 0;
    for (int r = 0; r < REGISTRY_COUNT; r++) {
        for (unsigned code = 0; code <= 0xffff; code++) {
            char out[CODEPOINT_NAME_MAX];
            uint16_t parsed = (uint16_t)~code;
            bool ok = codepoint_parse(r, &parsed, codepoint_name(r, (uint16_t)code, out));
            num_wrong += !ok || parsed != code;
        }
    }
    CU_ASSERT_EQUAL(num_wrong, 0);
}

static void test_parse_ignores_case(void) {
    for (int r = 0; r < REGISTRY_COUNT; r++) {
        size_t num;
        const struct codepoint *rows = codepoint_list(r, &num);
        for (size_t i = 0; i < num; i++) {
            char lower[128], upper[128];
            size_t len = strlen(rows[i].name);
            CU_ASSERT_TRUE_FATAL(len < sizeof(lower));
            for (size_t j = 0; j <= len; j++) {
                lower[j] = (char)tolower((unsigned char)rows[i].name[j]);
                upper[j] = (char)toupper((unsigned char)rows[i].name[j]);
            }
            uint16_t code = (uint16_t)~rows[i].code;
            CU_ASSERT_TRUE(codepoint_parse(r, &code, lower));
            CU_ASSERT_EQUAL(code, rows[i].code);
            code = (uint16_t)~rows[i].code;
            CU_ASSERT_TRUE(codepoint_parse(r, &code, upper));
            CU_ASSERT_EQUAL(code, rows[i].code);
        }
    }
}

static void test_parse_number(void) {
    static const struct {
        const char *name;
        uint16_t code;
    } good[] = {
        {"0x1301", 0x1301},
        {"0X00fF", 0xff},
        {"0x5", 5},
        {"0x1a1a", 0x1a1a},
        {"0x1301 (unknown)", 0x1301},
        {"grease (0X1A1A)", 0x1a1a},
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        uint16_t code = 0;
        CU_ASSERT_TRUE(codepoint_parse(REGISTRY_CIPHER, &code, good[i].name));
        CU_ASSERT_EQUAL(code, good[i].code);
    }
}

static void test_parse_bad(void) {
    static const char *const bad[] = {
        "",
        "0x",
        "0x12345",
        "0xg",
        "0x-1",
        "0x 1301",
        " 0x1301",
        "1301",
        "0x1301 ",
        "0x1301 (unknown",
        "0x1301 (unknown) ",
        "GREASE",
        "GREASE (0x1301)",
        "GREASE (0x1a1a",
        "GREASE (0x1a1a) ",
        "GREASE (1a1a)",
        "TLS_AES_128_GCM_SHA25",
        "TLS_AES_128_GCM_SHA256 ",
        "x25519",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint16_t code = 0xbeef;
        CU_ASSERT_FALSE(codepoint_parse(REGISTRY_CIPHER, &code, bad[i]));
        CU_ASSERT_EQUAL(code, 0xbeef);
    }
}

static void test_sslv2(void) {
    char text[CODEPOINT_NAME_MAX];
    CU_ASSERT_STRING_EQUAL(codepoint_sslv2_name(0x060040, text), "SSL_CK_DES_64_CBC_WITH_MD5");
    CU_ASSERT_STRING_EQUAL(codepoint_sslv2_name(0x010081, text), "0x010081 (unknown)");
    CU_ASSERT_STRING_EQUAL(codepoint_sslv2_name(0xffffff, text), "0xffffff (unknown)");
}

static void find_out_of_range(void) { (void)codepoint_find(REGISTRY_COUNT, 0); }

static void test_out_of_range(void) {
    CU_ASSERT_TRUE(unit_aborts(find_out_of_range, "REGISTRY_COUNT"));
}

const struct unit_case unit_cases[] = {
    {"rows are sorted, unique and well formed", test_rows},
    {"names are unique and no numbers", test_names_are_unique},
    {"known values have their names and marks", test_known},
    {"GREASE is where RFC 8701 puts it", test_grease},
    {"every value has a name", test_name},
    {"every name of every value parses back", test_round_trip},
    {"parse ignores case", test_parse_ignores_case},
    {"parse takes numbers", test_parse_number},
    {"parse refuses everything else and changes nothing", test_parse_bad},
    {"cipher kinds of SSL 2.0", test_sslv2},
    {"a registry out of range aborts", test_out_of_range},
    {NULL, NULL},
};
