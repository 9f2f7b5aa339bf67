// The proxy as a whole: starting, stopping, what it is to itself.
#include "proxy/net/net.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
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
    {"two addresses", test_two_addresses},
    {"port taken", test_port_taken},
    {"never run", test_never_run},
    {"stop with open connections", test_stop},
    {"stop two workers", test_stop_workers},
    {"signals", test_signals},
    {"which address is the proxy's", test_is_self},
    {"proxy to itself", test_proxy_to_itself},
    {"dial failures", test_dial_failures},
    {NULL, NULL},
};
