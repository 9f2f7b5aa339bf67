#include "proxy/net/pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void pipe_close(struct pipes *pipes, struct pipe *pipe) {
    close(pipe->ends[0]);
    close(pipe->ends[1]);
    free(pipe);
    pipes->num--;
}

struct pipe *pipes_take(struct pipes *pipes) {
    struct pipe *pipe = pipes->idle;
    if (pipe != NULL) {
        pipes->idle = pipe->next;
        return pipe;
    }
    int ends[2];
    if (pipes->num >= pipes->max || pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) {
        return NULL;
    }
    // A user who has many pipes already gets smaller ones.
    (void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_ROOM);
    pipe = xcalloc(1, sizeof(*pipe));
    pipe->ends[0] = ends[0];
    pipe->ends[1] = ends[1];
    pipes->num++;
    return pipe;
}

void pipes_give(struct pipes *pipes, struct pipe *pipe) {
    if (pipe == NULL) {
        return;
    }
    if (pipe->held != 0) {
        pipe_close(pipes, pipe);
        return;
    }
    pipe->next = pipes->idle;
    pipes->idle = pipe;
}

void pipes_cleanup(struct pipes *pipes) {
    while (pipes->idle != NULL) {
        struct pipe *pipe = pipes->idle;
        pipes->idle = pipe->next;
        pipe_close(pipes, pipe);
    }
    CHECK(pipes->num == 0);
}

ssize_t pipe_fill(struct pipe *pipe, int fd) {
    ssize_t n = splice(fd, NULL, pipe->ends[1], NULL, PIPE_ROOM, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    pipe->held += n > 0 ? (size_t)n : 0;
    return n;
}

ssize_t pipe_drain(struct pipe *pipe, int fd) {
    ssize_t n =
        splice(pipe->ends[0], NULL, fd, NULL, pipe->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    CHECK(n <= 0 || (size_t)n <= pipe->held);
    pipe->held -= n > 0 ? (size_t)n : 0;
    return n;
}
