#include "proxy/net/pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static void sockets(int out[2]) {
    CU_ASSERT_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, out) == 0);
}

static void test_bytes_pass(void) {
    struct pipes pipes = {.max = 1};
    int a[2], b[2];
    char text[16];
    sockets(a);
    sockets(b);
    struct pipe *pipe = pipes_take(&pipes);
    CU_ASSERT_PTR_NOT_NULL_FATAL(pipe);
    CU_ASSERT(pipe_fill(pipe, a[0]) == -1 && errno == EAGAIN);
    CU_ASSERT(write(a[1], "hello", 5) == 5);
    CU_ASSERT_EQUAL(pipe_fill(pipe, a[0]), 5);
    CU_ASSERT_EQUAL(pipe->held, 5);
    CU_ASSERT_EQUAL(pipe_drain(pipe, b[0]), 5);
    CU_ASSERT_EQUAL(pipe->held, 0);
    CU_ASSERT(read(b[1], text, sizeof(text)) == 5 && memcmp(text, "hello", 5) == 0);
    close(a[1]);
    CU_ASSERT_EQUAL(pipe_fill(pipe, a[0]), 0);
    pipes_give(&pipes, pipe);
    pipes_cleanup(&pipes);
    close(a[0]);
    close(b[0]);
    close(b[1]);
}

// A pool gives no more than it may; what comes back empty is used again, what comes back with bytes
// in it is not.
static void test_the_pool(void) {
    struct pipes pipes = {.max = 2};
    int a[2];
    sockets(a);
    struct pipe *one = pipes_take(&pipes), *two = pipes_take(&pipes);
    CU_ASSERT(one != NULL && two != NULL && one != two);
    CU_ASSERT_PTR_NULL(pipes_take(&pipes));
    pipes_give(&pipes, one);
    CU_ASSERT_PTR_EQUAL(pipes_take(&pipes), one);
    CU_ASSERT(write(a[1], "x", 1) == 1 && pipe_fill(two, a[0]) == 1);
    pipes_give(&pipes, two);
    CU_ASSERT_EQUAL(pipes.num, 1);
    struct pipe *three = pipes_take(&pipes);
    CU_ASSERT_PTR_NOT_NULL_FATAL(three);
    CU_ASSERT_EQUAL(three->held, 0);
    CU_ASSERT(pipe_fill(three, a[0]) == -1 && errno == EAGAIN);
    pipes_give(&pipes, NULL);
    pipes_give(&pipes, one);
    pipes_give(&pipes, three);
    pipes_cleanup(&pipes);
    CU_ASSERT_EQUAL(pipes.num, 0);
    close(a[0]);
    close(a[1]);
}

// The first of a pool are large, if the kernel lets us, and are the first to be used again.
static void test_sizes(void) {
    struct pipes pipes = {.max = PIPES_LARGE + 2};
    struct pipe *taken[PIPES_LARGE + 2];
    for (size_t i = 0; i < pipes.max; i++) {
        taken[i] = pipes_take(&pipes);
        CU_ASSERT_PTR_NOT_NULL_FATAL(taken[i]);
        int room = fcntl(taken[i]->ends[0], F_GETPIPE_SZ);
        CU_ASSERT(taken[i]->large ? i < PIPES_LARGE && room == PIPE_LARGE : room <= PIPE_SMALL);
    }
    struct pipe *small = taken[PIPES_LARGE];
    CU_ASSERT_FALSE(small->large);
    bool large = taken[0]->large;
    pipes_give(&pipes, taken[0]);
    pipes_give(&pipes, small);
    CU_ASSERT_PTR_EQUAL(pipes_take(&pipes), large ? taken[0] : small);
    CU_ASSERT_PTR_EQUAL(pipes_take(&pipes), large ? small : taken[0]);
    for (size_t i = 0; i < pipes.max; i++) {
        pipes_give(&pipes, taken[i]);
    }
    pipes_cleanup(&pipes);
}

// A peer that reads nothing leaves the rest in the pipe.
static void test_a_full_socket(void) {
    struct pipes pipes = {.max = 1};
    static char zeros[64 * 1024];
    int a[2], b[2];
    sockets(a);
    sockets(b);
    while (write(b[0], zeros, sizeof(zeros)) > 0) {
    }
    struct pipe *pipe = pipes_take(&pipes);
    CU_ASSERT(write(a[1], zeros, 1000) == 1000 && pipe_fill(pipe, a[0]) == 1000);
    CU_ASSERT(pipe_drain(pipe, b[0]) == -1 && errno == EAGAIN);
    CU_ASSERT_EQUAL(pipe->held, 1000);
    pipes_give(&pipes, pipe);
    pipes_cleanup(&pipes);
    for (int i = 0; i < 2; i++) {
        close(a[i]);
        close(b[i]);
    }
}

const struct unit_case unit_cases[] = {
    {"bytes pass", test_bytes_pass},
    {"the pool", test_the_pool},
    {"sizes", test_sizes},
    {"a full socket", test_a_full_socket},
    {NULL, NULL},
};
