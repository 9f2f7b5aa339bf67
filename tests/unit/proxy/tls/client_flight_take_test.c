// Flights of BoringSSL's server, in memory.
#include <string.h>
#include <zlib.h>

#include "proxy/tls/certificate_inflate.h"
#include "proxy/tls/client_flight.h"
#include "proxy/tls/handshake.h"
#include "proxy/tls/hello_edit.h"
#include "proxy/tls/hello_shape.h"
#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/proxy/tls/hellos.h"
#include "tests/unit/proxy/tls/hybrid_server.h"
#include "tests/unit/unit.h"
#include "third_party/boringssl/boringssl_ssl.h"

static SSL_CTX *ctx;
static SSL *server;
static struct hello_keys *keys;
static struct hello_draft hello;
static struct client_flight *flight;
static const struct client_flight_facts *facts;
static uint64_t seed;
static char types[256], data[64];
static uint8_t leaf[4096];
static size_t leaf_len;

// Keeps the leaf as the flight shows it.
static void leaf_find(const uint8_t *p, size_t p_len) {
    if (p_len < 4096 && p[0] == HANDSHAKE_CERTIFICATE) {
        leaf_len = p_len;
        memcpy(leaf, p, p_len);
    }
}

static void on_message(void *at, bool from_client, const uint8_t *p, size_t p_len) {
    (void)at;
    size_t len = strlen(types);
    snprintf(types + len, sizeof(types) - len, "%s%d ", from_client ? "c" : "", p[0]);
    if (!from_client) {
        leaf_find(p, p_len);
    }
}

static void on_data(void *at, const uint8_t *p, size_t p_len) {
    (void)at;
    CU_ASSERT_FATAL(p_len < sizeof(data));
    memcpy(data, p, p_len);
}

static void server_make(EVP_PKEY *key) {
    struct pki_cert *cert = pki_make((struct pki_options){.cn = "host.example", .key = key});
    ctx = SSL_CTX_new(TLS_server_method());
    CHECK(ctx != NULL && SSL_CTX_use_certificate(ctx, cert->x509) &&
          SSL_CTX_use_PrivateKey(ctx, cert->key) &&
          SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION));
    pki_free(cert);
}

static void shape(const char *name) {
    keys = hello_keys_new(hellos_random, &seed);
    hello_draft_init(&hello);
    hello_shape_make(&hello, hello_shape_find(name), "host.example", keys);
}

