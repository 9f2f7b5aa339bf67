// The client leg of a box, knob by knob.
#include "tests/unit/proxy/session/playbook.h"

#define LEG(what) .as = "{\"client_leg\": {" what "}}"
#define TLS_13 .client = {.host = WORLD_HOST, .ca = world_get()->ca, .min_version = 0x0304}
#define SERVER .server = {.chain = {world_get()->leaf}}

static void test_versions(void) {
    play(&(struct setup){LEG("\"max_version\": \"1.2\""), SETUP_TLS},
         OPEN ">> server tls\n>> client tls\n<< client established TLSv1.2 * *\n"
              "<< server established TLSv1.3 * *\n");
    play(&(struct setup){.as = "{\"client_leg\": {\"min_version\": \"1.3\"}, \"server_leg\": "
                               "{\"max_version\": \"1.2\"}}",
                         SETUP_TLS},
         OPEN ">> server tls\n>> client tls\n<< client established TLSv1.3 * *\n"
              "<< server established TLSv1.2 * *\n");
}

static void test_lists(void) {
    play(&(struct setup){LEG("\"max_version\": \"1.2\", \"ciphers\": "
                             "[\"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA\"], \"groups\": "
                             "[\"secp384r1\"], \"signature_algorithms\": "
                             "[\"ecdsa_secp256r1_sha256\"]"),
                         SETUP_TLS},
         OPEN ">> server tls\n>> client tls\n"
              "<< client established TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA *\n>> stop\n<< "
              "record final\n"
              "== legs.client.tls.curve secp384r1\n"
              "== legs.client.answer.signature_scheme ecdsa_secp256r1_sha256\n");
}

static void test_alpn(void) {
    static const struct peer_options client = {.host = WORLD_HOST, .alpn = "h2,http/1.1"};
    const struct peer_options server = {.chain = {world_get()->leaf}, .alpn = "h2,http/1.1"};
    play(&(struct setup){LEG("\"alpn\": \"strip\""), .client = client, .server = server},
         OPEN ">> server tls\n>> client tls\n<< client established * * -\n"
              "<< server established * * h2\n");
    play(&(struct setup){LEG("\"alpn\": \"fixed\", \"alpn_protocols\": [\"spdy/1\", \"http/1.1\"]"),
                         .client = client, .server = server},
         OPEN ">> server tls\n>> client tls\n<< client established * * http/1.1\n");
}

static void test_hrr(void) {
    play(&(struct setup){LEG("\"force_hello_retry_request\": true"), TLS_13, SERVER},
         HANDSHAKE ">> stop\n<< record final\n== legs.client.answer.hello_retry_request group\n"
                   "== legs.server.answer.hello_retry_request -\n");
}

// A client of TLS 1.3 takes the marker for what it is; one that only knows 1.2 does not look.
static void test_sentinel(void) {
    play(&(struct setup){LEG("\"max_version\": \"1.2\", \"sentinel\": \"force\""), SETUP_TLS},
         OPEN ">> server tls\n>> client tls\n>> client eof\n"
              "<< record final\n== legs.client.answer.downgrade_sentinel tls1.2\n"
              "== legs.client.tls.version 1.2\n== verdict.cause emulated\n");
    play(&(struct setup){LEG("\"max_version\": \"1.1\", \"sentinel\": \"force\""), SETUP_TLS},
         OPEN ">> server tls\n>> client tls\n>> client eof\n<< record final\n"
              "== legs.client.answer.downgrade_sentinel tls1.1\n");
    play(&(struct setup){LEG("\"max_version\": \"1.2\", \"sentinel\": \"off\""), SETUP_TLS},
         HANDSHAKE ">> stop\n<< record final\n== legs.client.answer.downgrade_sentinel -\n");
    play(&(struct setup){LEG("\"sentinel\": \"force\""), SETUP_TLS}, HANDSHAKE);
}

