#include "proxy/observe/observe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/tls/handshake.h"
#include "tests/unit/proxy/observe/keyed_talk.h"
#include "tests/unit/proxy/tls/rfc8448.h"
#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

#define ZEROS_16 "00000000000000000000000000000000"

static struct pki_cert *ca, *leaf, *client_leaf;

static void pki_ready(void) {
    if (ca == NULL) {
        ca = pki_ca("tap test CA", NULL);
        leaf = pki_leaf("tap.test", ca);
        client_leaf = pki_leaf("client.test", ca);
    }
}

// talk_defaults is TLS 1.3 with a chain of two, ALPN, tickets, data both ways and a proper end.
static struct talk_options talk_defaults(void) {
    pki_ready();
    struct talk_options options = {
        .client = {.max_version = TLS1_3_VERSION,
                   .host = "tap.test",
                   .alpn = "h2,http/1.1",
                   .curves = "X25519:P-256"},
        .server = {.max_version = TLS1_3_VERSION, .alpn = "h2", .chain = {leaf, ca}},
        .client_says = true,
        .server_says = true,
        .client_closes = true,
        .server_closes = true,
    };
    return options;
}

// same holds the two records' legs against each other, but for the counts of bytes and the pieces
// they came in, which only the tap knows.
static bool same(struct record *a, struct record *b) {
    static const enum field counts[] = {F_LEG_DATA_RECEIVED, F_LEG_DATA_SENT,
                                        F_LEG_SEGMENTS_SERVER};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        obj_unset(record_leg(a->root, false), counts[i]);
        obj_unset(record_leg(b->root, false), counts[i]);
    }
    char *text_a = talk_leg(a), *text_b = talk_leg(b);
    bool equal = strcmp(text_a, text_b) == 0;
    if (!equal) {
        printf("%s\n%s\n", text_a, text_b);
    }
    free(text_a);
    free(text_b);
    return equal;
}

static bool leg_is(const struct record *record, enum field field, int64_t value) {
    return obj_is(record_leg(record->root, false), field, value);
}

static bool any_key_note(const struct record *record) {
    return talk_noted(record, NOTE_KEY_MISSING) || talk_noted(record, NOTE_KEY_WRONG) ||
           talk_noted(record, NOTE_KEY_CIPHER) || talk_noted(record, NOTE_HS_OUT_OF_ORDER);
}

// equal_facts plays the talk in parts of several sizes and holds each record against what
// msg_callback told.
static void equal_facts(const struct talk *talk) {
    static const size_t parts[] = {SIZE_MAX, 1, 7, 100, 1460};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        struct record *record = talk_tap(talk, talk->keys, parts[i], SIZE_MAX);
        CU_ASSERT(same(record, talk->told));
        CU_ASSERT_FALSE(any_key_note(record));
        record_free(record);
    }
}

static void test_tls13(void) {
    struct talk_options options = talk_defaults();
    struct talk talk;
    talk_run(&talk, &options);
    equal_facts(&talk);
    struct record *record = talk_tap(&talk, talk.keys, SIZE_MAX, SIZE_MAX);
    CU_ASSERT(leg_is(record, F_LEG_TLS_CIPHER, 0x1301));
    CU_ASSERT(leg_is(record, F_LEG_TLS_ESTABLISHED, true));
    CU_ASSERT(leg_is(record, F_LEG_ANSWER_TICKETS, 2));
    CU_ASSERT(leg_is(record, F_LEG_DATA_RECEIVED, 18)); // the words and nothing else
    CU_ASSERT(leg_is(record, F_LEG_DATA_SENT, 15));
    const struct obj *leg = record_leg(record->root, false);
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_CHAIN), 2);
    CU_ASSERT(obj_str_is(leg, F_LEG_TLS_NEXT_PROTOCOL, "h2"));
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_ALERTS), 2);
    CU_ASSERT(obj_str_is(obj_at(leg, F_LEG_ALERTS, 0), F_ALERT_AFTER, "data"));
    record_free(record);
    talk_cleanup(&talk);
}

