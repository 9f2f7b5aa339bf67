// The client's offer, from hellos of BoringSSL's and from odd ones.
#include <stdlib.h>
#include <string.h>

#include "tests/unit/proxy/observe/flight.h"
#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

static struct record *offer_of(const struct peer_options *options) {
    struct record *record = record_new();
    struct observe observe;
    struct buf bytes;
    struct peer *peer = peer_new(true, options);
    buf_init(&bytes, 64 * 1024);
    peer_start(peer);
    peer_take(peer, &bytes);
    observe_init(&observe, record->root, false, 0);
    observe_hello(&observe, buf_data(&bytes), bytes.len, 1, 0);
    buf_cleanup(&bytes);
    peer_free(peer);
    return record;
}

// offer_message observes a ClientHello with this block of extensions.
static struct record *offer_message(const char *extensions) {
    struct record *record = record_new();
    struct observe observe;
    struct made hello = made_hello(extensions);
    struct made records = made_records(22, hello.p, hello.len, 16384);
    observe_init(&observe, record->root, false, 0);
    observe_hello(&observe, records.p, records.len, 1, 0);
    made_free(&hello);
    made_free(&records);
    return record;
}

static void versions(void) {
    static const struct {
        uint16_t min, max;
        const char *versions, *legacy;
    } rows[] = {
        {0, TLS1_3_VERSION, "TLS 1.3, TLS 1.2, TLS 1.1, TLS 1.0", "TLS 1.2"},
        {TLS1_2_VERSION, TLS1_3_VERSION, "TLS 1.3, TLS 1.2", "TLS 1.2"},
        {0, TLS1_2_VERSION, "TLS 1.2, TLS 1.1, TLS 1.0, SSL 3.0", "TLS 1.2"},
        {0, TLS1_VERSION, "TLS 1.0, SSL 3.0", "TLS 1.0"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer_options options = flight_client();
        options.min_version = rows[i].min;
        options.max_version = rows[i].max;
        struct record *record = offer_of(&options);
        leg_is(record, F_LEG_OFFER_VERSIONS, rows[i].versions);
        leg_is(record, F_LEG_OFFER_LEGACY_VERSION, rows[i].legacy);
        record_free(record);
    }
}

static void lists_are_in_the_clients_order(void) {
    static const uint16_t sigalgs[] = {SSL_SIGN_RSA_PSS_RSAE_SHA256,
                                       SSL_SIGN_ECDSA_SECP256R1_SHA256};
    struct peer_options options = flight_client();
    options.alpn = "h2,http/1.1";
    options.curves = "P-384:X25519";
    options.ciphers = "AES256-SHA:ECDHE-RSA-AES128-GCM-SHA256";
    options.max_version = TLS1_2_VERSION;
    options.sigalgs = sigalgs;
    options.num_sigalgs = ARRAY_LEN(sigalgs);
    struct record *record = offer_of(&options);
    leg_is(record, F_LEG_OFFER_ALPN, "h2, http/1.1");
    leg_is(record, F_LEG_OFFER_GROUPS, "secp384r1, x25519");
    leg_is(record, F_LEG_OFFER_CIPHERS,
           "TLS_RSA_WITH_AES_256_CBC_SHA, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    leg_is(record, F_LEG_SUPPORTED_CIPHERS,
           "TLS_RSA_WITH_AES_256_CBC_SHA, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    leg_is(record, F_LEG_OFFER_SIGALGS, "rsa_pss_rsae_sha256, ecdsa_secp256r1_sha256");
    leg_is(record, F_LEG_OFFER_KEY_SHARES, "-");
    leg_is(record, F_LEG_OFFER_COMPRESSION, "NULL");
    leg_is(record, F_LEG_OFFER_PSK_MODES, "-");
    leg_is(record, F_LEG_OFFER_EMS, "yes");
    leg_is(record, F_LEG_OFFER_RENEGOTIATION, "yes");
    leg_is(record, F_LEG_OFFER_TICKET, "0");
    record_free(record);
}

static void what_only_tls13_offers(void) {
    struct peer_options options = flight_client();
    struct record *record = offer_of(&options);
    leg_is(record, F_LEG_OFFER_KEY_SHARES, "x25519 32");
    leg_is(record, F_LEG_OFFER_PSK_MODES, "psk_dhe_ke");
    leg_is(record, F_LEG_OFFER_SESSION_ID, "32");
    leg_is(record, F_LEG_OFFER_EARLY_DATA, "-");
    leg_is(record, F_LEG_OFFER_PSK, "-");
    CU_ASSERT_EQUAL(strlen(obj_str(record_leg(record->root, false), F_LEG_JA3)), 32);
    CU_ASSERT(strncmp(obj_str(record_leg(record->root, false), F_LEG_JA4), "t13d", 4) == 0);
    record_free(record);
}

static void flags_are_present_or_absent(void) {
    struct peer_options options = {.no_ticket = true};
    struct record *record = offer_of(&options);
    leg_is(record, F_LEG_SERVER_NAME, "-");
    leg_is(record, F_LEG_OFFER_ALPN, "-");
    leg_is(record, F_LEG_OFFER_STATUS_REQUEST, "-");
    leg_is(record, F_LEG_OFFER_SCT, "-");
    leg_is(record, F_LEG_OFFER_GREASE, "-");
    leg_is(record, F_LEG_OFFER_CERT_COMPRESSION, "-");
    leg_is(record, F_LEG_OFFER_TICKET, "-");
    leg_is(record, F_LEG_OFFER_ECH, "-");
    leg_is(record, F_LEG_OFFER_FALLBACK, "-");
    record_free(record);
    options = (struct peer_options){.host = "a.test", .staple = true, .sct = true, .grease = true};
    record = offer_of(&options);
    leg_is(record, F_LEG_SERVER_NAME, "a.test");
    leg_is(record, F_LEG_OFFER_STATUS_REQUEST, "yes");
    leg_is(record, F_LEG_OFFER_SCT, "yes");
    leg_is(record, F_LEG_OFFER_GREASE, "yes");
    record_free(record);
}

static void odd_hellos_leave_what_can_be_read(void) {
    struct record *record = offer_message(NULL);
    leg_is(record, F_LEG_OFFER_EXTENSIONS, "-");
    leg_is(record, F_LEG_OFFER_CIPHERS,
           "TLS_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    record_free(record);
    record = offer_message("");
    leg_is(record, F_LEG_OFFER_EXTENSIONS, "");
    record_free(record);
    // An SNI with a NUL and a control character; ALPN whose last name is cut.
    record = offer_message("0000 0008 0006 00 0003 610007 0010 0006 0004 02 6832 05");
    const struct obj *leg = record_leg(record->root, false);
    CU_ASSERT_EQUAL(obj_span(leg, F_LEG_SERVER_NAME).len, 3);
    CU_ASSERT(obj_num(record->root, F_RECORD_NOTES) != 0);
    leg_is(record, F_LEG_OFFER_EXTENSIONS, "server_name, application_layer_protocol_negotiation");
    record_free(record);
    // Groups without an end, and padding.
    record = offer_message("000a 0003 0004 00 0015 0005 0000000000");
    leg_is(record, F_LEG_OFFER_PADDING, "5");
    CU_ASSERT(obj_num(record->root, F_RECORD_NOTES) != 0);
    record_free(record);
}

static void what_boringssl_does_not_offer(void) {
    static const struct {
        const char *extensions;
        enum field field;
        const char *text;
    } rows[] = {
        {"001c 0002 4000", F_LEG_OFFER_RECORD_LIMIT, "16384"},
        {"fe0d 0001 01", F_LEG_OFFER_ECH, "inner"},
        {"fe0d 0001 07", F_LEG_OFFER_ECH, "unreadable"},
        {"fe0d 000e 00 0001 0001 2a 0000 0004 01020304", F_LEG_OFFER_ECH_SUITE,
         "no known KEM, HKDF-SHA256, AES-128-GCM"},
        {"fe0d 000e 00 0001 0001 2a 0000 0004 01020304", F_LEG_OFFER_ECH_CONFIG, "42"},
        {"fe0d 000e 00 0001 0001 2a 0000 0004 01020304", F_LEG_OFFER_ECH_PAYLOAD, "4"},
        {"4469 0005 0003 02 6832", F_LEG_OFFER_ALPS, "h2"},
        {"44cd 0005 0003 02 6832", F_LEG_OFFER_ALPS, "h2"},
        {"0022 0004 0002 0403", F_LEG_OFFER_DELEGATED, "ecdsa_secp256r1_sha256"},
        {"002f 0006 0004 0002 3000", F_LEG_OFFER_AUTHORITIES, "1"},
        {"002c 0005 0003 616263", F_LEG_OFFER_COOKIE, "3"},
        {"0001 0001 02", F_LEG_OFFER_FRAGMENT, "2"},
        {"000f 0001 01", F_LEG_OFFER_HEARTBEAT, "1"},
        {"0031 0000", F_LEG_OFFER_POST_AUTH, "yes"},
        {"0016 0000", F_LEG_OFFER_ETM, "yes"},
        {"3374 0000", F_LEG_OFFER_NPN, "yes"},
        {"002a 0000", F_LEG_OFFER_EARLY_DATA, "yes"},
        {"0029 002f 000a 0004 61626364 00000000 0021 20"
         "0000000000000000000000000000000000000000000000000000000000000000",
         F_LEG_OFFER_PSK, "1"},
        {"0023 0003 616263", F_LEG_OFFER_TICKET, "3"},
        {"ff01 0001 00", F_LEG_OFFER_RENEGOTIATION, "yes"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct record *record = offer_message(rows[i].extensions);
        leg_is(record, rows[i].field, rows[i].text);
        record_free(record);
    }
}

const struct unit_case unit_cases[] = {
    {"versions", versions},
    {"lists are in the client's order", lists_are_in_the_clients_order},
    {"what only TLS 1.3 offers", what_only_tls13_offers},
    {"flags are present or absent", flags_are_present_or_absent},
    {"what BoringSSL does not offer", what_boringssl_does_not_offer},
    {"odd hellos leave what can be read", odd_hellos_leave_what_can_be_read},
    {NULL, NULL},
};
