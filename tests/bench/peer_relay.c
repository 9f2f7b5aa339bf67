#include "tests/bench/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

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

NORETURN void relay_main(const char *port, const char *target) {
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
