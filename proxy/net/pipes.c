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
    struct pipe **idle = &pipes->idle[pipes->idle[true] != NULL], *pipe = *idle;
    if (pipe != NULL) {
        *idle = pipe->next;
        return pipe;
    }
    int ends[2];
    if (pipes->num >= pipes->max || pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) {
        return NULL;
    }
    pipe = xcalloc(1, sizeof(*pipe));
    pipe->ends[0] = ends[0];
    pipe->ends[1] = ends[1];
    pipe->large = pipes->num < PIPES_LARGE && fcntl(ends[1], F_SETPIPE_SZ, PIPE_LARGE) >= 0;
    if (!pipe->large) {
        // A user who has many pipes already gets smaller ones still.
        (void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_SMALL);
    }
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
    pipe->next = pipes->idle[pipe->large];
    pipes->idle[pipe->large] = pipe;
}

void pipes_cleanup(struct pipes *pipes) {
    for (int large = 0; large < 2; large++) {
        while (pipes->idle[large] != NULL) {
            struct pipe *pipe = pipes->idle[large];
            pipes->idle[large] = pipe->next;
            pipe_close(pipes, pipe);
        }
    }
    CHECK(pipes->num == 0);
}

ssize_t pipe_fill(struct pipe *pipe, int fd) {
    ssize_t n =
        splice(fd, NULL, pipe->ends[1], NULL, PIPE_LARGE, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
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
