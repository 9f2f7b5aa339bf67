#include "logs/record/difference.h"

#include <string.h>

#include "logs/record/record.h"
#include "tests/unit/unit.h"

static struct record *record;
static struct obj *client, *server;

// begin makes two legs that both saw an offer and an answer and agree in all that they saw.
static void begin(void) {
    record = record_new();
    client = obj_sub(record->root, F_RECORD_LEG_CLIENT);
    server = obj_sub(record->root, F_RECORD_LEG_SERVER);
    for (int i = 0; i < 2; i++) {
        struct obj *leg = record_leg(record->root, i);
        obj_add_code(leg, F_LEG_OFFER_CIPHERS, 0x1301);
        obj_set_int(leg, F_LEG_ANSWER_VERSION, 0x0304);
    }
}

static void end(void) { record_free(record); }

static void codes(struct obj *leg, enum field field, uint16_t a, uint16_t b, uint16_t c) {
    obj_set_codes(leg, field, (const uint16_t[]){a, b, c}, 3);
}

static void test_values(void) {
    begin();
    CU_ASSERT_EQUAL(difference_find(client, server, F_LEG_SERVER_NAME), DIFFERENCE_NONE);
    obj_set_str(client, F_LEG_SERVER_NAME, "a.test");
    obj_set_str(server, F_LEG_SERVER_NAME, "a.test");
    CU_ASSERT_EQUAL(difference_find(client, server, F_LEG_SERVER_NAME), DIFFERENCE_NONE);
    obj_set_str(server, F_LEG_SERVER_NAME, "b.test");
    CU_ASSERT_EQUAL(difference_find(client, server, F_LEG_SERVER_NAME), DIFFERENCE_CHANGED);
    obj_set_int(client, F_LEG_OFFER_SCT, 1);
    obj_set_int(server, F_LEG_OFFER_SCT, 0);
    CU_ASSERT_EQUAL(difference_find(client, server, F_LEG_OFFER_SCT), DIFFERENCE_CHANGED);
    end();
}

static void test_absent_and_not_observed(void) {
    begin();
    obj_set_str(client, F_LEG_SERVER_NAME, "a.test");
    CU_ASSERT_EQUAL(difference_find(client, server, F_LEG_SERVER_NAME), DIFFERENCE_ABSENT);
    CU_ASSERT_EQUAL(difference_find(server, client, F_LEG_SERVER_NAME), DIFFERENCE_ABSENT);
    obj_unset(server, F_LEG_OFFER_CIPHERS);
    CU_ASSERT_EQUAL(difference_find(client, server, F_LEG_SERVER_NAME), DIFFERENCE_NONE);
    obj_set_int(server, F_LEG_TLS_CIPHER, 0x1301);
    CU_ASSERT_EQUAL(difference_find(client, server, F_LEG_TLS_CIPHER), DIFFERENCE_ABSENT);
    obj_unset(client, F_LEG_ANSWER_VERSION);
    CU_ASSERT_EQUAL(difference_find(client, server, F_LEG_TLS_CIPHER), DIFFERENCE_NONE);
    end();
}

static void test_order(void) {
    begin();
    codes(client, F_LEG_OFFER_GROUPS, 29, 23, 24);
    codes(server, F_LEG_OFFER_GROUPS, 29, 24, 23);
    CU_ASSERT_EQUAL(difference_find(client, server, F_LEG_OFFER_GROUPS), DIFFERENCE_REORDERED);
    codes(server, F_LEG_OFFER_GROUPS, 29, 24, 24);
    CU_ASSERT_EQUAL(difference_find(client, server, F_LEG_OFFER_GROUPS), DIFFERENCE_CHANGED);
    codes(client, F_LEG_OFFER_EXTENSIONS, 0, 10, 43);
    codes(server, F_LEG_OFFER_EXTENSIONS, 43, 0, 10);
    CU_ASSERT_EQUAL(difference_find(client, server, F_LEG_OFFER_EXTENSIONS), DIFFERENCE_NONE);
    codes(server, F_LEG_OFFER_EXTENSIONS, 43, 0, 11);
    CU_ASSERT_EQUAL(difference_find(client, server, F_LEG_OFFER_EXTENSIONS), DIFFERENCE_CHANGED);
    obj_add_str(client, F_LEG_OFFER_ALPN, "h2", 2);
    obj_add_str(client, F_LEG_OFFER_ALPN, "http/1.1", 8);
    obj_add_str(server, F_LEG_OFFER_ALPN, "http/1.1", 8);
    CU_ASSERT_EQUAL(difference_find(client, server, F_LEG_OFFER_ALPN), DIFFERENCE_CHANGED);
    obj_add_str(server, F_LEG_OFFER_ALPN, "h2", 2);
    CU_ASSERT_EQUAL(difference_find(client, server, F_LEG_OFFER_ALPN), DIFFERENCE_REORDERED);
    end();
}

