// What a client shows of itself.
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "tests/unit/proxy/observe/flight.h"
#include "tests/unit/unit.h"

static const uint16_t versions[] = {TLS1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};

// shown is the record of a client that has `own`, before a server that asks for a certificate.
static struct record *shown(uint16_t version, const struct pki_cert *own) {
    struct peer_options client = flight_client(), server = flight_server();
    struct flight flight;
    client.max_version = version;
    client.own = own;
    server.ask = true;
    flight_make(&flight, &client, &server, "x");
    struct record *record = flight_messages(&flight);
    flight_free(&flight);
    return record;
}

static void its_facts(void) {
    const struct pki_cert *own = world_get()->self_signed;
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct record *record = shown(versions[i], own);
        const struct obj *leg = record_leg(record->root, false);
        leg_is(record, F_LEG_ANSWER_CLIENT_CERT, "yes");
        CU_ASSERT_EQUAL_FATAL(obj_num(leg, F_LEG_CLIENT_CHAIN), 1);
        const struct obj *cert = obj_at(leg, F_LEG_CLIENT_CHAIN, 0);
        struct span der = obj_item(leg, F_LEG_CLIENT_CERTIFICATE_CHAIN, 0);
        CU_ASSERT(der.len == own->der_len && memcmp(der.p, own->der, der.len) == 0);
        CU_ASSERT(obj_is(cert, F_CERT_SELF_SIGNED, true));
        CU_ASSERT(obj_str_is(cert, F_CERT_SUBJECT, obj_str(leg, F_LEG_CLIENT_SUBJECT)));
        CU_ASSERT(obj_str_is(cert, F_CERT_ISSUER, obj_str(leg, F_LEG_CLIENT_ISSUER)));
        CU_ASSERT(obj_str_is(cert, F_CERT_SHA256, obj_str(leg, F_LEG_CLIENT_SHA256)));
        int64_t from, until;
        CU_ASSERT(obj_int(leg, F_LEG_CLIENT_NOT_BEFORE, &from));
        CU_ASSERT(obj_int(leg, F_LEG_CLIENT_NOT_AFTER, &until));
        CU_ASSERT(obj_is(cert, F_CERT_NOT_BEFORE, from) && obj_is(cert, F_CERT_NOT_AFTER, until));
        // It is not taken for the server's.
        CU_ASSERT_FALSE(obj_str_is(leg, F_LEG_LEAF_SHA256, obj_str(leg, F_LEG_CLIENT_SHA256)));
        CU_ASSERT_EQUAL(obj_num(leg, F_LEG_CHAIN), 1);
        record_free(record);
    }
}

// Before TLS 1.2 a signature does not say how it was made.
static void its_signature(void) {
    static const char *const schemes[] = {"-", "ecdsa_secp256r1_sha256", "ecdsa_secp256r1_sha256"};
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct record *record = shown(versions[i], world_get()->self_signed);
        leg_is(record, F_LEG_ANSWER_CLIENT_SIGNATURE, schemes[i]);
        record_free(record);
    }
}

static void one_that_has_none(void) {
    static const enum field absent[] = {F_LEG_CLIENT_CHAIN, F_LEG_CLIENT_SUBJECT,
                                        F_LEG_CLIENT_CERTIFICATE_CHAIN,
                                        F_LEG_ANSWER_CLIENT_SIGNATURE};
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct record *record = shown(versions[i], NULL);
        leg_is(record, F_LEG_ANSWER_CLIENT_CERT, "no");
        for (size_t k = 0; k < ARRAY_LEN(absent); k++) {
            CU_ASSERT_FALSE(obj_has(record_leg(record->root, false), absent[k]));
        }
        record_free(record);
    }
}

enum { MESSAGE_MAX = 8192, TLS13 = 0x0304 };

static size_t put(uint8_t *p, size_t value, size_t len) {
    for (size_t i = 0; i < len; i++) {
        p[i] = (uint8_t)(value >> (8 * (len - 1 - i)));
    }
    return len;
}

// message_make writes a Certificate of TLS 1.3 with one entry.
static size_t message_make(uint8_t *p, const struct pki_cert *cert) {
    size_t n = put(p, 11, 1);
    n += put(p + n, 1 + 3 + 3 + cert->der_len + 2, 3);
    n += put(p + n, 0, 1); // no context
    n += put(p + n, 3 + cert->der_len + 2, 3);
    n += put(p + n, cert->der_len, 3);
    memcpy(p + n, cert->der, cert->der_len);
    n += cert->der_len;
    return n + put(p + n, 0, 2);
}

static size_t compressed_make(uint8_t *p, const uint8_t *message, size_t message_len) {
    uLongf len = MESSAGE_MAX - 12;
    CU_ASSERT_EQUAL(compress(p + 12, &len, message + 4, message_len - 4), Z_OK);
    put(p, 25, 1);
    put(p + 1, 8 + len, 3);
    put(p + 4, 1, 2); // zlib
    put(p + 6, message_len - 4, 3);
    put(p + 9, len, 3);
    return 12 + len;
}

// said returns what is recorded of a client that says `p` in TLS 1.3.
static struct record *said(const uint8_t *p, size_t p_len) {
    struct record *record = record_new();
    struct observe observe;
    observe_init(&observe, record->root, false, 0);
    observe.version = TLS13;
    uint8_t *copy = xmemdup(p, p_len); // a read past its end is seen by the sanitizer
    observe_message(&observe, true, copy, p_len, 0);
    free(copy);
    return record;
}

static void one_that_is_compressed(void) {
    static uint8_t message[MESSAGE_MAX], compressed[MESSAGE_MAX];
    const struct pki_cert *own = world_get()->self_signed;
    size_t len = compressed_make(compressed, message, message_make(message, own));
    struct record *record = said(compressed, len);
    leg_is(record, F_LEG_ANSWER_CLIENT_CERT, "yes");
    struct span der = obj_item(record_leg(record->root, false), F_LEG_CLIENT_CERTIFICATE_CHAIN, 0);
    CU_ASSERT(der.len == own->der_len && memcmp(der.p, own->der, der.len) == 0);
    record_free(record);
    compressed[20] ^= 0xff;
    record = said(compressed, len);
    CU_ASSERT(has_note(record, "cert-compression-malformed"));
    CU_ASSERT_FALSE(obj_has(record_leg(record->root, false), F_LEG_CLIENT_CHAIN));
    record_free(record);
}

static void every_cut(void) {
    static uint8_t message[MESSAGE_MAX];
    const struct pki_cert *own = world_get()->self_signed;
    size_t len = message_make(message, own), num_noted = 0;
    for (size_t n = 1; n < len; n++) {
        struct record *record = said(message, n);
        CU_ASSERT(n < 4 || obj_has(record_leg(record->root, false), F_LEG_ANSWER_CLIENT_CERT));
        num_noted += obj_num(record->root, F_RECORD_NOTES) != 0;
        record_free(record);
    }
    CU_ASSERT_EQUAL(num_noted, len - 1);
}

const struct unit_case unit_cases[] = {
    {"its facts", its_facts},
    {"its signature", its_signature},
    {"one that has none", one_that_has_none},
    {"one that is compressed", one_that_is_compressed},
    {"every cut", every_cut},
    {NULL, NULL},
};
