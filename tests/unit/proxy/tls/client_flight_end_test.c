// Whole connections with BoringSSL's server, in memory.
#include <string.h>

#include "proxy/tls/client_flight.h"
#include "proxy/tls/hello_edit.h"
#include "proxy/tls/hello_shape.h"
#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/proxy/tls/hellos.h"
#include "tests/unit/unit.h"
#include "third_party/boringssl/boringssl_ssl.h"

enum { TLS10 = 0x0301, TLS11 = 0x0302, TLS12 = 0x0303, TLS13 = 0x0304, DATA_LEN = 40000 };

static EVP_PKEY *rsa_key;
static SSL_CTX *ctx;
static SSL *server;
static struct hello_keys *keys;
static struct hello_draft hello;
static struct client_flight *flight;
static const struct client_flight_facts *facts;
static uint64_t seed;
static uint8_t data[DATA_LEN];
static size_t data_len, flip_at, server_sent;
static char flight_log_line[256], server_log_line[256];

static void on_data(void *at, const uint8_t *p, size_t p_len) {
    (void)at;
    CU_ASSERT_FATAL(data_len + p_len <= sizeof(data));
    memcpy(data + data_len, p, p_len);
    data_len += p_len;
}

static void on_secret(void *at, const char *line) {
    (void)at;
    snprintf(flight_log_line, sizeof(flight_log_line), "%s", line);
}

static void server_secret(const SSL *ssl, const char *line) {
    (void)ssl;
    if (strncmp(line, "CLIENT_RANDOM", 13) == 0 ||
        strncmp(line, "CLIENT_TRAFFIC_SECRET_0", 23) == 0) {
        snprintf(server_log_line, sizeof(server_log_line), "%s", line);
    }
}

static void server_make(bool rsa, uint16_t version, const char *ciphers) {
    if (rsa && rsa_key == NULL) {
        rsa_key = pki_rsa_key(2048);
    }
    struct pki_cert *cert =
        pki_make((struct pki_options){.cn = "host.example", .key = rsa ? rsa_key : NULL});
    ctx = SSL_CTX_new(TLS_server_method());
    CHECK(ctx != NULL && SSL_CTX_use_certificate(ctx, cert->x509) &&
          SSL_CTX_use_PrivateKey(ctx, cert->key) && SSL_CTX_set_min_proto_version(ctx, version) &&
          SSL_CTX_set_max_proto_version(ctx, version));
    CHECK(ciphers == NULL || SSL_CTX_set_strict_cipher_list(ctx, ciphers));
    SSL_CTX_set_keylog_callback(ctx, server_secret);
    pki_free(cert);
}

