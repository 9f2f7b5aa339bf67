// What a server staples, in both versions.
#include <string.h>

#include "proxy/observe/internal.h"
#include "tests/unit/policy/ca/test_ocsp.h"
#include "tests/unit/proxy/observe/flight.h"
#include "tests/unit/unit.h"

// One list with one timestamp of a log that nobody knows.
static const uint8_t timestamps[] = {0, 49, 0, 47, 0, 7, 7,    7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
                                     7, 7,  7, 7,  7, 7, 7,    7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
                                     7, 7,  7, 0,  0, 1, 0x9a, 0, 0, 0, 0, 0, 0, 4, 3, 0, 0};

// shake returns the record of a handshake in which `server` staples what `options` describe, or
// nothing for NULL. The root is sent where `with_root`.
static struct record *shake(uint16_t version, const struct pki_cert *leaf,
                            const struct ocsp_options *options, bool asked, bool with_root) {
    const struct world *w = world_get();
    struct peer_options client = flight_client(), server = flight_server();
    struct flight flight;
    uint8_t *response = NULL;
    client.max_version = version;
    client.staple = client.sct = asked;
    server.chain[0] = leaf;
    server.chain[1] = with_root ? w->root : NULL;
    server.scts = timestamps;
    server.scts_len = sizeof(timestamps);
    if (options != NULL) {
        struct ocsp_options made = *options;
        made.issuer = w->root;
        made.cert = made.cert != NULL ? made.cert : leaf;
        server.response = response = ocsp_make(&made, &server.response_len);
    }
    flight_make(&flight, &client, &server, "x");
    struct record *record = flight_messages(&flight);
    flight_free(&flight);
    OPENSSL_free(response);
    return record;
}

static const struct obj *staple_of(const struct record *record) {
    return obj_get(record_leg(record->root, false), F_LEG_STAPLE);
}

static void facts_of_a_staple(void) {
    static const struct ocsp_options good, revoked = {.kind = OCSP_KIND_REVOKED, .reason = 1};
    const struct world *w = world_get();
    for (uint16_t version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct record *record = shake(version, w->leaf, &good, true, true);
        const struct obj *staple = staple_of(record);
        leg_is(record, F_LEG_ANSWER_STAPLE, "yes");
        CU_ASSERT(obj_str_is(staple, F_STAPLE_RESULT, "good"));
        CU_ASSERT(obj_str_is(staple, F_STAPLE_STATUS, "good"));
        CU_ASSERT(obj_str_is(staple, F_STAPLE_SIGNATURE, "good"));
        CU_ASSERT(obj_str_is(staple, F_STAPLE_RESPONDER, "CN=Test root"));
        CU_ASSERT(obj_is(staple, F_STAPLE_THIS_UPDATE, PKI_NOW - 3600));
        CU_ASSERT(obj_is(staple, F_STAPLE_NEXT_UPDATE, PKI_NOW + PKI_DAY));
        CU_ASSERT(obj_is(staple, F_STAPLE_SIZE, (int64_t)obj_span(staple, F_STAPLE_RAW).len));
        CU_ASSERT(obj_span(staple, F_STAPLE_RAW).len > 100);
        record_free(record);
        record = shake(version, w->leaf, &revoked, true, true);
        staple = staple_of(record);
        CU_ASSERT(obj_str_is(staple, F_STAPLE_RESULT, "revoked"));
        CU_ASSERT(obj_str_is(staple, F_STAPLE_REASON, "keyCompromise"));
        CU_ASSERT(obj_is(staple, F_STAPLE_REVOKED_AT, PKI_NOW - 5 * PKI_DAY));
        record_free(record);
    }
}

// Without the issuer in the chain the signature waits until somebody tells of it.
static void issuer_told_later(void) {
    static const struct ocsp_options options = {.break_signature = true};
    const struct world *w = world_get();
    struct record *record = shake(TLS1_3_VERSION, w->leaf, &options, true, false);
    const struct obj *staple = staple_of(record), *leg = record_leg(record->root, false);
    CU_ASSERT(obj_str_is(staple, F_STAPLE_RESULT, "good"));
    CU_ASSERT(obj_str_is(staple, F_STAPLE_SIGNATURE, "unchecked"));
    struct observe observe = {.root = record->root, .leg = (struct obj *)leg};
    observe_issuer(&observe, pki_cbs(w->root)); // it knows of no response: nothing happens
    CU_ASSERT(obj_str_is(staple, F_STAPLE_SIGNATURE, "unchecked"));
    observe.staple = obj_span(staple, F_STAPLE_RAW);
    observe_issuer(&observe, pki_cbs(w->unknown)); // not the issuer
    CU_ASSERT(obj_str_is(staple, F_STAPLE_SIGNATURE, "unchecked"));
    observe_issuer(&observe, pki_cbs(w->root));
    CU_ASSERT(obj_str_is(staple, F_STAPLE_SIGNATURE, "bad"));
    CU_ASSERT(obj_str_is(staple, F_STAPLE_RESULT, "bad-signature"));
    record_free(record);
}

