#include "proxy/net/hangup.h"

#include <sys/epoll.h>
#include <unistd.h>

static void on_ready(struct ev_loop *loop, ev_io *io, int revents) {
    (void)loop, (void)revents;
    struct hangup *hangup = io->data;
    // One at a time: what is done about it may close other members. If there are more, the set
    // stays readable.
    struct epoll_event event;
    if (epoll_wait(hangup->epoll_fd, &event, 1, 0) == 1) {
        hangup->on_hangup(event.data.ptr);
    }
}

bool hangup_init(struct hangup *hangup, struct ev_loop *loop, void (*on_hangup)(void *data),
                 struct err *err) {
    hangup->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (hangup->epoll_fd < 0) {
        return err_errno(err, "cannot watch connections");
    }
    hangup->loop = loop;
    hangup->on_hangup = on_hangup;
    ev_io_init(&hangup->io, on_ready, hangup->epoll_fd, EV_READ);
    hangup->io.data = hangup;
    ev_io_start(loop, &hangup->io);
    return true;
}

void hangup_cleanup(struct hangup *hangup) {
    if (hangup->loop == NULL) {
        return;
    }
    ev_io_stop(hangup->loop, &hangup->io);
    close(hangup->epoll_fd);
}

bool hangup_watch(struct hangup *hangup, int fd, void *data) {
    struct epoll_event event = {.events = EPOLLET, .data.ptr = data};
    return epoll_ctl(hangup->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

// Closing alone would not do: a descriptor that a child process has inherited stays in the set.
void hangup_forget(struct hangup *hangup, int fd) {
    CHECK(epoll_ctl(hangup->epoll_fd, EPOLL_CTL_DEL, fd, NULL) == 0);
}
