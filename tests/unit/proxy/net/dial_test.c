#include "proxy/net/dial.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/net/address.h"
#include "tests/unit/proxy/net/dns_server.h"
#include "tests/unit/proxy/net/harness.h"
#include "tests/unit/unit.h"

enum { MAX_EVENTS = 64 };

static struct ev_loop *loop;
static struct dns_server dns;
static struct dialer dialer;
static struct event events[MAX_EVENTS];
static size_t num_events;
static int connected_fd;
static struct address self;

static bool is_self(void *ctx, const struct address *address) {
    CU_ASSERT_PTR_EQUAL(ctx, &self);
    return address_equal(address, &self);
}

static void begin(void) {
    struct err err = {0};
    loop = ev_loop_new(0);
    dns_server_init(&dns, loop);
    self = (struct address){.port = 0};
    dialer = (struct dialer){.loop = loop,
                             .resolver = resolver_new(loop, dns.at, 8000000, &err),
                             .connect_timeout_us = 10000000,
                             .attempt_delay_us = 250000,
                             .is_self = is_self,
                             .ctx = &self};
    CHECK(dialer.resolver != NULL);
}

static void end(void) {
    resolver_free(dialer.resolver);
    dns_server_cleanup(&dns);
    ev_loop_destroy(loop);
}

static bool is_last(enum event_kind kind) {
    return kind == EVENT_CONNECTED || kind == EVENT_UNRESOLVED || kind == EVENT_DIAL_FAILED;
}

static void on_event(void *ctx, struct event *event, int fd) {
    CU_ASSERT_PTR_EQUAL(ctx, events);
    CU_ASSERT_EQUAL(event->side, SIDE_SERVER);
    CU_ASSERT_EQUAL(fd >= 0, event->kind == EVENT_CONNECTED);
    CU_ASSERT_TRUE(num_events == 0 || !is_last(events[num_events - 1].kind));
    CHECK(num_events < MAX_EVENTS);
    events[num_events++] = *event;
    connected_fd = fd;
    if (is_last(event->kind)) {
        ev_break(loop, EVBREAK_ONE);
    }
}

static void on_late(struct ev_loop *l, ev_timer *timer, int revents) {
    (void)timer, (void)revents;
    CU_FAIL("too late");
    ev_break(l, EVBREAK_ONE);
}

static struct dial *start(const char *host, uint16_t port) {
    num_events = 0;
    struct dial *dial = dial_new(&dialer, host, port, on_event, events);
    CU_ASSERT_EQUAL(num_events, 0); // never from within
    return dial;
}

// Dials and runs until it is over; the last event is returned.
static const struct event *dial(const char *host, uint16_t port) {
    struct dial *d = start(host, port);
    ev_timer late;
    ev_timer_init(&late, on_late, 20, 0);
    ev_timer_start(loop, &late);
    ev_run(loop, 0);
    ev_timer_stop(loop, &late);
    dial_free(d);
    CHECK(num_events != 0);
    return &events[num_events - 1];
}

// Binds a port of `literal`, to listen on or not.
static int bound(const char *literal, uint16_t *port, int backlog) {
    struct address address;
    struct sockaddr_storage sa;
    CHECK(address_parse(&address, literal));
    address.port = *port;
    socklen_t len = address_to_sockaddr(&sa, &address);
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&sa, len) == 0);
    CHECK(backlog < 0 || listen(fd, backlog) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&sa, &len) == 0);
    address_from_sockaddr(&address, (struct sockaddr *)&sa);
    *port = address.port;
    return fd;
}

static bool tried(size_t i, const char *literal, int errnum) {
    struct address address;
    CHECK(address_parse(&address, literal));
    return i < num_events && events[i].kind == EVENT_TRIED && events[i].tried.errnum == errnum &&
           address_same_ip(&events[i].tried.address, &address) && events[i].tried.us >= 0;
}

static void test_literal(void) {
    begin();
    static const char *const literals[] = {"127.0.0.1", "::1", "::ffff:127.0.0.1"};
    for (size_t i = 0; i < ARRAY_LEN(literals); i++) {
        uint16_t port = 0;
        int server = bound(literals[i], &port, 8);
        const struct event *last = dial(literals[i], port);
        CU_ASSERT_EQUAL(last->kind, EVENT_CONNECTED);
        CU_ASSERT_EQUAL(last->tried.address.port, port);
        CU_ASSERT_EQUAL(num_events, 2);
        CU_ASSERT_TRUE(tried(0, literals[i], 0));
        CU_ASSERT_EQUAL(send(connected_fd, "x", 1, MSG_NOSIGNAL), 1);
        close(connected_fd);
        close(server);
    }
    CU_ASSERT_EQUAL(dns.queries, 0);
    end();
}