// AES-256: BoringSSL takes it with CECPQ2.
static void test_sha384(void) {
    struct talk_options options = talk_defaults();
    struct talk talk;
    options.client.curves = options.server.curves = "CECPQ2";
    talk_run(&talk, &options);
    CU_ASSERT(leg_is(talk.told, F_LEG_TLS_CIPHER, 0x1302));
    equal_facts(&talk);
    talk_cleanup(&talk);
}

static void test_compressed_certificate(void) {
    struct talk_options options = talk_defaults();
    struct talk talk;
    options.client.compress = options.server.compress = true;
    talk_run(&talk, &options);
    CU_ASSERT(leg_is(talk.told, F_LEG_ANSWER_CERT_COMPRESSION, 1));
    CU_ASSERT_EQUAL(obj_num(record_leg(talk.told->root, false), F_LEG_CHAIN), 2);
    equal_facts(&talk);
    talk_cleanup(&talk);
}

static void test_retry(void) {
    struct talk_options options = talk_defaults();
    struct talk talk;
    options.server.curves = "P-256";
    talk_run(&talk, &options);
    CU_ASSERT(obj_has(record_leg(talk.told->root, false), F_LEG_ANSWER_RETRY));
    equal_facts(&talk);
    talk_cleanup(&talk);
}

static void test_client_certificate(void) {
    struct talk_options options = talk_defaults();
    struct talk talk;
    options.server.ask = true;
    talk_run(&talk, &options);
    CU_ASSERT(leg_is(talk.told, F_LEG_ANSWER_CERT_REQUEST, true));
    CU_ASSERT(leg_is(talk.told, F_LEG_ANSWER_CLIENT_CERT, false));
    equal_facts(&talk);
    talk_cleanup(&talk);

    options.client.own = client_leaf;
    talk_run(&talk, &options);
    CU_ASSERT(leg_is(talk.told, F_LEG_ANSWER_CLIENT_CERT, true));
    equal_facts(&talk);
    talk_cleanup(&talk);

    // Refused once it is missed: the server's alert is under the keys that follow its Finished.
    options.client.own = NULL;
    options.server.need = true;
    options.client_says = options.server_says = false;
    talk_run(&talk, &options);
    const struct obj *leg = record_leg(talk.told->root, false);
    CU_ASSERT(obj_is(obj_at(leg, F_LEG_ALERTS, 0), F_ALERT_CODE, SSL_AD_CERTIFICATE_REQUIRED));
    equal_facts(&talk);
    talk_cleanup(&talk);
}

// The client's alert in place of its Finished: the reason to decrypt a capture.
static void test_refused(void) {
    struct talk_options options = talk_defaults();
    struct talk talk;
    options.client.reject = SSL_AD_UNKNOWN_CA;
    options.client_says = options.server_says = false;
    options.client_closes = options.server_closes = false;
    talk_run(&talk, &options);
    const struct obj *leg = record_leg(talk.told->root, false);
    CU_ASSERT(obj_is(obj_at(leg, F_LEG_ALERTS, 0), F_ALERT_CODE, SSL_AD_UNKNOWN_CA));
    CU_ASSERT_FALSE(obj_has(leg, F_LEG_TLS_ESTABLISHED));
    equal_facts(&talk);
    talk_cleanup(&talk);
}

static void test_key_update(void) {
    struct talk_options options = talk_defaults();
    struct talk talk;
    options.client_updates = options.server_updates = true;
    talk_run(&talk, &options);
    equal_facts(&talk);
    struct record *record = talk_tap(&talk, talk.keys, SIZE_MAX, SIZE_MAX);
    CU_ASSERT(leg_is(record, F_LEG_DATA_RECEIVED, 18 + 3 * 18 - 18 + 15));
    CU_ASSERT(leg_is(record, F_LEG_DATA_SENT, 15 + 18 + 2 * 15));
    CU_ASSERT_EQUAL(obj_num(record_leg(record->root, false), F_LEG_ALERTS), 2);
    record_free(record);
    talk_cleanup(&talk);
}

