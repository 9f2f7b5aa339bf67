#include "proxy/tls/client_flight.h"

#include <string.h>

#include "proxy/tls/hello_edit.h"
#include "proxy/tls/hello_shape.h"
#include "tests/unit/proxy/tls/hellos.h"
#include "tests/unit/proxy/tls/rfc8448.h"
#include "tests/unit/unit.h"

// What the sink was told: message types in order, "c" before those of the client.
struct told {
    char types[256];
    char data[256];
    size_t num_alerts;
};

static void told_message(void *ctx, bool from_client, const uint8_t *p, size_t p_len) {
    struct told *told = ctx;
    size_t len = strlen(told->types);
    CU_ASSERT(p_len >= 4);
    snprintf(told->types + len, sizeof(told->types) - len, "%s%d ", from_client ? "c" : "", p[0]);
}

static void told_alert(void *ctx, bool from_client, const uint8_t *p, size_t p_len) {
    (void)from_client;
    (void)p;
    (void)p_len;
    ((struct told *)ctx)->num_alerts++;
}

static void told_data(void *ctx, const uint8_t *p, size_t p_len) {
    struct told *told = ctx;
    CU_ASSERT_FATAL(p_len < sizeof(told->data));
    memcpy(told->data, p, p_len);
}

static struct told told;
static struct hello_draft hello;
static struct hello_keys *keys;
static struct client_flight *flight;
static uint64_t seed;

