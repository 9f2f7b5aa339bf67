#include "policy/redact/redact.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "logs/base/buf.h"
#include "logs/record/json.h"
#include "policy/ca/cert_build.h"
#include "policy/ca/cert_facts.h"
#include "policy/verdict/verdict.h"
#include "tests/unit/unit.h"

enum { NOW = 1700000000 };

static const uint8_t seed[REDACT_SEED_LEN] = {7};

// A ClientHello's bytes need not be one here: only the name in it matters.
static const uint8_t hello[] = "\x16\x03\x01 hello login.corp.example end";
static const char agent[] = "AcmePayroll/9.8 curl/8.0";

static const char *const secrets[] = {"corp.example", "login",    "AcmePayroll",
                                      "Acme Widgets", "10.1.2.3", "10.1.2.99",
                                      "fd00::17",     "jane",     "hidden.corp"};

static CRYPTO_BUFFER *certificate_new(void) {
    static const uint8_t san[] = "\x82\x12login.corp.example\x87\x04\x0a\x01\x02\x03";
    struct cert_key *key = cert_key_new(CERT_KEY_P256);
    struct cert_template template = {
        .subject_key = key, .issuer_key = key, .not_before = NOW - 9, .not_after = NOW - 5};
    CBB cbb;
    uint8_t *name;
    size_t name_len;
    CHECK(CBB_init(&cbb, 64));
    CBS cn;
    CBS_init(&cn, (const uint8_t *)"login.corp.example", 18);
    CHECK(cert_build_name(&cbb, cn, CBS_ASN1_UTF8STRING, "Acme Widgets"));
    CHECK(CBB_finish(&cbb, &name, &name_len));
    CBS_init(&template.subject, name, name_len);
    template.issuer = template.subject;
    CBS_init(&template.san, san, sizeof(san) - 1);
    CRYPTO_BUFFER *der = cert_build(&template);
    OPENSSL_free(name);
    cert_key_free(key);
    return der;
}

static void facts_set(struct obj *leg, struct arena *arena, const uint8_t *der, size_t der_len) {
    struct cert_facts facts;
    CHECK(cert_facts_parse(&facts, arena, der, der_len));
    struct obj *cert = obj_add(leg, F_LEG_CHAIN);
    char hash[65];
    for (size_t i = 0; i < 32; i++) {
        snprintf(hash + 2 * i, 3, "%02x", facts.sha256[i]);
    }
    obj_set_str(leg, F_LEG_SUBJECT, facts.subject);
    obj_set_str(leg, F_LEG_ISSUER, facts.issuer);
    obj_set_str(leg, F_LEG_LEAF_SHA256, hash);
    obj_set_str(cert, F_CERT_SUBJECT, facts.subject);
    obj_set_str(cert, F_CERT_SERIAL, facts.serial);
    obj_set_str(cert, F_CERT_SKI, facts.ski);
    obj_add_str(cert, F_CERT_SANS, facts.dns.items[0], strlen(facts.dns.items[0]));
    obj_add_str(cert, F_CERT_SANS, facts.ip.items[0], strlen(facts.ip.items[0]));
}

static void piece_add(struct obj *leg, const void *p, size_t p_len) {
    struct obj *piece = obj_add(leg, F_LEG_WIRE);
    obj_set_str(piece, F_PIECE_FROM, "server");
    obj_set_bytes(piece, F_PIECE_BYTES, p, p_len);
}

