// Pipes that bytes pass through on their way from one socket to the other without being copied
// (splice(2)). A connection holds one only while something is in it.
#ifndef PROXY_NET_PIPES_H_
#define PROXY_NET_PIPES_H_

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "logs/base/check.h"

// How many bytes a pipe is asked to hold. The first PIPES_LARGE of a pool are large, as long as the
// kernel gives them: it counts the pipes of a user together.
enum { PIPE_LARGE = 1024 * 1024, PIPE_SMALL = 256 * 1024, PIPES_LARGE = 8 };

struct pipe {
    struct pipe *next; // in the pool
    int ends[2];       // for reading, for writing
    size_t held;       // bytes in it
    bool large;
};

// struct pipes is a pool. Its owner sets `max`; all else is zero at first.
struct pipes {
    struct pipe *idle[2]; // by `large`
    size_t num, max;      // idle or taken; of two descriptors each
};

// pipes_take returns an empty pipe, a large one where there is one, or NULL where as many as
// allowed are in use or the kernel has none. pipes_give takes it back, with or without bytes in it;
// NULL does nothing.
WUNRES struct pipe *pipes_take(struct pipes *pipes);
void pipes_give(struct pipes *pipes, struct pipe *pipe);

// pipes_cleanup closes those that are idle; none may be in use.
void pipes_cleanup(struct pipes *pipes);

// pipe_fill moves what the socket `fd` has received into the pipe, at most PIPE_LARGE, and returns
// how many bytes, as recv(2) would: 0 at the end, -1 with errno.
ssize_t pipe_fill(struct pipe *pipe, int fd);

// pipe_drain moves what is in the pipe to the socket `fd` and returns how many bytes, fewer than
// are in it when the socket has no room for more, or -1 with errno when not one could be.
ssize_t pipe_drain(struct pipe *pipe, int fd);

#endif // PROXY_NET_PIPES_H_
