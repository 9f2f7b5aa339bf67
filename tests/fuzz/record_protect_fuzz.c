// Target functions: record_protect_open, record_protect_seal.
//
// The first byte chooses version and suite, the second the padding. What follows is a record: as it
// is it must not open; sealed it must give its content back, and with a byte changed nothing.
#include <stdlib.h>
#include <string.h>

#include "proxy/tls/record_protect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

enum { HEADER_LEN = 5 };

static void protect_make(struct record_protect *protect, uint8_t choice, bool seals) {
    // The last ones have no AEAD in the library, or go on from the record before.
    static const struct {
        uint16_t version, cipher;
    } suites[] = {
        {0x0304, 0x1301}, {0x0304, 0x1302}, {0x0304, 0x1303}, {0x0303, 0xc02f}, {0x0303, 0xc030},
        {0x0303, 0xcca8}, {0x0303, 0x002f}, {0x0303, 0x0035}, {0x0303, 0x000a}, {0x0303, 0x003c},
        {0x0303, 0xc028}, {0x0303, 0x0005}, {0x0301, 0x0004}, {0x0301, 0x0005}, {0x0301, 0x002f},
    };
    static const uint8_t secret[RECORD_PROTECT_KEY_MAX] = "secret";
    struct cipher_keys keys;
    uint16_t version = suites[choice % ARRAY_LEN(suites)].version;
    uint16_t cipher = suites[choice % ARRAY_LEN(suites)].cipher;
    bool tls13 = version == 0x0304;
    CHECK(tls13 ? cipher_keys_find(&keys, cipher) : cipher_keys_find12(&keys, version, cipher));
    if (tls13) {
        record_protect_init13(protect, &keys, secret);
    } else {
        record_protect_init12(protect, &keys, seals, secret, secret + KEY_SCHEDULE_KEY_MAX);
    }
}

static bool opens(struct record_protect *protect, uint8_t *out_type, uint8_t **out_content,
                  size_t *out_len, const uint8_t *record, size_t record_len) {
    const uint8_t *content;
    uint8_t *copy = xmemdup(record, record_len);
    bool ok = record_protect_open(protect, out_type, &content, out_len, copy, copy + HEADER_LEN,
                                  record_len - HEADER_LEN);
    if (ok) {
        CHECK(content >= copy + HEADER_LEN && content + *out_len <= copy + record_len);
        *out_content = xmemdup(content, *out_len);
    }
    free(copy);
    return ok;
}

static void round_trip(uint8_t choice, uint8_t padding, const uint8_t *p, size_t p_len) {
    static uint8_t record[RECORD_SEALED_MAX + HEADER_LEN];
    struct record_protect seal = {0}, open = {0};
    uint8_t got_type, *got = NULL, type = p[0] != 0 ? p[0] : 1;
    size_t got_len;
    protect_make(&seal, choice, true);
    protect_make(&open, choice, false);
    size_t len = record_protect_seal(&seal, record, type, p, p_len, seal.tls13 ? padding : 0);
    record[HEADER_LEN + p[0] % (len - HEADER_LEN)] ^= 1;
    CHECK(!opens(&open, &got_type, &got, &got_len, record, len));
    CHECK(open.seq == 0);
    record_protect_cleanup(&open);
    open = (struct record_protect){0};
    protect_make(&open, choice, false);
    record[HEADER_LEN + p[0] % (len - HEADER_LEN)] ^= 1;
    CHECK(opens(&open, &got_type, &got, &got_len, record, len));
    CHECK(got_type == type && got_len == p_len && memcmp(got, p, p_len) == 0);
    CHECK(open.seq == 1 && seal.seq == 1);
    free(got);
    record_protect_cleanup(&seal);
    record_protect_cleanup(&open);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len) {
    if (data_len < 2 + HEADER_LEN || data_len > RECORD_PLAIN_MAX) {
        return 0;
    }
    struct record_protect open = {0};
    uint8_t type, *content = NULL;
    size_t content_len;
    protect_make(&open, data[0], false);
    CHECK(!opens(&open, &type, &content, &content_len, data + 2, data_len - 2) && open.seq == 0);
    record_protect_cleanup(&open);
    round_trip(data[0], data[1], data + 2, data_len - 2);
    return 0;
}