static void begin(const char *shape) {
    struct err err;
    const struct client_flight_sink sink = {.data = on_data, .secret = on_secret};
    struct buf wire;
    if (shape != NULL) {
        keys = hello_keys_new(hellos_random, &seed);
        hello_draft_init(&hello);
        hello_shape_make(&hello, hello_shape_find(shape), "host.example", keys);
    }
    server = SSL_new(ctx);
    SSL_set_accept_state(server);
    SSL_set_bio(server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    data_len = flip_at = server_sent = 0;
    flight = client_flight_new(keys, &hello, &sink, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(flight);
    facts = client_flight_facts(flight);
    buf_init(&wire, HELLO_DRAFT_WIRE_MAX);
    CHECK(hello_draft_wire(&hello, &wire, NULL, &err));
    CHECK(BIO_write(SSL_get_rbio(server), buf_data(&wire), (int)wire.len) == (int)wire.len);
    buf_cleanup(&wire);
}

static void end_server(void) {
    client_flight_free(flight);
    SSL_free(server);
}

static void end(void) {
    end_server();
    SSL_CTX_free(ctx);
    hello_draft_cleanup(&hello);
    hello_keys_free(keys);
}

static int server_read(void) {
    static uint8_t bytes[DATA_LEN];
    int n = SSL_read(server, bytes, sizeof(bytes));
    ERR_clear_error();
    if (n > 0) { // an echo
        CHECK(SSL_write(server, bytes, n) == n);
    }
    return n;
}

// Moves bytes both ways until nothing moves; byte `flip_at` of the server's, counted from 1, is
// another on its way.
static enum client_flight_status pump(void) {
    uint8_t bytes[2048];
    size_t out_len;
    int len;
    bool gone_on = facts->established;
    do {
        if (!gone_on && client_flight_status(flight) == CLIENT_FLIGHT_DONE) {
            gone_on = true;
            client_flight_go_on(flight);
        }
        const uint8_t *out = client_flight_output(flight, &out_len);
        CHECK(out_len == 0 || BIO_write(SSL_get_rbio(server), out, (int)out_len) == (int)out_len);
        client_flight_output_done(flight, out_len);
        if (SSL_do_handshake(server) == 1) {
            while (server_read() > 0) {
            }
        }
        ERR_clear_error();
        len = BIO_read(SSL_get_wbio(server), bytes, sizeof(bytes));
        if (len > 0) {
            if (flip_at > server_sent && flip_at <= server_sent + (size_t)len) {
                bytes[flip_at - server_sent - 1] ^= 0x20;
            }
            server_sent += (size_t)len;
            client_flight_input(flight, bytes, (size_t)len);
        }
    } while (len > 0 || out_len != 0 ||
             (!gone_on && client_flight_status(flight) == CLIENT_FLIGHT_DONE));
    return client_flight_status(flight);
}

// Data goes both ways, in records of each length.
static void echo(void) {
    static uint8_t text[16384];
    size_t sent = 0;
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (uint8_t)(i * 7);
    }
    data_len = 0;
    for (size_t len = 1; len <= sizeof(text); len = len * 3 + 1) {
        client_flight_write(flight, text, len);
        CU_ASSERT_EQUAL(pump(), CLIENT_FLIGHT_DONE);
        sent += len;
        CU_ASSERT_EQUAL(data_len, sent);
        CU_ASSERT(memcmp(data + data_len - len, text, len) == 0);
    }
}

static const struct row {
    uint16_t version;
    const char *shape, *cipher;
    bool rsa;
} rows[] = {
    {TLS12, "tls12", "ECDHE-RSA-AES128-GCM-SHA256", true},
    {TLS12, "tls12", "ECDHE-RSA-AES256-GCM-SHA384", true},
    {TLS12, "tls12", "ECDHE-ECDSA-CHACHA20-POLY1305", false},
    {TLS12, "tls12", "ECDHE-ECDSA-AES128-SHA", false},
    {TLS12, "tls12", "ECDHE-RSA-AES256-SHA", true},
    {TLS12, "tls12", "AES128-GCM-SHA256", true},
    {TLS12, "tls12", "AES256-SHA", true},
    {TLS12, "legacy", "DES-CBC3-SHA", true},
    {TLS11, "tls11", "ECDHE-RSA-AES128-SHA", true},
    {TLS11, "tls11", "AES256-SHA", true},
    {TLS11, "tls11", "DES-CBC3-SHA", true},
    {TLS10, "tls10", "ECDHE-RSA-AES256-SHA", true},
    {TLS10, "tls10", "AES128-SHA", true},
    {TLS10, "tls10", "DES-CBC3-SHA", true},
    {TLS13, "tls13", NULL, true},
    {TLS13, "chromium", NULL, false},
};

static void test_suites(void) {
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        server_make(rows[i].rsa, rows[i].version, rows[i].cipher);
        begin(rows[i].shape);
        CU_ASSERT_EQUAL(pump(), CLIENT_FLIGHT_DONE);
        CU_ASSERT_FATAL(facts->established && facts->finished == CLIENT_FLIGHT_GOOD);
        CU_ASSERT_FALSE(SSL_in_init(server));
        CU_ASSERT_EQUAL(facts->version, rows[i].version);
        CU_ASSERT_STRING_EQUAL(flight_log_line, server_log_line);
        CU_ASSERT_EQUAL(sk_CRYPTO_BUFFER_num(client_flight_chain(flight)), 1);
        echo();
        client_flight_close(flight);
        pump();
        CU_ASSERT_EQUAL(SSL_get_shutdown(server), SSL_RECEIVED_SHUTDOWN);
        SSL_shutdown(server);
        pump();
        CU_ASSERT(facts->closed);
        CU_ASSERT_EQUAL(client_flight_eof(flight), CLIENT_FLIGHT_DONE);
        end();
    }
}

