// Accepting, its limits, and more than one worker; driven through the whole net.
#include "proxy/net/worker.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/proxy/net/fake_session.h"
#include "tests/unit/proxy/net/harness.h"
#include "tests/unit/unit.h"

static struct proxy proxy;

static void prepare(void) {
    fake_reset();
    proxy = (struct proxy){0};
}

static void test_two_workers(void) {
    enum { NUM = 64 };
    prepare();
    proxy.config.workers = 2;
    uint16_t port;
    int server = server_open(&port), fds[NUM][2];
    proxy_start(&proxy);
    for (int i = 0; i < NUM; i++) {
        relay_open(&proxy, server, port, fds[i]);
    }
    for (int i = 0; i < NUM; i++) {
        CU_ASSERT_TRUE(send_all(fds[i][0], "question", 8) && recv_is(fds[i][1], "question"));
        CU_ASSERT_TRUE(send_all(fds[i][1], "answer", 6) && recv_is(fds[i][0], "answer"));
        close(fds[i][0]);
        close(fds[i][1]);
    }
    CU_ASSERT_TRUE(fake_wait_gone());
    // The kernel spreads connections by a hash: that all 64 went to one has a chance of 2^-63.
    CU_ASSERT_TRUE(atomic_load(&proxy.threads[0]) != 0 && atomic_load(&proxy.threads[1]) != 0);
    proxy_stop(&proxy);
    close(server);
}

static void test_ceiling(void) {
    prepare();
    proxy.config.max_connections = 2;
    proxy_start(&proxy);
    int first = client_ask(proxy.port, "HOLD\n"), second = client_ask(proxy.port, "HOLD\n");
    int third = client_ask(proxy.port, "TIMER 0\n");
    struct pollfd answered = {.fd = third, .events = POLLIN};
    CU_ASSERT_EQUAL(poll(&answered, 1, 100), 0);
    CU_ASSERT_EQUAL(fake_alive(), 2);
    reset_close(first);
    CU_ASSERT_TRUE(recv_is(third, "TICK\n"));
    int fourth = client_ask(proxy.port, "TIMER 0\n");
    reset_close(second);
    CU_ASSERT_TRUE(recv_is(fourth, "TICK\n"));
    CU_ASSERT_EQUAL(atomic_load(&proxy.warnings), 1); // once, not each time
    close(third);
    close(fourth);
    CU_ASSERT_TRUE(fake_wait_gone());
    proxy_stop(&proxy);
}

// Whoever waits is accepted, more than at one time as well.
static void test_crowd(void) {
    enum { NUM = 200 };
    int fds[NUM];
    prepare();
    proxy_start(&proxy);
    int held = proxy_hold(&proxy);
    for (int i = 0; i < NUM; i++) {
        fds[i] = client_ask(proxy.port, "TIMER 0\n");
    }
    proxy_release(&proxy);
    for (int i = 0; i < NUM; i++) {
        CU_ASSERT_TRUE(recv_is(fds[i], "TICK\n"));
        close(fds[i]);
    }
    close(held);
    CU_ASSERT_TRUE(fake_wait_gone());
    proxy_stop(&proxy);
}

enum { FEW_DESCRIPTORS = 24, MANY_CLIENTS = 100 };

// Runs until SIGTERM; its port goes to the parent.
static void run_with_few_descriptors(int port_fd) {
    prepare();
    proxy.config.catch_signals = true;
    proxy.config.max_connections = 10000;
    proxy_start(&proxy);
    struct rlimit limit = {.rlim_cur = FEW_DESCRIPTORS, .rlim_max = FEW_DESCRIPTORS};
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK(write(port_fd, &proxy.port, sizeof(proxy.port)) == sizeof(proxy.port));
    CHECK(pthread_join(proxy.thread, NULL) == 0);
    struct net_counts counts;
    net_counts_read(proxy.net, &counts);
    CU_ASSERT_EQUAL(counts.accepted, MANY_CLIENTS);
    CU_ASSERT_TRUE(counts.most_at_once < FEW_DESCRIPTORS);
    CU_ASSERT_TRUE(counts.paused_resources > 0);
    CU_ASSERT_TRUE(counts.paused_resources < MANY_CLIENTS); // it waited; it did not spin
    CU_ASSERT_EQUAL(atomic_load(&proxy.warnings), 1);
    CU_ASSERT_EQUAL(atomic_load(&proxy.records), MANY_CLIENTS);
    net_free(proxy.net);
}

