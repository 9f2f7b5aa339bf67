// What passes by tells the same as what the library decrypts, wherever the wire is in the clear.
#include <stdlib.h>
#include <string.h>

#include "tests/unit/proxy/observe/flight.h"
#include "tests/unit/unit.h"

// Fields that only one of the two ways can know: times, pieces, volumes.
static bool own(enum field field) {
    switch (field) {
    case F_LEG_MS_HELLO:
    case F_LEG_MS_ANSWER:
    case F_LEG_MS_CERTIFICATE:
    case F_LEG_MS_FINISHED:
    case F_LEG_MS_FIRST_DATA:
    case F_LEG_ALERTS:
    case F_LEG_TLS_ESTABLISHED:
    case F_LEG_DATA_RECEIVED:
    case F_LEG_DATA_SENT:
    case F_LEG_OFFER_SEGMENTS:
    case F_LEG_OFFER_RECORDS:
    case F_LEG_OFFER_RECORD_VERSION:
    case F_LEG_OFFER_RAW:
    case F_LEG_RECORDS_CLIENT:
    case F_LEG_RECORDS_SERVER:
    case F_LEG_SEGMENTS_SERVER:
        return true;
    default:
        return false;
    }
}

// Fields of TLS 1.3 that are encrypted on the wire.
static bool encrypted(enum field field) {
    switch (field) {
    case F_LEG_TLS_NEXT_PROTOCOL:
    case F_LEG_SUBJECT:
    case F_LEG_ISSUER:
    case F_LEG_NOT_BEFORE:
    case F_LEG_NOT_AFTER:
    case F_LEG_LEAF_SHA256:
    case F_LEG_CERTIFICATE_CHAIN:
    case F_LEG_CHAIN:
    case F_LEG_ANSWER_ENCRYPTED:
    case F_LEG_ANSWER_SIGNATURE:
    case F_LEG_ANSWER_TICKETS:
    case F_LEG_ANSWER_CERT_REQUEST:
    case F_LEG_ANSWER_CERT_REQUEST_CAS:
    case F_LEG_ANSWER_CERT_REQUEST_SIGALGS:
    case F_LEG_ANSWER_TICKET_LIFETIME:
    case F_LEG_ANSWER_TICKET_EARLY:
    case F_LEG_ANSWER_GROUPS:
    case F_LEG_ANSWER_CLIENT_CERT:
    case F_LEG_ANSWER_CLIENT_SIGNATURE:
    case F_LEG_CLIENT_CHAIN:
    case F_LEG_CLIENT_CERTIFICATE_CHAIN:
    case F_LEG_CLIENT_SUBJECT:
    case F_LEG_CLIENT_ISSUER:
    case F_LEG_CLIENT_NOT_BEFORE:
    case F_LEG_CLIENT_NOT_AFTER:
    case F_LEG_CLIENT_SHA256:
        return true;
    default:
        return false;
    }
}

static void hold(const struct flight *flight, bool tls13, size_t piece) {
    struct record *wire = flight_wire(flight, piece), *messages = flight_messages(flight);
    for (enum field field = F_LEG_FIRST; field < F_LEG_END; field++) {
        if (own(field)) {
            continue;
        }
        char *text = leg_text(messages, field);
        leg_is(wire, field, tls13 && encrypted(field) ? "-" : text);
        free(text);
    }
    record_free(wire);
    record_free(messages);
}

static void both_ways_tell_the_same(void) {
    static const size_t pieces[] = {1, 7, 16384};
    for (uint16_t version = TLS1_VERSION; version <= TLS1_3_VERSION; version++) {
        for (int variant = 0; variant < 5; variant++) {
            struct peer_options client = flight_client(), server = flight_server();
            struct flight flight;
            client.max_version = version;
            client.alpn = server.alpn = variant == 1 ? "h2" : NULL;
            server.ask = variant == 2;
            client.own = variant == 2 ? world_get()->self_signed : NULL;
            client.curves = variant == 3 ? "X25519:P-384" : NULL;
            server.curves = variant == 3 ? "P-384" : NULL;
            server.chain[0] = variant >= 3 ? world_get()->rsa : server.chain[0];
            flight_make(&flight, &client, &server, "hello");
            for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
                hold(&flight, version == TLS1_3_VERSION, pieces[i]);
            }
            flight_free(&flight);
        }
    }
}

