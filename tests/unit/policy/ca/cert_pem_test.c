#include "policy/ca/cert_pem.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static CBS text_of(const char *text) {
    CBS cbs;
    CBS_init(&cbs, (const uint8_t *)text, strlen(text));
    return cbs;
}

static void test_round_trip(void) {
    uint8_t der[300];
    struct buf out;
    buf_init(&out, 4096);
    for (size_t len = 1; len < sizeof(der); len += 7) {
        memset(der, (int)len, sizeof(der));
        CU_ASSERT_TRUE(cert_pem_print(&out, der, len));
        CBS text;
        uint8_t *got;
        size_t got_len;
        CBS_init(&text, buf_data(&out), out.len);
        CU_ASSERT_EQUAL_FATAL(cert_pem_next(&text, &got, &got_len), 1);
        CU_ASSERT_EQUAL(got_len, len);
        CU_ASSERT_EQUAL(memcmp(got, der, len), 0);
        free(got);
        CU_ASSERT_EQUAL(cert_pem_next(&text, &got, &got_len), 0);
        buf_cleanup(&out);
    }
}

static void test_blocks(void) {
    CBS text = text_of("a comment\r\n-----BEGIN CERTIFICATE-----\r\nAA\tEC\r\n"
                       "-----END CERTIFICATE-----\r\n-----BEGIN PRIVATE KEY-----\nAAAA\n"
                       "-----END PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\n*\n"
                       "-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nAAAA\n");
    uint8_t *der;
    size_t der_len;
    CU_ASSERT_EQUAL_FATAL(cert_pem_next(&text, &der, &der_len), 1);
    CU_ASSERT_EQUAL(der_len, 3);
    CU_ASSERT_EQUAL(memcmp(der, "\0\1\2", 3), 0);
    free(der);
    CU_ASSERT_EQUAL(cert_pem_next(&text, &der, &der_len), -1);
    CU_ASSERT_EQUAL(cert_pem_next(&text, &der, &der_len), -1);
    CU_ASSERT_EQUAL(cert_pem_next(&text, &der, &der_len), 0);
    text = text_of("-----BEGIN CERTIFICATE----------END CERTIFICATE-----");
    CU_ASSERT_EQUAL(cert_pem_next(&text, &der, &der_len), -1);
}

const struct unit_case unit_cases[] = {
    {"printed blocks read back", test_round_trip},
    {"among other blocks", test_blocks},
    {NULL, NULL},
};
