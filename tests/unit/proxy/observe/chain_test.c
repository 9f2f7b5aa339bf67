// The server's certificates.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/proxy/observe/flight.h"
#include "tests/unit/unit.h"

static struct observe new_observe(struct record *record) {
    struct observe observe;
    observe_init(&observe, record->root, false, 0);
    return observe;
}

static void facts_of_each_certificate(void) {
    struct record *record = record_new();
    struct observe observe = new_observe(record);
    const struct world *w = world_get();
    const CBS chain[] = {pki_cbs(w->rsa), pki_cbs(w->root)};
    observe_certificates(&observe, chain, 2, 7000);
    const struct obj *leg = record_leg(record->root, false);
    CU_ASSERT_EQUAL_FATAL(obj_num(leg, F_LEG_CHAIN), 2);
    const struct obj *leaf = obj_at(leg, F_LEG_CHAIN, 0), *root = obj_at(leg, F_LEG_CHAIN, 1);
    CU_ASSERT(obj_str_is(leaf, F_CERT_SUBJECT, "CN=" WORLD_HOST));
    CU_ASSERT(obj_str_is(leaf, F_CERT_ISSUER, "CN=Test root"));
    CU_ASSERT(obj_has_str(leaf, F_CERT_SANS, WORLD_HOST));
    CU_ASSERT(obj_str_is(leaf, F_CERT_KEY_TYPE, "RSA"));
    CU_ASSERT(obj_is(leaf, F_CERT_KEY_BITS, 2048));
    CU_ASSERT(obj_is(leaf, F_CERT_NOT_AFTER, PKI_NOW + 30 * PKI_DAY));
    CU_ASSERT(obj_is(leaf, F_CERT_IS_CA, false));
    CU_ASSERT_FALSE(obj_is(leaf, F_CERT_SELF_SIGNED, true));
    CU_ASSERT(obj_is(leaf, F_CERT_VERSION, 3));
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_CHAIN_ISSUERS), 2);
    CU_ASSERT(obj_has_str(leg, F_LEG_CHAIN_ISSUERS, "1"));
    CU_ASSERT_FALSE(obj_has(leaf, F_CERT_SANS_TOTAL));
    CU_ASSERT_FALSE(obj_has(leaf, F_CERT_MALFORMED));
    CU_ASSERT(obj_is(root, F_CERT_IS_CA, true));
    CU_ASSERT(obj_is(root, F_CERT_SELF_SIGNED, true));
    CU_ASSERT_EQUAL(strlen(obj_str(leaf, F_CERT_SHA256)), 64);
    CU_ASSERT_STRING_EQUAL(obj_str(leaf, F_CERT_SHA256), obj_str(leg, F_LEG_LEAF_SHA256));
    CU_ASSERT(obj_str_is(leg, F_LEG_SUBJECT, "CN=" WORLD_HOST));
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_CERTIFICATE_CHAIN), 2);
    struct span der = obj_item(leg, F_LEG_CERTIFICATE_CHAIN, 0);
    CU_ASSERT(der.len == w->rsa->der_len && memcmp(der.p, w->rsa->der, der.len) == 0);
    CU_ASSERT(obj_is(leg, F_LEG_MS_CERTIFICATE, 7000));
    // A chain that is there stays.
    observe_certificates(&observe, chain + 1, 1, 8000);
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_CHAIN), 2);
    record_free(record);
}

static void what_is_no_certificate_is_told(void) {
    struct record *record = record_new();
    struct observe observe = new_observe(record);
    static const uint8_t garbage[] = {0x30, 0x03, 0x02, 0x01, 0x05};
    CBS ders[2];
    CBS_init(&ders[0], garbage, sizeof(garbage));
    CBS_init(&ders[1], garbage, 0);
    observe_certificates(&observe, ders, 2, 0);
    const struct obj *leg = record_leg(record->root, false);
    CU_ASSERT_EQUAL_FATAL(obj_num(leg, F_LEG_CHAIN), 2);
    CU_ASSERT(obj_has(obj_at(leg, F_LEG_CHAIN, 0), F_CERT_MALFORMED));
    CU_ASSERT(obj_has(obj_at(leg, F_LEG_CHAIN, 1), F_CERT_MALFORMED));
    record_free(record);
}