// The server is capable of TLS 1.3, was offered 1.2, and says so; the box copies what it says.
static void test_copied_random(void) {
    play(&(struct setup){.as = "{\"client_leg\": {\"max_version\": \"1.2\", \"sentinel\": "
                               "\"copy_upstream\"}, \"server_leg\": {\"max_version\": \"1.2\"}}",
                         SETUP_TLS},
         OPEN ">> server tls\n>> client tls\n>> client eof\n"
              "<< record final\n== legs.server.answer.downgrade_sentinel tls1.2\n"
              "== legs.client.answer.downgrade_sentinel tls1.2\n"
              "");
    // One that is not, is copied without harm.
    play(&(struct setup){.as = "{\"client_leg\": {\"max_version\": \"1.2\", \"sentinel\": "
                               "\"copy_upstream\"}, \"server_leg\": {\"max_version\": \"1.2\"}}",
                         .client = {.host = WORLD_HOST, .ca = world_get()->ca},
                         .server = {.chain = {world_get()->leaf}, .max_version = 0x0303}},
         OPEN ">> server tls\n>> client tls\n<< client established TLSv1.2 * *\n");
}

// TLS 1.2 without resumption: BoringSSL's clients refuse their own session id.
static void test_echo(void) {
    play(&(struct setup){LEG("\"max_version\": \"1.2\", \"echo_session_id\": true"), SETUP_TLS},
         OPEN ">> server tls\n>> client tls\n>> client eof\n"
              "<< record final\n== legs.client.answer.session_id_echoed yes\n"
              "== verdict.cause emulated\n");
}

// first_flight runs up to our first flight to a client of TLS 1.3, and writes the types of its
// records: h handshake, c change_cipher_spec, d data.
static void first_flight(char types[16], const struct setup *setup) {
    struct play *p = play_new(setup);
    play_run(p, OPEN ">> server tls\n>> client hello\n");
    struct span got = play_got(p, SIDE_CLIENT);
    size_t num = 0;
    memset(types, 0, 16);
    for (size_t at = 0; at + 5 <= got.len && num < 15;
         at += 5 + (got.p[at + 3] << 8 | got.p[at + 4])) {
        types[num++] = got.p[at] == 0x16 ? 'h' : got.p[at] == 0x14 ? 'c' : 'd';
    }
    types[types[2] == 'c' ? 3 : 2] = '\0';
    play_free(p);
}

// sent_ccs counts the change_cipher_spec records that the record says were sent to the client:
// those of the wire, times ten, and those of the list.
static int sent_ccs(const struct setup *setup) {
    struct play *p = play_new(setup);
    struct buf wire;
    int num = 0;
    buf_init(&wire, 64 * 1024);
    play_run(p, HANDSHAKE ">> stop\n<< record final\n");
    const struct obj *leg = obj_get(play_record(p), F_RECORD_LEG_CLIENT);
    for (size_t i = 0; i < obj_num(leg, F_LEG_WIRE); i++) {
        const struct obj *piece = obj_at(leg, F_LEG_WIRE, i);
        struct span bytes = obj_span(piece, F_PIECE_BYTES);
        CU_ASSERT(!obj_str_is(piece, F_PIECE_FROM, "server") ||
                  buf_append(&wire, bytes.p, bytes.len));
    }
    CU_ASSERT_NOT_EQUAL(wire.len, 0);
    const uint8_t *at = buf_data(&wire);
    for (size_t left = wire.len; left >= 5;) {
        size_t len = 5 + ((size_t)at[3] << 8 | at[4]);
        CU_ASSERT_FATAL(len <= left);
        num += at[0] == 0x14 ? 10 : 0;
        at += len;
        left -= len;
    }
    for (size_t i = 0; i < obj_num(leg, F_LEG_RECORDS_SERVER); i++) {
        num += memcmp(obj_item(leg, F_LEG_RECORDS_SERVER, i).p, "change", 6) == 0;
    }
    buf_cleanup(&wire);
    play_free(p);
    return num;
}

// The record has what the client got, and not what the library wrote.
static void test_recorded(void) {
    CU_ASSERT_EQUAL(sent_ccs(&(struct setup){TLS_13, SERVER}), 11);
    CU_ASSERT_EQUAL(
        sent_ccs(&(struct setup){LEG("\"change_cipher_spec\": \"extra\""), TLS_13, SERVER}), 22);
    CU_ASSERT_EQUAL(
        sent_ccs(&(struct setup){LEG("\"change_cipher_spec\": \"omit\""), TLS_13, SERVER}), 0);
    struct play *p = play_new(
        &(struct setup){LEG("\"max_version\": \"1.2\", \"sentinel\": \"force\""), SETUP_TLS});
    play_run(p, OPEN ">> server tls\n>> client tls\n>> client eof\n<< record final\n");
    const struct obj *leg = obj_get(play_record(p), F_RECORD_LEG_CLIENT);
    struct span hello = obj_span(leg, F_LEG_ANSWER_RAW);
    CU_ASSERT_FATAL(hello.len > 38);
    CU_ASSERT_EQUAL(memcmp(hello.p + 30, "DOWNGRD\1", 8), 0);
    bool found = false;
    for (size_t i = 0; i < obj_num(leg, F_LEG_WIRE); i++) {
        struct span bytes = obj_span(obj_at(leg, F_LEG_WIRE, i), F_PIECE_BYTES);
        found = found || (bytes.len > 5 + hello.len && bytes.p[0] == 0x16 &&
                          memcmp(bytes.p + 5, hello.p, hello.len) == 0);
    }
    CU_ASSERT(found);
    play_free(p);
}

