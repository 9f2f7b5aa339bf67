// Resets and errors of sockets that nobody reads at the moment.
//
// libev can wait for bytes or for room, but not for a hang-up alone: a socket that backpressure
// has paused is not watched at all, and a peer's reset would go unseen for as long as the pause.
// So paused sockets are also members of a second epoll set, edge-triggered and asking for nothing
// but what epoll always tells: errors and hang-ups. libev watches that set.
#ifndef PROXY_NET_HANGUP_H_
#define PROXY_NET_HANGUP_H_

#include <ev.h>
#include <stdbool.h>

#include "logs/base/check.h"
#include "logs/base/err.h"

struct hangup {
    struct ev_loop *loop;
    ev_io io;
    int epoll_fd;
    void (*on_hangup)(void *data);
};

// hangup_init lets `on_hangup` be called, from `loop`, with the data of a watched socket that hung
// up. It returns false when no descriptor is free. hangup_cleanup of a zeroed struct is nothing.
WUNRES bool hangup_init(struct hangup *hangup, struct ev_loop *loop, void (*on_hangup)(void *data),
                        struct err *err);
void hangup_cleanup(struct hangup *hangup);

// hangup_watch adds `fd` until hangup_forget, which comes before `fd` is closed; `data` must live
// as long. It returns false when the kernel has no memory for it.
WUNRES bool hangup_watch(struct hangup *hangup, int fd, void *data);
void hangup_forget(struct hangup *hangup, int fd);

#endif // PROXY_NET_HANGUP_H_
