#include "tests/unit/proxy/probe/echo.h"

#include <CUnit/CUnit.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "logs/base/check.h"
#include "proxy/tls/hello_shape.h"

static void leave(struct echo *echo, ev_io *io) {
    ev_io_stop(echo->loop, io);
    close(io->fd);
    io->data = NULL;
    echo->open--;
}

static void on_readable(struct ev_loop *loop, ev_io *io, int revents) {
    (void)loop, (void)revents;
    struct echo *echo = io->data;
    uint8_t bytes[4096];
    ssize_t n = recv(io->fd, bytes, sizeof(bytes), 0);
    if (n <= 0) {
        leave(echo, io);
        return;
    }
    enum echo_mode mode =
        echo->choose != NULL ? echo->choose(echo->ctx, bytes, (size_t)n) : echo->mode;
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    switch (mode) {
    case ECHO_ANSWER:
        CHECK(send(io->fd, echo->answer, echo->answer_len, MSG_NOSIGNAL) >= 0);
        return;
    case ECHO_RESET:
        CHECK(setsockopt(io->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) == 0);
        leave(echo, io);
        return;
    case ECHO_CLOSE:
        leave(echo, io);
        return;
    case ECHO_SILENT:
        return;
    }
}

static void on_acceptable(struct ev_loop *loop, ev_io *io, int revents) {
    (void)revents;
    struct echo *echo = io->data;
    int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    CHECK(fd >= 0 && echo->num < ECHO_MAX);
    ev_io *client = &echo->clients[echo->num++];
    echo->open++;
    echo->most_open = echo->open > echo->most_open ? echo->open : echo->most_open;
    ev_io_init(client, on_readable, fd, EV_READ);
    client->data = echo;
    ev_io_start(loop, client);
}

void echo_init(struct echo *echo, struct ev_loop *loop, enum echo_mode mode) {
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&sa, len) == 0 && listen(fd, 64) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&sa, &len) == 0);
    *echo = (struct echo){.loop = loop, .mode = mode, .port = ntohs(sa.sin_port)};
    ev_io_init(&echo->listener, on_acceptable, fd, EV_READ);
    echo->listener.data = echo;
    ev_io_start(loop, &echo->listener);
}

void echo_cleanup(struct echo *echo) {
    for (size_t i = 0; i < echo->num; i++) {
        if (echo->clients[i].data != NULL) {
            leave(echo, &echo->clients[i]);
        }
    }
    ev_io_stop(echo->loop, &echo->listener);
    close(echo->listener.fd);
}

static void on_late(struct ev_loop *loop, ev_timer *timer, int revents) {
    (void)timer, (void)revents;
    CU_FAIL("too late");
    ev_break(loop, EVBREAK_ONE);
}

void echo_run(struct echo *echo) {
    ev_timer late;
    ev_timer_init(&late, on_late, 20, 0);
    ev_timer_start(echo->loop, &late);
    ev_run(echo->loop, 0);
    ev_timer_stop(echo->loop, &late);
}

void echo_ask_begin(struct echo_ask *ask, struct echo *server, enum echo_mode mode,
                    const char *shape) {
    static const uint8_t refusal[] = {21, 3, 3, 0, 2, 2, 40};
    struct err err;
    ask->loop = ev_loop_new(EVFLAG_AUTO);
    echo_init(server, ask->loop, mode);
    server->answer = refusal;
    server->answer_len = sizeof(refusal);
    ask->keys = hello_keys_new(NULL, NULL);
    hello_draft_init(&ask->hello);
    hello_shape_make(&ask->hello, hello_shape_find(shape), "a.example", ask->keys);
    ask->resolver = resolver_new(ask->loop, "127.0.0.1:9", 1000000, &err);
    CHECK(ask->resolver != NULL);
}

void echo_ask_end(struct echo_ask *ask, struct echo *server) {
    resolver_free(ask->resolver);
    echo_cleanup(server);
    hello_draft_cleanup(&ask->hello);
    hello_keys_free(ask->keys);
    ev_loop_destroy(ask->loop);
}