static void an_empty_chain_is_not_an_absent_one(void) {
    struct record *record = record_new();
    struct observe observe = new_observe(record);
    static const uint8_t certificate[] = {11, 0, 0, 3, 0, 0, 0};
    CU_ASSERT_FALSE(obj_has(record_leg(record->root, false), F_LEG_CHAIN));
    observe_message(&observe, false, certificate, sizeof(certificate), 0);
    CU_ASSERT(obj_has(record_leg(record->root, false), F_LEG_CHAIN));
    CU_ASSERT_EQUAL(obj_num(record_leg(record->root, false), F_LEG_CHAIN), 0);
    record_free(record);
}

// fat_cert makes a certificate of about `len` bytes.
static struct pki_cert *fat_cert(size_t len) {
    char *san = xmalloc(len + 32);
    size_t at = (size_t)sprintf(san, "DNS:a.test");
    for (int i = 0; at + 20 < len; i++) {
        at += (size_t)sprintf(san + at, ",DNS:%08d.test", i);
    }
    struct pki_cert *cert = pki_make((struct pki_options){.cn = "fat", .san = san});
    free(san);
    return cert;
}

static void chains_have_ceilings(void) {
    struct record *record = record_new();
    struct observe observe = new_observe(record);
    struct pki_cert *fat = fat_cert(20000);
    CBS ders[120];
    for (size_t i = 0; i < ARRAY_LEN(ders); i++) {
        ders[i] = i < 20 ? pki_cbs(fat) : pki_cbs(world_get()->leaf);
    }
    observe_certificates(&observe, ders, ARRAY_LEN(ders), 0);
    const struct obj *leg = record_leg(record->root, false);
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_CHAIN), 100);
    size_t bytes = 0;
    for (size_t i = 0; i < obj_num(leg, F_LEG_CERTIFICATE_CHAIN); i++) {
        bytes += obj_item(leg, F_LEG_CERTIFICATE_CHAIN, i).len;
    }
    CU_ASSERT(bytes > 200 * 1024 && bytes <= 256 * 1024);
    CU_ASSERT(obj_num(obj_at(leg, F_LEG_CHAIN, 0), F_CERT_SANS) == 100);
    CU_ASSERT(has_note(record, "cert-too-large"));
    CU_ASSERT_EQUAL(obj_num(record->root, F_RECORD_NOTES), 1);
    CU_ASSERT(record->arena.used < 4 * 1024 * 1024);
    record_free(record);
    pki_free(fat);
}

// A chain of a hundred crosses a handshake.
static void a_hundred_certificates_in_a_handshake(void) {
    const struct pki_cert *fat[100];
    for (size_t i = 0; i < ARRAY_LEN(fat); i++) {
        fat[i] = world_get()->root;
    }
    for (uint16_t version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct peer_options client = flight_client(), server = flight_server();
        struct flight flight;
        client.max_version = version;
        server.fat = fat;
        server.num_fat = ARRAY_LEN(fat) - 1;
        flight_make(&flight, &client, &server, "x");
        struct record *record = flight_messages(&flight);
        CU_ASSERT_EQUAL(obj_num(record_leg(record->root, false), F_LEG_CHAIN), 100);
        record_free(record);
        if (version == TLS1_2_VERSION) {
            record = flight_wire(&flight, 1000);
            CU_ASSERT_EQUAL(obj_num(record_leg(record->root, false), F_LEG_CHAIN), 100);
            record_free(record);
        }
        flight_free(&flight);
    }
}

const struct unit_case unit_cases[] = {
    {"facts of each certificate", facts_of_each_certificate},
    {"what is no certificate is told", what_is_no_certificate_is_told},
    {"an empty chain is not an absent one", an_empty_chain_is_not_an_absent_one},
    {"chains have ceilings", chains_have_ceilings},
    {"a hundred certificates in a handshake", a_hundred_certificates_in_a_handshake},
    {NULL, NULL},
};