static void test_name(void) {
    begin();
    uint16_t port = 0;
    int server = bound("127.0.0.1", &port, 8);
    CU_ASSERT_EQUAL(dial("four.test", port)->kind, EVENT_CONNECTED);
    CU_ASSERT_EQUAL(events[0].kind, EVENT_RESOLVED);
    CU_ASSERT_EQUAL(events[0].resolved.num, 1);
    CU_ASSERT_TRUE(tried(1, "127.0.0.1", 0));
    CU_ASSERT_EQUAL(num_events, 3);
    close(connected_fd);
    CU_ASSERT_EQUAL(dial("localhost", port)->kind, EVENT_CONNECTED);
    close(connected_fd);
    close(server);
    end();
}

static unsigned num_prepared;

static void prepare(void *ctx, int fd) {
    CU_ASSERT_PTR_EQUAL(ctx, &self);
    CU_ASSERT_TRUE(fd >= 0);
    num_prepared++;
}

// Only addresses of the wanted family are tried, and every socket can be prepared.
static void test_family(void) {
    begin();
    uint16_t port = 0;
    int server = bound("127.0.0.1", &port, 8);
    num_prepared = 0;
    dialer.prepare = prepare;
    dialer.family = AF_INET;
    CU_ASSERT_EQUAL(dial("localhost", port)->kind, EVENT_CONNECTED);
    CU_ASSERT_TRUE(tried(1, "127.0.0.1", 0));
    CU_ASSERT_EQUAL(num_prepared, 1);
    close(connected_fd);
    dialer.family = AF_INET6;
    CU_ASSERT_EQUAL(dial("four.test", port)->kind, EVENT_UNRESOLVED);
    CU_ASSERT_EQUAL(events[0].dns_error, DNS_NO_DATA);
    CU_ASSERT_EQUAL(dial("127.0.0.1", port)->kind, EVENT_DIAL_FAILED);
    CU_ASSERT_EQUAL(events[0].errnum, EAFNOSUPPORT);
    CU_ASSERT_EQUAL(num_prepared, 1);
    close(server);
    end();
}

static void test_unresolved(void) {
    begin();
    CU_ASSERT_EQUAL(dial("nx.test", 443)->kind, EVENT_UNRESOLVED);
    CU_ASSERT_EQUAL(events[0].dns_error, DNS_NOT_FOUND);
    CU_ASSERT_EQUAL(num_events, 1);
    end();
}

static void check_fails(const char *literal, uint16_t port, int errnum) {
    const struct event *last = dial(literal, port);
    CU_ASSERT_EQUAL(last->kind, EVENT_DIAL_FAILED);
    CU_ASSERT_EQUAL(last->errnum, errnum);
    CU_ASSERT_EQUAL(num_events, 2);
    CU_ASSERT_TRUE(tried(0, literal, errnum));
    if (last->errnum != errnum) {
        printf("%s: %s\n", literal, strerror(last->errnum));
    }
}

static void test_refused(void) {
    begin();
    uint16_t port = 0;
    int fd = bound("127.0.0.1", &port, -1); // nobody else can listen there
    check_fails("127.0.0.1", port, ECONNREFUSED);
    close(fd);
    end();
}

static void test_is_self(void) {
    begin();
    uint16_t port = 0;
    int server = bound("127.0.0.1", &port, 8);
    CHECK(address_parse(&self, "127.0.0.1"));
    self.port = port;
    check_fails("127.0.0.1", port, ELOOP);
    close(server);
    end();
}

// What the kernel refuses at once.
static void test_errors_at_once(void) {
    begin();
    check_fails("255.255.255.255", 1, ENETUNREACH); // broadcast
    end();
}

static void dial_without_descriptors(void) {
    begin();
    struct rlimit limit = {.rlim_cur = 3, .rlim_max = 3};
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CU_ASSERT_EQUAL(dial("127.0.0.1", 1)->kind, EVENT_DIAL_FAILED);
    CU_ASSERT_TRUE(tried(0, "127.0.0.1", EMFILE));
}

static void test_no_descriptors(void) { CU_ASSERT_TRUE(child_passes(dial_without_descriptors)); }

static void write_file(const char *path, const char *text) {
    FILE *f = fopen(path, "w");
    CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

// With one port to choose from, the kernel connects a socket that dials this port to itself.
static void dial_own_source_port(void) {
    struct ifreq up = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        printf("(no namespaces here) ");
        return;
    }
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(ioctl(fd, SIOCSIFFLAGS, &up) == 0);
    close(fd);
    write_file("/proc/sys/net/ipv4/ip_local_port_range", "40000 40001");
    begin();
    // The kernel takes odd or even ports first; one of the two meets itself.
    uint16_t port = 40000;
    CU_ASSERT_EQUAL(dial("127.0.0.1", port)->errnum, ECONNREFUSED);
    CU_ASSERT_EQUAL(dial("127.0.0.1", port + 1)->errnum, ECONNREFUSED);
    CU_ASSERT_EQUAL(events[num_events - 1].kind, EVENT_DIAL_FAILED);
    // Nothing leads anywhere else from here.
    CU_ASSERT_EQUAL(dial("192.0.2.1", 443)->errnum, ENETUNREACH);
    end();
}