static void begin(void) {
    struct err err;
    const struct client_flight_sink sink = {.message = on_message, .data = on_data};
    struct buf wire;
    server = SSL_new(ctx);
    SSL_set_accept_state(server);
    SSL_set_bio(server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    types[0] = '\0';
    leaf_len = 0;
    memset(data, 0, sizeof(data));
    flight = client_flight_new(keys, &hello, &sink, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(flight);
    facts = client_flight_facts(flight);
    buf_init(&wire, HELLO_DRAFT_WIRE_MAX);
    CHECK(hello_draft_wire(&hello, &wire, NULL, &err));
    CHECK(BIO_write(SSL_get_rbio(server), buf_data(&wire), (int)wire.len) == (int)wire.len);
    buf_cleanup(&wire);
}

// Moves bytes both ways until nothing moves.
static enum client_flight_status pump(void) {
    uint8_t bytes[2048];
    size_t out_len;
    int len;
    do {
        const uint8_t *out = client_flight_output(flight, &out_len);
        CHECK(out_len == 0 || BIO_write(SSL_get_rbio(server), out, (int)out_len) == (int)out_len);
        client_flight_output_done(flight, out_len);
        (void)SSL_do_handshake(server);
        ERR_clear_error();
        len = BIO_read(SSL_get_wbio(server), bytes, sizeof(bytes));
        if (len > 0) {
            client_flight_input(flight, bytes, (size_t)len);
        }
    } while (len > 0 || out_len != 0);
    return client_flight_status(flight);
}

static void end(void) {
    client_flight_free(flight);
    SSL_free(server);
}

static void end_all(void) {
    end();
    SSL_CTX_free(ctx);
    hello_draft_cleanup(&hello);
    hello_keys_free(keys);
}

// Every client's own hello, with keys of ours: the server's flight is read and checked.
static void test_clients(void) {
    server_make(NULL);
    for (const struct sample *client = hellos; client->name != NULL; client++) {
        struct err err;
        keys = hello_keys_new(hellos_random, &seed);
        hello_draft_init(&hello);
        CU_ASSERT(hello_draft_read_wire(&hello, NULL, client->p, client->len, &err));
        hello_keys_swap(keys, &hello, NULL);
        begin();
        CU_ASSERT_EQUAL(pump(), CLIENT_FLIGHT_DONE);
        CU_ASSERT_EQUAL(facts->version, 0x0304);
        CU_ASSERT(facts->certificate);
        CU_ASSERT_EQUAL(facts->signature, CLIENT_FLIGHT_GOOD);
        CU_ASSERT_EQUAL(facts->finished, CLIENT_FLIGHT_GOOD);
        CU_ASSERT_PTR_NOT_NULL(
            memmem(leaf, leaf_len, "host.example", 12)); // not the name that the client asked for
        end();
        hello_draft_cleanup(&hello);
        hello_keys_free(keys);
    }
    SSL_CTX_free(ctx);
}

// The whole way: our Finished is taken, and data passes.
static void test_finish(void) {
    server_make(NULL);
    shape("openssl");
    begin();
    CU_ASSERT_EQUAL(pump(), CLIENT_FLIGHT_DONE);
    client_flight_finish(flight, (const uint8_t *)"GET", 3);
    CU_ASSERT_EQUAL(pump(), CLIENT_FLIGHT_DONE);
    CU_ASSERT(SSL_is_init_finished(server));
    char got[8] = "";
    CU_ASSERT_EQUAL(SSL_read(server, got, sizeof(got)), 3);
    CU_ASSERT_STRING_EQUAL(got, "GET");
    CU_ASSERT_EQUAL(SSL_write(server, "200 OK", 6), 6);
    CU_ASSERT(SSL_key_update(server, SSL_KEY_UPDATE_NOT_REQUESTED));
    CU_ASSERT_EQUAL(SSL_write(server, "later", 5), 5);
    pump();
    CU_ASSERT(memcmp(data, "later", 5) == 0);
    CU_ASSERT_EQUAL(facts->data_len, 11);
    client_flight_close(flight);
    pump();
    CU_ASSERT_EQUAL(SSL_read(server, got, sizeof(got)), 0);
    CU_ASSERT_EQUAL(SSL_get_shutdown(server), SSL_RECEIVED_SHUTDOWN);
    end_all();
}

static void test_hash_of_48_bytes(void) {
    server_make(NULL);
    shape("openssl");
    hello_edit_ciphers(&hello, (const uint32_t[]){0x1302}, 1);
    begin();
    CU_ASSERT_EQUAL(pump(), CLIENT_FLIGHT_DONE);
    CU_ASSERT_EQUAL(facts->cipher, 0x1302);
    client_flight_finish(flight, NULL, 0);
    pump();
    CU_ASSERT(SSL_is_init_finished(server));
    end_all();
    server_make(NULL);
    shape("openssl");
    hello_edit_ciphers(&hello, (const uint32_t[]){0x1303}, 1);
    begin();
    CU_ASSERT_EQUAL(pump(), CLIENT_FLIGHT_DONE);
    CU_ASSERT_EQUAL(facts->cipher, 0x1303);
    end_all();
}

// A server that wants another group asks for it, and gets it.
static void test_retry(void) {
    static const struct {
        const char *curve;
        uint16_t group;
    } cases[] = {{"P-256", 23}, {"P-384", 24}, {"P-521", 25}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        server_make(NULL);
        CHECK(SSL_CTX_set1_curves_list(ctx, cases[i].curve));
        shape("openssl");
        begin();
        CU_ASSERT_EQUAL(pump(), CLIENT_FLIGHT_DONE);
        CU_ASSERT(facts->retry);
        CU_ASSERT_EQUAL(facts->retry_group, cases[i].group);
        CU_ASSERT_EQUAL(facts->group, cases[i].group);
        CU_ASSERT_EQUAL(facts->signature, CLIENT_FLIGHT_GOOD);
        CU_ASSERT_STRING_EQUAL(types, "2 c1 2 8 11 15 20 ");
        client_flight_finish(flight, NULL, 0);
        pump();
        CU_ASSERT(SSL_is_init_finished(server));
        end_all();
    }
}

// A retry costs the early data, and scrambled PSKs are no PSKs.
static void test_retry_with_psk(void) {
    server_make(NULL);
    CHECK(SSL_CTX_set1_curves_list(ctx, "P-384"));
    SSL_CTX_set_early_data_enabled(ctx, 1);
    shape("openssl");
    hello_edit_psk(&hello, 1, 100, true);
    begin();
    CU_ASSERT_EQUAL(pump(), CLIENT_FLIGHT_DONE);
    CU_ASSERT(facts->retry);
    end_all();
}

static void test_client_certificate(void) {
    server_make(NULL);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    shape("gnutls");
    begin();
    CU_ASSERT_EQUAL(pump(), CLIENT_FLIGHT_DONE);
    CU_ASSERT(facts->certificate_request);
    client_flight_finish(flight, NULL, 0);
    CU_ASSERT_EQUAL(pump(), CLIENT_FLIGHT_DONE);
    CU_ASSERT(SSL_is_init_finished(server));
    CU_ASSERT_STRING_EQUAL(types, "2 8 13 11 15 20 c11 c20 ");
    end_all();
    server_make(NULL);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    shape("gnutls");
    begin();
    CU_ASSERT_EQUAL(pump(), CLIENT_FLIGHT_DONE);
    client_flight_finish(flight, NULL, 0);
    CU_ASSERT_EQUAL(pump(), CLIENT_FLIGHT_ALERT);
    CU_ASSERT_EQUAL(facts->alert.code, SSL_AD_CERTIFICATE_REQUIRED);
    end_all();
}

static int deflate_cb(SSL *ssl, CBB *out, const uint8_t *in, size_t in_len) {
    (void)ssl;
    uint8_t buffer[8192];
    uLongf len = sizeof(buffer);
    return compress(buffer, &len, in, in_len) == Z_OK && CBB_add_bytes(out, buffer, len);
}

static void test_compressed(void) {
    server_make(NULL);
    CHECK(SSL_CTX_add_cert_compression_alg(ctx, CERTIFICATE_ZLIB, deflate_cb, NULL));
    shape("firefox");
    begin();
    CU_ASSERT_EQUAL(pump(), CLIENT_FLIGHT_DONE);
    CU_ASSERT_STRING_EQUAL(types, "2 8 25 15 20 ");
    CU_ASSERT(facts->certificate);
    CU_ASSERT_EQUAL(facts->signature, CLIENT_FLIGHT_GOOD);
    end_all();
    // An algorithm that we lack: the flight goes on, unchecked.
    server_make(NULL);
    CHECK(SSL_CTX_add_cert_compression_alg(ctx, 3, deflate_cb, NULL));
    shape("firefox");
    begin();
    CU_ASSERT_EQUAL(pump(), CLIENT_FLIGHT_DONE);
    CU_ASSERT_FALSE(facts->certificate);
    CU_ASSERT_EQUAL(facts->signature, CLIENT_FLIGHT_UNCHECKED);
    end_all();
}

static void test_tls12(void) {
    static const struct {
        const char *shape;
        uint16_t version;
        bool rsa, is_signed;
    } cases[] = {{"tls12", 0x0303, false, true}, {"tls12", 0x0303, true, true},
                 {"tls11", 0x0302, true, true},  {"tls10", 0x0301, true, true},
                 {"sslv2", 0x0301, true, false}, {"legacy", 0x0303, true, false}};
    EVP_PKEY *rsa = pki_rsa_key(2048);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        server_make(cases[i].rsa ? rsa : NULL);
        shape(cases[i].shape);
        begin();
        CU_ASSERT_EQUAL(pump(), CLIENT_FLIGHT_DONE);
        CU_ASSERT_EQUAL(facts->version, cases[i].version);
        CU_ASSERT(facts->certificate);
        bool is_signed = cases[i].is_signed; // nothing is where RSA is the key exchange
        CU_ASSERT_EQUAL(facts->signature, is_signed ? CLIENT_FLIGHT_GOOD : CLIENT_FLIGHT_ABSENT);
        CU_ASSERT_STRING_EQUAL(types, is_signed ? "2 11 12 14 " : "2 11 14 ");
        CU_ASSERT_EQUAL(facts->group != 0, is_signed);
        end_all();
    }
    EVP_PKEY_free(rsa);
}

// A signature of a key that is not the certificate's is told from a good one.
static void test_bad_signature(void) {
    server_make(NULL);
    shape("tls12");
    begin();
    (void)SSL_do_handshake(server);
    uint8_t bytes[4096];
    int len = BIO_read(SSL_get_wbio(server), bytes, sizeof(bytes));
    CU_ASSERT_FATAL(len > 100);
    uint8_t *exchange = memmem(bytes, (size_t)len, "\x0c\x00\x00", 3);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exchange);
    exchange[4 + 1 + 2 + 1 + 7] ^= 1; // inside the public key
    CU_ASSERT_EQUAL(client_flight_input(flight, bytes, (size_t)len), CLIENT_FLIGHT_DONE);
    CU_ASSERT_EQUAL(facts->signature, CLIENT_FLIGHT_BAD);
    end_all();
}