static void test_early_data(void) {
    struct talk_options options = talk_defaults();
    struct talk talk;
    options.early = true;
    for (int refuse = 0; refuse < 2; refuse++) {
        options.refuse_early = refuse;
        talk_run(&talk, &options);
        CU_ASSERT(refuse || leg_is(talk.told, F_LEG_ANSWER_EARLY_DATA, true));
        CU_ASSERT(leg_is(talk.told, F_LEG_TLS_RESUMED, true));
        equal_facts(&talk);
        struct record *record = talk_tap(&talk, talk.keys, SIZE_MAX, SIZE_MAX);
        // What is passed over counts by the sizes of its records: the same words, an
        // EndOfEarlyData where they are taken.
        int64_t passed_over = 18 + 17 + (refuse ? 0 : 4 + 17);
        CU_ASSERT(leg_is(record, F_LEG_DATA_RECEIVED, 18 + passed_over));
        record_free(record);
        talk_cleanup(&talk);
    }
}

static void test_tls12(void) {
    static const struct {
        const char *name;
        uint16_t cipher;
    } rows[] = {{"ECDHE-ECDSA-AES128-GCM-SHA256", 0xc02b},
                {"ECDHE-ECDSA-AES256-GCM-SHA384", 0xc02c},
                {"ECDHE-ECDSA-CHACHA20-POLY1305", 0xcca9}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct talk_options options = talk_defaults();
        struct talk talk;
        options.client.max_version = TLS1_2_VERSION;
        options.client.ciphers = rows[i].name;
        talk_run(&talk, &options);
        CU_ASSERT(leg_is(talk.told, F_LEG_TLS_CIPHER, rows[i].cipher));
        equal_facts(&talk);
        struct record *record = talk_tap(&talk, talk.keys, SIZE_MAX, SIZE_MAX);
        CU_ASSERT(leg_is(record, F_LEG_DATA_RECEIVED, 18));
        CU_ASSERT(leg_is(record, F_LEG_DATA_SENT, 15));
        CU_ASSERT_EQUAL(obj_num(record_leg(record->root, false), F_LEG_ALERTS), 2);
        record_free(record);
        talk_cleanup(&talk);
    }
}

static void test_tls12_other_suites(void) {
    struct talk_options options = talk_defaults();
    struct talk talk;
    options.client.max_version = TLS1_2_VERSION;
    options.client.ciphers = "ECDHE-ECDSA-AES128-SHA";
    talk_run(&talk, &options);
    struct record *keyed = talk_tap(&talk, talk.keys, 7, SIZE_MAX);
    struct record *blind = talk_tap(&talk, NULL, 7, SIZE_MAX);
    CU_ASSERT(talk_noted(keyed, NOTE_KEY_CIPHER));
    CU_ASSERT_FALSE(any_key_note(blind));
    CU_ASSERT(same(keyed, blind));
    record_free(keyed);
    record_free(blind);
    talk_cleanup(&talk);
}

// keys_without returns the key log less the lines that begin with `label`; with `damaged` they are
// there with another secret.
static struct key_log *keys_without(const struct talk *talk, const char *label, bool damaged) {
    static const char other[] =
        "CLIENT_RANDOM " RFC8448_CLIENT_RANDOM " " RFC8448_CLIENT_TRAFFIC ZEROS_16;
    struct key_log *log = key_log_new(0);
    char *text = xmemdup(buf_data(&talk->key_text), talk->key_text.len);
    struct err err;
    CU_ASSERT(key_log_line(log, other, strlen(other), &err)); // an empty log is none
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        bool hit = strncmp(line, label, strlen(label)) == 0;
        if (hit) {
            char *last = line + strlen(line) - 1;
            *last = *last == '0' ? '1' : '0';
        }
        CU_ASSERT(hit && !damaged ? true : key_log_line(log, line, strlen(line), &err));
    }
    free(text);
    return log;
}

