#include "tests/bench/peer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "third_party/boringssl/boringssl_ssl.h"

struct served {
    SSL *ssl;
    int fd;
    char request[REQUEST_MAX];
    size_t got;
    char head[128]; // of the answer
    size_t head_len, head_sent;
    uint64_t left;
    bool sending;
};

static void served_end(struct served *served) {
    SSL_free(served->ssl);
    close(served->fd);
    free(served);
}

// answer_begin reads the request, once it is whole.
static void answer_begin(struct served *served) {
    unsigned long long n = 0;
    served->request[served->got] = '\0';
    if (strstr(served->request, "\r\n\r\n") == NULL) {
        return;
    }
    const char *path = strchr(served->request, '/');
    // A proxy may send the whole URL.
    const char *host = path != NULL && path[1] == '/' ? strchr(path + 2, '/') : NULL;
    path = host != NULL ? host : path;
    if (path == NULL || sscanf(path, "/%llu", &n) != 1) {
        die(served->request);
    }
    bool keep = strstr(path, "?keep") != NULL;
    served->left = n;
    served->got = served->head_sent = 0;
    served->head_len = (size_t)snprintf(served->head, sizeof(served->head),
                                        "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\n%s\r\n", n,
                                        keep ? "" : "Connection: close\r\n");
    served->sending = true;
}

// answer_write writes a piece of the answer, the first one with its head.
static int answer_write(struct served *served) {
    static uint8_t piece[PIECE];
    size_t head = served->head_len - served->head_sent;
    size_t room = sizeof(piece) - head;
    size_t body = served->left < room ? (size_t)served->left : room;
    if (head != 0) {
        memcpy(piece, served->head + served->head_sent, head);
    }
    int n = SSL_write(served->ssl, piece, (int)(head + body));
    if (n > 0) {
        size_t of_head = (size_t)n < head ? (size_t)n : head;
        served->head_sent += of_head;
        served->left -= (uint64_t)n - of_head;
        served->sending = served->left != 0 || served->head_sent != served->head_len;
    }
    return n;
}

// served_step goes on until the socket blocks; false when the connection is over.
static bool served_step(struct served *served) {
    ERR_clear_error();
    for (;;) {
        int n;
        if (served->sending) {
            n = answer_write(served);
        } else {
            n = SSL_read(served->ssl, served->request + served->got,
                         (int)(REQUEST_MAX - 1 - served->got));
            if (n > 0) {
                served->got += (size_t)n;
                answer_begin(served);
            }
        }
        if (n > 0) {
            continue;
        }
        int error = SSL_get_error(served->ssl, n);
        if (error == SSL_ERROR_ZERO_RETURN) {
            SSL_shutdown(served->ssl);
        }
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
    }
}

enum { MAX_MADE = 1 << 17 };

// struct maker makes certificates: the leaf with another serial number, signed by its issuer. Those
// of so many names are kept, for a host shows the same one every day.
static struct maker {
    X509 *leaf;
    EVP_PKEY *issuer_key;
    struct made {
        uint64_t name_hash;
        X509 *cert;
    } made[MAX_MADE];
} maker;

static void maker_init(SSL_CTX *ctx, const char *issuer_key) {
    FILE *f = fopen(issuer_key, "r");
    if (f == NULL) {
        die(issuer_key);
    }
    maker.leaf = SSL_CTX_get0_certificate(ctx);
    maker.issuer_key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
    CHECK(maker.leaf != NULL && maker.issuer_key != NULL);
    fclose(f);
}

static X509 *maker_get(const char *name) {
    uint8_t sha256[SHA256_DIGEST_LENGTH];
    uint64_t hash;
    SHA256((const uint8_t *)name, strlen(name), sha256);
    memcpy(&hash, sha256, sizeof(hash));
    struct made *made = &maker.made[hash % MAX_MADE];
    if (made->cert == NULL || made->name_hash != hash) {
        X509_free(made->cert);
        made->cert = X509_dup(maker.leaf);
        made->name_hash = hash;
        CHECK(made->cert != NULL &&
              ASN1_INTEGER_set_uint64(X509_get_serialNumber(made->cert), hash >> 1) &&
              X509_sign(made->cert, maker.issuer_key, EVP_sha256()));
    }
    return made->cert;
}

// on_name gives each host whose name begins with "new" a certificate of its own.
static int on_name(SSL *ssl, int *out_alert, void *arg) {
    (void)out_alert, (void)arg;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name != NULL && strncmp(name, "new", 3) == 0) {
        CHECK(SSL_use_certificate(ssl, maker_get(name)));
    }
    return SSL_TLSEXT_ERR_OK;
}

NORETURN void origin_main(const char *port, const char *chain, const char *key,
                          const char *issuer_key) {
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    if (!SSL_CTX_use_certificate_chain_file(ctx, chain) ||
        !SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM)) {
        die("certificate");
    }
    maker_init(ctx, issuer_key);
    SSL_CTX_set_tlsext_servername_callback(ctx, on_name);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    int fd = listener_open(port), epoll = epoll_create1(0);
    watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN, NULL);
    for (;;) {
        struct epoll_event events[EVENTS];
        int num = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < num; i++) {
            struct served *served = events[i].data.ptr;
            if (served != NULL) {
                if (!served_step(served)) {
                    served_end(served);
                }
                continue;
            }
            for (int client; (client = accept4(fd, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
                served = xcalloc(1, sizeof(*served));
                served->fd = client;
                no_delay(client);
                served->ssl = SSL_new(ctx);
                SSL_set_fd(served->ssl, client);
                SSL_set_accept_state(served->ssl);
                watch(epoll, EPOLL_CTL_ADD, client, EPOLLIN | EPOLLOUT | EPOLLET, served);
            }
        }
    }
}
