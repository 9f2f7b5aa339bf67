#include "proxy/session/tls_layer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/base/check.h"
#include "tests/unit/proxy/session/tls_peer.h"
#include "tests/unit/unit.h"

static struct tls_layer *layer;
static struct peer *peer;
static SSL_CTX *ctx;
static struct pki_cert *cert;
static bool answer;      // of `verify`
static size_t num_asked; // times that it was asked
static struct buf said;  // what came out of the layer
static const struct peer_options *peer_is;

static bool verify(void *context, const CBS *chain, size_t num_chain) {
    CU_ASSERT_PTR_EQUAL(context, &answer);
    CU_ASSERT_EQUAL(num_chain, 1);
    CU_ASSERT_TRUE(CBS_len(&chain[0]) > 100);
    num_asked++;
    return answer;
}

static void begin(const char *host, struct peer_options options) {
    static struct peer_options kept;
    cert = pki_leaf("a.example", NULL);
    kept = options;
    kept.chain[0] = cert;
    peer_is = &kept;
    peer = peer_new(false, peer_is);
    ctx = SSL_CTX_new(TLS_with_buffers_method());
    CU_ASSERT_PTR_NOT_NULL_FATAL(ctx);
    buf_init(&said, 1024 * 1024);
    answer = true;
    num_asked = 0;
    layer = tls_layer_new(SSL_new(ctx), host, verify, &answer);
}

static void end(void) {
    tls_layer_free(layer);
    peer_free(peer);
    SSL_CTX_free(ctx);
    pki_free(cert);
    buf_cleanup(&said);
}

static void from_wire(const uint8_t *p, size_t len) {
    struct span inside = tls_layer_open(layer, p, len);
    CU_ASSERT_TRUE(buf_append(&said, inside.p, inside.len));
}

// pump exchanges bytes until both are quiet.
static void pump(void) {
    struct buf out;
    bool quiet = false;
    buf_init(&out, 1024 * 1024);
    while (!quiet) {
        struct span wire = tls_layer_output(layer);
        quiet = wire.len == 0;
        if (wire.len != 0) {
            peer_feed(peer, wire.p, wire.len);
            tls_layer_written(layer, wire.len);
        }
        peer_take(peer, &out);
        quiet = quiet && out.len == 0;
        if (out.len != 0) {
            from_wire(buf_data(&out), out.len);
            buf_consume(&out, out.len);
        }
    }
    buf_cleanup(&out);
}

static void test_both_ways(void) {
    static const uint16_t versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct buf plain;
        begin("a.example", (struct peer_options){.max_version = versions[i]});
        buf_init(&plain, 1024 * 1024);
        CU_ASSERT_TRUE(buf_append(&plain, "CONNECT", 7));
        tls_layer_seal(layer, &plain);
        CU_ASSERT_EQUAL(plain.len, 7); // not before the handshake
        CU_ASSERT_TRUE(tls_layer_handshaking(layer));
        pump();
        CU_ASSERT_FALSE(tls_layer_handshaking(layer));
        CU_ASSERT_EQUAL(num_asked, 1);
        CU_ASSERT_STRING_EQUAL(SSL_get_servername(peer->ssl, TLSEXT_NAMETYPE_host_name),
                               "a.example");
        tls_layer_seal(layer, &plain);
        CU_ASSERT_EQUAL(plain.len, 0);
        pump();
        CU_ASSERT(peer->heard.len == 7 && memcmp(buf_data(&peer->heard), "CONNECT", 7) == 0);
        peer_say(peer, "200 OK", 6);
        pump();
        CU_ASSERT(said.len == 6 && memcmp(buf_data(&said), "200 OK", 6) == 0);
        CU_ASSERT_FALSE(tls_layer_failed(layer));
        CU_ASSERT_FALSE(tls_layer_ended(layer));
        SSL_shutdown(peer->ssl);
        pump();
        CU_ASSERT_TRUE(tls_layer_ended(layer));
        CU_ASSERT_FALSE(tls_layer_failed(layer));
        buf_cleanup(&plain);
        end();
    }
}

// A record that was tampered with is no close_notify.
static void test_broken_data(void) {
    struct buf wire;
    begin("a.example", (struct peer_options){0});
    pump();
    buf_init(&wire, 1024 * 1024);
    peer_say(peer, "200 OK", 6);
    peer_take(peer, &wire);
    wire.data[wire.off + wire.len - 1] ^= 1;
    from_wire(buf_data(&wire), wire.len);
    CU_ASSERT_TRUE(tls_layer_failed(layer));
    CU_ASSERT_FALSE(tls_layer_ended(layer));
    CU_ASSERT_EQUAL(said.len, 0);
    buf_cleanup(&wire);
    end();
}

static void test_an_address_is_no_name(void) {
    begin("192.0.2.1", (struct peer_options){0});
    pump();
    CU_ASSERT_FALSE(tls_layer_handshaking(layer));
    CU_ASSERT_PTR_NULL(SSL_get_servername(peer->ssl, TLSEXT_NAMETYPE_host_name));
    end();
}

static void test_untrusted(void) {
    begin("a.example", (struct peer_options){0});
    answer = false;
    pump();
    CU_ASSERT_TRUE(tls_layer_failed(layer));
    CU_ASSERT_STRING_EQUAL(tls_layer_reason(layer), "CERTIFICATE_VERIFY_FAILED");
    CU_ASSERT_EQUAL(peer->alert, SSL_AD_BAD_CERTIFICATE);
    end();
}

static void test_too_old(void) {
    begin("a.example", (struct peer_options){.max_version = TLS1_1_VERSION});
    pump();
    CU_ASSERT_TRUE(tls_layer_failed(layer));
    end();
}

static void test_not_tls(void) {
    begin("a.example", (struct peer_options){0});
    from_wire((const uint8_t *)"HTTP/1.1 400 no\r\n\r\n", 19);
    CU_ASSERT_TRUE(tls_layer_failed(layer));
    CU_ASSERT_STRING_EQUAL(tls_layer_reason(layer), "WRONG_VERSION_NUMBER");
    from_wire((const uint8_t *)"more", 4);
    CU_ASSERT_EQUAL(said.len, 0);
    end();
}

// What is sealed waits for the wire: the layer holds no more than its ceiling.
static void test_ceiling(void) {
    static uint8_t much[1024 * 1024];
    struct buf plain;
    begin("a.example", (struct peer_options){0});
    pump();
    buf_init(&plain, sizeof(much));
    CU_ASSERT_TRUE(buf_append(&plain, much, sizeof(much)));
    tls_layer_seal(layer, &plain);
    CU_ASSERT_TRUE(plain.len > sizeof(much) / 2);
    CU_ASSERT_TRUE(tls_layer_output(layer).len < 256 * 1024);
    buf_cleanup(&plain);
    end();
}

const struct unit_case unit_cases[] = {
    {"both ways", test_both_ways},
    {"data that was tampered with", test_broken_data},
    {"an address is no name", test_an_address_is_no_name},
    {"an untrusted peer", test_untrusted},
    {"a peer that is too old", test_too_old},
    {"a peer without TLS", test_not_tls},
    {"the ceiling", test_ceiling},
    {NULL, NULL},
};