static void the_handshake_is_followed_to_its_end(void) {
    for (uint16_t version = TLS1_VERSION; version <= TLS1_3_VERSION; version++) {
        struct peer_options client = flight_client(), server = flight_server();
        struct flight flight;
        client.max_version = version;
        flight_make(&flight, &client, &server, "hello");
        struct record *record = flight_wire(&flight, 16384);
        leg_is(record, F_LEG_TLS_ESTABLISHED, "yes");
        const struct obj *leg = record_leg(record->root, false);
        CU_ASSERT(obj_has(leg, F_LEG_MS_FINISHED));
        CU_ASSERT(obj_has(leg, F_LEG_MS_FIRST_DATA));
        CU_ASSERT(obj_has(leg, F_LEG_DATA_RECEIVED));
        record_free(record);
        flight_free(&flight);
    }
}

static void alerts_in_the_clear_are_told(void) {
    struct peer_options client = flight_client(), server = flight_server();
    struct flight flight;
    client.reject = SSL_AD_CERTIFICATE_EXPIRED;
    client.max_version = TLS1_2_VERSION;
    flight_make(&flight, &client, &server, NULL);
    struct record *record = flight_wire(&flight, 5);
    const struct obj *leg = record_leg(record->root, false);
    CU_ASSERT_EQUAL_FATAL(obj_num(leg, F_LEG_ALERTS), 1);
    const struct obj *alert = obj_at(leg, F_LEG_ALERTS, 0);
    CU_ASSERT(obj_str_is(alert, F_ALERT_FROM, "client"));
    CU_ASSERT(obj_str_is(alert, F_ALERT_AFTER, "certificate"));
    CU_ASSERT(obj_is(alert, F_ALERT_CODE, 45));
    CU_ASSERT_FALSE(obj_has(leg, F_LEG_TLS_ESTABLISHED));
    record_free(record);
    flight_free(&flight);
    client.max_version = TLS1_VERSION;
    client.reject = 0;
    server.min_version = TLS1_2_VERSION;
    flight_make(&flight, &client, &server, NULL);
    record = flight_wire(&flight, 5);
    leg = record_leg(record->root, false);
    CU_ASSERT_EQUAL_FATAL(obj_num(leg, F_LEG_ALERTS), 1);
    alert = obj_at(leg, F_LEG_ALERTS, 0);
    CU_ASSERT(obj_str_is(alert, F_ALERT_FROM, "server"));
    CU_ASSERT(obj_str_is(alert, F_ALERT_AFTER, "client_hello"));
    CU_ASSERT(obj_is(alert, F_ALERT_CODE, 70));
    record_free(record);
    flight_free(&flight);
}

// In TLS 1.3 a client's alert is as encrypted as its Finished, but shorter.
static void a_client_that_rejects_has_not_finished(void) {
    struct peer_options client = flight_client(), server = flight_server();
    struct flight flight;
    client.reject = SSL_AD_UNKNOWN_CA;
    flight_make(&flight, &client, &server, NULL);
    struct record *record = flight_wire(&flight, 16384);
    leg_is(record, F_LEG_TLS_VERSION, "1.3");
    leg_is(record, F_LEG_TLS_ESTABLISHED, "-");
    record_free(record);
    flight_free(&flight);
}

// not_tls shows a server's `text` to a tap, after the client's hello where there is one.
static struct record *not_tls(const struct flight *flight, const char *text, size_t piece) {
    struct record *record = record_new();
    struct observe observe;
    struct wire_tap tap;
    observe_init(&observe, record->root, false, 0);
    wire_tap_init(&tap, &observe);
    if (flight != NULL) {
        wire_tap_bytes(&tap, true, flight->wire[0].p, flight->wire[0].len, 0);
    }
    for (size_t at = 0, len = strlen(text); at < len; at += piece) {
        size_t n = len - at < piece ? len - at : piece;
        wire_tap_bytes(&tap, false, (const uint8_t *)text + at, n, 0);
    }
    wire_tap_finish(&tap);
    wire_tap_cleanup(&tap);
    return record;
}

