#include "proxy/probe/library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "third_party/boringssl/boringssl_ssl.h"

struct library {
    SSL_CTX *ctx;
    SSL *ssl; // owns `in` and `out`
    BIO *in, *out;
    struct client_flight_sink sink;
    const struct client_cert *shown;
    struct library_facts facts;
    enum client_flight_status status;
    uint8_t first; // the server's first byte
    bool begun;    // it has come
    bool hello;    // the first hello is out: it is not told
};

static void on_message(int is_write, int version, int content_type, const void *p, size_t len,
                       SSL *ssl, void *arg) {
    (void)version, (void)ssl;
    struct library *library = arg;
    const struct client_flight_sink *sink = &library->sink;
    const uint8_t *bytes = p;
    if (content_type == SSL3_RT_ALERT) {
        if (!is_write && len == 2 && bytes[1] != SSL_AD_CLOSE_NOTIFY) {
            library->facts.has_alert = true;
            library->facts.alert = bytes[1];
        }
        sink->alert(sink->ctx, is_write != 0, p, len);
    } else if (content_type == SSL3_RT_HANDSHAKE && len != 0) {
        if (is_write && bytes[0] == SSL3_MT_CLIENT_HELLO && !library->hello) {
            library->hello = true;
            return;
        }
        sink->message(sink->ctx, is_write != 0, p, len);
    }
}

static enum ssl_verify_result_t on_verify(SSL *ssl, uint8_t *out_alert) {
    (void)ssl, (void)out_alert;
    return ssl_verify_ok;
}

// on_asked is called when the server has asked for a certificate.
static int on_asked(SSL *ssl, void *arg) {
    struct library *library = arg;
    const struct client_cert *shown = library->shown;
    library->facts.certificate_asked = true;
    if (shown != NULL) {
        CHECK(SSL_set_chain_and_key(ssl, shown->chain, shown->num_chain, shown->key->key, NULL));
        library->facts.certificate_shown = true;
    }
    return 1;
}