static void test_meets_itself(void) { CU_ASSERT_TRUE(child_passes(dial_own_source_port)); }

static void test_timeout(void) {
    begin();
    uint16_t port = 0;
    struct black_hole hole = black_hole_open(&port);
    dialer.connect_timeout_us = 100000;
    check_fails("127.0.0.1", port, ETIMEDOUT);
    CU_ASSERT_TRUE(events[0].tried.us >= 95000);
    black_hole_close(&hole);
    end();
}

// ::1 answers while 127.0.0.1 does not, or the other way round: the second address is tried beside
// the first, and the first that answers wins.
static void test_race(void) {
    begin();
    uint16_t port = 0;
    struct black_hole hole = black_hole_open(&port);
    int server = bound("::1", &port, 8);
    dialer.attempt_delay_us = 50000;
    CU_ASSERT_EQUAL(dial("localhost", port)->kind, EVENT_CONNECTED);
    CU_ASSERT_EQUAL(num_events, 4);
    CU_ASSERT_EQUAL(events[0].kind, EVENT_RESOLVED);
    CU_ASSERT_TRUE(tried(1, "::1", 0));
    CU_ASSERT_TRUE(tried(2, "127.0.0.1", ECANCELED));
    CU_ASSERT_TRUE(events[2].tried.us >= 45000);
    close(connected_fd);
    close(server);
    black_hole_close(&hole);
    end();
}

// A refusal starts the next attempt without delay.
static void test_refused_then_connected(void) {
    begin();
    uint16_t port = 0;
    int closed = bound("127.0.0.1", &port, -1);
    int server = bound("::1", &port, 8);
    dialer.attempt_delay_us = 30000000;
    CU_ASSERT_EQUAL(dial("localhost", port)->kind, EVENT_CONNECTED);
    CU_ASSERT_TRUE(tried(1, "127.0.0.1", ECONNREFUSED) && tried(2, "::1", 0));
    close(connected_fd);
    close(server);
    close(closed);
    end();
}

// Families alternate, no address is left out, and the last failure is the dial's.
static void test_many_fail(void) {
    begin();
    uint16_t port = 0;
    int closed = bound("127.0.0.1", &port, -1);
    dialer.connect_timeout_us = 2000000;
    dialer.attempt_delay_us = 10000;
    const struct event *last = dial("many.test", port);
    CU_ASSERT_TRUE(last->kind == EVENT_DIAL_FAILED && last->errnum != 0);
    CU_ASSERT_EQUAL(events[0].resolved.num, RESOLVE_MAX_ADDRESSES);
    CU_ASSERT_EQUAL(num_events, RESOLVE_MAX_ADDRESSES + 2);
    CU_ASSERT_TRUE(tried(1, "::1", ECONNREFUSED) || tried(2, "::1", ECONNREFUSED));
    close(closed);
    end();
}

static void test_freed_under_way(void) {
    begin();
    uint16_t port = 0;
    struct black_hole hole = black_hole_open(&port);
    // Before its first step, during the lookup with the answer coming later, and while connecting.
    dial_free(start("127.0.0.1", port));
    struct dial *d = start("slow.test", port);
    while (dns.num_held < 2) {
        ev_run(loop, EVRUN_ONCE);
    }
    dial_free(d);
    dns_server_release(&dns);
    d = start("127.0.0.1", port);
    ev_run(loop, EVRUN_NOWAIT);
    dial_free(d);
    dial_free(NULL);
    ev_run(loop, EVRUN_NOWAIT);
    CU_ASSERT_EQUAL(num_events, 0);
    uint16_t other = 0;
    int server = bound("127.0.0.1", &other, 8);
    CU_ASSERT_EQUAL(dial("four.test", other)->kind, EVENT_CONNECTED);
    close(connected_fd);
    close(server);
    black_hole_close(&hole);
    end();
}

const struct unit_case unit_cases[] = {
    {"literal", test_literal},
    {"name", test_name},
    {"family", test_family},
    {"unresolved", test_unresolved},
    {"refused", test_refused},
    {"the proxy itself", test_is_self},
    {"errors at once", test_errors_at_once},
    {"no descriptors", test_no_descriptors},
    {"meets itself", test_meets_itself},
    {"timeout", test_timeout},
    {"race", test_race},
    {"refused, then connected", test_refused_then_connected},
    {"many fail", test_many_fail},
    {"freed under way", test_freed_under_way},
    {NULL, NULL},
};
