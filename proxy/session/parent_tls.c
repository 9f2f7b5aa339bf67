#include "proxy/session/parent_tls.h"

#include <stdlib.h>

#include "proxy/session/tls_layer.h"
#include "third_party/boringssl/boringssl_ssl.h"

struct parent_tls {
    SSL_CTX *ssl_ctx;
    char *host;
    bool (*verify)(void *ctx, const CBS *chain, size_t num_chain);
    void *ctx;
};

struct parent_tls *parent_tls_new(const char *host,
                                  bool (*verify)(void *ctx, const CBS *chain, size_t num_chain),
                                  void *ctx) {
    struct parent_tls *tls = xcalloc(1, sizeof(*tls));
    *tls = (struct parent_tls){.host = xstrdup(host), .verify = verify, .ctx = ctx};
    tls->ssl_ctx = SSL_CTX_new(TLS_with_buffers_method());
    CHECK(tls->ssl_ctx != NULL && SSL_CTX_set_max_proto_version(tls->ssl_ctx, TLS1_3_VERSION));
    SSL_CTX_set_session_cache_mode(tls->ssl_ctx, SSL_SESS_CACHE_OFF);
    return tls;
}

void parent_tls_free(struct parent_tls *tls) {
    if (tls != NULL) {
        SSL_CTX_free(tls->ssl_ctx);
        free(tls->host);
        free(tls);
    }
}

struct tls_layer *parent_tls_begin(const struct parent_tls *tls) {
    SSL *ssl = SSL_new(tls->ssl_ctx);
    CHECK(ssl != NULL);
    return tls_layer_new(ssl, tls->host, tls->verify, tls->ctx);
}
