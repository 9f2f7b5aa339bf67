#include "proxy/probe/library.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/proxy/session/tls_peer.h"
#include "tests/unit/unit.h"

#define PUBLIC "public.example"

static struct library *library;
static struct library_config config;
static enum client_flight_status status;
static struct pki_cert *server_cert, *client_pki;
static struct client_cert *own;
static struct peer_options options;
static struct peer *peer;
static size_t num_messages, num_alerts, data_len;
static char data[256];

static void on_message(void *ctx, bool from_client, const uint8_t *p, size_t p_len) {
    CU_ASSERT_PTR_EQUAL(ctx, &library);
    CU_ASSERT(!(from_client && p[0] == SSL3_MT_CLIENT_HELLO) && p_len >= 4);
    num_messages++;
}

static void on_alert(void *ctx, bool from_client, const uint8_t *p, size_t p_len) {
    (void)ctx, (void)from_client, (void)p;
    CU_ASSERT_EQUAL(p_len, 2);
    num_alerts++;
}

static void on_data(void *ctx, const uint8_t *p, size_t p_len) {
    (void)ctx;
    CHECK(data_len + p_len < sizeof(data));
    memcpy(data + data_len, p, p_len);
    data_len += p_len;
    data[data_len] = '\0';
}

static const struct client_flight_sink sink = {&library, on_message, on_alert, on_data, NULL};

static void begin(void) {
    server_cert = pki_leaf("a.example", NULL);
    client_pki = pki_leaf("client.example", NULL);
    options = (struct peer_options){.chain = {server_cert}};
    config = (struct library_config){.server_name = "a.example"};
    own = xcalloc(1, sizeof(*own));
    own->chain[own->num_chain++] = CRYPTO_BUFFER_new(client_pki->der, client_pki->der_len, NULL);
    CHECK(EVP_PKEY_up_ref(client_pki->key));
    own->key = cert_key_wrap(client_pki->key);
    num_messages = num_alerts = data_len = 0;
    data[0] = '\0';
}