// Without usable keys everything is as if there were no key log, but for the note.
static void test_no_keys(void) {
    struct talk_options options = talk_defaults();
    struct talk talk;
    talk_run(&talk, &options);
    struct record *blind = talk_tap(&talk, NULL, 50, SIZE_MAX);
    CU_ASSERT_FALSE(any_key_note(blind));
    CU_ASSERT_FALSE(obj_has(record_leg(blind->root, false), F_LEG_CHAIN));
    for (int damaged = 0; damaged < 2; damaged++) {
        struct key_log *log = keys_without(&talk, "", damaged);
        struct record *record = talk_tap(&talk, log, 50, SIZE_MAX);
        CU_ASSERT(talk_noted(record, damaged ? NOTE_KEY_WRONG : NOTE_KEY_MISSING));
        CU_ASSERT_FALSE(talk_noted(record, damaged ? NOTE_KEY_MISSING : NOTE_KEY_WRONG));
        CU_ASSERT(same(record, blind));
        record_free(record);
        key_log_free(log);
    }
    record_free(blind);
    talk_cleanup(&talk);
}

// Each direction and each stage stands for itself.
static void test_some_keys(void) {
    static const struct {
        const char *label;
        bool chain, tickets;
    } rows[] = {
        {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", true, true},
        {"SERVER_HANDSHAKE_TRAFFIC_SECRET", false, false},
        {"CLIENT_TRAFFIC_SECRET_0", true, true},
        {"SERVER_TRAFFIC_SECRET_0", true, false},
    };
    struct talk_options options = talk_defaults();
    struct talk talk;
    talk_run(&talk, &options);
    for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
        bool damaged = i >= ARRAY_LEN(rows);
        const char *label = rows[i % ARRAY_LEN(rows)].label;
        struct key_log *log = keys_without(&talk, label, damaged);
        struct record *record = talk_tap(&talk, log, 50, SIZE_MAX);
        const struct obj *leg = record_leg(record->root, false);
        CU_ASSERT(talk_noted(record, damaged ? NOTE_KEY_WRONG : NOTE_KEY_MISSING));
        CU_ASSERT_EQUAL(obj_has(leg, F_LEG_CHAIN), rows[i % ARRAY_LEN(rows)].chain);
        CU_ASSERT_EQUAL(obj_has(leg, F_LEG_ANSWER_TICKETS), rows[i % ARRAY_LEN(rows)].tickets);
        CU_ASSERT(leg_is(record, F_LEG_TLS_ESTABLISHED, true));
        record_free(record);
        key_log_free(log);
    }
    talk_cleanup(&talk);
}

// Cut anywhere, a capture tells no less than one that was cut before, and is never called broken.
static void test_truncated(void) {
    struct talk_options options = talk_defaults();
    struct talk talk;
    size_t steps[4] = {0};
    talk_run(&talk, &options);
    for (size_t max = 0; max <= talk.bytes.len; max++) {
        struct record *record = talk_tap(&talk, talk.keys, SIZE_MAX, max);
        const struct obj *leg = record_leg(record->root, false);
        size_t now[] = {obj_num(leg, F_LEG_CHAIN), obj_has(leg, F_LEG_TLS_ESTABLISHED),
                        obj_num(leg, F_LEG_ALERTS), obj_has(leg, F_LEG_MS_FIRST_DATA)};
        for (size_t i = 0; i < ARRAY_LEN(now); i++) {
            CU_ASSERT(now[i] >= steps[i]);
            steps[i] = now[i];
        }
        CU_ASSERT_FALSE(any_key_note(record));
        record_free(record);
    }
    CU_ASSERT_EQUAL(steps[0], 2);
    CU_ASSERT_EQUAL(steps[1] + steps[2] + steps[3], 4);
    talk_cleanup(&talk);
}

// A byte changed anywhere breaks at most what follows in its direction.
static void test_damaged(void) {
    struct talk_options options = talk_defaults();
    struct talk talk;
    talk_run(&talk, &options);
    uint8_t *p = talk.bytes.data + talk.bytes.off;
    for (size_t i = 0; i < talk.bytes.len; i++) {
        p[i] ^= 0x41;
        struct record *record = talk_tap(&talk, talk.keys, 333, SIZE_MAX);
        CU_ASSERT_PTR_NOT_NULL(record_leg(record->root, false));
        record_free(record);
        p[i] ^= 0x41;
    }
    talk_cleanup(&talk);
}

// struct trace is the handshake of RFC 8448, or one made of its messages, as it is said to a tap.
struct trace {
    struct record *record;
    struct observe observe;
    struct wire_tap tap;
    struct key_log *keys;
    struct record_protect seal[2];
};

