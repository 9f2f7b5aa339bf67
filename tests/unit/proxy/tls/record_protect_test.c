#include "proxy/tls/record_protect.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/tls/handshake.h"
#include "tests/unit/proxy/tls/rfc8448.h"
#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

static const uint16_t suites[] = {0x1301, 0x1302, 0x1303};

static void protect13(struct record_protect *protect, uint16_t cipher, const char *secret_hex) {
    struct cipher_keys keys;
    struct made secret = made_hex(secret_hex);
    CU_ASSERT_FATAL(cipher_keys_find(&keys, cipher));
    record_protect_init13(protect, &keys, secret.p);
    made_free(&secret);
}

// opens returns whether the record opens to `content` of `type`.
static bool opens(struct record_protect *protect, const struct made *record, uint8_t type,
                  const struct made *content) {
    struct made copy = made_copy(record->p, record->len);
    uint8_t got_type;
    const uint8_t *got;
    size_t got_len;
    bool ok =
        record_protect_open(protect, &got_type, &got, &got_len, copy.p, copy.p + 5, copy.len - 5);
    ok = ok && got_type == type && got_len == content->len &&
         (got_len == 0 || memcmp(got, content->p, got_len) == 0);
    made_free(&copy);
    return ok;
}

// record_is opens the RFC's record and seals its content again, which must give the same bytes.
static void record_is(struct record_protect *open, struct record_protect *seal,
                      const char *record_hex, uint8_t type, const char *content_hex) {
    static uint8_t out[RECORD_SEALED_MAX + 5];
    struct made record = made_hex(record_hex), content = made_hex(content_hex);
    CU_ASSERT(opens(open, &record, type, &content));
    size_t len = record_protect_seal(seal, out, type, content.p, content.len, 0);
    CU_ASSERT_EQUAL(len, record.len);
    CU_ASSERT_EQUAL(memcmp(out, record.p, record.len), 0);
    made_free(&record);
    made_free(&content);
}

static void test_rfc8448(void) {
    struct record_protect open = {0}, seal = {0};
    protect13(&open, 0x1301, RFC8448_SERVER_HANDSHAKE);
    protect13(&seal, 0x1301, RFC8448_SERVER_HANDSHAKE);
    record_is(&open, &seal, RFC8448_SERVER_FLIGHT_RECORD, CONTENT_HANDSHAKE,
              RFC8448_SERVER_FLIGHT RFC8448_SERVER_FINISHED);
    protect13(&open, 0x1301, RFC8448_CLIENT_HANDSHAKE);
    protect13(&seal, 0x1301, RFC8448_CLIENT_HANDSHAKE);
    record_is(&open, &seal, RFC8448_CLIENT_FINISHED_RECORD, CONTENT_HANDSHAKE,
              RFC8448_CLIENT_FINISHED);
    protect13(&open, 0x1301, RFC8448_SERVER_TRAFFIC);
    protect13(&seal, 0x1301, RFC8448_SERVER_TRAFFIC);
    record_is(&open, &seal, RFC8448_TICKET_RECORD, CONTENT_HANDSHAKE, RFC8448_TICKET);
    record_is(&open, &seal, RFC8448_SERVER_DATA_RECORD, CONTENT_APPLICATION_DATA, RFC8448_DATA);
    record_is(&open, &seal, RFC8448_SERVER_ALERT_RECORD, CONTENT_ALERT, "0100");
    protect13(&open, 0x1301, RFC8448_CLIENT_TRAFFIC);
    protect13(&seal, 0x1301, RFC8448_CLIENT_TRAFFIC);
    record_is(&open, &seal, RFC8448_CLIENT_DATA_RECORD, CONTENT_APPLICATION_DATA, RFC8448_DATA);
    record_is(&open, &seal, RFC8448_CLIENT_ALERT_RECORD, CONTENT_ALERT, "0100");
    record_protect_cleanup(&open);
    record_protect_cleanup(&seal);
}

static struct made sealed(struct record_protect *protect, uint8_t type, const struct made *content,
                          size_t padding) {
    uint8_t *out = malloc(RECORD_SEALED_MAX + 5);
    size_t len = record_protect_seal(protect, out, type, content->p, content->len, padding);
    struct made record = made_copy(out, len);
    free(out);
    return record;
}

// A secret long enough for both hashes.
#define SECRET RFC8448_SERVER_TRAFFIC "000102030405060708090a0b0c0d0e0f"

static void test_sizes_and_padding(void) {
    static const size_t sizes[][2] = {{0, 0}, {1, 0}, {1, 1}, {255, 300}, {16384, 0}, {0, 16384}};
    static uint8_t bytes[RECORD_PLAIN_MAX];
    memset(bytes, 0xa5, sizeof(bytes));
    for (size_t s = 0; s < ARRAY_LEN(suites); s++) {
        struct record_protect open = {0}, seal = {0};
        protect13(&open, suites[s], SECRET);
        protect13(&seal, suites[s], SECRET);
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
            struct made content = made_copy(bytes, sizes[i][0]);
            struct made record = sealed(&seal, CONTENT_HANDSHAKE, &content, sizes[i][1]);
            CU_ASSERT_EQUAL(record.len,
                            5 + content.len + sizes[i][1] + record_protect_overhead(&open));
            CU_ASSERT(opens(&open, &record, CONTENT_HANDSHAKE, &content));
            made_free(&content);
            made_free(&record);
        }
        CU_ASSERT_EQUAL(open.seq, ARRAY_LEN(sizes));
        record_protect_cleanup(&open);
        record_protect_cleanup(&seal);
    }
}

