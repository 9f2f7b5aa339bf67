#include "proxy/net/drain.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/proxy/net/harness.h"
#include "tests/unit/unit.h"

static struct ev_loop *loop;
static struct drain drain;
static int server, client, peer;

static void begin(int64_t time_us, size_t max) {
    uint16_t port;
    loop = ev_loop_new(0);
    drain_init(&drain, loop, time_us, max);
    server = server_open(&port);
    client = client_open(port);
    peer = server_accept(server);
}

static void end(void) {
    drain_cleanup(&drain);
    CU_ASSERT_EQUAL(drain.num, 0);
    close(client);
    close(server);
    ev_loop_destroy(loop);
}

static void test_until_fin(void) {
    begin(20000000, 8);
    static char flood[32 * 1024];
    CU_ASSERT_TRUE(send_all(client, flood, sizeof(flood)));
    CU_ASSERT_TRUE(send_all(peer, "goodbye", 7));
    drain_close(&drain, peer, false);
    CU_ASSERT_EQUAL(drain.num, 1);
    CU_ASSERT_TRUE(send_all(client, flood, sizeof(flood)));
    CU_ASSERT_TRUE(recv_is(client, "goodbye"));
    CU_ASSERT_EQUAL(recv_end(client), 0);
    CU_ASSERT_EQUAL(shutdown(client, SHUT_WR), 0);
    ev_run(loop, 0); // returns when nothing is watched any more
    CU_ASSERT_EQUAL(drain.num, 0);
    CU_ASSERT_EQUAL(recv_end(client), 0); // no RST came after the FIN
    end();
}

static void on_bytes(struct ev_loop *l, ev_io *io, int revents) {
    (void)revents;
    char bytes[8];
    CU_ASSERT_TRUE(recv(io->fd, bytes, sizeof(bytes), 0) > 0);
    ev_break(l, EVBREAK_ONE);
}

// The kernel has been told of the socket by a watcher before.
static void test_takes_over(void) {
    begin(20000000, 8);
    ev_io io;
    ev_io_init(&io, on_bytes, peer, EV_READ);
    ev_io_start(loop, &io);
    CU_ASSERT_TRUE(send_all(client, "hello", 5));
    ev_run(loop, 0);
    ev_io_stop(loop, &io);
    drain_close(&drain, peer, true);
    CU_ASSERT_TRUE(send_all(client, "more", 4));
    CU_ASSERT_EQUAL(shutdown(client, SHUT_WR), 0);
    ev_run(loop, 0);
    CU_ASSERT_EQUAL(drain.num, 0);
    CU_ASSERT_EQUAL(recv_end(client), 0);
    end();
}

static void test_time_is_limited(void) {
    begin(30000, 8);
    drain_close(&drain, peer, false);
    ev_run(loop, 0);
    CU_ASSERT_EQUAL(drain.num, 0);
    end();
}

static void test_number_is_limited(void) {
    begin(20000000, 1);
    drain_close(&drain, peer, false);
    uint16_t port;
    int other_server = server_open(&port), other = client_open(port);
    drain_close(&drain, server_accept(other_server), false);
    CU_ASSERT_EQUAL(drain.num, 1);
    CU_ASSERT_EQUAL(recv_end(other), 0); // closed at once
    close(other);
    close(other_server);
    end();
}

static void test_reset_ends_it(void) {
    begin(20000000, 8);
    drain_close(&drain, peer, false);
    reset_close(client);
    ev_run(loop, 0);
    CU_ASSERT_EQUAL(drain.num, 0);
    client = -1;
    end();
}

static void test_cleanup_closes_all(void) {
    begin(20000000, 8);
    int others[3];
    uint16_t port;
    int other_server = server_open(&port);
    for (int i = 0; i < 3; i++) {
        others[i] = client_open(port);
        drain_close(&drain, server_accept(other_server), false);
    }
    drain_close(&drain, peer, false);
    CU_ASSERT_EQUAL(drain.num, 4);
    reset_close(others[1]); // from the middle of the list
    while (drain.num == 4) {
        ev_run(loop, EVRUN_ONCE);
    }
    CU_ASSERT_EQUAL(drain.num, 3);
    close(others[0]);
    close(others[2]);
    close(other_server);
    end();
}

const struct unit_case unit_cases[] = {
    {"until FIN", test_until_fin},
    {"takes over from a watcher", test_takes_over},
    {"for a limited time", test_time_is_limited},
    {"a limited number", test_number_is_limited},
    {"until a reset", test_reset_ends_it},
    {"cleanup closes all", test_cleanup_closes_all},
    {NULL, NULL},
};