static void start(void) {
    struct err err;
    peer = peer_new(false, &options);
    library = library_new(&config, &sink, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(library);
    status = CLIENT_FLIGHT_MORE;
}

static void end(void) {
    library_free(library);
    library = NULL;
    peer_free(peer);
    peer = NULL;
    client_cert_free(own);
    pki_free(server_cert);
    pki_free(client_pki);
}

static const struct library_facts *facts(void) { return library_facts(library); }

// talk moves bytes both ways until there are none, those of the server one at a time.
static void talk(void) {
    struct buf from_peer;
    size_t len;
    buf_init(&from_peer, 1 << 20);
    do {
        const uint8_t *p = library_output(library, &len);
        peer_feed(peer, p, len);
        library_output_done(library, len);
        peer_take(peer, &from_peer);
        for (size_t i = 0; i < from_peer.len; i++) {
            status = library_input(library, buf_data(&from_peer) + i, 1);
        }
        len = from_peer.len;
        buf_cleanup(&from_peer);
        size_t waiting;
        (void)library_output(library, &waiting);
        len += waiting;
    } while (len != 0);
}

static void test_whole(void) {
    for (uint16_t version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        begin();
        options.max_version = version;
        start();
        talk();
        CU_ASSERT(status == CLIENT_FLIGHT_DONE && facts()->established && peer->established);
        CU_ASSERT(num_messages >= 5 && num_alerts == 0 && !facts()->certificate_asked);
        library_request(library, (const uint8_t *)"GET /", 5);
        talk();
        CU_ASSERT(peer->heard.len == 5 && status == CLIENT_FLIGHT_DONE);
        peer_say(peer, "hello", 5);
        talk();
        CU_ASSERT(status == CLIENT_FLIGHT_DONE && facts()->data_len == 5);
        CU_ASSERT_STRING_EQUAL(data, "hello");
        CU_ASSERT_EQUAL(library_eof(library), CLIENT_FLIGHT_CLOSED);
        end();
    }
}

static void test_certificate(void) {
    for (uint16_t version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        begin();
        options.max_version = version;
        options.need = true;
        start();
        talk();
        CU_ASSERT(facts()->certificate_asked && !facts()->certificate_shown);
        CU_ASSERT(status == CLIENT_FLIGHT_ALERT && facts()->has_alert);
        CU_ASSERT_EQUAL(facts()->alert, version == TLS1_3_VERSION ? 116 : 40);
        end();
        begin();
        options.max_version = version;
        options.need = true;
        config.shown = own;
        start();
        talk();
        CU_ASSERT(status == CLIENT_FLIGHT_DONE && facts()->certificate_shown && peer->established);
        CU_ASSERT_FALSE(facts()->has_alert);
        end();
    }
    // Nobody asks.
    begin();
    config.shown = own;
    start();
    talk();
    CU_ASSERT(status == CLIENT_FLIGHT_DONE && !facts()->certificate_shown);
    end();
}

static void test_unsuitable(void) {
    static const uint16_t rsa[] = {SSL_SIGN_RSA_PSS_RSAE_SHA256};
    begin();
    options.need = true;
    config.shown = own;
    start();
    CHECK(SSL_set_verify_algorithm_prefs(peer->ssl, rsa, ARRAY_LEN(rsa)));
    talk();
    CU_ASSERT(status == CLIENT_FLIGHT_MALFORMED && facts()->unsuitable && !facts()->established);
    end();
}

// ---- Encrypted Client Hello

// struct ech is a key of a server with its configuration, and the list that names it alone.
struct ech {
    EVP_HPKE_KEY *key;
    SSL_ECH_KEYS *keys;
    uint8_t *config, *list;
    size_t config_len, list_len;
};

static void ech_make(struct ech *ech, uint8_t id) {
    ech->key = EVP_HPKE_KEY_new();
    ech->keys = SSL_ECH_KEYS_new();
    CHECK(EVP_HPKE_KEY_generate(ech->key, EVP_hpke_x25519_hkdf_sha256()) &&
          SSL_marshal_ech_config(&ech->config, &ech->config_len, id, ech->key, PUBLIC, 32) &&
          SSL_ECH_KEYS_add(ech->keys, 1, ech->config, ech->config_len, ech->key) &&
          SSL_ECH_KEYS_marshal_retry_configs(ech->keys, &ech->list, &ech->list_len));
}

static void ech_cleanup(struct ech *ech) {
    EVP_HPKE_KEY_free(ech->key);
    SSL_ECH_KEYS_free(ech->keys);
    OPENSSL_free(ech->config);
    OPENSSL_free(ech->list);
}

static void ech_run(const struct ech *client, const struct ech *server) {
    begin();
    config.ech = client->list;
    config.ech_len = client->list_len;
    start();
    if (server != NULL) {
        CHECK(SSL_CTX_set1_ech_keys(peer->ctx, server->keys));
    }
    size_t len;
    const uint8_t *hello = library_output(library, &len);
    CU_ASSERT_PTR_NULL(memmem(hello, len, "a.example", 9));
    CU_ASSERT_PTR_NOT_NULL(memmem(hello, len, PUBLIC, strlen(PUBLIC)));
    talk();
    CU_ASSERT_EQUAL(status, CLIENT_FLIGHT_DONE);
}

static void test_ech(void) {
    struct ech right, wrong;
    ech_make(&right, 1);
    ech_make(&wrong, 2);
    ech_run(&right, &right);
    CU_ASSERT(facts()->ech == LIBRARY_ECH_ACCEPTED && facts()->established);
    CU_ASSERT_STRING_EQUAL(SSL_get_servername(peer->ssl, TLSEXT_NAMETYPE_host_name), "a.example");
    end();
    ech_run(&wrong, &right);
    CU_ASSERT(facts()->ech == LIBRARY_ECH_REJECTED && !facts()->established);
    CU_ASSERT(facts()->retry_len == right.list_len &&
              memcmp(facts()->retry, right.list, right.list_len) == 0);
    CU_ASSERT_EQUAL(peer->alert, 121); // ech_required
    CU_ASSERT_EQUAL(library_eof(library), CLIENT_FLIGHT_CLOSED);
    end();
    ech_run(&right, NULL);
    CU_ASSERT(facts()->ech == LIBRARY_ECH_REJECTED && facts()->retry == NULL);
    end();
    ech_cleanup(&right);
    ech_cleanup(&wrong);
}

// ---- what is no handshake

static enum client_flight_status said(const char *bytes, size_t len) {
    start();
    status = library_input(library, (const uint8_t *)bytes, len);
    return status;
}

static void test_bad(void) {
    struct err err;
    begin();
    CU_ASSERT_EQUAL(said("HTTP/1.1 400 Bad\r\n\r\n", 20), CLIENT_FLIGHT_NOT_TLS);
    end();
    begin();
    CU_ASSERT_EQUAL(said("\x15\3\3\0\2\2\x28", 7), CLIENT_FLIGHT_ALERT);
    CU_ASSERT(facts()->has_alert && facts()->alert == 40);
    CU_ASSERT_EQUAL(library_input(library, (const uint8_t *)"more", 4), CLIENT_FLIGHT_ALERT);
    end();
    begin();
    CU_ASSERT_EQUAL(said("\x16\3\3\0\4\2\0\0\0", 9), CLIENT_FLIGHT_MALFORMED);
    CU_ASSERT(facts()->says[0] != '\0');
    end();
    begin();
    CU_ASSERT_EQUAL(said("\x16\3\3\0", 4), CLIENT_FLIGHT_MORE);
    CU_ASSERT_EQUAL(library_eof(library), CLIENT_FLIGHT_CLOSED);
    end();
    begin();
    CU_ASSERT_EQUAL(said("", 0), CLIENT_FLIGHT_MORE);
    CU_ASSERT_EQUAL(library_eof(library), CLIENT_FLIGHT_CLOSED);
    end();
    begin();
    config.ech = (const uint8_t *)"\0\1";
    config.ech_len = 2;
    CU_ASSERT_PTR_NULL(library_new(&config, &sink, &err));
    end();
    library_free(NULL);
}

const struct unit_case unit_cases[] = {
    {"a whole handshake, and data", test_whole}, {"client certificates", test_certificate},
    {"a key that cannot sign", test_unsuitable}, {"ECH", test_ech},
    {"what is no handshake", test_bad},          {NULL, NULL},
};