// A content that ends in zeros keeps them, one of nothing but zeros has no type.
static void test_zeros(void) {
    struct record_protect open = {0}, seal = {0};
    struct made zeros = made_hex("00000000"), none = {0};
    protect13(&open, 0x1303, SECRET);
    protect13(&seal, 0x1303, SECRET);
    struct made record = sealed(&seal, CONTENT_APPLICATION_DATA, &zeros, 7);
    CU_ASSERT(opens(&open, &record, CONTENT_APPLICATION_DATA, &zeros));
    made_free(&record);
    record = sealed(&seal, 0, &zeros, 3);
    CU_ASSERT(opens(&open, &record, 0, &none));
    made_free(&record);
    made_free(&zeros);
    record_protect_cleanup(&open);
    record_protect_cleanup(&seal);
}

static void refuses(struct record_protect *protect, const struct made *record, size_t len) {
    struct made copy = made_copy(record->p, len);
    uint8_t type;
    const uint8_t *content;
    size_t content_len;
    uint64_t seq = protect->seq;
    CU_ASSERT_FALSE(record_protect_open(protect, &type, &content, &content_len, copy.p, copy.p + 5,
                                        copy.len - 5));
    CU_ASSERT_EQUAL(protect->seq, seq);
    CU_ASSERT_EQUAL(ERR_peek_error(), 0);
    made_free(&copy);
}

// Every bit counts, and so do the length, the order and the sequence number.
static void test_broken(void) {
    struct made content = made_hex("08000002 0000");
    for (size_t s = 0; s < ARRAY_LEN(suites); s++) {
        struct record_protect open = {0}, seal = {0};
        protect13(&open, suites[s], SECRET);
        protect13(&seal, suites[s], SECRET);
        struct made first = sealed(&seal, CONTENT_HANDSHAKE, &content, 2);
        struct made second = sealed(&seal, CONTENT_HANDSHAKE, &content, 2);
        for (size_t i = 0; i < 8 * first.len; i++) {
            first.p[i / 8] ^= (uint8_t)(1 << i % 8);
            refuses(&open, &first, first.len);
            first.p[i / 8] ^= (uint8_t)(1 << i % 8);
        }
        for (size_t len = 5; len < first.len; len++) {
            refuses(&open, &first, len);
        }
        refuses(&open, &second, second.len);
        CU_ASSERT(opens(&open, &first, CONTENT_HANDSHAKE, &content));
        refuses(&open, &first, first.len);
        CU_ASSERT(opens(&open, &second, CONTENT_HANDSHAKE, &content));
        open.seq = UINT64_MAX;
        refuses(&open, &first, first.len);
        made_free(&first);
        made_free(&second);
        record_protect_cleanup(&open);
        record_protect_cleanup(&seal);
    }
    made_free(&content);
}

static void test_too_long(void) {
    static uint8_t body[RECORD_SEALED_MAX + 1];
    struct record_protect open = {0};
    struct made record = made_copy(body, sizeof(body));
    protect13(&open, 0x1301, SECRET);
    refuses(&open, &record, record.len);
    made_free(&record);
    record_protect_cleanup(&open);
}

static void seal_too_much(void) {
    static uint8_t out[2 * RECORD_SEALED_MAX];
    struct record_protect seal = {0};
    protect13(&seal, 0x1301, SECRET);
    record_protect_seal(&seal, out, CONTENT_HANDSHAKE, out + RECORD_SEALED_MAX, RECORD_PLAIN_MAX,
                        1);
}

static void test_ceiling(void) { CU_ASSERT(unit_aborts(seal_too_much, "RECORD_PLAIN_MAX")); }

// TLS 1.2: a record that is counted and not opened moves the sequence on.
static void test_tls12(void) {
    static const uint8_t key[32] = "key", salt[12] = "salt";
    struct made content = made_hex("0100");
    struct cipher_keys keys;
    for (int chacha = 0; chacha < 2; chacha++) {
        struct record_protect open = {0}, seal = {0};
        CU_ASSERT_FATAL(cipher_keys_find(&keys, chacha ? 0xcca9 : 0xc02c));
        record_protect_init12(&open, &keys, false, key, salt);
        record_protect_init12(&seal, &keys, true, key, salt);
        CU_ASSERT_EQUAL(record_protect_overhead(&open), chacha ? 16 : 24);
        struct made first = sealed(&seal, CONTENT_APPLICATION_DATA, &content, 0);
        struct made second = sealed(&seal, CONTENT_ALERT, &content, 0);
        CU_ASSERT_EQUAL(first.p[0], CONTENT_APPLICATION_DATA);
        CU_ASSERT_EQUAL(first.len, 5 + 2 + record_protect_overhead(&open));
        refuses(&open, &second, second.len);
        record_protect_skip(&open);
        refuses(&open, &first, first.len);
        CU_ASSERT(opens(&open, &second, CONTENT_ALERT, &content));
        made_free(&first);
        made_free(&second);
        record_protect_cleanup(&open);
        record_protect_cleanup(&seal);
    }
    made_free(&content);
}

const struct unit_case unit_cases[] = {
    {"the records of RFC 8448", test_rfc8448},
    {"sizes and padding of all suites", test_sizes_and_padding},
    {"zeros", test_zeros},
    {"broken records", test_broken},
    {"a record that is too long", test_too_long},
    {"too much to seal", test_ceiling},
    {"TLS 1.2", test_tls12},
    {NULL, NULL},
};