static void test_ccs(void) {
    char types[16];
    first_flight(types, &(struct setup){TLS_13, SERVER});
    CU_ASSERT_STRING_EQUAL(types, "hc");
    first_flight(types, &(struct setup){LEG("\"change_cipher_spec\": \"extra\""), TLS_13, SERVER});
    CU_ASSERT_STRING_EQUAL(types, "hcc");
    first_flight(types, &(struct setup){LEG("\"change_cipher_spec\": \"omit\""), TLS_13, SERVER});
    CU_ASSERT_STRING_EQUAL(types, "hd");
    // BoringSSL's clients take both.
    play(&(struct setup){LEG("\"change_cipher_spec\": \"extra\""), TLS_13, SERVER}, HANDSHAKE);
    play(&(struct setup){LEG("\"change_cipher_spec\": \"omit\""), TLS_13, SERVER}, HANDSHAKE);
    play(&(struct setup){LEG("\"change_cipher_spec\": \"omit\", \"max_version\": \"1.2\""),
                         SETUP_TLS},
         HANDSHAKE);
}

static void test_tickets(void) {
    play(&(struct setup){LEG("\"session_tickets\": \"bad\""), SETUP_TLS},
         HANDSHAKE ">> client says hi\n<< server hears hi\n>> stop\n<< record final\n"
                   "== legs.client.answer.session_tickets 2\n");
    play(&(struct setup){SETUP_TLS},
         HANDSHAKE ">> stop\n<< record final\n== legs.client.answer.session_tickets -\n");
}

// Our flight in pieces, with pauses between; nothing is lost.
static void test_split(void) {
    struct play *p =
        play_new(&(struct setup){LEG("\"flight_split\": 100, \"flight_delay_ms\": 50"), SETUP_TLS});
    play_run(p, OPEN ">> server tls\n>> client tls\n");
    CU_ASSERT_EQUAL(play_most(p, SIDE_CLIENT), 100);
    play_run(p, ">> timer 2\n<< client established * * *\n>> client says hi\n"
                "<< server hears hi\n>> server fills 100000\n<< client got 100000\n"
                ">> client notify\n>> server notify\n>> client eof\n>> server eof\n"
                "<< record final\n== verdict.cause healthy\n");
    play_free(p);
}

static void test_record_max(void) {
    play(&(struct setup){LEG("\"record_max\": 600"), SETUP_TLS},
         HANDSHAKE ">> server fills 20000\n<< client got 20000\n");
}

static void test_client_cert(void) {
    play(&(struct setup){LEG("\"client_certificate\": \"require\""), SETUP_TLS},
         OPEN ">> server tls\n>> client tls\n<< client alerted 116\n>> client eof\n"
              "<< record final\n== legs.client.answer.certificate_request yes\n");
    play(&(struct setup){LEG("\"client_certificate\": \"request\""), SETUP_TLS},
         HANDSHAKE ">> stop\n<< record final\n== legs.client.answer.certificate_request yes\n");
}

const struct unit_case unit_cases[] = {
    {"versions", test_versions},
    {"suites, groups, signatures", test_lists},
    {"ALPN", test_alpn},
    {"a HelloRetryRequest", test_hrr},
    {"the sentinel", test_sentinel},
    {"a copied random", test_copied_random},
    {"an echoed session id", test_echo},
    {"change_cipher_spec", test_ccs},
    {"what is recorded", test_recorded},
    {"tickets", test_tickets},
    {"a flight in pieces", test_split},
    {"small records", test_record_max},
    {"a certificate of the client", test_client_cert},
    {NULL, NULL},
};
