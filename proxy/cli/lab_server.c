#include "proxy/cli/lab_server.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "third_party/boringssl/boringssl_ssl.h"

enum { HELLO_MAX = 16 * 1024 };

struct lab_server {
    const struct lab_server_plan *plan;
    struct lab_identity identity;
    SSL_CTX *ctx; // NULL: does not speak TLS
    int listener, stop;
    uint16_t port;
    bool serving; // the thread runs
    pthread_t thread;
};

static const char page[] = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n"
                           "This is the lab of tlsblame.\n";
static const char bad_request[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
static const char banner[] = "SSH-2.0-OpenSSH_9.2p1\r\n";

// readable waits for `fd`, and returns false when the server is to stop.
static bool readable(const struct lab_server *server, int fd) {
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = server->stop, .events = POLLIN}};
    while (poll(fds, ARRAY_LEN(fds), -1) < 0) {
    }
    return fds[1].revents == 0;
}

// drain reads until the peer has ended: who closes with bytes unread resets the connection.
static void drain(const struct lab_server *server, int fd) {
    char bytes[4096];
    while (readable(server, fd) && recv(fd, bytes, sizeof(bytes), 0) > 0) {
    }
}

static void say(int fd, const char *text) { (void)!send(fd, text, strlen(text), MSG_NOSIGNAL); }

static void read_hello(const struct lab_server *server, int fd) {
    char bytes[HELLO_MAX];
    if (readable(server, fd)) {
        (void)!recv(fd, bytes, sizeof(bytes), 0);
    }
}

static void alert(const struct lab_server *server, int fd) {
    const uint8_t record[] = {21, 3, 3, 0, 2, 2, server->plan->alert};
    (void)!send(fd, record, sizeof(record), MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    drain(server, fd);
}

// ---- TLS

static int want_read(const struct lab_server *server, SSL *ssl, int result) {
    return SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ && readable(server, SSL_get_fd(ssl));
}

static bool handshake(const struct lab_server *server, SSL *ssl) {
    int result;
    do {
        result = SSL_accept(ssl);
    } while (result != 1 && want_read(server, ssl, result));
    return result == 1;
}

static bool read_request(const struct lab_server *server, SSL *ssl) {
    char request[4096];
    int result;
    do {
        result = SSL_read(ssl, request, sizeof(request));
    } while (result <= 0 && want_read(server, ssl, result));
    return result > 0;
}

static void serve_tls(const struct lab_server *server, int fd) {
    SSL *ssl = SSL_new(server->ctx);
    CHECK(ssl != NULL && SSL_set_fd(ssl, fd));
    if (handshake(server, ssl) && read_request(server, ssl)) {
        SSL_write(ssl, page, sizeof(page) - 1);
        SSL_shutdown(ssl);
    }
    shutdown(fd, SHUT_WR);
    drain(server, fd);
    SSL_free(ssl);
}

static enum ssl_private_key_result_t sign(SSL *ssl, uint8_t *out, size_t *out_len, size_t max_out,
                                          uint16_t algorithm, const uint8_t *in, size_t in_len) {
    const struct lab_server *server = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    *out_len = max_out;
    bool ok = ctx != NULL &&
              EVP_DigestSignInit(ctx, NULL, SSL_get_signature_algorithm_digest(algorithm), NULL,
                                 server->identity.key) &&
              EVP_DigestSign(ctx, out, out_len, in, in_len);
    EVP_MD_CTX_free(ctx);
    return ok ? ssl_private_key_success : ssl_private_key_failure;
}

static enum ssl_private_key_result_t decrypt(SSL *ssl, uint8_t *out, size_t *out_len,
                                             size_t max_out, const uint8_t *in, size_t in_len) {
    (void)ssl, (void)out, (void)out_len, (void)max_out, (void)in, (void)in_len;
    return ssl_private_key_failure;
}

// complete is never asked for: sign answers at once.
static enum ssl_private_key_result_t complete(SSL *ssl, uint8_t *out, size_t *out_len,
                                              size_t max_out) {
    return decrypt(ssl, out, out_len, max_out, NULL, 0);
}

// libssl sees that a key is not the certificate's, but for one that is elsewhere.
static const SSL_PRIVATE_KEY_METHOD elsewhere = {sign, decrypt, complete};

static void set_identity(struct lab_server *server) {
    const struct lab_identity *identity = &server->identity;
    bool other = server->plan->cert == LAB_CERT_OTHER_KEY;
    CHECK(SSL_CTX_set_app_data(server->ctx, server) &&
          SSL_CTX_set_chain_and_key(server->ctx, identity->chain, identity->num_chain,
                                    other ? NULL : identity->key, other ? &elsewhere : NULL));
}

static enum ssl_verify_result_t accept_any(SSL *ssl, uint8_t *out_alert) {
    (void)ssl, (void)out_alert;
    return ssl_verify_ok;
}

static void set_up_tls(struct lab_server *server, const struct lab_pki *pki, const char *host) {
    const struct lab_server_plan *plan = server->plan;
    lab_identity_init(&server->identity, pki, plan->cert, host);
    server->ctx = SSL_CTX_new(TLS_with_buffers_method());
    CHECK(server->ctx != NULL && SSL_CTX_set_min_proto_version(server->ctx, plan->min) &&
          SSL_CTX_set_max_proto_version(server->ctx, plan->max) &&
          (plan->suites == NULL || SSL_CTX_set_strict_cipher_list(server->ctx, plan->suites)));
    set_identity(server);
    if (plan->wants_client_cert) {
        SSL_CTX_set_custom_verify(server->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                                  accept_any);
    }
}

// ---- the thread

static void serve(const struct lab_server *server, int fd) {
    static const struct linger abort_it = {.l_onoff = 1};
    switch (server->plan->service) {
    case LAB_SERVICE_TLS:
        serve_tls(server, fd);
        return;
    case LAB_SERVICE_HTTP:
        read_hello(server, fd);
        say(fd, bad_request);
        shutdown(fd, SHUT_WR);
        drain(server, fd);
        return;
    case LAB_SERVICE_SSH:
        say(fd, banner);
        drain(server, fd);
        return;
    case LAB_SERVICE_CLOSES:
        read_hello(server, fd);
        return;
    case LAB_SERVICE_ALERTS:
        read_hello(server, fd);
        alert(server, fd);
        return;
    case LAB_SERVICE_RESETS:
        read_hello(server, fd);
        CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_it, sizeof(abort_it)) == 0);
        return;
    default:
        drain(server, fd);
    }
}

