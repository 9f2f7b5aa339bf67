#include "proxy/tls/cipher.h"

#include "logs/base/check.h"
#include "tests/unit/unit.h"

static void test_exchange(void) {
    // clang-format off
    static const struct {
        uint16_t cipher;
        struct cipher_exchange exchange;
    } rows[] = {
        {0xc02f, {KEY_EXCHANGE_ECDHE,      false, false}}, // ECDHE_RSA
        {0xc018, {KEY_EXCHANGE_ECDHE,      false, true}},  // ECDH_anon
        {0xc035, {KEY_EXCHANGE_ECDHE,      true,  true}},  // ECDHE_PSK
        {0xc004, {KEY_EXCHANGE_NONE,       false, false}}, // ECDH_ECDSA, static
        {0x009e, {KEY_EXCHANGE_DHE,        false, false}}, // DHE_RSA
        {0x0034, {KEY_EXCHANGE_DHE,        false, true}},  // DH_anon
        {0x0090, {KEY_EXCHANGE_DHE,        true,  true}},  // DHE_PSK
        {0x008c, {KEY_EXCHANGE_NONE,       true,  true}},  // PSK
        {0x002f, {KEY_EXCHANGE_NONE,       false, false}}, // RSA
        {0x0003, {KEY_EXCHANGE_RSA_EXPORT, false, false}},
        {0x0014, {KEY_EXCHANGE_DHE,        false, false}}, // DHE_RSA_EXPORT
        {0xc01d, {KEY_EXCHANGE_SRP,        false, true}},
        {0x1301, {KEY_EXCHANGE_NONE,       false, false}},
        {0xeeee, {KEY_EXCHANGE_UNKNOWN,    false, false}},
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cipher_exchange got = cipher_exchange(rows[i].cipher);
        CU_ASSERT_EQUAL(got.kind, rows[i].exchange.kind);
        CU_ASSERT_EQUAL(got.psk, rows[i].exchange.psk);
        CU_ASSERT_EQUAL(got.anon, rows[i].exchange.anon);
    }
}

static void test_versions_and_groups(void) {
    CU_ASSERT_TRUE(cipher_is_tls13(0x1303));
    CU_ASSERT_TRUE(cipher_is_tls13(0xc0b4));
    CU_ASSERT_FALSE(cipher_is_tls13(0xc02f));
    CU_ASSERT_TRUE(cipher_needs_group(0x1301));
    CU_ASSERT_TRUE(cipher_needs_group(0xcca8));
    CU_ASSERT_FALSE(cipher_needs_group(0x009e));
    CU_ASSERT_FALSE(cipher_needs_group(0x010080)); // of SSLv2
}

const struct unit_case unit_cases[] = {
    {"key exchange", test_exchange},
    {"versions and groups", test_versions_and_groups},
    {NULL, NULL},
};
