// Both ends of a benchmark: the clients that load a proxy, and the origin behind it. Full TLS
// handshakes, no resumption, one thread.
//
//   peer origin PORT CHAIN.pem KEY.pem
//       A client sends eight bytes, a big-endian number, and gets that many bytes.
//   peer load KEY=VALUE...
//       connect=HOST:PORT  where TCP goes: the proxy
//       target=HOST:PORT   sent in a CONNECT first; without it TLS begins at once
//       sni=NAME           %d in it is the number of the connection modulo hosts
//       hosts=N count=N parallel=N bytes=N
//       version=1.2|1.3
//       hold=1             open `count` connections, say so, and keep them until standard input
//       ends
//   It prints one line of JSON.
//   peer relay PORT HOST:PORT
//       The least that a relay can do: what it receives it moves on with splice(2), unseen.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "logs/base/check.h"
#include "third_party/boringssl/boringssl_ssl.h"

enum { EVENTS = 256, PIECE = 64 * 1024, REQUEST = 8 };

static uint8_t zeros[PIECE];

static void die(const char *what) {
    fprintf(stderr, "peer: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void watch(int epoll, int op, int fd, uint32_t events, void *ptr) {
    struct epoll_event event = {.events = events, .data.ptr = ptr};
    if (epoll_ctl(epoll, op, fd, &event) != 0) {
        die("epoll_ctl");
    }
}

static void no_delay(int fd) {
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static struct sockaddr_in address(const char *text) {
    char host[64];
    int port = 0;
    struct sockaddr_in sa = {.sin_family = AF_INET};
    if (sscanf(text, "%63[^:]:%d", host, &port) != 2 ||
        inet_pton(AF_INET, host, &sa.sin_addr) != 1) {
        die(text);
    }
    sa.sin_port = htons((uint16_t)port);
    return sa;
}

// The origin.

struct served {
    SSL *ssl;
    int fd;
    uint8_t request[REQUEST];
    size_t got;
    uint64_t left;
    bool sending;
};

static void served_end(struct served *served) {
    SSL_free(served->ssl);
    close(served->fd);
    free(served);
}

// served_step goes on until the socket blocks; false when the connection is over.
static bool served_step(struct served *served) {
    ERR_clear_error();
    for (;;) {
        int n;
        if (!served->sending) {
            n = SSL_read(served->ssl, served->request + served->got, (int)(REQUEST - served->got));
            if (n > 0) {
                served->got += (size_t)n;
                if (served->got == REQUEST) {
                    served->got = 0;
                    served->sending = true;
                    for (int i = 0; i < REQUEST; i++) {
                        served->left = served->left << 8 | served->request[i];
                    }
                }
                continue;
            }
        } else if (served->left == 0) {
            served->sending = false;
            continue;
        } else {
            size_t want = served->left < sizeof(zeros) ? (size_t)served->left : sizeof(zeros);
            n = SSL_write(served->ssl, zeros, (int)want);
            if (n > 0) {
                served->left -= (uint64_t)n;
                continue;
            }
        }
        int error = SSL_get_error(served->ssl, n);
        if (error == SSL_ERROR_ZERO_RETURN) {
            SSL_shutdown(served->ssl);
        }
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
    }
}

// listener_open listens on loopback and prints the port.
static int listener_open(const char *port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t sa_len = sizeof(sa);
    if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 || listen(fd, 4096) != 0) {
        die("listen");
    }
    getsockname(fd, (struct sockaddr *)&sa, &sa_len);
    printf("%d\n", ntohs(sa.sin_port));
    fflush(stdout);
    return fd;
}

NORETURN static void origin(const char *port, const char *chain, const char *key) {
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    if (!SSL_CTX_use_certificate_chain_file(ctx, chain) ||
        !SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM)) {
        die("certificate");
    }
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE);
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

// The relay.

enum { PIPE_ROOM = 256 * 1024 };

struct half {
    struct half *other;
    int fd, ends[2];
    size_t held;
    bool eof;
};