static void trace_say(struct trace *trace, bool from_client, const char *hex) {
    struct made made = made_hex(hex);
    wire_tap_bytes(&trace->tap, from_client, made.p, made.len, 0);
    made_free(&made);
}

// trace_key gives a secret to the key log, and seals what this end says with it. SHA-384 takes 16
// zeros more.
static void trace_key(struct trace *trace, bool from_client, const char *label, const char *secret,
                      uint16_t cipher) {
    struct cipher_keys keys;
    struct err err;
    char line[300];
    CU_ASSERT_FATAL(cipher_keys_find(&keys, cipher));
    bool longer = EVP_MD_size(keys.digest) == 48;
    snprintf(line, sizeof(line), "%s " RFC8448_CLIENT_RANDOM " %s%s", label, secret,
             longer ? ZEROS_16 : "");
    CU_ASSERT(key_log_line(trace->keys, line, strlen(line), &err));
    struct made made = made_hex(longer ? RFC8448_SERVER_TRAFFIC ZEROS_16 : secret);
    if (longer) {
        struct made start = made_hex(secret);
        memcpy(made.p, start.p, start.len);
        made_free(&start);
    }
    record_protect_init13(&trace->seal[from_client], &keys, made.p);
    made_free(&made);
}

static void trace_seal(struct trace *trace, bool from_client, uint8_t type, const char *hex) {
    static uint8_t out[RECORD_SEALED_MAX + 5];
    struct made made = made_hex(hex);
    size_t len = record_protect_seal(&trace->seal[from_client], out, type, made.p, made.len, 0);
    wire_tap_bytes(&trace->tap, from_client, out, len, 0);
    made_free(&made);
}

// trace_begin says both hellos, with `cipher` in the answer.
static void trace_begin(struct trace *trace, uint16_t cipher) {
    *trace = (struct trace){.record = record_new(), .keys = key_log_new(0)};
    observe_init(&trace->observe, trace->record->root, false, 0);
    wire_tap_init(&trace->tap, &trace->observe);
    wire_tap_keys(&trace->tap, trace->keys);
    trace_key(trace, true, "CLIENT_TRAFFIC_SECRET_0", RFC8448_CLIENT_TRAFFIC, cipher);
    trace_key(trace, false, "SERVER_TRAFFIC_SECRET_0", RFC8448_SERVER_TRAFFIC, cipher);
    trace_key(trace, true, "CLIENT_HANDSHAKE_TRAFFIC_SECRET", RFC8448_CLIENT_HANDSHAKE, cipher);
    trace_key(trace, false, "SERVER_HANDSHAKE_TRAFFIC_SECRET", RFC8448_SERVER_HANDSHAKE, cipher);
    trace_say(trace, true, "16030100c4" RFC8448_CLIENT_HELLO);
    struct made hello = made_hex("160303005a" RFC8448_SERVER_HELLO);
    hello.p[5 + 4 + 2 + 32 + 1] = (uint8_t)(cipher >> 8);
    hello.p[5 + 4 + 2 + 32 + 1 + 1] = (uint8_t)cipher;
    wire_tap_bytes(&trace->tap, false, hello.p, hello.len, 0);
    made_free(&hello);
}

static void trace_end(struct trace *trace) {
    wire_tap_cleanup(&trace->tap);
    record_protect_cleanup(&trace->seal[0]);
    record_protect_cleanup(&trace->seal[1]);
    key_log_free(trace->keys);
    record_free(trace->record);
}

static void rfc8448_is(struct trace *trace, uint16_t cipher) {
    wire_tap_finish(&trace->tap);
    struct obj *leg = record_leg(trace->record->root, false);
    CU_ASSERT(obj_is(leg, F_LEG_TLS_CIPHER, cipher));
    CU_ASSERT(obj_is(leg, F_LEG_TLS_ESTABLISHED, true));
    CU_ASSERT(obj_is(leg, F_LEG_ANSWER_SIGNATURE, 0x0804));
    CU_ASSERT(obj_is(leg, F_LEG_ANSWER_TICKETS, 1));
    CU_ASSERT(obj_is(leg, F_LEG_DATA_RECEIVED, 50));
    CU_ASSERT(obj_is(leg, F_LEG_DATA_SENT, 50));
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_ANSWER_ENCRYPTED), 3);
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_CHAIN), 1);
    CU_ASSERT_EQUAL(obj_num(leg, F_LEG_ALERTS), 2);
    CU_ASSERT(obj_str_is(obj_at(leg, F_LEG_ALERTS, 1), F_ALERT_FROM, "server"));
    CU_ASSERT_FALSE(any_key_note(trace->record));
}

