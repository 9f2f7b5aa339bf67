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
#include "proxy/tls/client_flight.h"
#include "proxy/tls/hello_edit.h"
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

// ---- a recorded hello

static bool flush(int fd, struct client_flight *flight) {
    size_t len;
    const uint8_t *p = client_flight_output(flight, &len);
    bool ok = len == 0 || send(fd, p, len, MSG_NOSIGNAL) == (ssize_t)len;
    client_flight_output_done(flight, len);
    return ok;
}

// listen_to takes what comes until the flight is more than `status`, or nothing more comes.
static void listen_to(int fd, struct client_flight *flight, enum client_flight_status status,
                      const struct lab_route *route) {
    uint8_t bytes[4096];
    while (client_flight_status(flight) <= status && readable(route, fd)) {
        ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
        if (n <= 0) {
            client_flight_eof(flight);
            return;
        }
        client_flight_input(flight, bytes, (size_t)n);
        if (!flush(fd, flight)) {
            return;
        }
    }
}

// react does what the recorded client did when it had the server's flight. Up to TLS 1.2 the flight
// ends with ServerHelloDone, and so does this client.
static bool react(int fd, struct client_flight *flight, const struct lab_client_plan *plan,
                  const struct lab_route *route) {
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    bool modern = client_flight_facts(flight)->version >= TLS1_3_VERSION;
    if (client_flight_status(flight) != CLIENT_FLIGHT_DONE) {
        return false;
    }
    if (plan->alert != 0) {
        client_flight_refuse(flight, plan->alert);
        return flush(fd, flight) && false;
    }
    if (!modern || plan->leaves_at_certificate) {
        return false;
    }
    client_flight_finish(flight, (const uint8_t *)request,
                         plan->leaves_at_finished ? 0 : sizeof(request) - 1);
    if (!flush(fd, flight)) {
        return false;
    }
    if (!plan->leaves_at_finished) {
        listen_to(fd, flight, CLIENT_FLIGHT_DONE, route);
    }
    client_flight_close(flight);
    (void)flush(fd, flight);
    return client_flight_facts(flight)->data_len != 0;
}

// draft_make is the recorded hello for this host, with keys of ours.
static void draft_make(struct hello_draft *draft, struct hello_keys *keys,
                       const struct lab_client_plan *plan, const struct lab_route *route) {
    hello_draft_init(draft);
    hello_draft_copy(draft, plan->hello);
    for (size_t i = 0; i < draft->num_extensions; i++) {
        if (draft->extensions[i].type == TLSEXT_TYPE_server_name) {
            hello_edit_sni(draft, route->host);
            break;
        }
    }
    hello_keys_swap(keys, draft, NULL);
}

static bool talk_recorded(int fd, const struct lab_client_plan *plan,
                          const struct lab_route *route) {
    static const struct client_flight_sink nobody = {0};
    struct hello_draft draft;
    struct hello_keys *keys = hello_keys_new(NULL, NULL);
    struct buf wire;
    struct err err;
    bool got = false;
    buf_init(&wire, HELLO_DRAFT_WIRE_MAX);
    draft_make(&draft, keys, plan, route);
    struct client_flight *flight = client_flight_new(keys, &draft, &nobody, &err);
    if (flight != NULL && hello_draft_wire(&draft, &wire, NULL, &err) &&
        send(fd, buf_data(&wire), wire.len, MSG_NOSIGNAL) == (ssize_t)wire.len &&
        !plan->speculative) {
        listen_to(fd, flight, CLIENT_FLIGHT_MORE, route);
        got = react(fd, flight, plan, route);
    }
    client_flight_free(flight);
    buf_cleanup(&wire);
    hello_draft_cleanup(&draft);
    hello_keys_free(keys);
    return got;
}

// ---- the whole

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
    bool got =
        tunnel(fd, plan, route) && (plan->hello != NULL ? talk_recorded : talk)(fd, plan, route);
    close(fd);
    return got;
}