static void *serve_all(void *arg) {
    const struct lab_server *server = arg;
    while (readable(server, server->listener)) {
        int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            serve(server, fd);
            close(fd);
        }
    }
    return NULL;
}

// port_open binds a port, which is nobody else's then, whether or not anybody listens.
static bool port_open(struct lab_server *server, struct err *err) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t at_len = sizeof(at);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (server->listener < 0 || bind(server->listener, (struct sockaddr *)&at, at_len) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&at, &at_len) != 0 ||
        (server->plan->service < LAB_SERVICE_REFUSED && listen(server->listener, 8) != 0)) {
        return err_errno(err, "a server of the lab cannot listen on 127.0.0.1");
    }
    server->port = ntohs(at.sin_port);
    return true;
}

struct lab_server *lab_server_start(const struct lab_server_plan *plan, const struct lab_pki *pki,
                                    const char *host, struct err *err) {
    struct lab_server *server = xcalloc(1, sizeof(*server));
    server->plan = plan;
    server->stop = eventfd(0, EFD_CLOEXEC);
    CHECK(server->stop >= 0);
    if (!port_open(server, err)) {
        lab_server_stop(server);
        return NULL;
    }
    if (plan->service == LAB_SERVICE_TLS) {
        set_up_tls(server, pki, host);
    }
    if (plan->service < LAB_SERVICE_REFUSED) {
        CHECK(pthread_create(&server->thread, NULL, serve_all, server) == 0);
        server->serving = true;
    }
    return server;
}

uint16_t lab_server_port(const struct lab_server *server) { return server->port; }

void lab_server_stop(struct lab_server *server) {
    if (server == NULL) {
        return;
    }
    if (server->serving) {
        CHECK(eventfd_write(server->stop, 1) == 0);
        CHECK(pthread_join(server->thread, NULL) == 0);
    }
    if (server->listener >= 0) {
        close(server->listener);
    }
    close(server->stop);
    SSL_CTX_free(server->ctx);
    lab_identity_cleanup(&server->identity);
    free(server);
}
