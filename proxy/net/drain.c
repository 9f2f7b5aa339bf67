#include "proxy/net/drain.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "logs/base/check.h"

struct drain_entry {
    struct drain *drain;
    struct drain_entry *prev, *next;
    ev_io io;
    ev_timer timer;
};

void drain_init(struct drain *drain, struct ev_loop *loop, int64_t time_us, size_t max) {
    *drain = (struct drain){.loop = loop, .time_us = time_us, .max = max};
}

static void end(struct drain_entry *entry) {
    struct drain *drain = entry->drain;
    *(entry->prev != NULL ? &entry->prev->next : &drain->head) = entry->next;
    if (entry->next != NULL) {
        entry->next->prev = entry->prev;
    }
    drain->num--;
    ev_io_stop(drain->loop, &entry->io);
    ev_timer_stop(drain->loop, &entry->timer);
    close(entry->io.fd);
    free(entry);
}

static void on_readable(struct ev_loop *loop, ev_io *io, int revents) {
    (void)loop, (void)revents;
    // MSG_TRUNC discards without copying (tcp(7)).
    ssize_t n = recv(io->fd, NULL, 1 << 20, MSG_TRUNC | MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        end(io->data);
    }
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int revents) {
    (void)loop, (void)revents;
    end(timer->data);
}

// has_ended returns whether the peer has closed too, and throws away what it had sent.
static bool has_ended(int fd) { return recv(fd, NULL, 1 << 20, MSG_TRUNC | MSG_DONTWAIT) == 0; }

void drain_close(struct drain *drain, int fd, bool watched) {
    if (drain->num >= drain->max || has_ended(fd) || shutdown(fd, SHUT_WR) != 0) {
        close(fd);
        return;
    }
    struct drain_entry *entry = xcalloc(1, sizeof(*entry));
    entry->drain = drain;
    entry->next = drain->head;
    if (entry->next != NULL) {
        entry->next->prev = entry;
    }
    drain->head = entry;
    drain->num++;
    ev_io_init(&entry->io, on_readable, fd, EV_READ);
    if (watched) {
        entry->io.events = EV_READ; // without the flag with which libev would tell the kernel again
    }
    ev_timer_init(&entry->timer, on_timer, (double)drain->time_us * 1e-6, 0);
    entry->io.data = entry->timer.data = entry;
    ev_io_start(drain->loop, &entry->io);
    ev_timer_start(drain->loop, &entry->timer);
}

void drain_cleanup(struct drain *drain) {
    while (drain->head != NULL) {
        end(drain->head);
    }
}