static void an_answer_that_is_not_tls(void) {
    static const char page[] = "HTTP/1.1 400 Bad Request\r\n\r\n<html>";
    static const size_t pieces[] = {1, 1000};
    struct peer_options client = flight_client(), server = flight_server();
    struct flight flight;
    flight_make(&flight, &client, &server, NULL);
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct record *record = not_tls(&flight, page, pieces[i]);
        leg_is(record, F_LEG_ANSWER_FIRST_KIND, "http answer");
        struct span first = obj_span(record_leg(record->root, false), F_LEG_ANSWER_FIRST_BYTES);
        CU_ASSERT(first.len == strlen(page) && memcmp(first.p, page, first.len) == 0);
        record_free(record);
        // Without a hello nobody asked for TLS.
        record = not_tls(NULL, page, pieces[i]);
        leg_is(record, F_LEG_ANSWER_FIRST_KIND, "-");
        record_free(record);
    }
    flight_free(&flight);
}

static void a_hello_that_was_observed_is_passed_over(void) {
    struct peer_options client = flight_client(), server = flight_server();
    struct flight flight;
    flight_make(&flight, &client, &server, "x");
    struct record *record = record_new();
    struct observe observe;
    struct wire_tap tap;
    observe_init(&observe, record->root, false, 0);
    observe_hello(&observe, flight.wire[0].p, flight.wire[0].len, 3, 500);
    wire_tap_init(&tap, &observe);
    for (size_t i = 0; i < flight.num_wire; i++) {
        wire_tap_bytes(&tap, flight.wire[i].from_client, flight.wire[i].p, flight.wire[i].len,
                       1000);
    }
    wire_tap_finish(&tap);
    wire_tap_finish(&tap); // twice: of an interim record, too
    wire_tap_cleanup(&tap);
    leg_is(record, F_LEG_OFFER_SEGMENTS, "3");
    leg_is(record, F_LEG_OFFER_RAW_2, "-");
    leg_is(record, F_LEG_TLS_ESTABLISHED, "yes");
    CU_ASSERT(obj_is(record_leg(record->root, false), F_LEG_MS_HELLO, 500));
    record_free(record);
    flight_free(&flight);
}

// What is odd about the records of a hello is told once, though they are read twice; the same of
// the server is its own.
static void a_note_on_the_hello_is_told_once(void) {
    static const uint8_t odd[] = {22, 3, 0, 0, 8, 1, 0, 0, 40, 3, 3, 1, 2};
    static const uint8_t answer[] = {22, 3, 0, 0, 2, 2, 0};
    struct record *record = record_new();
    struct observe observe;
    struct wire_tap tap;
    observe_init(&observe, record->root, false, 0);
    observe_hello(&observe, odd, sizeof(odd), 1, 0);
    size_t num = obj_num(record->root, F_RECORD_NOTES);
    CU_ASSERT(has_note(record, "rec-version-odd") && has_note(record, "hs-truncated"));
    wire_tap_init(&tap, &observe);
    wire_tap_bytes(&tap, true, odd, sizeof(odd), 0);
    wire_tap_eof(&tap, true, 0);
    wire_tap_finish(&tap);
    wire_tap_cleanup(&tap);
    CU_ASSERT_EQUAL(obj_num(record->root, F_RECORD_NOTES), num);
    wire_tap_init(&tap, &observe);
    wire_tap_bytes(&tap, false, answer, sizeof(answer), 0);
    wire_tap_eof(&tap, false, 0);
    wire_tap_finish(&tap);
    wire_tap_cleanup(&tap);
    CU_ASSERT(obj_num(record->root, F_RECORD_NOTES) > num);
    record_free(record);
}