// half_step moves on what `from` has received; false when the connection is over.
static bool half_step(struct half *from) {
    struct half *to = from->other;
    for (;;) {
        if (from->held == 0 && !from->eof) {
            ssize_t n = splice(from->fd, NULL, from->ends[1], NULL, PIPE_ROOM,
                               SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
            if (n < 0) {
                return errno == EAGAIN;
            }
            from->held = (size_t)n;
            from->eof = n == 0;
            if (n == 0) {
                shutdown(to->fd, SHUT_WR);
            }
        }
        if (from->held == 0) {
            return !to->eof;
        }
        ssize_t n = splice(from->ends[0], NULL, to->fd, NULL, from->held,
                           SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (n < 0) {
            return errno == EAGAIN;
        }
        from->held -= (size_t)n;
    }
}

static void halves_free(struct half *half) {
    half = half < half->other ? half : half->other;
    for (int i = 0; i < 2; i++) {
        close(half[i].fd);
        close(half[i].ends[0]);
        close(half[i].ends[1]);
    }
    free(half);
}

static void relay_accept(int epoll, int client, const struct sockaddr_in *target) {
    struct half *halves = xcalloc(2, sizeof(*halves));
    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (server < 0 || connect(server, (const struct sockaddr *)target, sizeof(*target)) != 0) {
        die("connect");
    }
    fcntl(server, F_SETFL, O_NONBLOCK);
    for (int i = 0; i < 2; i++) {
        halves[i].fd = i == 0 ? client : server;
        halves[i].other = &halves[!i];
        no_delay(halves[i].fd);
        if (pipe2(halves[i].ends, O_NONBLOCK) != 0) {
            die("pipe");
        }
        fcntl(halves[i].ends[1], F_SETPIPE_SZ, PIPE_ROOM);
    }
    for (int i = 0; i < 2; i++) {
        watch(epoll, EPOLL_CTL_ADD, halves[i].fd, EPOLLIN | EPOLLOUT | EPOLLET, &halves[i]);
    }
}

// A connection that ends may have a second event among those at hand: they are looked through.
static void relay_end(struct epoll_event *events, int num, struct half *half) {
    for (int i = 0; i < num; i++) {
        if (events[i].data.ptr == half || events[i].data.ptr == half->other) {
            events[i].data.ptr = NULL;
        }
    }
    halves_free(half);
}

NORETURN static void relay(const char *port, const char *target) {
    struct sockaddr_in to = address(target);
    int listener = listener_open(port), epoll = epoll_create1(0);
    watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN, &listener);
    for (;;) {
        struct epoll_event events[EVENTS];
        int num = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < num; i++) {
            struct half *half = events[i].data.ptr;
            if (events[i].data.ptr == &listener) {
                for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
                    relay_accept(epoll, fd, &to);
                }
            } else if (half != NULL && (!half_step(half) || !half_step(half->other))) {
                relay_end(events, num, half);
            }
        }
    }
}

// The load.

enum phase { CONNECTING, REQUESTING, HANDSHAKE, TRANSFER, HELD };

struct client {
    SSL *ssl;
    int fd;
    enum phase phase;
    int64_t start_us;
    uint64_t left;
    char reply[256];
    size_t reply_len;
};

struct load {
    struct sockaddr_in connect;
    const char *target, *sni;
    int64_t hosts, count, parallel, bytes;
    bool hold;
    SSL_CTX *ctx;
    int epoll;
    int64_t started, open, done, failed;
    int64_t *latencies; // of handshakes, us
    int64_t num_latencies;
};

static void client_start(struct load *load) {
    struct client *client = xcalloc(1, sizeof(*client));
    char name[256];
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (client->fd < 0) {
        die("socket");
    }
    no_delay(client->fd);
    client->start_us = now_us();
    int ret = connect(client->fd, (struct sockaddr *)&load->connect, sizeof(load->connect));
    if (ret != 0 && errno != EINPROGRESS) {
        die("connect");
    }
    snprintf(name, sizeof(name), load->sni, (int)(load->started % load->hosts));
    client->ssl = SSL_new(load->ctx);
    SSL_set_fd(client->ssl, client->fd);
    SSL_set_tlsext_host_name(client->ssl, name);
    SSL_set_connect_state(client->ssl);
    load->started++;
    load->open++;
    watch(load->epoll, EPOLL_CTL_ADD, client->fd, EPOLLIN | EPOLLOUT | EPOLLET, client);
}

static void client_end(struct load *load, struct client *client, bool ok) {
    load->open--;
    load->done += ok;
    load->failed += !ok;
    SSL_free(client->ssl);
    close(client->fd);
    free(client);
}

// request_step sends the CONNECT and awaits its answer; false is failure, `*done` says when.
static bool request_step(struct load *load, struct client *client, bool *done) {
    if (client->phase == CONNECTING) {
        char text[512];
        int error = 0;
        socklen_t len = sizeof(error);
        getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &len);
        if (error != 0) {
            return false;
        }
        int n = snprintf(text, sizeof(text), "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n",
                         load->target, load->target);
        if (write(client->fd, text, (size_t)n) != n) {
            return errno == EAGAIN || errno == ENOTCONN;
        }
        client->phase = REQUESTING;
    }
    for (;;) {
        ssize_t n = read(client->fd, client->reply + client->reply_len, 1);
        if (n != 1) {
            return n < 0 && errno == EAGAIN;
        }
        client->reply_len++;
        if (client->reply_len >= 4 &&
            memcmp(client->reply + client->reply_len - 4, "\r\n\r\n", 4) == 0) {
            *done = true;
            return memcmp(client->reply, "HTTP/1.1 200", 12) == 0;
        }
        if (client->reply_len == sizeof(client->reply)) {
            return false;
        }
    }
}