// planted_new returns a record that names somebody everywhere.
static struct record *planted_new(const uint8_t *der, size_t der_len) {
    struct record *record = record_new();
    struct obj *root = record->root;
    struct obj *client = obj_sub(root, F_RECORD_LEG_CLIENT);
    struct obj *server = obj_sub(root, F_RECORD_LEG_SERVER);
    obj_set_str(root, F_RECORD_ID, "0123456789abcdef");
    obj_set_str(root, F_RECORD_MODE, "intercept");
    obj_set_str(root, F_RECORD_HOST, "LOGIN.corp.example");
    obj_set_str(root, F_RECORD_USER_AGENT, agent);
    obj_set_str(client, F_LEG_ADDRESS, "10.1.2.99");
    obj_set_int(client, F_LEG_PORT, 40001);
    obj_set_str(client, F_LEG_LOCAL_ADDRESS, "127.0.0.1");
    obj_set_str(client, F_LEG_SERVER_NAME, "login.corp.example");
    obj_set_bytes(client, F_LEG_OFFER_RAW, hello, sizeof(hello) - 1);
    obj_set_str(server, F_LEG_ADDRESS, "10.1.2.3");
    obj_set_str(server, F_LEG_SERVER_NAME, "login.corp.example");
    obj_set_bytes(server, F_LEG_OFFER_RAW, hello, sizeof(hello) - 1);
    obj_add_str(server, F_LEG_DNS_ANSWERS, "10.1.2.3", 8);
    obj_add_str(server, F_LEG_DNS_ANSWERS, "fd00::17", 8);
    obj_add_str(server, F_LEG_SECRETS, "CLIENT_RANDOM 00 11", 19);
    obj_set_str(client, F_LEG_CLIENT_SUBJECT, "CN=jane,O=Acme Widgets");
    obj_set_str(client, F_LEG_CLIENT_ISSUER, "CN=staff.corp.example");
    obj_add_bytes(client, F_LEG_CLIENT_CERTIFICATE_CHAIN, der, der_len);
    struct obj *experiment = obj_add(root, F_RECORD_EXPERIMENTS);
    obj_set_str(experiment, F_EXPERIMENT_PROBE, "ech");
    obj_set_str(experiment, F_EXPERIMENT_ECH_NAME, "hidden.corp.example");
    obj_set_bytes(experiment, F_EXPERIMENT_ECH_RETRY,
                  "\0\x13"
                  "hidden.corp.example",
                  21);
    obj_add_bytes(server, F_LEG_CERTIFICATE_CHAIN, der, der_len);
    facts_set(server, &record->arena, der, der_len);
    piece_add(server, der, der_len / 3); // cut inside something
    piece_add(server, der + der_len / 3, der_len - der_len / 3);
    struct obj *verification = obj_sub(server, F_LEG_VERIFICATION);
    obj_set_int(verification, F_VERIFICATION_OK, 0);
    obj_set_str(verification, F_VERIFICATION_NAME, "login.corp.example");
    struct obj *defect = obj_add(verification, F_VERIFICATION_DEFECTS);
    obj_set_str(defect, F_DEFECT_ID, "expired");
    obj_set_int(defect, F_DEFECT_FATAL, 1);
    obj_set_int(defect, F_DEFECT_DEPTH, 0);
    obj_set_str(defect, F_DEFECT_SAYS, "The leaf of login.corp.example (10.1.2.3:443) expired.");
    verdict_decide(root);
    return record;
}

// found returns whether `secret` is in `p` in any case.
static bool found(const uint8_t *p, size_t p_len, const char *secret) {
    size_t len = strlen(secret);
    for (size_t i = 0; i + len <= p_len; i++) {
        size_t n = 0;
        while (n < len && tolower(p[i + n]) == tolower((unsigned char)secret[n])) {
            n++;
        }
        if (n == len) {
            return true;
        }
    }
    return false;
}

static bool same_str(const struct obj *a, const struct obj *b, enum field field) {
    return obj_str(a, field) != NULL && obj_str(b, field) != NULL &&
           strcmp(obj_str(a, field), obj_str(b, field)) == 0;
}

// struct redacted is a record, and what has become of it.
struct redacted {
    CRYPTO_BUFFER *der; // of the planted record; NULL: none
    struct record *record, *got;
    struct redact *redact;
};

static void redacted_init(struct redacted *r, struct record *record) {
    *r = (struct redacted){.record = record, .redact = redact_new(seed)};
    redact_learn(r->redact, record->root);
    r->got = redact_record(r->redact, record->root);
}

static void redacted_plant(struct redacted *r) {
    CRYPTO_BUFFER *der = certificate_new();
    redacted_init(r, planted_new(CRYPTO_BUFFER_data(der), CRYPTO_BUFFER_len(der)));
    r->der = der;
}

static void redacted_cleanup(struct redacted *r) {
    redact_free(r->redact);
    record_free(r->got);
    record_free(r->record);
    CRYPTO_BUFFER_free(r->der);
}

static void no_secret(void) {
    struct redacted r;
    redacted_plant(&r);
    struct obj *server = record_leg(r.got->root, true), *client = record_leg(r.got->root, false);
    struct buf json;
    buf_init(&json, 1024 * 1024);
    CU_ASSERT(json_write(&json, r.got->root));
    struct span chain = obj_item(server, F_LEG_CERTIFICATE_CHAIN, 0);
    struct span raw = obj_span(client, F_LEG_OFFER_RAW);
    CU_ASSERT_EQUAL(chain.len, CRYPTO_BUFFER_len(r.der));
    CU_ASSERT_EQUAL(raw.len, sizeof(hello) - 1);
    for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
        CU_ASSERT(!found(buf_data(&json), json.len, secrets[i]));
        CU_ASSERT(!found(chain.p, chain.len, secrets[i]));
        CU_ASSERT(!found(raw.p, raw.len, secrets[i]));
    }
    CU_ASSERT(!found(chain.p, chain.len, "\x87\x04\x0a\x01\x02\x03"));
    CU_ASSERT(!obj_has(server, F_LEG_SECRETS));
    CU_ASSERT(!obj_has(client, F_LEG_CLIENT_CERTIFICATE_CHAIN));
    CU_ASSERT(!obj_has(obj_at(got->root, F_RECORD_EXPERIMENTS, 0), F_EXPERIMENT_ECH_RETRY));
    int64_t port;
    CU_ASSERT(obj_int(client, F_LEG_PORT, &port) && port != 40001);
    CU_ASSERT(obj_str_is(client, F_LEG_LOCAL_ADDRESS, "127.0.0.1"));
    buf_cleanup(&json);
    redacted_cleanup(&r);
}