// Who says the same for ever costs no more memory than a chatty honest peer.
static void floods_have_a_ceiling(void) {
    static const struct {
        bool from_client;
        uint8_t p[16];
        size_t len;
    } rows[] = {
        {true, {21, 3, 3, 0, 2, 1, 90}, 7},                           // warnings
        {false, {21, 3, 3, 0, 2, 2, 90}, 7},                          // fatal alerts
        {false, {21, 3, 3, 0, 1, 1}, 6},                              // half alerts
        {true, {22, 3, 3, 0, 4, 1, 0, 0, 0}, 9},                      // empty ClientHellos
        {true, {22, 3, 3, 0, 4, 11, 0, 0, 0}, 9},                     // empty Certificates
        {false, {22, 3, 3, 0, 7, 11, 0, 0, 3, 0, 0, 0}, 12},          // chains of none
        {false, {22, 3, 3, 0, 4, 2, 0, 0, 0}, 9},                     // empty ServerHellos
        {false, {22, 3, 3, 0, 10, 4, 0, 0, 6, 0, 0, 0, 0, 0, 0}, 15}, // tickets
        {false, {99, 3, 3, 0, 1, 0}, 6},                              // of no known type
        {false, {22, 3, 3, 0, 0}, 5},                                 // empty records
    };
    struct peer_options client = flight_client(), server = flight_server();
    struct flight flight;
    flight_make(&flight, &client, &server, NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct record *record = record_new();
        struct observe observe;
        struct wire_tap tap;
        observe_init(&observe, record->root, false, 0);
        wire_tap_init(&tap, &observe);
        wire_tap_bytes(&tap, true, flight.wire[0].p, flight.wire[0].len, 0);
        for (int n = 0; n < 20000; n++) {
            wire_tap_bytes(&tap, rows[i].from_client, rows[i].p, rows[i].len, 0);
        }
        wire_tap_finish(&tap);
        wire_tap_cleanup(&tap);
        CU_ASSERT(record->arena.used < 128 * 1024);
        record_free(record);
    }
    flight_free(&flight);
}

// A fatal alert is told although many warnings came before it.
static void the_fatal_alert_is_told(void) {
    struct record *record = record_new();
    struct observe observe;
    static const uint8_t warning[] = {1, 90}, fatal[] = {2, 40};
    observe_init(&observe, record->root, false, 0);
    for (int n = 0; n < 1000; n++) {
        observe_alert(&observe, true, warning, sizeof(warning), 0);
    }
    observe_alert(&observe, true, fatal, sizeof(fatal), 0);
    const struct obj *leg = record_leg(record->root, false);
    size_t num = obj_num(leg, F_LEG_ALERTS);
    CU_ASSERT_EQUAL_FATAL(num, 33);
    CU_ASSERT(obj_is(obj_at(leg, F_LEG_ALERTS, num - 1), F_ALERT_CODE, 40));
    record_free(record);
}

// Whatever is changed on the wire, the tap reads on.
static void tampered_bytes_do_no_harm(void) {
    for (uint16_t version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct peer_options client = flight_client(), server = flight_server();
        struct flight flight;
        client.max_version = version;
        flight_make(&flight, &client, &server, "x");
        for (size_t i = 0; i < flight.num_wire; i++) {
            for (size_t at = 0; at < flight.wire[i].len; at += 3) {
                uint8_t *byte = &flight.wire[i].p[at], kept = *byte;
                *byte = (uint8_t)(at % 2 == 0 ? kept ^ 0xff : kept + 1);
                struct record *record = flight_wire(&flight, 16384);
                CU_ASSERT_PTR_NOT_NULL(record_leg(record->root, false));
                record_free(record);
                *byte = kept;
            }
        }
        flight_free(&flight);
    }
}

const struct unit_case unit_cases[] = {
    {"both ways tell the same", both_ways_tell_the_same},
    {"the handshake is followed to its end", the_handshake_is_followed_to_its_end},
    {"alerts in the clear are told", alerts_in_the_clear_are_told},
    {"a client that rejects has not finished", a_client_that_rejects_has_not_finished},
    {"an answer that is not TLS", an_answer_that_is_not_tls},
    {"a hello that was observed is passed over", a_hello_that_was_observed_is_passed_over},
    {"a note on the hello is told once", a_note_on_the_hello_is_told_once},
    {"floods have a ceiling", floods_have_a_ceiling},
    {"the fatal alert is told", the_fatal_alert_is_told},
    {"tampered bytes do no harm", tampered_bytes_do_no_harm},
    {NULL, NULL},
};
