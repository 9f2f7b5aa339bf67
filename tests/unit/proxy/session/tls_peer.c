#include "tests/unit/proxy/session/tls_peer.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { HEARD_MAX = 64 * 1024 * 1024, PIECE = 16 * 1024 };

static void on_info(const SSL *ssl, int type, int value) {
    struct peer *peer = SSL_get_app_data(ssl);
    if (type == SSL_CB_READ_ALERT) {
        if ((value & 0xff) == SSL_AD_CLOSE_NOTIFY) {
            peer->notified = true;
        } else {
            peer->alert = value & 0xff;
        }
    } else if (type == SSL_CB_WRITE_ALERT && (value & 0xff) != SSL_AD_CLOSE_NOTIFY) {
        peer->sent_alert = value & 0xff;
    }
}

static enum ssl_verify_result_t on_verify(SSL *ssl, uint8_t *out_alert) {
    const struct peer *peer = SSL_get_app_data(ssl);
    *out_alert = peer->options->reject;
    return peer->options->reject != 0 ? ssl_verify_invalid : ssl_verify_ok;
}

// alpn_wire turns "h2,http/1.1" into the extension's list.
static size_t alpn_wire(uint8_t out[64], const char *names) {
    size_t len = 0;
    while (*names != '\0') {
        size_t n = strcspn(names, ",");
        CHECK(len + 1 + n <= 64);
        out[len++] = (uint8_t)n;
        memcpy(out + len, names, n);
        len += n;
        names += n + (names[n] == ',');
    }
    return len;
}

