// The server's answer, message by message.
#include <stdlib.h>
#include <string.h>

#include "tests/unit/proxy/observe/flight.h"
#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

static void every_version(void) {
    static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3"};
    static const char *const codes[] = {"TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"};
    for (uint16_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct peer_options client = flight_client(), server = flight_server();
        struct flight flight;
        server.max_version = (uint16_t)(TLS1_VERSION + i);
        flight_make(&flight, &client, &server, "x");
        struct record *record = flight_messages(&flight);
        const struct obj *leg = record_leg(record->root, false);
        leg_is(record, F_LEG_TLS_VERSION, versions[i]);
        leg_is(record, F_LEG_TLS_PROTOCOL, "tls");
        leg_is(record, F_LEG_ANSWER_VERSION, codes[i]);
        leg_is(record, F_LEG_TLS_CURVE, "x25519");
        leg_is(record, F_LEG_TLS_RESUMED, "no");
        leg_is(record, F_LEG_SUBJECT, "CN=" WORLD_HOST);
        CU_ASSERT(obj_has(leg, F_LEG_TLS_CIPHER));
        CU_ASSERT(obj_span(leg, F_LEG_ANSWER_RAW).len > 40);
        CU_ASSERT_EQUAL(strlen(obj_str(leg, F_LEG_JA3S)), 32);
        CU_ASSERT(obj_has(leg, F_LEG_ANSWER_EXTENSIONS));
        CU_ASSERT_EQUAL(obj_has(leg, F_LEG_ANSWER_ENCRYPTED), i == 3);
        CU_ASSERT_EQUAL(obj_has(leg, F_LEG_ANSWER_TICKETS), true);
        CU_ASSERT_EQUAL(obj_num(record->root, F_RECORD_NOTES), 0);
        record_free(record);
        flight_free(&flight);
    }
}

