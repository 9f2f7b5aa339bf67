// Target function: ech_config_read.
//
// The input is an ECHConfigList, and the library is the judge: it encrypts its hello to the
// configuration that was read, under that public name, or to none where none was.
#include <stdlib.h>
#include <string.h>

#include "logs/base/check.h"
#include "proxy/tls/client_hello.h"
#include "proxy/tls/ech_config.h"
#include "third_party/boringssl/boringssl_ssl.h"

enum { RECORD_HEADER = 5 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

static SSL *ssl_make(void) {
    static SSL_CTX *ctx;
    if (ctx == NULL) {
        ctx = SSL_CTX_new(TLS_with_buffers_method());
        CHECK(ctx != NULL);
    }
    SSL *ssl = SSL_new(ctx);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    CHECK(ssl != NULL && in != NULL && out != NULL);
    SSL_set_bio(ssl, in, out);
    SSL_set_connect_state(ssl);
    CHECK(SSL_set_tlsext_host_name(ssl, "hidden.example"));
    return ssl;
}

static bool says(CBS name, const char *wanted) {
    return CBS_mem_equal(&name, (const uint8_t *)wanted, strlen(wanted));
}

// hello_check looks at the hello that the library says with a list that it took.
static void hello_check(SSL *ssl, const struct ech_config *config) {
    const uint8_t *p;
    size_t len;
    struct client_hello hello;
    CHECK(SSL_do_handshake(ssl) < 0);
    CHECK(BIO_mem_contents(SSL_get_wbio(ssl), &p, &len));
    CHECK(len > RECORD_HEADER);
    CHECK(client_hello_parse(&hello, NULL, p + RECORD_HEADER, len - RECORD_HEADER));
    CHECK((hello.ech.form == ECH_OUTER) == (config != NULL));
    CHECK(says(hello.sni, config != NULL ? config->public_name : "hidden.example"));
    CHECK(config == NULL || hello.ech.config_id == config->id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len) {
    struct ech_config config;
    struct err err = {0};
    bool ok = ech_config_read(&config, data, data_len, &err);
    CHECK(ok || err.msg[0] != '\0');
    if (ok) {
        size_t len = strnlen(config.public_name, sizeof(config.public_name));
        CHECK(len != 0 && len < sizeof(config.public_name));
    }
    SSL *ssl = ssl_make();
    bool taken = SSL_set1_ech_config_list(ssl, data, data_len);
    CHECK(taken || !ok);
    // The library looks at keys only when it needs them, and not behind a name that is none.
    if (taken && (ok || strstr(err.msg, "malformed") == NULL)) {
        hello_check(ssl, ok ? &config : NULL);
    }
    SSL_free(ssl);
    ERR_clear_error();
    return 0;
}