static void pairs(void) {
    struct redacted r;
    redacted_plant(&r);
    struct obj *server = record_leg(r.got->root, true), *client = record_leg(r.got->root, false);
    CU_ASSERT(same_str(client, server, F_LEG_SERVER_NAME));
    const char *name = obj_str(server, F_LEG_SERVER_NAME);
    struct span raw = obj_span(client, F_LEG_OFFER_RAW);
    CU_ASSERT(found(raw.p, raw.len, name));
    struct span address = obj_item(server, F_LEG_DNS_ANSWERS, 0);
    CU_ASSERT(obj_str_is(server, F_LEG_ADDRESS, (const char *)address.p));
    // What the certificate says is what the record says of it.
    struct span chain = obj_item(server, F_LEG_CERTIFICATE_CHAIN, 0);
    struct record *again = record_new();
    struct obj *leg = obj_sub(again->root, F_RECORD_LEG_SERVER);
    facts_set(leg, &again->arena, chain.p, chain.len);
    struct obj *cert = obj_at(server, F_LEG_CHAIN, 0), *read = obj_at(leg, F_LEG_CHAIN, 0);
    CU_ASSERT(same_str(server, leg, F_LEG_SUBJECT));
    CU_ASSERT(same_str(server, leg, F_LEG_LEAF_SHA256));
    CU_ASSERT(same_str(cert, read, F_CERT_SERIAL));
    CU_ASSERT(same_str(cert, read, F_CERT_SKI));
    for (size_t i = 0; i < 2; i++) {
        struct span a = obj_item(cert, F_CERT_SANS, i), b = obj_item(read, F_CERT_SANS, i);
        CU_ASSERT(a.len == b.len && memcmp(a.p, b.p, a.len) == 0);
    }
    CU_ASSERT(strcasecmp((const char *)obj_item(cert, F_CERT_SANS, 0).p, name) == 0);
    // And so do the bytes of the handshake, in two pieces.
    struct span one = obj_span(obj_at(server, F_LEG_WIRE, 0), F_PIECE_BYTES);
    struct span two = obj_span(obj_at(server, F_LEG_WIRE, 1), F_PIECE_BYTES);
    CU_ASSERT_EQUAL(one.len + two.len, chain.len);
    CU_ASSERT_EQUAL(memcmp(one.p, chain.p, one.len), 0);
    CU_ASSERT_EQUAL(memcmp(two.p, chain.p + one.len, two.len), 0);
    record_free(again);
    redacted_cleanup(&r);
}

static void verdict(void) {
    struct redacted r;
    redacted_plant(&r);
    verdict_decide(r.got->root);
    const struct obj *was = obj_get(r.record->root, F_RECORD_VERDICT);
    const struct obj *is = obj_get(r.got->root, F_RECORD_VERDICT);
    CU_ASSERT(same_str(was, is, F_VERDICT_CAUSE));
    CU_ASSERT(same_str(was, is, F_VERDICT_PARTY));
    redacted_cleanup(&r);
}

// What is no certificate is nobody's.
static void garbage(void) {
    uint8_t der[] = "\x30\x82\x01 corp.example and more";
    struct record *record = record_new();
    struct obj *leg = obj_sub(record->root, F_RECORD_LEG_SERVER);
    obj_add_bytes(leg, F_LEG_CERTIFICATE_CHAIN, der, sizeof(der));
    obj_add_bytes(leg, F_LEG_CERTIFICATE_CHAIN, der, 0);
    struct redacted r;
    redacted_init(&r, record);
    struct span chain = obj_item(record_leg(r.got->root, true), F_LEG_CERTIFICATE_CHAIN, 0);
    CU_ASSERT_EQUAL(chain.len, sizeof(der));
    CU_ASSERT(!found(chain.p, chain.len, "corp"));
    redacted_cleanup(&r);
    redact_free(NULL);
}

const struct unit_case unit_cases[] = {
    {"no secret is left", no_secret},
    {"the same by the same", pairs},
    {"the verdict stays", verdict},
    {"garbage", garbage},
    {NULL, NULL},
};