static void test_curves(void) {
    static const int nids[] = {NID_X25519, NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1};
    static const uint16_t groups[] = {29, 23, 24, 25};
    for (size_t i = 0; i < ARRAY_LEN(nids); i++) {
        server_make(false, TLS12, NULL);
        CHECK(SSL_CTX_set1_curves(ctx, &nids[i], 1));
        begin("tls12");
        CU_ASSERT_EQUAL(pump(), CLIENT_FLIGHT_DONE);
        CU_ASSERT(facts->established && facts->group == groups[i]);
        echo();
        end();
    }
}

// Asked for a certificate, the flight has none; ALPN; without the extended master secret.
static int alpn_select(SSL *ssl, const uint8_t **out, uint8_t *out_len, const uint8_t *in,
                       unsigned in_len, void *arg) {
    (void)ssl;
    (void)in_len;
    (void)arg;
    *out = in + 1;
    *out_len = in[0];
    return SSL_TLSEXT_ERR_OK;
}

static int alpn_lie(SSL *ssl, const uint8_t **out, uint8_t *out_len, const uint8_t *in,
                    unsigned in_len, void *arg) {
    (void)ssl;
    (void)in;
    (void)in_len;
    (void)arg;
    *out = (const uint8_t *)"spdy/3";
    *out_len = 6;
    return SSL_TLSEXT_ERR_OK;
}

static void test_alpn_lie(void) {
    static const char *const names[] = {"h2", "http/1.1"};
    for (uint16_t version = TLS12; version <= TLS13; version++) {
        server_make(false, version, NULL);
        SSL_CTX_set_alpn_select_cb(ctx, alpn_lie, NULL);
        begin(version == TLS12 ? "tls12" : "tls13");
        end_server();
        hello_edit_alpn(&hello, names, 2);
        begin(NULL);
        CU_ASSERT_EQUAL(pump(), CLIENT_FLIGHT_MALFORMED);
        CU_ASSERT_STRING_EQUAL(facts->says, "the server chose a protocol that was not offered");
        end();
    }
}

static void test_extras(void) {
    static const char *const names[] = {"http/1.1"};
    static const uint16_t versions[] = {TLS10, TLS12, TLS13};
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        for (int master = 0; master < 2; master++) {
            server_make(true, versions[i], NULL);
            SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
            SSL_CTX_set_alpn_select_cb(ctx, alpn_select, NULL);
            begin(i == 0 ? "tls10" : i == 1 ? "tls12" : "openssl");
            end_server();
            hello_edit_alpn(&hello, names, 1);
            hello_edit_remove(&hello, EXT_EXTENDED_MASTER_SECRET);
            if (master) {
                hello_edit_set(&hello, EXT_EXTENDED_MASTER_SECRET, NULL, 0);
            }
            begin(NULL);
            CU_ASSERT_EQUAL(pump(), CLIENT_FLIGHT_DONE);
            CU_ASSERT(facts->established && facts->certificate_request);
            CU_ASSERT_STRING_EQUAL(facts->alpn, "http/1.1");
            CU_ASSERT_EQUAL(SSL_get_extms_support(server), versions[i] == TLS13 || master);
            echo();
            end();
        }
    }
}

// A KeyUpdate that asks for another gets it.
static void test_key_update(void) {
    server_make(false, TLS13, NULL);
    begin("tls13");
    pump();
    for (int i = 0; i < 3; i++) {
        CHECK(SSL_key_update(server, SSL_KEY_UPDATE_REQUESTED));
        CHECK(SSL_write(server, "x", 1) == 1);
        CU_ASSERT_EQUAL(pump(), CLIENT_FLIGHT_DONE);
        echo();
    }
    end();
}

// What is not as it was sent never makes a connection with other data: it ends, or nothing of worth
// was changed (a version in a record's header).
static void test_flipped(void) {
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (i != 0 && i != 5 && i != 11 && i != 14) {
            continue;
        }
        server_make(rows[i].rsa, rows[i].version, rows[i].cipher);
        begin(rows[i].shape);
        pump();
        size_t whole = server_sent, established = 0;
        for (size_t at = 1; at <= whole; at += at < 100 ? 1 : 7) {
            end_server();
            begin(NULL);
            flip_at = at;
            enum client_flight_status status = pump();
            established += facts->established;
            CU_ASSERT(status != CLIENT_FLIGHT_MALFORMED ||
                      (facts->says != NULL && facts->refusal != 0));
        }
        CU_ASSERT(established < 40);
        end();
    }
}

