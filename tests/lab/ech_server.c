// A server of BoringSSL's that decrypts hellos (Encrypted Client Hello):
//
//     ech_server PUBLIC on|off CHAIN KEY PUBLIC-CHAIN PUBLIC-KEY
//
// It makes its key itself, listens on a port of 127.0.0.1 and says "ready PORT LIST STALE": what
// DNS should have of it, and what it should not any more, both for the name PUBLIC. With "off" it
// has no key at all. Hellos that are not decrypted, and name PUBLIC, are met with the second
// certificate. Every connection has a process of its own.
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "logs/base/check.h"
#include "third_party/boringssl/boringssl_ssl.h"

enum { SECONDS_MAX = 30, ID = 7, ID_STALE = 8 };

static const char *public_name;
static SSL_CTX *inner, *outer;

static SSL_CTX *context(const char *chain, const char *key) {
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    CHECK(ctx != NULL && SSL_CTX_use_certificate_chain_file(ctx, chain) &&
          SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM));
    return ctx;
}

// keys_make makes a key, and prints the list of its configuration.
static SSL_ECH_KEYS *keys_make(uint8_t id) {
    EVP_HPKE_KEY *key = EVP_HPKE_KEY_new();
    SSL_ECH_KEYS *keys = SSL_ECH_KEYS_new();
    uint8_t *config, *list, text[1024];
    size_t config_len, list_len;
    CHECK(EVP_HPKE_KEY_generate(key, EVP_hpke_x25519_hkdf_sha256()) &&
          SSL_marshal_ech_config(&config, &config_len, id, key, public_name, 64) &&
          SSL_ECH_KEYS_add(keys, 1, config, config_len, key) &&
          SSL_ECH_KEYS_marshal_retry_configs(keys, &list, &list_len));
    CHECK(list_len < sizeof(text) / 2);
    EVP_EncodeBlock(text, list, list_len);
    printf(" %s", (const char *)text);
    EVP_HPKE_KEY_free(key);
    OPENSSL_free(config);
    OPENSSL_free(list);
    return keys;
}

static int on_name(SSL *ssl, int *out_alert, void *arg) {
    (void)out_alert, (void)arg;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name != NULL && strcmp(name, public_name) == 0) {
        SSL_set_SSL_CTX(ssl, outer);
    }
    return SSL_TLSEXT_ERR_OK;
}

static void serve(int fd) {
    const struct timeval limit = {.tv_sec = SECONDS_MAX};
    char bytes[4096];
    SSL *ssl = SSL_new(inner);
    CHECK(ssl != NULL && SSL_set_fd(ssl, fd));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (SSL_accept(ssl) == 1) {
        while (SSL_read(ssl, bytes, sizeof(bytes)) > 0) {
        }
        (void)SSL_shutdown(ssl);
    }
    SSL_free(ssl);
}

static int listen_anywhere(void) {
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&sa, len) == 0 && listen(fd, 128) == 0 &&
          getsockname(fd, (struct sockaddr *)&sa, &len) == 0);
    printf("ready %u", ntohs(sa.sin_port));
    return fd;
}

int main(int argc, char **argv) {
    CHECK(argc == 7);
    public_name = argv[1];
    inner = context(argv[3], argv[4]);
    outer = context(argv[5], argv[6]);
    SSL_CTX_set_tlsext_servername_callback(inner, on_name);
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    int listener = listen_anywhere();
    SSL_ECH_KEYS *keys = keys_make(ID);
    CHECK(strcmp(argv[2], "on") != 0 || SSL_CTX_set1_ech_keys(inner, keys));
    SSL_ECH_KEYS_free(keys);
    SSL_ECH_KEYS_free(keys_make(ID_STALE));
    printf("\n");
    fflush(stdout);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        CHECK(fd >= 0);
        if (fork() == 0) {
            close(listener);
            serve(fd);
            _exit(0);
        }
        close(fd);
    }
}