static void flight_begin(struct hello_keys *with) {
    struct err err;
    const struct client_flight_sink sink = {
        .ctx = &told, .message = told_message, .alert = told_alert, .data = told_data};
    told = (struct told){0};
    flight = client_flight_new(with, &hello, &sink, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(flight);
}

static void begin(const char *shape) {
    keys = hello_keys_new(hellos_random, &seed);
    hello_draft_init(&hello);
    hello_shape_make(&hello, hello_shape_find(shape), "host.example", keys);
    flight_begin(keys);
}

static void end(void) {
    client_flight_free(flight);
    hello_draft_cleanup(&hello);
    hello_keys_free(keys);
}

static enum client_flight_status input_hex(const char *hex) {
    struct made bytes = made_hex(hex);
    enum client_flight_status status = client_flight_input(flight, bytes.p, bytes.len);
    made_free(&bytes);
    return status;
}

static void output_is(const char *hex) {
    struct made expected = made_hex(hex);
    size_t len;
    const uint8_t *out = client_flight_output(flight, &len);
    CU_ASSERT_EQUAL_FATAL(len, expected.len);
    CU_ASSERT(len == 0 || memcmp(out, expected.p, len) == 0);
    client_flight_output_done(flight, len);
    made_free(&expected);
}

static void random_rfc8448(void *ctx, uint8_t *out, size_t out_len) {
    (void)ctx;
    struct made key = made_hex("49af42ba7f7994852d713ef2784bcbcaa7911de26adc5642cb634540e7ea5005");
    CHECK(out_len == key.len);
    memcpy(out, key.p, key.len);
    made_free(&key);
}

static void rfc8448_begin(void) {
    struct made message = made_hex(RFC8448_CLIENT_HELLO);
    struct err err;
    uint8_t share[HELLO_SHARE_MAX];
    keys = hello_keys_new(random_rfc8448, NULL);
    CU_ASSERT_EQUAL(hello_keys_share(keys, 29, share), 32);
    hello_draft_init(&hello);
    CU_ASSERT_FATAL(hello_draft_read(&hello, message.p, message.len, &err));
    made_free(&message);
    flight_begin(keys);
}

#define RFC8448_SERVER "160303005a" RFC8448_SERVER_HELLO RFC8448_SERVER_FLIGHT_RECORD

static void test_rfc8448(void) {
    rfc8448_begin();
    CU_ASSERT_EQUAL(input_hex(RFC8448_SERVER), CLIENT_FLIGHT_DONE);
    const struct client_flight_facts *facts = client_flight_facts(flight);
    CU_ASSERT_EQUAL(facts->version, 0x0304);
    CU_ASSERT_EQUAL(facts->cipher, 0x1301);
    CU_ASSERT_EQUAL(facts->group, 29);
    CU_ASSERT_EQUAL(facts->signature, CLIENT_FLIGHT_GOOD);
    CU_ASSERT_EQUAL(facts->scheme, 0x0804);
    CU_ASSERT_EQUAL(facts->finished, CLIENT_FLIGHT_GOOD);
    CU_ASSERT_STRING_EQUAL(told.types, "2 8 11 15 20 ");
    CU_ASSERT_EQUAL(input_hex(RFC8448_TICKET_RECORD), CLIENT_FLIGHT_DONE);
    struct made data = made_hex(RFC8448_DATA);
    client_flight_finish(flight, data.p, data.len);
    output_is(RFC8448_CLIENT_FINISHED_RECORD RFC8448_CLIENT_DATA_RECORD);
    CU_ASSERT_EQUAL(input_hex(RFC8448_SERVER_DATA_RECORD), CLIENT_FLIGHT_DONE);
    CU_ASSERT_EQUAL(facts->data_len, data.len);
    CU_ASSERT(memcmp(told.data, data.p, data.len) == 0);
    client_flight_close(flight);
    client_flight_close(flight);
    output_is(RFC8448_CLIENT_ALERT_RECORD);
    CU_ASSERT_EQUAL(input_hex(RFC8448_SERVER_ALERT_RECORD), CLIENT_FLIGHT_DONE);
    CU_ASSERT(facts->closed);
    CU_ASSERT_EQUAL(client_flight_eof(flight), CLIENT_FLIGHT_DONE);
    CU_ASSERT_STRING_EQUAL(told.types, "2 8 11 15 20 4 c20 ");
    made_free(&data);
    end();
}

static void test_byte_by_byte(void) {
    struct made bytes = made_hex(RFC8448_SERVER);
    rfc8448_begin();
    for (size_t i = 0; i < bytes.len; i++) {
        CU_ASSERT_EQUAL(client_flight_status(flight), CLIENT_FLIGHT_MORE);
        client_flight_input(flight, bytes.p + i, 1);
    }
    CU_ASSERT_EQUAL(client_flight_status(flight), CLIENT_FLIGHT_DONE);
    made_free(&bytes);
    end();
}

// A hello that is not the one that the server saw: nothing opens.
static void test_another_transcript(void) {
    rfc8448_begin();
    client_flight_free(flight);
    hello.random[0] ^= 1;
    flight_begin(keys);
    CU_ASSERT_EQUAL(input_hex(RFC8448_SERVER), CLIENT_FLIGHT_MALFORMED);
    CU_ASSERT_STRING_EQUAL(client_flight_facts(flight)->says,
                           "a record does not open with the agreed keys");
    end();
}

static void test_verbatim(void) {
    rfc8448_begin();
    client_flight_free(flight);
    flight_begin(NULL);
    CU_ASSERT_EQUAL(input_hex(RFC8448_SERVER), CLIENT_FLIGHT_NO_KEY);
    CU_ASSERT_STRING_EQUAL(told.types, "2 ");
    client_flight_close(flight);
    output_is("1503030002015a15030300020100");
    end();
}

// What refuses is the last word.
static void test_refuse(void) {
    begin("openssl");
    client_flight_refuse(flight, 45);
    client_flight_refuse(flight, 46);
    client_flight_close(flight);
    output_is("1503030002022d");
    end();
}

static void test_cut_off(void) {
    rfc8448_begin();
    input_hex("160303005a" RFC8448_SERVER_HELLO "1703030100aabb");
    CU_ASSERT_EQUAL(client_flight_eof(flight), CLIENT_FLIGHT_CLOSED);
    client_flight_close(flight);
    output_is("");
    end();
    begin("tls13");
    CU_ASSERT_EQUAL(client_flight_eof(flight), CLIENT_FLIGHT_CLOSED);
    end();
}

static void test_alerts(void) {
    begin("openssl");
    CU_ASSERT_EQUAL(input_hex("15030300020170"), CLIENT_FLIGHT_MORE); // unrecognized_name, warning
    CU_ASSERT_EQUAL(input_hex("15030300020228"), CLIENT_FLIGHT_ALERT);
    CU_ASSERT_EQUAL(client_flight_facts(flight)->alert.code, 40);
    CU_ASSERT_EQUAL(told.num_alerts, 2);
    CU_ASSERT_EQUAL(input_hex("15030300020150"), CLIENT_FLIGHT_ALERT); // ignored
    CU_ASSERT_EQUAL(told.num_alerts, 2);
    client_flight_close(flight);
    output_is("");
    end();
    begin("openssl");
    CU_ASSERT_EQUAL(input_hex("15030300020100"), CLIENT_FLIGHT_CLOSED);
    CU_ASSERT(client_flight_facts(flight)->closed);
    end();
    begin("openssl");
    CU_ASSERT_EQUAL(input_hex("150303000102"), CLIENT_FLIGHT_MALFORMED);
    end();
}

static void test_not_tls(void) {
    begin("openssl");
    CU_ASSERT_EQUAL(
        input_hex("485454502f312e312034303020426164205265717565737420666f6f206261720d0a0d0a"),
        CLIENT_FLIGHT_NOT_TLS);
    CU_ASSERT_EQUAL(client_flight_facts(flight)->banner, BANNER_HTTP_ANSWER);
    end();
}

// The random of a ServerHello, and that of a HelloRetryRequest.
#define ZEROS32 "0000000000000000000000000000000000000000000000000000000000000000"
#define RETRY32 "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"

static void malformed_is(const char *hex, const char *says) {
    begin("tls13");
    CU_ASSERT_EQUAL(input_hex(hex), CLIENT_FLIGHT_MALFORMED);
    CU_ASSERT_STRING_EQUAL(client_flight_facts(flight)->says, says);
    end();
}

static void test_malformed(void) {
    malformed_is("160303000408000000", "a handshake message came out of its order");
    malformed_is("160303000402000000", "the ServerHello cannot be read");
    malformed_is("1703030003aabbcc", "application data came before the handshake's end");
    malformed_is("160303003202 00002e 0303" ZEROS32 "00130100 0006 002b00020304",
                 "the ServerHello has neither a key share nor a PSK");
    malformed_is("160303003202 00002e 0303" RETRY32 "00130100 0006 002b00020304",
                 "the HelloRetryRequest asks for no change");
    malformed_is("160303003802 000034 0303" RETRY32 "00130100 000c 002b00020304 00330002001d",
                 "the HelloRetryRequest asks for a share that was sent");
    malformed_is("160303003c02 000038 0303" ZEROS32
                 "00130100 0010 002b00020304 00330006001d0002aabb",
                 "the server's key share is not one");
    malformed_is("160303003c02 000038 0303" ZEROS32
                 "00130100 0010 002b00020304 0033000600170002aabb",
                 "the server chose a group without a key share");
}

static void no_key_is(const char *hex, const char *says) {
    begin("chromium");
    CU_ASSERT_EQUAL(input_hex(hex), CLIENT_FLIGHT_NO_KEY);
    CU_ASSERT_STRING_EQUAL(client_flight_facts(flight)->says, says);
    end();
}

static void test_no_key(void) {
    no_key_is("160303003802 000034 0303" RETRY32 "00130100 000c 002b00020304 00330002001e",
              "the HelloRetryRequest asks for a group whose keys cannot be made");
    no_key_is("160303003802 000034 0303" ZEROS32 "00130100 000c 002b00020304 002900020000",
              "the server chose a PSK");
    no_key_is("160303003c02 000038 0303" ZEROS32 "00130400 0010 002b00020304 00330006001d0002aabb",
              "the server chose a cipher suite that cannot be opened");
}

static void test_names(void) {
    CU_ASSERT_STRING_EQUAL(client_flight_status_name(CLIENT_FLIGHT_DONE), "done");
    CU_ASSERT_STRING_EQUAL(client_flight_status_name(CLIENT_FLIGHT_NO_KEY), "no key");
}

static void test_new_fails(void) {
    struct err err;
    hello_draft_init(&hello);
    hello.overflow = true;
    CU_ASSERT_PTR_NULL(client_flight_new(NULL, &hello, &(struct client_flight_sink){0}, &err));
    hello_draft_cleanup(&hello);
    client_flight_free(NULL);
}

const struct unit_case unit_cases[] = {
    {"the handshake of RFC 8448, to the byte", test_rfc8448},
    {"byte by byte", test_byte_by_byte},
    {"another transcript opens nothing", test_another_transcript},
    {"a hello that is not ours", test_verbatim},
    {"a client that refuses", test_refuse},
    {"a stream that ends", test_cut_off},
    {"alerts", test_alerts},
    {"an answer that is not TLS", test_not_tls},
    {"malformed flights", test_malformed},
    {"choices whose keys we lack", test_no_key},
    {"names", test_names},
    {"a hello that cannot be written", test_new_fails},
    {NULL, NULL},
};