static void signatures_are_told(void) {
    static const struct {
        uint16_t max, sigalg;
        bool rsa;
        const char *text;
    } rows[] = {
        {TLS1_3_VERSION, 0, false, "ecdsa_secp256r1_sha256"},
        {TLS1_2_VERSION, 0, false, "ecdsa_secp256r1_sha256"},
        {TLS1_3_VERSION, 0, true, "rsa_pss_rsae_sha256"},
        {TLS1_2_VERSION, SSL_SIGN_RSA_PKCS1_SHA384, true, "rsa_pkcs1_sha384"},
        {TLS1_1_VERSION, 0, true, "-"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer_options client = flight_client(), server = flight_server();
        struct flight flight;
        client.max_version = rows[i].max;
        server.chain[0] = rows[i].rsa ? world_get()->rsa : server.chain[0];
        server.sigalgs = &rows[i].sigalg;
        server.num_sigalgs = rows[i].sigalg != 0;
        flight_make(&flight, &client, &server, "x");
        struct record *record = flight_messages(&flight);
        leg_is(record, F_LEG_ANSWER_SIGNATURE, rows[i].text);
        record_free(record);
        flight_free(&flight);
    }
}

static void rsa_key_exchange_has_no_group(void) {
    struct peer_options client = flight_client(), server = flight_server();
    struct flight flight;
    client.max_version = TLS1_2_VERSION;
    client.ciphers = "AES128-SHA";
    server.chain[0] = world_get()->rsa;
    flight_make(&flight, &client, &server, "x");
    struct record *record = flight_messages(&flight);
    leg_is(record, F_LEG_TLS_CIPHER, "TLS_RSA_WITH_AES_128_CBC_SHA");
    leg_is(record, F_LEG_TLS_CURVE, "-");
    leg_is(record, F_LEG_ANSWER_SIGNATURE, "-");
    record_free(record);
    flight_free(&flight);
}

static void the_chosen_protocol(void) {
    for (uint16_t version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct peer_options client = flight_client(), server = flight_server();
        struct flight flight;
        client.max_version = version;
        client.alpn = "http/1.1,h2";
        server.alpn = "h2";
        flight_make(&flight, &client, &server, "x");
        struct record *record = flight_messages(&flight);
        leg_is(record, F_LEG_TLS_NEXT_PROTOCOL, "h2");
        record_free(record);
        flight_free(&flight);
    }
}

static void certificates_of_clients(void) {
    for (uint16_t version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        for (int shown = 0; shown < 2; shown++) {
            struct peer_options client = flight_client(), server = flight_server();
            struct flight flight;
            client.max_version = version;
            client.own = shown ? world_get()->self_signed : NULL;
            server.ask = true;
            flight_make(&flight, &client, &server, "x");
            struct record *record = flight_messages(&flight);
            leg_is(record, F_LEG_ANSWER_CERT_REQUEST, "yes");
            leg_is(record, F_LEG_ANSWER_CERT_REQUEST_CAS, "0");
            leg_is(record, F_LEG_ANSWER_CLIENT_CERT, shown ? "yes" : "no");
            // The client's own certificate is not the server's chain.
            CU_ASSERT_EQUAL(obj_num(record_leg(record->root, false), F_LEG_CHAIN), 1);
            leg_is(record, F_LEG_SUBJECT, "CN=" WORLD_HOST);
            record_free(record);
            flight_free(&flight);
        }
    }
}

static void a_downgrade_has_its_sentinel(void) {
    static const struct {
        uint16_t max;
        const char *sentinel;
    } rows[] = {{TLS1_2_VERSION, "tls1.2"}, {TLS1_1_VERSION, "tls1.1"}, {TLS1_3_VERSION, "-"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer_options client = flight_client(), server = flight_server();
        struct flight flight;
        // The server could speak TLS 1.3, so its random says that something was in between.
        client.max_version = rows[i].max;
        flight_make(&flight, &client, &server, "x");
        struct record *record = flight_messages(&flight);
        leg_is(record, F_LEG_ANSWER_SENTINEL, rows[i].sentinel);
        record_free(record);
        flight_free(&flight);
    }
}

static void messages_of_every_kind(void) {
    static const struct {
        const char *sample;
        enum field field;
        const char *text;
    } rows[] = {
        {"server-hello12", F_LEG_ANSWER_VERSION, "TLS 1.2"},
        {"retry-request", F_LEG_ANSWER_RETRY, "group"},
        {"certificate-status12", F_LEG_ANSWER_STAPLE, "yes"},
        {"certificate-request12", F_LEG_ANSWER_CERT_REQUEST, "yes"},
        {"session-ticket12", F_LEG_ANSWER_TICKETS, "1"},
        {"session-ticket12", F_LEG_ANSWER_TICKET_LIFETIME, "7200"},
        {"retry-request", F_LEG_ANSWER_RETRY_GROUP, "secp384r1"},
        {"server-hello12", F_LEG_ANSWER_RENEGOTIATION, "yes"},
        {"certificate-request12", F_LEG_ANSWER_CERT_REQUEST_TYPES,
         "rsa_sign, dss_sign, ecdsa_sign"},
        {"certificate-request12", F_LEG_ANSWER_CERT_REQUEST_NAMES, "CN=Sample CA"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct sample *sample = sample_get(rows[i].sample);
        struct record *record = record_new();
        struct observe observe;
        observe_init(&observe, record->root, false, 0);
        observe.version = TLS1_2_VERSION;
        observe_message(&observe, false, sample->p, sample->len, 0);
        leg_is(record, rows[i].field, rows[i].text);
        record_free(record);
    }
}

static void what_a_certificate_request_wants(void) {
    const struct sample *sample = sample_get("certificate-request12");
    struct record *record = record_new();
    struct observe observe;
    observe_init(&observe, record->root, false, 0);
    observe.version = TLS1_2_VERSION;
    observe_message(&observe, false, sample->p, sample->len, 0);
    const struct obj *leg = record_leg(record->root, false);
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_ANSWER_CERT_REQUEST_SIGALGS), 20);
    CU_ASSERT(obj_has_code(leg, F_LEG_ANSWER_CERT_REQUEST_SIGALGS, 0x0403));
    CU_ASSERT(obj_is(leg, F_LEG_ANSWER_CERT_REQUEST_CAS, 1));
    record_free(record);
}

static void short_messages_are_counted(void) {
    static const uint8_t hello_request[] = {0, 0, 0, 0}, key_update[] = {24, 0, 0, 1, 0};
    struct record *record = record_new();
    struct observe observe;
    observe_init(&observe, record->root, false, 0);
    observe_message(&observe, false, hello_request, sizeof(hello_request), 0);
    leg_is(record, F_LEG_ANSWER_HELLO_REQUEST, "yes");
    observe_message(&observe, false, key_update, sizeof(key_update), 0);
    observe_message(&observe, true, key_update, sizeof(key_update), 0);
    leg_is(record, F_LEG_ANSWER_KEY_UPDATES, "2");
    for (uint16_t i = 0; i < 20; i++) {
        observe_record(&observe, true, 22, 0x0301, (uint16_t)(500 + i));
    }
    observe_record(&observe, false, 20, 0x0303, 1);
    const struct obj *leg = record_leg(record->root, false);
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_RECORDS_CLIENT), 12);
    CU_ASSERT(obj_has_str(leg, F_LEG_RECORDS_CLIENT, "handshake, TLS 1.0, 511"));
    leg_is(record, F_LEG_RECORDS_SERVER, "change_cipher_spec, TLS 1.2, 1");
    observe_record(&observe, false, 22, 0x0303, 9);
    observe_ccs_edit(&observe, true);
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_RECORDS_SERVER), 3);
    observe_ccs_edit(&observe, false);
    observe_ccs_edit(&observe, false);
    leg_is(record, F_LEG_RECORDS_SERVER, "handshake, TLS 1.2, 9");
    record_free(record);
}

