#include "proxy/session/parent_tls.h"

#include <string.h>

#include "proxy/session/tls_layer.h"
#include "tests/unit/proxy/session/tls_peer.h"
#include "tests/unit/unit.h"

static bool verify(void *ctx, const CBS *chain, size_t num_chain) {
    (void)chain;
    return num_chain == 1 && *(const bool *)ctx;
}

// Each connection has a layer of its own, which asks whom to trust.
static void test_connections(void) {
    char name[] = "gw.example";
    bool good = true;
    struct parent_tls *tls = parent_tls_new(name, verify, &good);
    memset(name, 'x', strlen(name)); // it was copied
    struct pki_cert *cert = pki_leaf("gw.example", NULL);
    const struct peer_options options = {.chain = {cert}};
    for (int i = 0; i < 3; i++) {
        struct tls_layer *layer = parent_tls_begin(tls);
        struct peer *peer = peer_new(false, &options);
        struct buf out;
        buf_init(&out, 64 * 1024);
        good = i != 1;
        for (int turn = 0; turn < 4; turn++) {
            struct span wire = tls_layer_output(layer);
            peer_feed(peer, wire.p, wire.len);
            tls_layer_written(layer, wire.len);
            peer_take(peer, &out);
            (void)tls_layer_open(layer, buf_data(&out), out.len);
            buf_consume(&out, out.len);
        }
        CU_ASSERT_EQUAL(tls_layer_failed(layer), !good);
        CU_ASSERT_EQUAL(peer->established, good);
        CU_ASSERT_STRING_EQUAL(SSL_get_servername(peer->ssl, TLSEXT_NAMETYPE_host_name),
                               "gw.example");
        buf_cleanup(&out);
        tls_layer_free(layer);
        peer_free(peer);
    }
    parent_tls_free(tls);
    parent_tls_free(NULL);
    pki_free(cert);
}

const struct unit_case unit_cases[] = {
    {"connections", test_connections},
    {NULL, NULL},
};