static bool ssl_make(struct library *library, const struct library_config *config) {
    library->ctx = SSL_CTX_new(TLS_with_buffers_method());
    CHECK(library->ctx != NULL);
    SSL_CTX_set_session_cache_mode(library->ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_cert_cb(library->ctx, on_asked, library);
    library->ssl = SSL_new(library->ctx);
    library->in = BIO_new(BIO_s_mem());
    library->out = BIO_new(BIO_s_mem());
    CHECK(library->ssl != NULL && library->in != NULL && library->out != NULL);
    BIO_set_mem_eof_return(library->in, -1);
    SSL_set_bio(library->ssl, library->in, library->out);
    SSL_set_connect_state(library->ssl);
    SSL_set_custom_verify(library->ssl, SSL_VERIFY_PEER, on_verify);
    SSL_set_msg_callback(library->ssl, on_message);
    SSL_set_msg_callback_arg(library->ssl, library);
    return (config->server_name == NULL ||
            SSL_set_tlsext_host_name(library->ssl, config->server_name)) &&
           (config->ech == NULL ||
            SSL_set1_ech_config_list(library->ssl, config->ech, config->ech_len));
}

// ---- where it stands

// ech_look sees what the server made of an encrypted hello.
static bool ech_rejected(struct library *library, uint32_t error) {
    if (ERR_GET_LIB(error) != ERR_LIB_SSL || ERR_GET_REASON(error) != SSL_R_ECH_REJECTED) {
        return false;
    }
    const uint8_t *retry;
    size_t retry_len;
    SSL_get0_ech_retry_configs(library->ssl, &retry, &retry_len);
    library->facts.ech = LIBRARY_ECH_REJECTED;
    library->facts.retry = retry_len != 0 ? retry : NULL;
    library->facts.retry_len = retry_len;
    return true;
}

static enum client_flight_status failed(struct library *library) {
    struct library_facts *facts = &library->facts;
    uint32_t error = ERR_peek_error();
    const char *reason = error == 0 ? NULL : ERR_reason_error_string(error);
    bool tls = !library->begun || (library->first >= SSL3_RT_CHANGE_CIPHER_SPEC &&
                                   library->first <= SSL3_RT_APPLICATION_DATA);
    snprintf(facts->says, sizeof(facts->says), "%s", reason != NULL ? reason : "");
    facts->unsuitable = ERR_GET_LIB(error) == ERR_LIB_SSL &&
                        ERR_GET_REASON(error) == SSL_R_NO_COMMON_SIGNATURE_ALGORITHMS;
    if (ech_rejected(library, error)) {
        return CLIENT_FLIGHT_DONE;
    }
    if (facts->has_alert) {
        return CLIENT_FLIGHT_ALERT;
    }
    return tls ? CLIENT_FLIGHT_MALFORMED : CLIENT_FLIGHT_NOT_TLS;
}

// data_read takes what the server says after the handshake.
static enum client_flight_status data_read(struct library *library) {
    uint8_t data[4096];
    int n;
    while ((n = SSL_read(library->ssl, data, sizeof(data))) > 0) {
        library->facts.data_len += (size_t)n;
        library->sink.data(library->sink.ctx, data, (size_t)n);
    }
    switch (SSL_get_error(library->ssl, n)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return CLIENT_FLIGHT_DONE;
    case SSL_ERROR_ZERO_RETURN:
        return CLIENT_FLIGHT_CLOSED;
    default:
        return failed(library);
    }
}

static enum client_flight_status go_on(struct library *library) {
    struct library_facts *facts = &library->facts;
    if (library->status != CLIENT_FLIGHT_MORE && library->status != CLIENT_FLIGHT_DONE) {
        return library->status;
    }
    if (facts->ech == LIBRARY_ECH_REJECTED) {
        return CLIENT_FLIGHT_DONE;
    }
    ERR_clear_error();
    int ret = facts->established ? 1 : SSL_do_handshake(library->ssl);
    if (ret == 1) {
        facts->established = true;
        facts->ech = SSL_ech_accepted(library->ssl) ? LIBRARY_ECH_ACCEPTED : LIBRARY_ECH_NONE;
        library->status = data_read(library);
    } else if (SSL_get_error(library->ssl, ret) != SSL_ERROR_WANT_READ) {
        library->status = failed(library);
    }
    ERR_clear_error();
    return library->status;
}

// ---- from outside

struct library *library_new(const struct library_config *config,
                            const struct client_flight_sink *sink, struct err *err) {
    struct library *library = xcalloc(1, sizeof(*library));
    size_t len;
    library->sink = *sink;
    library->shown = config->shown;
    library->status = CLIENT_FLIGHT_MORE;
    if (ssl_make(library, config) && go_on(library) == CLIENT_FLIGHT_MORE) {
        (void)library_output(library, &len);
        CHECK(len != 0);
        return library;
    }
    ERR_clear_error();
    library_free(library);
    err_set(err, "the library makes no hello of this: the server name or the ECHConfigList is "
                 "not good");
    return NULL;
}

void library_free(struct library *library) {
    if (library != NULL) {
        SSL_free(library->ssl);
        SSL_CTX_free(library->ctx);
        free(library);
    }
}

enum client_flight_status library_input(struct library *library, const uint8_t *p, size_t p_len) {
    if (!library->begun && p_len != 0) {
        library->begun = true;
        library->first = p[0];
    }
    CHECK(BIO_write_all(library->in, p, p_len));
    return go_on(library);
}

enum client_flight_status library_eof(struct library *library) {
    BIO_set_mem_eof_return(library->in, 0);
    enum client_flight_status status = go_on(library);
    bool open = status == CLIENT_FLIGHT_MORE || status == CLIENT_FLIGHT_DONE;
    // The end of the stream is no fault of what came before.
    if (open || (status == CLIENT_FLIGHT_MALFORMED && library->facts.says[0] == '\0')) {
        library->status = CLIENT_FLIGHT_CLOSED;
    }
    return library->status;
}

const struct library_facts *library_facts(const struct library *library) { return &library->facts; }

const uint8_t *library_output(const struct library *library, size_t *out_len) {
    const uint8_t *p = NULL;
    *out_len = 0;
    CHECK(BIO_mem_contents(library->out, &p, out_len));
    return p;
}

void library_output_done(struct library *library, size_t n) {
    uint8_t drop[1024];
    for (size_t some; n != 0; n -= some) {
        some = n < sizeof(drop) ? n : sizeof(drop);
        CHECK(BIO_read(library->out, drop, (int)some) == (int)some);
    }
}

void library_request(struct library *library, const uint8_t *p, size_t p_len) {
    CHECK(library->facts.established);
    (void)SSL_write(library->ssl, p, (int)p_len);
    ERR_clear_error();
}