static void test_version_negotiated_down(void) {
    server_make(NULL);
    CHECK(SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION));
    shape("chromium");
    begin();
    CU_ASSERT_EQUAL(pump(), CLIENT_FLIGHT_DONE);
    CU_ASSERT_EQUAL(facts->version, 0x0303);
    CU_ASSERT_EQUAL(facts->signature, CLIENT_FLIGHT_GOOD);
    end_all();
}

// The group that browsers want most.
static void test_hybrid(void) {
    static const char *const clients[] = {"chromium", "firefox"};
    struct pki_cert *cert = pki_leaf("host.example", NULL);
    CBS der = pki_cbs(cert);
    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        const struct client_flight_sink sink = {.message = on_message, .data = on_data};
        const struct sample *client = hellos_get(clients[i]);
        struct hybrid_server hybrid;
        struct buf message, answer;
        struct err err;
        uint8_t record[256];
        size_t len;
        buf_init(&message, HELLO_DRAFT_MAX);
        buf_init(&answer, 65536);
        keys = hello_keys_new(hellos_random, &seed);
        hello_draft_init(&hello);
        CU_ASSERT(hello_draft_read_wire(&hello, NULL, client->p, client->len, &err));
        hello_keys_swap(keys, &hello, NULL);
        flight = client_flight_new(keys, &hello, &sink, &err);
        facts = client_flight_facts(flight);
        CU_ASSERT(hello_draft_message(&hello, &message, &err));
        CU_ASSERT_FATAL(hybrid_server_flight(&hybrid, &answer, buf_data(&message), message.len,
                                             &der, cert->key));
        CU_ASSERT_EQUAL(client_flight_input(flight, buf_data(&answer), answer.len),
                        CLIENT_FLIGHT_DONE);
        CU_ASSERT_EQUAL(facts->group, HELLO_GROUP_X25519MLKEM768);
        CU_ASSERT_EQUAL(facts->signature, CLIENT_FLIGHT_GOOD);
        CU_ASSERT_EQUAL(facts->finished, CLIENT_FLIGHT_GOOD);
        client_flight_finish(flight, NULL, 0);
        const uint8_t *out = client_flight_output(flight, &len);
        CU_ASSERT_FATAL(len > 6 && len - 6 <= sizeof(record));
        memcpy(record, out + 6, len - 6); // behind the ChangeCipherSpec
        CU_ASSERT(hybrid_server_finished(&hybrid, record, len - 6));
        hybrid_server_cleanup(&hybrid);
        client_flight_free(flight);
        hello_draft_cleanup(&hello);
        hello_keys_free(keys);
        buf_cleanup(&answer);
        buf_cleanup(&message);
    }
    pki_free(cert);
}

const struct unit_case unit_cases[] = {
    {"X25519MLKEM768", test_hybrid},
    {"the hellos of clients, keyed", test_clients},
    {"our Finished is taken and data passes", test_finish},
    {"AES-256 with SHA-384, and ChaCha20", test_hash_of_48_bytes},
    {"a HelloRetryRequest is answered", test_retry},
    {"one with a PSK and early data, too", test_retry_with_psk},
    {"a client certificate is asked for", test_client_certificate},
    {"compressed certificates", test_compressed},
    {"up to TLS 1.2, the flight to ServerHelloDone", test_tls12},
    {"a bad signature", test_bad_signature},
    {"TLS 1.2 chosen by a server", test_version_negotiated_down},
    {NULL, NULL},
};
