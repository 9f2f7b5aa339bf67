#include "proxy/session/tls_layer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "logs/base/check.h"
#include "policy/config/network.h"
#include "third_party/boringssl/boringssl_ssl.h"

enum {
    PIECE = 16 * 1024,
    WIRE_MAX = 1024 * 1024,
    WIRE_HIGH = 128 * 1024, // above which nothing more is sealed
    OPENED_MAX = 1024 * 1024,
};

struct tls_layer {
    SSL *ssl;
    BIO *in, *out;     // the library's, of `ssl`
    struct buf wire;   // to be written
    struct buf opened; // of the last call
    bool failed;
    char reason[TLS_LAYER_REASON_MAX];
    bool (*verify)(void *ctx, const CBS *chain, size_t num_chain);
    void *ctx;
};

static int layer_index;

static void layer_index_make(void) {
    layer_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    CHECK(layer_index >= 0);
}

static enum ssl_verify_result_t on_verify(SSL *ssl, uint8_t *out_alert) {
    struct tls_layer *layer = SSL_get_ex_data(ssl, layer_index);
    const STACK_OF(CRYPTO_BUFFER) *chain = SSL_get0_peer_certificates(ssl);
    size_t num = chain == NULL ? 0 : sk_CRYPTO_BUFFER_num(chain);
    CBS *ders = xcalloc(num + 1, sizeof(*ders));
    for (size_t i = 0; i < num; i++) {
        CRYPTO_BUFFER_init_CBS(sk_CRYPTO_BUFFER_value(chain, i), &ders[i]);
    }
    bool ok = layer->verify(layer->ctx, ders, num);
    free(ders);
    *out_alert = SSL_AD_BAD_CERTIFICATE;
    return ok ? ssl_verify_ok : ssl_verify_invalid;
}

static void fail(struct tls_layer *layer) {
    uint32_t code = ERR_peek_error();
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);
    layer->failed = true;
    snprintf(layer->reason, sizeof(layer->reason), "%s", reason != NULL ? reason : "");
    ERR_clear_error();
}

// flush moves the library's output to where it waits to be written.
static void flush(struct tls_layer *layer) {
    const uint8_t *p;
    size_t len;
    if (BIO_mem_contents(layer->out, &p, &len) && len != 0) {
        if (!buf_append(&layer->wire, p, len)) {
            fail(layer);
        }
        (void)BIO_reset(layer->out);
    }
}

struct tls_layer *tls_layer_new(SSL *ssl, const char *host,
                                bool (*verify)(void *ctx, const CBS *chain, size_t num_chain),
                                void *ctx) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct tls_layer *layer = xcalloc(1, sizeof(*layer));
    uint8_t address[16];
    CHECK(pthread_once(&once, layer_index_make) == 0);
    *layer = (struct tls_layer){.ssl = ssl, .verify = verify, .ctx = ctx};
    buf_init(&layer->wire, WIRE_MAX);
    buf_init(&layer->opened, OPENED_MAX);
    layer->in = BIO_new(BIO_s_mem());
    layer->out = BIO_new(BIO_s_mem());
    CHECK(layer->in != NULL && layer->out != NULL && SSL_set_ex_data(ssl, layer_index, layer) &&
          SSL_set_min_proto_version(ssl, TLS1_2_VERSION));
    SSL_set_bio(ssl, layer->in, layer->out);
    if (!network_parse_address(address, host)) {
        (void)SSL_set_tlsext_host_name(ssl, host);
    }
    SSL_set_connect_state(ssl);
    SSL_set_custom_verify(ssl, SSL_VERIFY_PEER, on_verify);
    ERR_clear_error();
    (void)SSL_do_handshake(ssl);
    flush(layer);
    return layer;
}

void tls_layer_free(struct tls_layer *layer) {
    if (layer != NULL) {
        SSL_free(layer->ssl);
        buf_cleanup(&layer->wire);
        buf_cleanup(&layer->opened);
        free(layer);
    }
}

// read_all reads what there is, and returns whether the connection goes on.
static bool read_all(struct tls_layer *layer) {
    uint8_t piece[PIECE];
    for (;;) {
        ERR_clear_error();
        int n = SSL_read(layer->ssl, piece, sizeof(piece));
        if (n > 0) {
            if (!buf_append(&layer->opened, piece, (size_t)n)) {
                return false;
            }
            continue;
        }
        int error = SSL_get_error(layer->ssl, n);
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ||
               error == SSL_ERROR_ZERO_RETURN;
    }
}

struct span tls_layer_open(struct tls_layer *layer, const uint8_t *p, size_t p_len) {
    buf_consume(&layer->opened, layer->opened.len);
    if (!layer->failed) {
        CHECK(BIO_write_all(layer->in, p, p_len));
        if (!read_all(layer)) {
            fail(layer);
        }
        flush(layer);
    }
    return layer->failed ? (struct span){NULL, 0}
                         : (struct span){buf_data(&layer->opened), layer->opened.len};
}

bool tls_layer_failed(const struct tls_layer *layer) { return layer->failed; }

const char *tls_layer_reason(const struct tls_layer *layer) { return layer->reason; }

bool tls_layer_ended(const struct tls_layer *layer) {
    // The library takes its own failures for an end, too.
    return !layer->failed && (SSL_get_shutdown(layer->ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
}

bool tls_layer_handshaking(const struct tls_layer *layer) { return SSL_in_init(layer->ssl); }

void tls_layer_seal(struct tls_layer *layer, struct buf *plain) {
    while (plain->len != 0 && layer->wire.len < WIRE_HIGH && !layer->failed &&
           !SSL_in_init(layer->ssl)) {
        int n = plain->len < PIECE ? (int)plain->len : PIECE;
        ERR_clear_error();
        if (SSL_write(layer->ssl, buf_data(plain), n) != n) {
            fail(layer);
            return;
        }
        buf_consume(plain, (size_t)n);
        flush(layer);
    }
}

struct span tls_layer_output(const struct tls_layer *layer) {
    return (struct span){layer->wire.len == 0 ? NULL : buf_data(&layer->wire), layer->wire.len};
}

void tls_layer_written(struct tls_layer *layer, size_t len) { buf_consume(&layer->wire, len); }