// The same answer, to a hello that has not asked for it.
static void test_not_offered(void) {
    static const uint32_t others[] = {0xc02c, 0xc02b};
    static const uint16_t group = 24, sigalg = 0x0804;
    struct made answer;
    struct err err;
    const struct client_flight_sink sink = {0};
    server_make(false, TLS12, "ECDHE-ECDSA-AES128-GCM-SHA256");
    begin("tls12");
    (void)SSL_do_handshake(server);
    uint8_t bytes[4096];
    int len = BIO_read(SSL_get_wbio(server), bytes, sizeof(bytes));
    CHECK(len > 0);
    answer = made_copy(bytes, (size_t)len);
    static const struct {
        int edit;
        const char *says;
    } lies[] = {
        {0, "the server chose a cipher suite that was not offered"},
        {1, "the server chose a version that was not offered"},
        {2, "the server answers an extension that was not offered"},
        {3, "the server chose a group that was not offered"},
        {4, "the server's signature is not by the key of its certificate"},
        {5, "the server signs with an algorithm that was not offered"},
    };
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        struct hello_draft other;
        hello_draft_init(&other);
        hello_draft_copy(&other, &hello);
        switch (lies[i].edit) {
        case 0:
            hello_edit_ciphers(&other, others, 1);
            break;
        case 1:
            other.legacy_version = TLS11;
            break;
        case 2:
            hello_edit_remove(&other, EXT_EXTENDED_MASTER_SECRET);
            break;
        case 3:
            hello_edit_groups(&other, &group, 1);
            break;
        case 5:
            hello_edit_sigalgs(&other, &sigalg, 1);
            break;
        default:
            other.random[0] ^= 1;
        }
        struct client_flight *lied = client_flight_new(keys, &other, &sink, &err);
        CU_ASSERT_EQUAL(client_flight_input(lied, answer.p, answer.len), CLIENT_FLIGHT_DONE);
        client_flight_go_on(lied);
        CU_ASSERT_EQUAL(client_flight_status(lied), CLIENT_FLIGHT_MALFORMED);
        CU_ASSERT_STRING_EQUAL(client_flight_facts(lied)->says, lies[i].says);
        CU_ASSERT_EQUAL(client_flight_facts(lied)->refusal, i == 4 ? 51 : 47);
        client_flight_free(lied);
        hello_draft_cleanup(&other);
    }
    made_free(&answer);
    end();
}

static void test_resumed(void) {
    server_make(false, TLS12, NULL);
    begin("tls12");
    pump();
    CU_ASSERT_EQUAL(client_flight_input(flight, (const uint8_t *)"\24\3\3\0\1\1", 6),
                    CLIENT_FLIGHT_MALFORMED);
    CU_ASSERT_STRING_EQUAL(facts->says, "a ChangeCipherSpec came out of its order");
    end();
}

// Plaintext where the keys are due.
static void test_plain_data(void) {
    server_make(false, TLS12, NULL);
    begin("tls12");
    pump();
    CU_ASSERT_EQUAL(client_flight_input(flight, (const uint8_t *)"\27\3\3\0\4data", 9),
                    CLIENT_FLIGHT_MALFORMED);
    CU_ASSERT_EQUAL(facts->refusal, 20);
    CU_ASSERT_EQUAL(data_len, 0);
    end();
}

const struct unit_case unit_cases[] = {
    {"suites and versions", test_suites},
    {"curves", test_curves},
    {"client certificates, ALPN, master secrets", test_extras},
    {"a protocol that was not offered", test_alpn_lie},
    {"KeyUpdate", test_key_update},
    {"flipped bytes", test_flipped},
    {"answers to what was not offered", test_not_offered},
    {"a ChangeCipherSpec too many", test_resumed},
    {"data in the clear", test_plain_data},
    {NULL, NULL},
};