// The records as the RFC has them.
static void test_rfc8448(void) {
    struct trace trace;
    trace_begin(&trace, 0x1301);
    trace_say(&trace, false, RFC8448_SERVER_FLIGHT_RECORD);
    trace_say(&trace, true, RFC8448_CLIENT_FINISHED_RECORD);
    trace_say(&trace, false, RFC8448_TICKET_RECORD);
    trace_say(&trace, true, RFC8448_CLIENT_DATA_RECORD);
    trace_say(&trace, false, RFC8448_SERVER_DATA_RECORD);
    trace_say(&trace, true, RFC8448_CLIENT_ALERT_RECORD);
    trace_say(&trace, false, RFC8448_SERVER_ALERT_RECORD);
    rfc8448_is(&trace, 0x1301);
    trace_end(&trace);
}

// The same messages under each suite, with ChangeCipherSpec records between.
static void test_suites(void) {
    static const uint16_t ciphers[] = {0x1301, 0x1302, 0x1303};
    for (size_t i = 0; i < ARRAY_LEN(ciphers); i++) {
        struct trace trace;
        trace_begin(&trace, ciphers[i]);
        trace_say(&trace, false, "140303000101");
        trace_seal(&trace, false, CONTENT_HANDSHAKE, RFC8448_SERVER_FLIGHT);
        trace_seal(&trace, false, CONTENT_HANDSHAKE, RFC8448_SERVER_FINISHED);
        trace_key(&trace, false, "SERVER_TRAFFIC_SECRET_0", RFC8448_SERVER_TRAFFIC, ciphers[i]);
        trace_say(&trace, true, "140303000101");
        trace_seal(&trace, true, CONTENT_HANDSHAKE, RFC8448_CLIENT_FINISHED);
        trace_key(&trace, true, "CLIENT_TRAFFIC_SECRET_0", RFC8448_CLIENT_TRAFFIC, ciphers[i]);
        trace_seal(&trace, false, CONTENT_HANDSHAKE, RFC8448_TICKET);
        trace_seal(&trace, true, CONTENT_APPLICATION_DATA, RFC8448_DATA);
        trace_seal(&trace, false, CONTENT_APPLICATION_DATA, RFC8448_DATA);
        trace_seal(&trace, true, CONTENT_ALERT, "0100");
        trace_seal(&trace, false, CONTENT_ALERT, "0100");
        rfc8448_is(&trace, ciphers[i]);
        trace_end(&trace);
    }
}

// A suite that BoringSSL lacks.
static void test_unknown_suite(void) {
    struct trace trace;
    trace = (struct trace){.record = record_new(), .keys = key_log_new(0)};
    observe_init(&trace.observe, trace.record->root, false, 0);
    wire_tap_init(&trace.tap, &trace.observe);
    wire_tap_keys(&trace.tap, trace.keys);
    trace_key(&trace, true, "CLIENT_TRAFFIC_SECRET_0", RFC8448_CLIENT_TRAFFIC, 0x1301);
    trace_say(&trace, true, "16030100c4" RFC8448_CLIENT_HELLO);
    struct made hello = made_hex("160303005a" RFC8448_SERVER_HELLO);
    hello.p[5 + 4 + 2 + 32 + 1 + 1] = 0x04; // TLS_AES_128_CCM_SHA256
    wire_tap_bytes(&trace.tap, false, hello.p, hello.len, 0);
    made_free(&hello);
    wire_tap_finish(&trace.tap);
    CU_ASSERT(talk_noted(trace.record, NOTE_KEY_CIPHER));
    trace_end(&trace);
}