static int on_alpn(SSL *ssl, const uint8_t **out, uint8_t *out_len, const uint8_t *in,
                   unsigned in_len, void *arg) {
    uint8_t list[64];
    uint8_t *chosen;
    (void)ssl;
    size_t len = alpn_wire(list, arg);
    int found = SSL_select_next_proto(&chosen, out_len, list, (unsigned)len, in, in_len);
    static uint8_t kept[64];
    memcpy(kept, chosen, *out_len);
    *out = kept;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static int deflate_cert(SSL *ssl, CBB *out, const uint8_t *in, size_t in_len) {
    (void)ssl;
    uLongf len = compressBound(in_len);
    uint8_t *to;
    return CBB_reserve(out, &to, len) && compress(to, &len, in, in_len) == Z_OK &&
           CBB_did_write(out, len);
}

static int inflate_cert(SSL *ssl, CRYPTO_BUFFER **out, size_t out_len, const uint8_t *in,
                        size_t in_len) {
    (void)ssl;
    uint8_t *to;
    uLongf len = out_len;
    *out = CRYPTO_BUFFER_alloc(&to, out_len);
    return *out != NULL && uncompress(to, &len, in, in_len) == Z_OK && len == out_len;
}

static void client_options(struct peer *peer, const struct peer_options *o) {
    SSL *ssl = peer->ssl;
    SSL_set_connect_state(ssl);
    CHECK(o->host == NULL || SSL_set_tlsext_host_name(ssl, o->host));
    if (o->ca != NULL) {
        X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
        CHECK(X509_STORE_add_cert(SSL_CTX_get_cert_store(peer->ctx), o->ca));
        X509_VERIFY_PARAM_set_time(param, PKI_NOW);
        CHECK(X509_VERIFY_PARAM_set1_host(param, o->host, strlen(o->host)));
        SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    } else {
        SSL_set_custom_verify(ssl, SSL_VERIFY_PEER, on_verify);
    }
    if (o->alpn != NULL) {
        uint8_t list[64];
        CHECK(SSL_set_alpn_protos(ssl, list, (unsigned)alpn_wire(list, o->alpn)) == 0);
    }
    if (o->staple) {
        SSL_enable_ocsp_stapling(ssl);
    }
    if (o->fallback) {
        SSL_set_mode(ssl, SSL_MODE_SEND_FALLBACK_SCSV);
    }
    if (o->sct) {
        SSL_enable_signed_cert_timestamps(ssl);
    }
    if (o->own != NULL) {
        CHECK(SSL_use_certificate(ssl, o->own->x509) && SSL_use_PrivateKey(ssl, o->own->key));
    }
    CHECK(o->num_sigalgs == 0 || SSL_set_verify_algorithm_prefs(ssl, o->sigalgs, o->num_sigalgs));
}

static void server_options(struct peer *peer, const struct peer_options *o) {
    SSL *ssl = peer->ssl;
    SSL_set_accept_state(ssl);
    CHECK(o->chain[0] != NULL && SSL_use_certificate(ssl, o->chain[0]->x509) &&
          SSL_use_PrivateKey(ssl, o->chain[0]->key));
    for (size_t i = 1; i < ARRAY_LEN(o->chain) && o->chain[i] != NULL; i++) {
        CHECK(SSL_add1_chain_cert(ssl, o->chain[i]->x509));
    }
    CHECK(o->response == NULL || SSL_set_ocsp_response(ssl, o->response, o->response_len));
    CHECK(o->scts == NULL || SSL_set_signed_cert_timestamp_list(ssl, o->scts, o->scts_len));
    for (size_t i = 0; i < o->num_fat; i++) {
        CHECK(SSL_add1_chain_cert(ssl, o->fat[i]->x509));
    }
    if (o->alpn != NULL) {
        SSL_CTX_set_alpn_select_cb(peer->ctx, on_alpn, (void *)o->alpn);
    }
    if (o->ask || o->need) {
        int mode = SSL_VERIFY_PEER | (o->need ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
        SSL_set_custom_verify(ssl, mode, on_verify);
    }
    CHECK(o->num_sigalgs == 0 || SSL_set_signing_algorithm_prefs(ssl, o->sigalgs, o->num_sigalgs));
}

struct peer *peer_new(bool client, const struct peer_options *o) {
    struct peer *peer = xcalloc(1, sizeof(*peer));
    peer->options = o;
    peer->alert = peer->sent_alert = -1;
    buf_init(&peer->heard, HEARD_MAX);
    peer->ctx = SSL_CTX_new(TLS_method());
    CHECK(
        peer->ctx != NULL &&
        SSL_CTX_set_min_proto_version(peer->ctx, o->min_version ? o->min_version : TLS1_VERSION) &&
        SSL_CTX_set_max_proto_version(peer->ctx, o->max_version) &&
        (o->ciphers == NULL || SSL_CTX_set_strict_cipher_list(peer->ctx, o->ciphers)) &&
        (o->curves == NULL || SSL_CTX_set1_curves_list(peer->ctx, o->curves)));
    SSL_CTX_set_grease_enabled(peer->ctx, o->grease);
    SSL_CTX_set_permute_extensions(peer->ctx, o->permute);
    SSL_CTX_set_options(peer->ctx, o->no_ticket ? SSL_OP_NO_TICKET : 0);
    CHECK(!o->compress ||
          SSL_CTX_add_cert_compression_alg(peer->ctx, 1, deflate_cert, inflate_cert));
    peer->ssl = SSL_new(peer->ctx);
    peer->in = BIO_new(BIO_s_mem());
    peer->out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(peer->in, -1);
    SSL_set_bio(peer->ssl, peer->in, peer->out);
    SSL_set_app_data(peer->ssl, peer);
    SSL_set_info_callback(peer->ssl, on_info);
    if (client) {
        client_options(peer, o);
    } else {
        server_options(peer, o);
    }
    return peer;
}

void peer_free(struct peer *peer) {
    if (peer != NULL) {
        SSL_free(peer->ssl);
        SSL_CTX_free(peer->ctx);
        buf_cleanup(&peer->heard);
        free(peer);
    }
}

static bool ok_so_far(struct peer *peer, int ret) {
    int error = SSL_get_error(peer->ssl, ret);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_ZERO_RETURN) {
        return true;
    }
    peer->failed = true;
    peer->rejected = SSL_get_verify_result(peer->ssl);
    return false;
}

static void go_on(struct peer *peer) {
    uint8_t piece[PIECE];
    ERR_clear_error();
    if (!peer->established && !peer->failed) {
        int ret = SSL_do_handshake(peer->ssl);
        peer->established = ret == 1;
        if (ret != 1 && !ok_so_far(peer, ret)) {
            ERR_clear_error();
            return;
        }
    }
    while (peer->established && !peer->failed) {
        int n = SSL_read(peer->ssl, piece, sizeof(piece));
        if (n <= 0) {
            (void)ok_so_far(peer, n);
            break;
        }
        CHECK(buf_append(&peer->heard, piece, (size_t)n));
    }
    ERR_clear_error();
}

void peer_feed(struct peer *peer, const void *p, size_t p_len) {
    CHECK(BIO_write(peer->in, p, (int)p_len) == (int)p_len);
    go_on(peer);
}

void peer_eof(struct peer *peer) {
    BIO_set_mem_eof_return(peer->in, 0);
    go_on(peer);
}

void peer_start(struct peer *peer) { go_on(peer); }

void peer_say(struct peer *peer, const void *p, size_t p_len) {
    CHECK(SSL_write(peer->ssl, p, (int)p_len) == (int)p_len);
}

void peer_hello_request(struct peer *peer) {
    // The key block: client key, server key, client IV, server IV (RFC 5288 section 3).
    enum { KEY = 16, IV = 4, NONCE = 8, TAG = 16, MESSAGE = 4 };
    static const uint8_t hello_request[MESSAGE];
    uint8_t block[2 * KEY + 2 * IV], nonce[IV + NONCE], ad[NONCE + 5];
    uint8_t record[5 + NONCE + MESSAGE + TAG] = {SSL3_RT_HANDSHAKE, 3, 3, 0, sizeof(record) - 5};
    EVP_AEAD_CTX ctx;
    size_t len;
    CHECK(SSL_get_key_block_len(peer->ssl) == sizeof(block) &&
          SSL_generate_key_block(peer->ssl, block, sizeof(block)) &&
          EVP_AEAD_CTX_init(&ctx, EVP_aead_aes_128_gcm(), block + KEY, KEY, TAG, NULL));
    uint64_t seq = SSL_get_write_sequence(peer->ssl);
    for (size_t i = 0; i < NONCE; i++) {
        ad[i] = (uint8_t)(seq >> (8 * (NONCE - 1 - i)));
    }
    memcpy(nonce, block + 2 * KEY + IV, IV);
    memcpy(nonce + IV, ad, NONCE);
    memcpy(ad + NONCE, (const uint8_t[]){SSL3_RT_HANDSHAKE, 3, 3, 0, MESSAGE}, 5);
    memcpy(record + 5, nonce + IV, NONCE);
    CHECK(EVP_AEAD_CTX_seal(&ctx, record + 5 + NONCE, &len, MESSAGE + TAG, nonce, sizeof(nonce),
                            hello_request, MESSAGE, ad, sizeof(ad)));
    EVP_AEAD_CTX_cleanup(&ctx);
    CHECK(BIO_write(peer->out, record, sizeof(record)) == sizeof(record));
}

void peer_take(struct peer *peer, struct buf *out) {
    const uint8_t *p;
    size_t len;
    CHECK(BIO_mem_contents(peer->out, &p, &len) && buf_append(out, p, len));
    BIO_reset(peer->out);
}

void peers_talk(struct peer *client, struct peer *server,
                void (*tap)(void *ctx, bool from_client, const uint8_t *p, size_t p_len),
                void *ctx) {
    struct buf piece;
    buf_init(&piece, HEARD_MAX);
    peer_start(client);
    for (int quiet = 0, turn = 0; quiet < 2; turn = !turn) {
        struct peer *from = turn ? server : client, *to = turn ? client : server;
        peer_take(from, &piece);
        quiet = piece.len == 0 ? quiet + 1 : 0;
        if (piece.len != 0) {
            if (tap != NULL) {
                tap(ctx, from == client, buf_data(&piece), piece.len);
            }
            peer_feed(to, buf_data(&piece), piece.len);
        }
        buf_cleanup(&piece);
    }
}