static void a_missing_staple(void) {
    static const struct ocsp_options good;
    const struct world *w = world_get();
    struct pki_cert *leaf = pki_make((struct pki_options){
        .cn = WORLD_HOST, .issuer = w->root, .san = "DNS:" WORLD_HOST, .must_staple = true});
    for (uint16_t version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct record *record = shake(version, leaf, NULL, true, false);
        CU_ASSERT(obj_str_is(staple_of(record), F_STAPLE_RESULT, "missing"));
        leg_is(record, F_LEG_ANSWER_STAPLE, "-");
        record_free(record);
        // Nothing is missing where it is there, was not asked for, or is not demanded.
        record = shake(version, leaf, &good, true, true);
        CU_ASSERT(obj_str_is(staple_of(record), F_STAPLE_RESULT, "good"));
        record_free(record);
        record = shake(version, leaf, NULL, false, false);
        CU_ASSERT_PTR_NULL(staple_of(record));
        record_free(record);
        record = shake(version, w->leaf, NULL, true, false);
        CU_ASSERT_PTR_NULL(staple_of(record));
        record_free(record);
    }
    pki_free(leaf);
}

static void timestamps_of_tls_and_ocsp(void) {
    static const struct ocsp_options options = {.with_sct = true};
    const struct world *w = world_get();
    for (uint16_t version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct record *record = shake(version, w->leaf, &options, true, true);
        const struct obj *leg = record_leg(record->root, false);
        CU_ASSERT_EQUAL_FATAL(obj_num(leg, F_LEG_SCTS), 2);
        const struct obj *tls = obj_at(leg, F_LEG_SCTS, 0), *ocsp = obj_at(leg, F_LEG_SCTS, 1);
        CU_ASSERT(obj_str_is(tls, F_SCT_SOURCE, "tls"));
        CU_ASSERT_FALSE(obj_has(tls, F_SCT_LOG));
        CU_ASSERT(obj_str_is(tls, F_SCT_LOG_ID, "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="));
        CU_ASSERT(obj_is(tls, F_SCT_TIME, INT64_C(0x19a00000000)));
        CU_ASSERT(obj_str_is(ocsp, F_SCT_SOURCE, "ocsp"));
        CU_ASSERT(obj_str_is(ocsp, F_SCT_LOG, "Google Argon2026h1"));
        record_free(record);
    }
}

// What the proxy itself staples to its client is not looked into.
static void our_own(void) {
    const struct world *w = world_get();
    struct record *record = record_new();
    struct observe observe;
    uint8_t der[] = {0x30, 0x03, 0x0a, 0x01, 0x03};
    CBS leaf = pki_cbs(w->leaf), response;
    CBS_init(&response, der, sizeof(der));
    obj_set_int(record->root, F_RECORD_TIMESTAMP, PKI_NOW * 1000);
    obj_set_str(record->root, F_RECORD_MODE, "intercept");
    observe_init(&observe, record->root, false, 0);
    observe_certificates(&observe, &leaf, 1, 0);
    staple_take(&observe, response);
    leg_is(record, F_LEG_ANSWER_STAPLE, "yes");
    CU_ASSERT_PTR_NULL(staple_of(record));
    obj_set_str(record->root, F_RECORD_MODE, "tunnel");
    staple_take(&observe, response);
    CU_ASSERT(obj_str_is(staple_of(record), F_STAPLE_RESULT, "try-later"));
    record_free(record);
}

const struct unit_case unit_cases[] = {
    {"facts", facts_of_a_staple},  {"issuer told later", issuer_told_later},
    {"missing", a_missing_staple}, {"timestamps", timestamps_of_tls_and_ocsp},
    {"our own", our_own},          {NULL, NULL},
};
