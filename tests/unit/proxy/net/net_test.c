// The proxy as a whole: starting, stopping, limits, workers.
#include "proxy/net/net.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/net/address.h"
#include "proxy/net/listen.h"
#include "tests/unit/proxy/net/fake_session.h"
#include "tests/unit/proxy/net/harness.h"
#include "tests/unit/unit.h"

static struct proxy proxy;
static struct address listens[2];

static void prepare(void) {
    fake_reset();
    proxy = (struct proxy){0};
}

static void listen_on(const char *first, const char *second) {
    const char *const on[] = {first, second};
    for (size_t i = 0; i < 2 && on[i] != NULL; i++) {
        CHECK(listen_parse(&listens[i], on[i], NULL));
        proxy.config.num_listens = i + 1;
    }
    proxy.config.listens = listens;
}

static void test_two_addresses(void) {
    prepare();
    listen_on("127.0.0.1:0", "[::1]:0");
    proxy_start(&proxy);
    CU_ASSERT_EQUAL(net_num_addresses(proxy.net), 2);
    const struct address *six = net_address(proxy.net, 1);
    CU_ASSERT_TRUE(six->port != 0 && !address_is_ipv4(six));
    struct sockaddr_storage sa;
    socklen_t len = address_to_sockaddr(&sa, six);
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    CU_ASSERT_EQUAL(connect(fd, (struct sockaddr *)&sa, len), 0);
    CU_ASSERT_TRUE(send_all(fd, "TIMER 0\n", 8) && recv_is(fd, "TICK\n"));
    close(fd);
    fd = client_ask(proxy.port, "TIMER 0\n");
    CU_ASSERT_TRUE(recv_is(fd, "TICK\n"));
    close(fd);
    CU_ASSERT_TRUE(fake_wait_gone());
    proxy_stop(&proxy);
}

static void test_port_taken(void) {
    uint16_t port;
    int server = server_open(&port);
    for (unsigned workers = 1; workers <= 2; workers++) {
        char on[32];
        struct err err = {0};
        prepare();
        snprintf(on, sizeof(on), "127.0.0.1:%u", port);
        listen_on("127.0.0.1:0", on); // the first can be opened and must be closed again
        proxy.config.workers = workers;
        CU_ASSERT_PTR_NULL(net_new(&proxy.config, &err));
        CU_ASSERT_EQUAL(err.errnum, EADDRINUSE);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, on));
    }
    close(server);
}

static void test_never_run(void) {
    prepare();
    listen_on("127.0.0.1:0", NULL);
    struct net *net = net_new(&proxy.config, NULL);
    CU_ASSERT_PTR_NOT_NULL(net);
    net_free(net);
    net_free(NULL);
}

// Connections in every state end with their record when the proxy stops.
static void stop_with_connections(unsigned workers) {
    enum { EACH = 10 };
    int fds[EACH][5];
    uint16_t port, hole_port;
    int server = server_open(&port);
    struct black_hole hole = black_hole_open(&hole_port);
    struct fake_note note;
    prepare();
    proxy.config.workers = workers;
    proxy.config.dns_servers = "127.0.0.1:1"; // nobody there
    proxy_start(&proxy);
    for (unsigned i = 0; i < EACH; i++) {
        fds[i][0] = client_ask(proxy.port, "CONN");
        fds[i][1] = client_ask(proxy.port, "HOLD\n");
        fds[i][2] = client_ask(proxy.port, "CONNECT 127.0.0.1 %u\n", hole_port);
        fds[i][3] = client_ask(proxy.port, "CONNECT 127.0.0.1 %u\n", port);
        CU_ASSERT_TRUE(recv_is(fds[i][3], "OK\n"));
        fds[i][4] = client_ask(proxy.port, "CONNECT host.test 1\n");
    }
    CU_ASSERT_TRUE(fake_wait(&note, 0, EVENT_BYTES, EACH * 5));
    proxy_stop(&proxy); // compares records with sessions
    CU_ASSERT_EQUAL(fake_alive(), 0);
    CU_ASSERT_TRUE(fake_count(EVENT_STOP) >= EACH * 4);
    CU_ASSERT_EQUAL(atomic_load(&proxy.stopped_by), 0);
    for (unsigned i = 0; i < EACH; i++) {
        for (unsigned j = 0; j < 5; j++) {
            CU_ASSERT_TRUE(recv_end(fds[i][j]) == ECONNRESET || j == 4);
            close(fds[i][j]);
        }
    }
    black_hole_close(&hole);
    close(server);
}

static void test_stop(void) { stop_with_connections(1); }
static void test_stop_workers(void) { stop_with_connections(2); }

