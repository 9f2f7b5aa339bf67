#include "proxy/net/hangup.h"

#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/proxy/net/harness.h"
#include "tests/unit/unit.h"

static struct ev_loop *loop;
static struct hangup hangup;
static int server;
static uint16_t port;
static unsigned hung[4];

static void on_hangup(void *data) { ++*(unsigned *)data; }

static void begin(void) {
    struct err err = {0};
    loop = ev_loop_new(0);
    CU_ASSERT_TRUE_FATAL(hangup_init(&hangup, loop, on_hangup, &err));
    server = server_open(&port);
    for (int i = 0; i < 4; i++) {
        hung[i] = 0;
    }
}

static void end(void) {
    hangup_cleanup(&hangup);
    close(server);
    ev_loop_destroy(loop);
}

static void run_until(const unsigned *count) {
    while (*count == 0) {
        ev_run(loop, EVRUN_ONCE);
    }
}

// Bytes and FIN are not its business; a reset is, and is told once.
static void test_reset_only(void) {
    begin();
    int client = client_open(port), peer = server_accept(server);
    CU_ASSERT_TRUE(hangup_watch(&hangup, peer, &hung[0]));
    CU_ASSERT_TRUE(send_all(client, "bytes", 5));
    ev_run(loop, EVRUN_NOWAIT);
    CU_ASSERT_EQUAL(hung[0], 0);
    CU_ASSERT_EQUAL(shutdown(client, SHUT_WR), 0);
    ev_run(loop, EVRUN_NOWAIT);
    CU_ASSERT_EQUAL(hung[0], 0);
    reset_close(client);
    run_until(&hung[0]);
    for (int i = 0; i < 10; i++) {
        ev_run(loop, EVRUN_NOWAIT);
    }
    CU_ASSERT_EQUAL(hung[0], 1);
    hangup_forget(&hangup, peer);
    close(peer);
    end();
}

static void test_already_reset(void) {
    begin();
    int client = client_open(port), peer = server_accept(server);
    reset_close(client);
    CU_ASSERT_TRUE(hangup_watch(&hangup, peer, &hung[0]));
    run_until(&hung[0]);
    CU_ASSERT_EQUAL(hung[0], 1);
    hangup_forget(&hangup, peer);
    close(peer);
    end();
}

static void test_several_and_forgotten(void) {
    begin();
    int clients[4], peers[4];
    for (int i = 0; i < 4; i++) {
        clients[i] = client_open(port);
        peers[i] = server_accept(server);
        CU_ASSERT_TRUE(hangup_watch(&hangup, peers[i], &hung[i]));
    }
    for (int i = 0; i < 3; i++) {
        reset_close(clients[i]);
    }
    // Told of, but no more wanted.
    hangup_forget(&hangup, peers[1]);
    close(peers[1]);
    run_until(&hung[0]);
    run_until(&hung[2]);
    CU_ASSERT_EQUAL(hung[0], 1);
    CU_ASSERT_EQUAL(hung[1], 0);
    CU_ASSERT_EQUAL(hung[2], 1);
    CU_ASSERT_EQUAL(hung[3], 0);
    for (int i = 0; i < 4; i++) {
        if (i != 1) {
            hangup_forget(&hangup, peers[i]);
            close(peers[i]);
        }
    }
    close(clients[3]);
    end();
}

static void test_never_initialised(void) {
    struct hangup zero = {0};
    hangup_cleanup(&zero);
    CU_PASS("nothing happened");
}

const struct unit_case unit_cases[] = {
    {"a reset and nothing else", test_reset_only},
    {"reset before it was watched", test_already_reset},
    {"several, and one forgotten", test_several_and_forgotten},
    {"never initialised", test_never_initialised},
    {NULL, NULL},
};