static void test_grease(void) {
    begin();
    codes(client, F_LEG_OFFER_GROUPS, 0x1a1a, 29, 23);
    codes(server, F_LEG_OFFER_GROUPS, 0xdada, 29, 23);
    CU_ASSERT_EQUAL(difference_find(client, server, F_LEG_OFFER_GROUPS), DIFFERENCE_NONE);
    codes(server, F_LEG_OFFER_GROUPS, 24, 29, 23);
    CU_ASSERT_EQUAL(difference_find(client, server, F_LEG_OFFER_GROUPS), DIFFERENCE_CHANGED);
    codes(client, F_LEG_OFFER_EXTENSIONS, 0x0a0a, 0, 0x1a1a);
    codes(server, F_LEG_OFFER_EXTENSIONS, 0, 0x2a2a, 0x3a3a);
    CU_ASSERT_EQUAL(difference_find(client, server, F_LEG_OFFER_EXTENSIONS), DIFFERENCE_NONE);
    end();
}

static void add_share(struct obj *leg, int group, int length) {
    struct obj *share = obj_add(leg, F_LEG_OFFER_KEY_SHARES);
    obj_set_int(share, F_KEY_SHARE_GROUP, group);
    obj_set_int(share, F_KEY_SHARE_LENGTH, length);
}

static void test_key_shares(void) {
    begin();
    add_share(client, 0x1a1a, 1);
    add_share(client, 29, 32);
    add_share(server, 0x8a8a, 1);
    add_share(server, 29, 32);
    CU_ASSERT_EQUAL(difference_find(client, server, F_LEG_OFFER_KEY_SHARES), DIFFERENCE_NONE);
    add_share(client, 23, 65);
    CU_ASSERT_EQUAL(difference_find(client, server, F_LEG_OFFER_KEY_SHARES), DIFFERENCE_CHANGED);
    add_share(server, 23, 33);
    CU_ASSERT_EQUAL(difference_find(client, server, F_LEG_OFFER_KEY_SHARES), DIFFERENCE_CHANGED);
    end();
}

// A hello of 64 KiB has some 30,000 suites: all of them count, the last too.
static void test_long_lists(void) {
    begin();
    for (int i = 0; i < 30000; i++) {
        obj_add_code(client, F_LEG_OFFER_SIGALGS, (uint16_t)i);
        obj_add_code(server, F_LEG_OFFER_SIGALGS, (uint16_t)(i == 29999 ? 1 : i));
    }
    CU_ASSERT_EQUAL(difference_find(client, server, F_LEG_OFFER_SIGALGS), DIFFERENCE_CHANGED);
    end();
}

static void test_record(void) {
    begin();
    obj_set_str(client, F_LEG_SERVER_NAME, "a.test");
    obj_add_str(client, F_LEG_OFFER_ALPN, "h2", 2);
    obj_add_str(server, F_LEG_OFFER_ALPN, "http/1.1", 8);
    obj_set_str(client, F_LEG_JA3, "not compared");
    difference_record(record->root);
    difference_record(record->root);
    CU_ASSERT_EQUAL_FATAL(obj_num(record->root, F_RECORD_DIFFERENCES), 2);
    const struct obj *sni = obj_at(record->root, F_RECORD_DIFFERENCES, 0);
    CU_ASSERT(obj_str_is(sni, F_DIFFERENCE_FIELD, "tls.client.server_name"));
    CU_ASSERT(obj_str_is(sni, F_DIFFERENCE_HOW, "absent"));
    CU_ASSERT(obj_has_str(sni, F_DIFFERENCE_CLIENT, "a.test"));
    CU_ASSERT_FALSE(obj_has(sni, F_DIFFERENCE_SERVER));
    const struct obj *alpn = obj_at(record->root, F_RECORD_DIFFERENCES, 1);
    CU_ASSERT(obj_str_is(alpn, F_DIFFERENCE_FIELD, "offer.alpn"));
    CU_ASSERT(obj_str_is(alpn, F_DIFFERENCE_HOW, "changed"));
    CU_ASSERT(obj_has_str(alpn, F_DIFFERENCE_SERVER, "http/1.1"));
    end();
}

static void test_one_leg(void) {
    record = record_new();
    obj_add_code(obj_sub(record->root, F_RECORD_LEG_CLIENT), F_LEG_OFFER_CIPHERS, 1);
    difference_record(record->root);
    CU_ASSERT_FALSE(obj_has(record->root, F_RECORD_DIFFERENCES));
    end();
}

const struct unit_case unit_cases[] = {
    {"values", test_values},
    {"absent is a difference, not observed is none", test_absent_and_not_observed},
    {"order counts where it means something", test_order},
    {"GREASE equals GREASE", test_grease},
    {"key shares", test_key_shares},
    {"long lists", test_long_lists},
    {"the differences of a record", test_record},
    {"one leg has no differences", test_one_leg},
    {NULL, NULL},
};
