// Closing without destroying what was just sent.
//
// close() on a socket with unread bytes, or to which more arrive, answers with RST, and a RST makes
// the peer's kernel throw away what it had not yet delivered: the error page or the alert that was
// written last. So the sending direction is closed first and what still arrives is thrown away, for
// a short while.
#ifndef PROXY_NET_DRAIN_H_
#define PROXY_NET_DRAIN_H_

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct drain_entry;

struct drain {
    struct ev_loop *loop;
    int64_t time_us; // longest time for one socket
    size_t max, num; // ceiling; a socket beyond it is closed at once
    struct drain_entry *head;
};

void drain_init(struct drain *drain, struct ev_loop *loop, int64_t time_us, size_t max);

// drain_cleanup closes all that are left.
void drain_cleanup(struct drain *drain);

// drain_close takes over `fd`, which no watcher of the caller's watches any more; `watched` says
// that one did wait for its bytes until now.
void drain_close(struct drain *drain, int fd, bool watched);

#endif // PROXY_NET_DRAIN_H_