// Messages in places where no key changes for them.
static void test_out_of_order(void) {
    struct trace trace;
    trace_begin(&trace, 0x1301);
    trace_seal(&trace, false, CONTENT_HANDSHAKE, "1800000100"); // KeyUpdate before Finished
    trace_seal(&trace, false, CONTENT_HANDSHAKE, RFC8448_SERVER_HELLO);
    trace_seal(&trace, false, CONTENT_HANDSHAKE, "00000000"); // HelloRequest
    trace_seal(&trace, true, CONTENT_HANDSHAKE, RFC8448_CLIENT_HELLO);
    trace_seal(&trace, false, CONTENT_HANDSHAKE, RFC8448_SERVER_FINISHED);
    trace_key(&trace, false, "SERVER_TRAFFIC_SECRET_0", RFC8448_SERVER_TRAFFIC, 0x1301);
    trace_seal(&trace, false, CONTENT_HANDSHAKE, RFC8448_SERVER_FINISHED);
    trace_seal(&trace, false, CONTENT_HANDSHAKE, RFC8448_TICKET);
    wire_tap_finish(&trace.tap);
    const struct obj *leg = record_leg(trace.record->root, false);
    CU_ASSERT(talk_noted(trace.record, NOTE_HS_OUT_OF_ORDER));
    CU_ASSERT(talk_noted(trace.record, NOTE_HS_REPEATED));
    CU_ASSERT_FALSE(talk_noted(trace.record, NOTE_KEY_WRONG));
    CU_ASSERT_FALSE(obj_has(leg, F_LEG_OFFER_RAW_2));
    CU_ASSERT(obj_is(leg, F_LEG_ANSWER_TICKETS, 1));
    trace_end(&trace);
}

// A peer that never stops: what it may leave in the record is bounded.
static void test_flood(void) {
    struct trace trace;
    char *big = xmalloc(2 * 16000 + 1);
    memset(big, '0', 2 * 16000);
    big[2 * 16000] = '\0';
    memcpy(big, "04003e7c", 8); // NewSessionTicket of 15996 bytes
    trace_begin(&trace, 0x1301);
    trace_seal(&trace, false, CONTENT_HANDSHAKE, RFC8448_SERVER_FINISHED);
    trace_key(&trace, false, "SERVER_TRAFFIC_SECRET_0", RFC8448_SERVER_TRAFFIC, 0x1301);
    for (int i = 0; i < 20000; i++) {
        trace_seal(&trace, false, CONTENT_HANDSHAKE, "0400000401020304");
        trace_seal(&trace, false, CONTENT_ALERT, "0164");
        trace_seal(&trace, true, CONTENT_HANDSHAKE, "1100000401020304");
    }
    for (int i = 0; i < 500; i++) {
        trace_seal(&trace, false, CONTENT_HANDSHAKE, big);
    }
    wire_tap_finish(&trace.tap);
    CU_ASSERT(trace.record->arena.used < 16 << 20);
    CU_ASSERT(obj_num(record_leg(trace.record->root, false), F_LEG_ALERTS) <= 64);
    trace_end(&trace);
    free(big);
}

const struct unit_case unit_cases[] = {
    {"TLS 1.3 tells what msg_callback tells", test_tls13},
    {"SHA-384", test_sha384},
    {"a compressed certificate", test_compressed_certificate},
    {"a HelloRetryRequest", test_retry},
    {"certificates of clients", test_client_certificate},
    {"a client that refuses", test_refused},
    {"key updates", test_key_update},
    {"0-RTT data, taken and refused", test_early_data},
    {"TLS 1.2", test_tls12},
    {"TLS 1.2 with CBC", test_tls12_other_suites},
    {"no keys, and wrong ones", test_no_keys},
    {"some keys", test_some_keys},
    {"cut anywhere", test_truncated},
    {"damaged anywhere", test_damaged},
    {"the records of RFC 8448", test_rfc8448},
    {"every suite", test_suites},
    {"a suite that cannot be opened", test_unknown_suite},
    {"messages in the wrong place", test_out_of_order},
    {"a peer that never stops", test_flood},
    {NULL, NULL},
};
