// What is sealed opens, and nothing else does; real servers are in the lab.
#include "proxy/tls/record_mac.h"

#include <string.h>

#include "tests/unit/unit.h"

static const uint8_t keys[80] = "keys", iv[16] = "iv";

static const struct {
    const EVP_CIPHER *(*cipher)(void);
    const EVP_MD *(*digest)(void);
} rows[] = {{EVP_aes_128_cbc, EVP_sha256}, {EVP_aes_256_cbc, EVP_sha384}, {EVP_rc4, EVP_md5}};

static void make(struct record_mac *mac, size_t row, bool seals) {
    *mac = (struct record_mac){0};
    record_mac_init(mac, rows[row].cipher(), rows[row].digest(), seals, keys, keys + 48);
}

static void test_round_trip(void) {
    for (size_t row = 0; row < ARRAY_LEN(rows); row++) {
        for (size_t len = 0; len < 40; len++) {
            struct record_mac seal, open;
            uint8_t head[RECORD_MAC_HEAD_LEN] = "head", text[128] = "some text", was[128];
            size_t got;
            make(&seal, row, true);
            make(&open, row, false);
            size_t whole = len + record_mac_tag_len(&seal, len);
            memcpy(was, text, len);
            record_mac_seal(&seal, head, iv, text, len);
            CU_ASSERT(record_mac_open(&open, &got, head, iv, text, whole));
            CU_ASSERT(got == len && memcmp(text, was, len) == 0);
            record_mac_cleanup(&seal);
            record_mac_cleanup(&open);
        }
    }
}

// A bit anywhere, another head, a byte too few: none opens.
static void test_changed(void) {
    for (size_t row = 0; row < ARRAY_LEN(rows); row++) {
        for (size_t bit = 0; bit < 8 * 80; bit++) {
            struct record_mac seal, open;
            uint8_t head[RECORD_MAC_HEAD_LEN] = "head", text[128] = "some text";
            size_t got, len = 11;
            make(&seal, row, true);
            make(&open, row, false);
            size_t whole = len + record_mac_tag_len(&seal, len);
            record_mac_seal(&seal, head, iv, text, len);
            if (bit / 8 < whole) {
                text[bit / 8] ^= (uint8_t)(1 << bit % 8);
            } else if (bit % 2 == 0) {
                head[bit % 11] ^= 1;
            } else {
                whole -= 1 + bit % 3;
            }
            CU_ASSERT_FALSE(record_mac_open(&open, &got, head, iv, text, whole));
            record_mac_cleanup(&seal);
            record_mac_cleanup(&open);
        }
    }
}

static void test_short(void) {
    for (size_t row = 0; row < ARRAY_LEN(rows); row++) {
        for (size_t len = 0; len < 64; len++) {
            struct record_mac open;
            uint8_t head[RECORD_MAC_HEAD_LEN] = "head", text[64] = "";
            size_t got;
            make(&open, row, false);
            CU_ASSERT_FALSE(record_mac_open(&open, &got, head, iv, text, len));
            record_mac_cleanup(&open);
        }
    }
}

const struct unit_case unit_cases[] = {
    {"what is sealed opens", test_round_trip},
    {"what is changed does not", test_changed},
    {"what is too short", test_short},
    {NULL, NULL},
};
