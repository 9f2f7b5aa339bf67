#include "tests/unit/proxy/net/harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/net/address.h"
#include "proxy/net/listen.h"
#include "tests/unit/unit.h"

enum { WAIT_S = 20 };

static struct session_shared *on_ref(void *ctx) {
    struct proxy *proxy = ctx;
    while (atomic_load(&proxy->gate_shut)) {
        atomic_store(&proxy->at_gate, true);
        poll(NULL, 0, 1);
    }
    atomic_fetch_add(&proxy->refs, 1);
    return ctx;
}

static void on_unref(void *ctx, struct session_shared *shared) {
    CHECK((void *)shared == ctx);
    atomic_fetch_add(&((struct proxy *)ctx)->unrefs, 1);
}

static void on_record(void *ctx, const struct obj *root, bool final) {
    struct proxy *proxy = ctx;
    unsigned long self = (unsigned long)pthread_self();
    CHECK(obj_kind(root) == KIND_RECORD && final);
    atomic_fetch_add(&proxy->records, 1);
    for (size_t i = 0; i < ARRAY_LEN(proxy->threads); i++) {
        unsigned long nobody = 0;
        if (atomic_compare_exchange_strong(&proxy->threads[i], &nobody, self) || nobody == self) {
            break;
        }
    }
}

static void on_warning(void *ctx, const char *says) {
    CHECK(says[0] != '\0');
    atomic_fetch_add(&((struct proxy *)ctx)->warnings, 1);
}

static void on_reload(void *ctx) { atomic_fetch_add(&((struct proxy *)ctx)->reloads, 1); }

static void on_stopping(void *ctx, int signum) {
    struct proxy *proxy = ctx;
    atomic_fetch_add(&proxy->stops, 1);
    atomic_store(&proxy->stopped_by, signum);
}

static void *run(void *arg) {
    struct err err;
    CHECK(net_run(((struct proxy *)arg)->net, &err));
    return NULL;
}

void proxy_start(struct proxy *proxy) {
    struct net_config *config = &proxy->config;
    if (config->num_listens == 0) {
        CHECK(listen_parse(&proxy->listens[0], "127.0.0.1:0", NULL));
        config->listens = proxy->listens;
        config->num_listens = 1;
    }
    config->ctx = proxy;
    config->shared_ref = on_ref;
    config->shared_unref = on_unref;
    config->on_record = on_record;
    config->on_warning = on_warning;
    config->on_reload = on_reload;
    config->on_stopping = on_stopping;
    struct err err = {0};
    proxy->net = net_new(config, &err);
    if (proxy->net == NULL) {
        fprintf(stderr, "%s\n", err.msg);
    }
    CHECK(proxy->net != NULL);
    proxy->port = net_address(proxy->net, 0)->port;
    CHECK(pthread_create(&proxy->thread, NULL, run, proxy) == 0);
}

void proxy_join(struct proxy *proxy) {
    CHECK(pthread_join(proxy->thread, NULL) == 0);
    net_free(proxy->net);
    CU_ASSERT_EQUAL(atomic_load(&proxy->refs), atomic_load(&proxy->unrefs));
    CU_ASSERT_EQUAL(atomic_load(&proxy->refs), atomic_load(&proxy->records));
    CU_ASSERT_EQUAL(atomic_load(&proxy->stops), 1);
}

void proxy_stop(struct proxy *proxy) {
    net_stop(proxy->net);
    proxy_join(proxy);
}

int proxy_hold(struct proxy *proxy) {
    atomic_store(&proxy->at_gate, false);
    atomic_store(&proxy->gate_shut, true);
    int fd = client_open(proxy->port);
    for (int tries = 0; !atomic_load(&proxy->at_gate); tries++) {
        CHECK(tries < WAIT_S * 1000);
        poll(NULL, 0, 1);
    }
    return fd;
}

void proxy_release(struct proxy *proxy) { atomic_store(&proxy->gate_shut, false); }

static void set_timeouts(int fd) {
    struct timeval tv = {.tv_sec = WAIT_S};
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) == 0);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) == 0);
}

static struct sockaddr_in loopback(uint16_t port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

int client_open(uint16_t port) {
    struct sockaddr_in sa = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    set_timeouts(fd);
    CHECK(connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
    return fd;
}

int client_ask(uint16_t port, const char *fmt, ...) {
    char line[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    int fd = client_open(port);
    CHECK(send_all(fd, line, strlen(line)));
    return fd;
}

int server_open(uint16_t *out_port) {
    struct sockaddr_in sa = loopback(0);
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&sa, len) == 0 && listen(fd, SOMAXCONN) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&sa, &len) == 0);
    set_timeouts(fd);
    *out_port = ntohs(sa.sin_port);
    return fd;
}

int server_accept(int server) {
    int fd = accept4(server, NULL, NULL, SOCK_CLOEXEC);
    CHECK(fd >= 0);
    set_timeouts(fd);
    return fd;
}

struct black_hole black_hole_open(uint16_t *out_port) {
    struct black_hole hole;
    hole.fds[0] = server_open(out_port);
    CHECK(listen(hole.fds[0], 0) == 0);
    struct sockaddr_in sa = loopback(*out_port);
    for (int i = 1; i <= 2; i++) {
        hole.fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        CHECK(hole.fds[i] >= 0);
        (void)connect(hole.fds[i], (struct sockaddr *)&sa, sizeof(sa));
    }
    return hole;
}

void black_hole_close(struct black_hole *hole) {
    for (size_t i = 0; i < ARRAY_LEN(hole->fds); i++) {
        close(hole->fds[i]);
    }
}

bool child_passes(void (*fn)(void)) {
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        unsigned before = CU_get_number_of_failures();
        fn();
        _exit(CU_get_number_of_failures() == before ? 0 : 1);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    return status == 0;
}

bool send_all(int fd, const void *p, size_t len) {
    for (size_t sent = 0; sent < len;) {
        ssize_t n = send(fd, (const char *)p + sent, len - sent, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        sent += (size_t)n;
    }
    return true;
}

bool recv_all(int fd, void *p, size_t len) {
    for (size_t got = 0; got < len;) {
        ssize_t n = recv(fd, (char *)p + got, len - got, 0);
        if (n <= 0) {
            return false;
        }
        got += (size_t)n;
    }
    return true;
}

bool recv_is(int fd, const char *text) {
    char got[256];
    size_t len = strlen(text);
    CHECK(len <= sizeof(got));
    return recv_all(fd, got, len) && memcmp(got, text, len) == 0;
}

int recv_end(int fd) {
    char bytes[4096];
    ssize_t n;
    do {
        n = recv(fd, bytes, sizeof(bytes), 0);
    } while (n > 0);
    return n == 0 ? 0 : errno;
}

void reset_close(int fd) {
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) == 0);
    close(fd);
}

void relay_open(const struct proxy *proxy, int server, uint16_t server_port, int out[2]) {
    out[0] = client_ask(proxy->port, "%s 127.0.0.1 %u\n", proxy->splices ? "SPLICE" : "CONNECT",
                        server_port);
    out[1] = server_accept(server);
    CHECK(recv_is(out[0], "OK\n"));
}
