#include "proxy/cli/lab_client.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "logs/base/check.h"
#include "proxy/tls/certificate_inflate.h"
#include "third_party/boringssl/boringssl_ssl.h"

enum { TIMEOUT_MS = 20 * 1000, REQUEST_MAX = 1024, HEAD_MAX = 8 * 1024, DAY = 24 * 60 * 60 };

static const char *agent_of(const struct lab_client_plan *plan) {
    return plan->agent != NULL ? plan->agent : "lab-client/1.0";
}

static int dial(uint16_t port) {
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

// readable waits for `fd`, unless nothing more will come.
static bool readable(const struct lab_route *route, int fd) {
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = route->over, .events = POLLIN}};
    return poll(fds, ARRAY_LEN(fds), TIMEOUT_MS) > 0 && fds[0].revents != 0;
}

// tunnel asks the proxy for a way, and reads the head of its answer and no byte more.
static bool tunnel(int fd, const struct lab_client_plan *plan, const struct lab_route *route) {
    char request[REQUEST_MAX], head[HEAD_MAX + 1] = "";
    int len = snprintf(request, sizeof(request),
                       "CONNECT %s:%u HTTP/1.1\r\nHost: %s:%u\r\nUser-Agent: %s\r\n\r\n",
                       route->host, route->port, route->host, route->port, agent_of(plan));
    CHECK(len > 0 && (size_t)len < sizeof(request));
    if (send(fd, request, (size_t)len, MSG_NOSIGNAL) != len) {
        return false;
    }
    for (size_t at = 0; at < HEAD_MAX && readable(route, fd) && recv(fd, head + at, 1, 0) == 1;
         at++) {
        if (at >= 3 && memcmp(head + at - 3, "\r\n\r\n", 4) == 0) {
            return strncmp(head, "HTTP/1.1 200 ", 13) == 0;
        }
    }
    return false;
}

// ---- TLS

// browser_set makes the hello that of a Chromium of 2022, as far as this is the same library.
static void browser_set(SSL *ssl) {
    static const uint8_t protocols[] = "\x02h2\x08http/1.1";
    CHECK(SSL_set_alpn_protos(ssl, protocols, sizeof(protocols) - 1) == 0);
    SSL_enable_ocsp_stapling(ssl);
    SSL_enable_signed_cert_timestamps(ssl);
    SSL_set_enable_ech_grease(ssl, 1);
    CHECK(SSL_add_application_settings(ssl, (const uint8_t *)"h2", 2, NULL, 0));
}

static int inflate_brotli(SSL *ssl, CRYPTO_BUFFER **out, size_t out_len, const uint8_t *in,
                          size_t in_len) {
    (void)ssl;
    uint8_t *data;
    *out = CRYPTO_BUFFER_alloc(&data, out_len);
    return *out != NULL && certificate_inflate(data, out_len, CERTIFICATE_BROTLI, in, in_len);
}

static SSL_CTX *ctx_make(const struct lab_client_plan *plan, const struct lab_route *route) {
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    CHECK(ctx != NULL && SSL_CTX_set_min_proto_version(ctx, plan->min) &&
          SSL_CTX_set_max_proto_version(ctx, plan->max) &&
          (plan->suites == NULL || SSL_CTX_set_strict_cipher_list(ctx, plan->suites)));
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (plan->trust != LAB_TRUST_NOBODY) {
        CHECK(SSL_CTX_load_verify_locations(ctx, route->ca, NULL));
    }
    if (plan->browser) {
        SSL_CTX_set_grease_enabled(ctx, 1);
        CHECK(SSL_CTX_set_strict_cipher_list(ctx, "ALL:!aPSK:!3DES"));
        CHECK(SSL_CTX_add_cert_compression_alg(ctx, TLSEXT_cert_compression_brotli, NULL,
                                               inflate_brotli));
    }
    return ctx;
}

static SSL *ssl_make(SSL_CTX *ctx, const struct lab_client_plan *plan,
                     const struct lab_route *route) {
    SSL *ssl = SSL_new(ctx);
    CHECK(ssl != NULL && SSL_set_tlsext_host_name(ssl, route->host));
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    CHECK(X509_VERIFY_PARAM_set1_host(param, route->host, strlen(route->host)));
    if (plan->clock_ahead_days != 0) {
        X509_VERIFY_PARAM_set_time(param, time(NULL) + (time_t)plan->clock_ahead_days * DAY);
    }
    if (plan->browser) {
        browser_set(ssl);
    }
    return ssl;
}

// speculate writes a hello and reads no answer, as a browser does that dials ahead.
static void speculate(SSL *ssl, int fd) {
    BIO *nothing = BIO_new(BIO_s_mem()), *out = BIO_new_socket(fd, BIO_NOCLOSE);
    CHECK(nothing != NULL && out != NULL && BIO_set_mem_eof_return(nothing, -1));
    SSL_set_bio(ssl, nothing, out);
    (void)SSL_connect(ssl);
}

static bool wants_more(SSL *ssl, int result, const struct lab_route *route) {
    return SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ && readable(route, SSL_get_fd(ssl));
}

static bool handshake(SSL *ssl, const struct lab_route *route) {
    int result;
    do {
        result = SSL_connect(ssl);
    } while (result != 1 && wants_more(ssl, result, route));
    return result == 1;
}

// ask sends a request and reads to the end.
static bool ask(SSL *ssl, const struct lab_client_plan *plan, const struct lab_route *route) {
    char request[REQUEST_MAX], answer[4096];
    int len =
        snprintf(request, sizeof(request),
                 "GET / HTTP/1.1\r\nHost: %s:%u\r\nUser-Agent: %s\r\nConnection: close\r\n\r\n",
                 route->host, route->port, agent_of(plan));
    CHECK(len > 0 && (size_t)len < sizeof(request));
    bool got = false;
    SSL_write(ssl, request, len);
    for (int n = 1; n > 0 || wants_more(ssl, n, route);) {
        n = SSL_read(ssl, answer, sizeof(answer));
        got = got || n > 0;
    }
    SSL_shutdown(ssl);
    return got;
}

static bool talk(int fd, const struct lab_client_plan *plan, const struct lab_route *route) {
    SSL_CTX *ctx = ctx_make(plan, route);
    SSL *ssl = ssl_make(ctx, plan, route);
    bool got = false;
    if (plan->speculative) {
        speculate(ssl, fd);
    } else {
        CHECK(SSL_set_fd(ssl, fd));
        got = handshake(ssl, route) && plan->trust != LAB_TRUST_PIN && ask(ssl, plan, route);
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    ERR_clear_error();
    return got;
}

bool lab_client_ask(const struct lab_client_plan *plan, const struct lab_route *route) {
    int fd = dial(route->proxy);
    if (fd < 0) {
        return false;
    }
    bool got = tunnel(fd, plan, route) && talk(fd, plan, route);
    close(fd);
    return got;
}