static void test_signals(void) {
    static const int signums[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < 2; i++) {
        prepare();
        proxy.config.catch_signals = true;
        proxy.config.workers = 2;
        proxy_start(&proxy);
        int fd = client_ask(proxy.port, "TIMER 0\n");
        CU_ASSERT_TRUE(recv_is(fd, "TICK\n"));
        // The loop runs by now, with the handlers in place. A reload disturbs nobody.
        CU_ASSERT_EQUAL(kill(getpid(), SIGHUP), 0);
        for (int tries = 0; atomic_load(&proxy.reloads) == 0 && tries < 2000; tries++) {
            poll(NULL, 0, 10);
        }
        CU_ASSERT_EQUAL(atomic_load(&proxy.reloads), 1);
        int other = client_ask(proxy.port, "TIMER 0\n");
        CU_ASSERT_TRUE(recv_is(other, "TICK\n"));
        CU_ASSERT_EQUAL(kill(getpid(), signums[i]), 0);
        CU_ASSERT_EQUAL(recv_end(fd), ECONNRESET);
        CU_ASSERT_EQUAL(recv_end(other), ECONNRESET);
        proxy_join(&proxy);
        CU_ASSERT_EQUAL(atomic_load(&proxy.stopped_by), signums[i]);
        close(fd);
        close(other);
    }
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

enum { FEW_DESCRIPTORS = 24, MANY_CLIENTS = 100 };

// Runs until SIGTERM; its port goes to the parent.
static void run_with_few_descriptors(int port_fd) {
    prepare();
    listen_on("127.0.0.1:0", NULL);
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
    // They are served in turn, as those before leave.
    for (int i = 0; i < MANY_CLIENTS; i++) {
        CU_ASSERT_TRUE(recv_is(fds[i], "TICK\n"));
        reset_close(fds[i]);
    }
    CHECK(kill(child, SIGTERM) == 0);
    struct rusage usage;
    CHECK(wait4(child, &status, 0, &usage) == child);
    CU_ASSERT_EQUAL(status, 0);
    // It waited; it did not spin.
    CU_ASSERT_TRUE(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec == 0);
    close(ports[0]);
}

static struct address at(const char *literal, uint16_t port) {
    struct address address;
    CHECK(address_parse(&address, literal));
    address.port = port;
    return address;
}

static void test_is_self(void) {
    static const struct {
        const char *listen, *address;
        bool self;
    } cases[] = {
        {"127.0.0.1:0", "127.0.0.1", true},  {"127.0.0.1:0", "0.0.0.0", true},
        {"127.0.0.1:0", "127.0.0.2", false}, {"127.0.0.1:0", "192.0.2.1", false},
        {"127.0.0.1:0", "::1", false},       {"[::1]:0", "::1", true},
        {"0.0.0.0:0", "127.0.0.2", true},    {"0.0.0.0:0", "192.0.2.1", false},
        {"0.0.0.0:0", "::1", false},         {":0", "::1", true},
        {":0", "127.0.0.1", true},           {":0", "2001:db8::1", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        prepare();
        listen_on(cases[i].listen, NULL);
        struct net *net = net_new(&proxy.config, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(net);
        uint16_t port = net_address(net, 0)->port;
        struct address same = at(cases[i].address, port);
        struct address other = at(cases[i].address, port ^ 1);
        CU_ASSERT_EQUAL(net_is_self(net, &same), cases[i].self);
        CU_ASSERT_FALSE(net_is_self(net, &other));
        if (net_is_self(net, &same) != cases[i].self) {
            printf("%s %s\n", cases[i].listen, cases[i].address);
        }
        net_free(net);
    }
}

static void test_proxy_to_itself(void) {
    prepare();
    proxy_start(&proxy);
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    for (size_t i = 0; i < 2; i++) {
        int fd = client_ask(proxy.port, "CONNECT %s %u\n", hosts[i], proxy.port);
        CU_ASSERT_TRUE(recv_is(fd, "FAIL\n"));
        CU_ASSERT_EQUAL(recv_end(fd), 0);
        close(fd);
    }
    struct fake_note note;
    CU_ASSERT_TRUE(fake_wait(&note, 1, EVENT_TRIED, 1));
    CU_ASSERT_EQUAL(note.errnum, ELOOP);
    CU_ASSERT_TRUE(fake_wait_gone());
    proxy_stop(&proxy);
}

static void test_dial_failures(void) {
    prepare();
    proxy.config.connect_timeout_us = 100000;
    proxy.config.dns_servers = "127.0.0.1:1";
    proxy_start(&proxy);
    uint16_t port, hole_port;
    struct black_hole hole = black_hole_open(&hole_port);
    int server = server_open(&port);
    close(server); // nobody there now
    struct fake_note note;
    char asked[3][64];
    snprintf(asked[0], 64, "CONNECT 127.0.0.1 %u\n", port);
    snprintf(asked[1], 64, "CONNECT 127.0.0.1 %u\n", hole_port);
    snprintf(asked[2], 64, "CONNECT host.test %u\n", port);
    for (size_t i = 0; i < 3; i++) {
        int fd = client_ask(proxy.port, "%s", asked[i]);
        CU_ASSERT_TRUE(recv_is(fd, "FAIL\n"));
        CU_ASSERT_EQUAL(recv_end(fd), 0);
        close(fd);
    }
    CU_ASSERT_TRUE(fake_wait(&note, 1, EVENT_DIAL_FAILED, 1));
    CU_ASSERT_EQUAL(note.errnum, ECONNREFUSED);
    CU_ASSERT_TRUE(fake_wait(&note, 2, EVENT_DIAL_FAILED, 1));
    CU_ASSERT_EQUAL(note.errnum, ETIMEDOUT);
    CU_ASSERT_TRUE(fake_wait(&note, 3, EVENT_UNRESOLVED, 1));
    CU_ASSERT_EQUAL(note.dns_error, DNS_OTHER);
    CU_ASSERT_TRUE(fake_wait_gone());
    proxy_stop(&proxy);
    black_hole_close(&hole);
}

const struct unit_case unit_cases[] = {
    {"no free descriptors", test_no_descriptors}, // forks: before there are threads
    {"two addresses", test_two_addresses},
    {"port taken", test_port_taken},
    {"never run", test_never_run},
    {"stop with open connections", test_stop},
    {"stop two workers", test_stop_workers},
    {"signals", test_signals},
    {"two workers share the load", test_two_workers},
    {"ceiling of connections", test_ceiling},
    {"which address is the proxy's", test_is_self},
    {"proxy to itself", test_proxy_to_itself},
    {"dial failures", test_dial_failures},
    {NULL, NULL},
};