// client_step goes on until the socket blocks; false when the connection is over, `*ok` how.
static bool client_step(struct load *load, struct client *client, bool *ok) {
    *ok = false;
    ERR_clear_error();
    if (client->phase < HANDSHAKE && load->target != NULL) {
        bool done = false;
        if (!request_step(load, client, &done)) {
            return false;
        }
        if (!done) {
            return true;
        }
    }
    client->phase = client->phase < HANDSHAKE ? HANDSHAKE : client->phase;
    if (client->phase == HANDSHAKE) {
        int ret = SSL_do_handshake(client->ssl);
        if (ret != 1) {
            int error = SSL_get_error(client->ssl, ret);
            return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
        }
        load->latencies[load->num_latencies++] = now_us() - client->start_us;
        client->left = (uint64_t)load->bytes;
        uint8_t request[REQUEST];
        for (int i = 0; i < REQUEST; i++) {
            request[i] = (uint8_t)(client->left >> (56 - 8 * i));
        }
        if (SSL_write(client->ssl, request, REQUEST) != REQUEST) {
            return false;
        }
        client->phase = TRANSFER;
    }
    static uint8_t sink[PIECE];
    for (;;) {
        if (client->phase == TRANSFER && client->left == 0) {
            if (load->hold) {
                client->phase = HELD;
                load->done++;
                return true;
            }
            SSL_shutdown(client->ssl);
            *ok = true;
            return false;
        }
        int n = SSL_read(client->ssl, sink, sizeof(sink));
        if (n <= 0) {
            return SSL_get_error(client->ssl, n) == SSL_ERROR_WANT_READ;
        }
        client->left -= (uint64_t)n;
    }
}

static int compare(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t percentile(const struct load *load, double p) {
    return load->num_latencies == 0
               ? 0
               : load->latencies[(int64_t)((double)(load->num_latencies - 1) * p)];
}

static void report(struct load *load, int64_t us) {
    qsort(load->latencies, (size_t)load->num_latencies, sizeof(int64_t), compare);
    printf("{\"done\": %lld, \"failed\": %lld, \"seconds\": %.6f, \"p50_us\": %lld, \"p99_us\": "
           "%lld}\n",
           (long long)load->done, (long long)load->failed, (double)us / 1e6,
           (long long)percentile(load, 0.5), (long long)percentile(load, 0.99));
    fflush(stdout);
}

static void option(struct load *load, const char *text) {
    const char *value = strchr(text, '=');
    if (value == NULL) {
        die(text);
    }
    size_t len = (size_t)(value++ - text);
    const struct {
        const char *name;
        int64_t *number;
    } numbers[] = {{"hosts", &load->hosts},
                   {"count", &load->count},
                   {"parallel", &load->parallel},
                   {"bytes", &load->bytes}};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        if (strlen(numbers[i].name) == len && memcmp(numbers[i].name, text, len) == 0) {
            *numbers[i].number = atoll(value);
            return;
        }
    }
    if (strncmp(text, "connect=", 8) == 0) {
        load->connect = address(value);
    } else if (strncmp(text, "target=", 7) == 0) {
        load->target = value;
    } else if (strncmp(text, "sni=", 4) == 0) {
        load->sni = value;
    } else if (strncmp(text, "hold=", 5) == 0) {
        load->hold = *value == '1';
    } else if (strncmp(text, "version=", 8) == 0) {
        uint16_t version = strcmp(value, "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
        SSL_CTX_set_min_proto_version(load->ctx, version);
        SSL_CTX_set_max_proto_version(load->ctx, version);
    } else {
        die(text);
    }
}

static int load_main(int argc, char **argv) {
    struct load load = {.sni = "bench.test", .hosts = 1, .count = 1000, .parallel = 32, .bytes = 1};
    load.ctx = SSL_CTX_new(TLS_method());
    SSL_CTX_set_options(load.ctx, SSL_OP_NO_TICKET);
    for (int i = 0; i < argc; i++) {
        option(&load, argv[i]);
    }
    load.latencies = xcalloc((size_t)load.count, sizeof(int64_t));
    load.epoll = epoll_create1(0);
    int64_t start = now_us();
    while (load.done + load.failed < load.count) {
        while (load.started < load.count &&
               load.started - load.done - load.failed < load.parallel) {
            client_start(&load);
        }
        struct epoll_event events[EVENTS];
        int num = epoll_wait(load.epoll, events, EVENTS, 30000);
        if (num == 0) {
            fprintf(stderr, "peer: nothing happened for 30 seconds\n");
            return 1;
        }
        for (int i = 0; i < num; i++) {
            struct client *client = events[i].data.ptr;
            bool ok;
            if (client->phase != HELD && !client_step(&load, client, &ok)) {
                client_end(&load, client, ok);
            }
        }
    }
    report(&load, now_us() - start);
    if (load.hold) {
        while (getchar() != EOF) {
        }
    }
    return load.failed != 0;
}

int main(int argc, char **argv) {
    struct rlimit limit;
    signal(SIGPIPE, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (argc == 5 && strcmp(argv[1], "origin") == 0) {
        origin(argv[2], argv[3], argv[4]);
    }
    if (argc >= 2 && strcmp(argv[1], "load") == 0) {
        return load_main(argc - 2, argv + 2);
    }
    if (argc == 4 && strcmp(argv[1], "relay") == 0) {
        relay(argv[2], argv[3]);
    }
    fprintf(stderr, "usage: peer origin PORT CHAIN KEY | peer relay PORT HOST:PORT |"
                    " peer load KEY=VALUE...\n");
    return 2;
}