static void test_no_descriptors(void) {
    int ports[2], fds[MANY_CLIENTS], status;
    uint16_t port = 0;
    CHECK(pipe(ports) == 0);
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        close(ports[0]);
        unsigned before = CU_get_number_of_failures();
        run_with_few_descriptors(ports[1]);
        _exit(CU_get_number_of_failures() == before ? 0 : 1);
    }
    close(ports[1]);
    CHECK(read(ports[0], &port, sizeof(port)) == sizeof(port));
    for (int i = 0; i < MANY_CLIENTS; i++) {
        fds[i] = client_ask(port, "TIMER 0\n");
    }
    poll(NULL, 0, 500); // time that it could spend spinning
    // They are served in turn, as those before leave.
    for (int i = 0; i < MANY_CLIENTS; i++) {
        CU_ASSERT_TRUE(recv_is(fds[i], "TICK\n"));
        reset_close(fds[i]);
    }
    CHECK(kill(child, SIGTERM) == 0);
    CHECK(waitpid(child, &status, 0) == child);
    CU_ASSERT_EQUAL(status, 0);
    close(ports[0]);
}

// What was connected goes on when the net is stopped, and its end is the end of the net; what is
// new finds nobody.
static void test_grace(void) {
    prepare();
    proxy.config.grace_us = 60 * 1000 * 1000;
    uint16_t port;
    int server = server_open(&port), fds[2];
    proxy_start(&proxy);
    relay_open(&proxy, server, port, fds);
    net_stop(proxy.net);
    CU_ASSERT_TRUE(send_all(fds[0], "question", 8) && recv_is(fds[1], "question"));
    CU_ASSERT_TRUE(send_all(fds[1], "answer", 6) && recv_is(fds[0], "answer"));
    close(fds[0]);
    close(fds[1]);
    proxy_join(&proxy);
    CU_ASSERT_EQUAL(atomic_load(&proxy.records), 1);
    close(server);
}

// A connection that waits to be accepted when the net is stopped counts as connected.
static void test_grace_for_the_queue(void) {
    prepare();
    proxy.config.grace_us = 60 * 1000 * 1000;
    proxy_start(&proxy);
    int held = proxy_hold(&proxy), fd = client_ask(proxy.port, "TIMER 0\n");
    net_stop(proxy.net);
    proxy_release(&proxy);
    CU_ASSERT_TRUE(recv_is(fd, "TICK\n"));
    close(fd);
    close(held);
    proxy_join(&proxy);
}

static void test_grace_ends(void) {
    prepare();
    proxy.config.grace_us = 20 * 1000;
    proxy_start(&proxy);
    int fd = client_ask(proxy.port, "HOLD\n");
    struct fake_note note;
    CU_ASSERT_TRUE(fake_wait(&note, 0, EVENT_BYTES, 1));
    net_stop(proxy.net);
    proxy_join(&proxy);
    CU_ASSERT_EQUAL(atomic_load(&proxy.records), 1);
    close(fd);
}

const struct unit_case unit_cases[] = {
    {"no free descriptors", test_no_descriptors}, // forks: before there are threads
    {"two workers share the load", test_two_workers},
    {"ceiling of connections", test_ceiling},
    {"a crowd", test_crowd},
    {"grace", test_grace},
    {"grace for the queue", test_grace_for_the_queue},
    {"grace ends", test_grace_ends},
    {NULL, NULL},
};