static void finite_fields_have_a_size(void) {
    const struct sample *sample = sample_get("server-key-exchange-dhe12");
    struct record *record = record_new();
    struct observe observe;
    observe_init(&observe, record->root, false, 0);
    observe.version = TLS1_2_VERSION;
    observe.cipher = 0x009e; // TLS_DHE_RSA_WITH_AES_128_GCM_SHA256
    observe_message(&observe, false, sample->p, sample->len, 0);
    int64_t bits = 0;
    CU_ASSERT(obj_int(record_leg(record->root, false), F_LEG_ANSWER_DH_BITS, &bits));
    CU_ASSERT(bits >= 1024);
    record_free(record);
}

// A compressed certificate cannot be read as it passes; who decompresses it tells the chain.
static void a_compressed_certificate(void) {
    struct record *record = record_new();
    struct observe observe;
    struct made message = made_message(25, "0002 000100 000005 0102030405");
    const CBS der = pki_cbs(world_get()->leaf);
    observe_init(&observe, record->root, false, 0);
    observe.version = TLS1_3_VERSION;
    observe_message(&observe, false, message.p, message.len, 0);
    leg_is(record, F_LEG_ANSWER_CERT_COMPRESSION, "brotli");
    leg_is(record, F_LEG_CHAIN, "-");
    CU_ASSERT_EQUAL(observe.step, STEP_CERTIFICATE);
    observe_certificates(&observe, &der, 1, 0);
    leg_is(record, F_LEG_SUBJECT, "CN=" WORLD_HOST);
    record_free(record);
    made_free(&message);
}

// Each sample, cut and changed everywhere, in each version and from both sides.
static uint16_t abused_version;
static bool abused_client;

static void abuse(const uint8_t *p, size_t p_len) {
    struct record *record = record_new();
    struct observe observe;
    observe_init(&observe, record->root, abused_client, 0);
    observe.version = abused_version;
    observe.cipher = 0xc02f;
    observe_message(&observe, abused_client, p, p_len, 0);
    record_free(record);
}

static void tampered_messages_do_no_harm(void) {
    static const char *const names[] = {
        "server-hello12",       "server-hello13",
        "retry-request",        "encrypted-extensions",
        "certificate13",        "certificate-request13",
        "certificate-verify13", "session-ticket13",
        "certificate-status12", "server-key-exchange-ecdhe12",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        for (int side = 0; side < 2; side++) {
            abused_client = side == 1;
            abused_version = strstr(names[i], "12") != NULL ? TLS1_2_VERSION : TLS1_3_VERSION;
            sample_abuse(sample_get(names[i]), abuse);
        }
    }
    CU_PASS("nothing was read that is not there");
}

const struct unit_case unit_cases[] = {
    {"every version", every_version},
    {"signatures are told", signatures_are_told},
    {"RSA key exchange has no group", rsa_key_exchange_has_no_group},
    {"the chosen protocol", the_chosen_protocol},
    {"certificates of clients", certificates_of_clients},
    {"a downgrade has its sentinel", a_downgrade_has_its_sentinel},
    {"messages of every kind", messages_of_every_kind},
    {"what a certificate request wants", what_a_certificate_request_wants},
    {"short messages are counted", short_messages_are_counted},
    {"finite fields have a size", finite_fields_have_a_size},
    {"a compressed certificate", a_compressed_certificate},
    {"tampered messages do no harm", tampered_messages_do_no_harm},
    {NULL, NULL},
};
