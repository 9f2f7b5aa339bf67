// Relaying, closing and breaking, through a whole net with the fake session.
#include "proxy/net/net.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/proxy/net/fake_session.h"
#include "tests/unit/proxy/net/harness.h"
#include "tests/unit/unit.h"

static struct proxy proxy;
static int server;
static uint16_t port;
static bool splices;

static void begin(void) {
    fake_reset();
    proxy = (struct proxy){0};
    proxy.splices = splices;
    proxy_start(&proxy);
    server = server_open(&port);
}

static void end(void) {
    CU_ASSERT_TRUE(fake_wait_gone());
    proxy_stop(&proxy);
    close(server);
}

static void test_echo(void) {
    begin();
    int fds[2];
    relay_open(&proxy, server, port, fds);
    for (int i = 0; i < 100; i++) {
        CU_ASSERT_TRUE(send_all(fds[0], "question", 8) && recv_is(fds[1], "question"));
        CU_ASSERT_TRUE(send_all(fds[1], "answer", 6) && recv_is(fds[0], "answer"));
    }
    struct fake_note note;
    CU_ASSERT_TRUE(fake_wait(&note, 1, EVENT_TRIED, 1));
    CU_ASSERT_EQUAL(note.errnum, 0);
    CU_ASSERT_EQUAL(note.address.port, port);
    CU_ASSERT_TRUE(note.us >= 0);
    CU_ASSERT_EQUAL(fake_count(EVENT_RESOLVED), 0); // a literal
    // The kernel was asked about the connection.
    CU_ASSERT_TRUE(fake_wait(&note, 1, EVENT_BYTES, 100));
    CU_ASSERT_TRUE(note.transport.rtt_us > 0 && note.transport.min_rtt_us > 0);
    CU_ASSERT_TRUE(note.transport.retransmits >= 0 && note.transport.outq >= 0);
    close(fds[0]);
    close(fds[1]);
    end();
}

static void test_client_half_closes(void) {
    begin();
    int fds[2];
    relay_open(&proxy, server, port, fds);
    CU_ASSERT_TRUE(send_all(fds[0], "last words", 10));
    shutdown(fds[0], SHUT_WR);
    CU_ASSERT_TRUE(recv_is(fds[1], "last words"));
    CU_ASSERT_EQUAL(recv_end(fds[1]), 0);
    CU_ASSERT_TRUE(send_all(fds[1], "still here", 10) && recv_is(fds[0], "still here"));
    close(fds[1]);
    CU_ASSERT_EQUAL(recv_end(fds[0]), 0);
    close(fds[0]);
    end();
    CU_ASSERT_EQUAL(fake_count(EVENT_EOF), 2);
    CU_ASSERT_EQUAL(fake_count(EVENT_BROKEN), 0);
}

static void test_server_half_closes(void) {
    begin();
    int fds[2];
    relay_open(&proxy, server, port, fds);
    CU_ASSERT_TRUE(send_all(fds[1], "last words", 10));
    shutdown(fds[1], SHUT_WR);
    CU_ASSERT_TRUE(recv_is(fds[0], "last words"));
    CU_ASSERT_EQUAL(recv_end(fds[0]), 0);
    CU_ASSERT_TRUE(send_all(fds[0], "still here", 10) && recv_is(fds[1], "still here"));
    close(fds[0]);
    CU_ASSERT_EQUAL(recv_end(fds[1]), 0);
    close(fds[1]);
    end();
    CU_ASSERT_EQUAL(fake_count(EVENT_BROKEN), 0);
}

static uint32_t segments_in(int fd) {
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);
    CHECK(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0);
    return info.tcpi_segs_in;
}

// A FIN that is there with the last bytes goes on with them; bytes do not wait for one that is not.
static void check_last_words(int from, bool fin) {
    begin();
    int fds[2], to = !from;
    relay_open(&proxy, server, port, fds);
    uint32_t before = segments_in(fds[to]);
    int held = proxy_hold(&proxy);
    CU_ASSERT_TRUE(send_all(fds[from], FAKE_LAST, strlen(FAKE_LAST)));
    if (fin) {
        shutdown(fds[from], SHUT_WR);
    }
    proxy_release(&proxy);
    CU_ASSERT_TRUE(recv_is(fds[to], FAKE_LAST));
    if (fin) {
        CU_ASSERT_EQUAL(recv_end(fds[to]), 0);
    }
    CU_ASSERT_EQUAL(segments_in(fds[to]) - before, 1);
    close(held);
    close(fds[0]);
    close(fds[1]);
    end();
    CU_ASSERT_EQUAL(fake_count(EVENT_BROKEN), 0);
}

static void test_last_words(void) {
    for (int from = 0; from < 2; from++) {
        check_last_words(from, false);
        check_last_words(from, true);
    }
}

static void check_reset(int from, enum side side) {
    begin();
    int fds[2];
    struct fake_note note;
    relay_open(&proxy, server, port, fds);
    reset_close(fds[from]);
    CU_ASSERT_TRUE(fake_wait(&note, 1, EVENT_BROKEN, 1));
    CU_ASSERT_EQUAL(note.side, side);
    CU_ASSERT_EQUAL(note.errnum, ECONNRESET);
    CU_ASSERT_EQUAL(recv_end(fds[!from]), ECONNRESET); // the fake passes it on
    close(fds[!from]);
    end();
    CU_ASSERT_EQUAL(fake_count(EVENT_EOF), 0);
}

static void test_client_resets(void) { check_reset(0, SIDE_CLIENT); }
static void test_server_resets(void) { check_reset(1, SIDE_SERVER); }

static void test_reset_after_fin(void) {
    begin();
    int fds[2];
    struct fake_note note;
    relay_open(&proxy, server, port, fds);
    shutdown(fds[0], SHUT_WR);
    CU_ASSERT_TRUE(fake_wait(&note, 1, EVENT_EOF, 1));
    // Nobody reads the client any more, and there is nothing to write to it.
    reset_close(fds[0]);
    CU_ASSERT_TRUE(fake_wait(&note, 1, EVENT_BROKEN, 1));
    CU_ASSERT_EQUAL(note.side, SIDE_CLIENT);
    CU_ASSERT_EQUAL(note.errnum, EPIPE); // so the kernel calls a reset in CLOSE_WAIT
    close(fds[1]);
    end();
}

static void test_reset_while_not_read(void) {
    begin();
    int fd = client_ask(proxy.port, "HOLD\n");
    struct fake_note note;
    CU_ASSERT_TRUE(fake_wait(&note, 1, EVENT_BYTES, 1));
    reset_close(fd);
    CU_ASSERT_TRUE(fake_wait(&note, 1, EVENT_BROKEN, 1));
    CU_ASSERT_EQUAL(note.errnum, ECONNRESET);
    end();
}

// Bytes that came before the reset come before EVENT_BROKEN, whether a read or a write sees it
// first.
static void check_bytes_before_reset(bool client_first) {
    begin();
    int fds[2];
    struct fake_note note;
    relay_open(&proxy, server, port, fds);
    int held = proxy_hold(&proxy);
    if (client_first) {
        CU_ASSERT_TRUE(send_all(fds[0], "to the server", 13));
    }
    CU_ASSERT_TRUE(send_all(fds[1], "alert", 5));
    reset_close(fds[1]);
    if (!client_first) {
        CU_ASSERT_TRUE(send_all(fds[0], "to the server", 13));
    }
    proxy_release(&proxy);
    CU_ASSERT_TRUE(fake_wait(&note, 1, EVENT_BROKEN, 1));
    CU_ASSERT_EQUAL(note.side, SIDE_SERVER);
    CU_ASSERT_EQUAL(note.errnum, ECONNRESET);
    // The request line, and one or both of the others; the server's above all.
    bool alert = false;
    for (unsigned i = 2; i <= fake_count(EVENT_BYTES); i++) {
        CU_ASSERT_TRUE(fake_wait(&note, 1, EVENT_BYTES, i));
        alert = alert || (note.side == SIDE_SERVER && note.num == 5);
    }
    CU_ASSERT_TRUE(alert);
    close(fds[0]);
    close(held);
    end();
}

static void test_bytes_before_reset(void) {
    check_bytes_before_reset(true);
    check_bytes_before_reset(false);
}

// The client leaves at each step: before a word, within the line, while the server is dialled, and
// when it is connected; with FIN and with RST.
static void test_client_vanishes(void) {
    begin();
    uint16_t hole_port;
    struct black_hole hole = black_hole_open(&hole_port);
    char connecting[64], connected[64];
    snprintf(connecting, sizeof(connecting), "CONNECT 127.0.0.1 %u\n", hole_port);
    snprintf(connected, sizeof(connected), "CONNECT 127.0.0.1 %u\n", port);
    const char *const said[] = {"", "CONN", connecting, connected};
    for (unsigned i = 0; i < 40; i++) {
        int fd = client_open(proxy.port);
        CU_ASSERT_TRUE(send_all(fd, said[i % 4], strlen(said[i % 4])));
        if (i / 4 % 2 == 0) {
            reset_close(fd);
        } else {
            close(fd);
        }
    }
    // The servers' ends, none of which was accepted, go with the listening socket.
    close(server);
    CU_ASSERT_TRUE(fake_wait_gone());
    black_hole_close(&hole);
    server = server_open(&port);
    int fds[2];
    relay_open(&proxy, server, port, fds);
    close(fds[0]);
    close(fds[1]);
    end();
}

static void test_close_delivers_goodbye(void) {
    begin();
    for (int i = 0; i < 20; i++) {
        // More than the fake reads is under way when it closes: a plain close would be a RST.
        static char flood[256 * 1024];
        int fd = client_ask(proxy.port, "CLOSE\n");
        (void)send_all(fd, flood, sizeof(flood));
        CU_ASSERT_TRUE(recv_is(fd, FAKE_GOODBYE));
        CU_ASSERT_EQUAL(recv_end(fd), 0);
        close(fd);
    }
    end();
}

static void test_reset_wish(void) {
    begin();
    int fd = client_ask(proxy.port, "RESET\n");
    CU_ASSERT_EQUAL(recv_end(fd), ECONNRESET);
    close(fd);
    end();
}

static void test_timer(void) {
    begin();
    int fd = client_ask(proxy.port, "TIMER 30\n");
    CU_ASSERT_TRUE(recv_is(fd, "TICK\n"));
    close(fd);
    fd = client_ask(proxy.port, "TIMER 0\n");
    CU_ASSERT_TRUE(recv_is(fd, "TICK\n"));
    close(fd);
    end();
    CU_ASSERT_EQUAL(fake_count(EVENT_TIMER), 2);
}

struct transfer {
    int fd;
    size_t len;
    bool ok;
    atomic_bool over;
};

// A byte depends on its place, so that a lost, doubled or swapped one shows.
static uint8_t byte_at(size_t i) { return (uint8_t)(i ^ i >> 8 ^ i >> 16); }

static void *send_pattern(void *arg) {
    struct transfer *t = arg;
    uint8_t bytes[32 * 1024];
    t->ok = true;
    for (size_t at = 0; at < t->len && t->ok; at += sizeof(bytes)) {
        for (size_t i = 0; i < sizeof(bytes); i++) {
            bytes[i] = byte_at(at + i);
        }
        t->ok = send_all(t->fd, bytes, sizeof(bytes));
    }
    shutdown(t->fd, SHUT_WR);
    return NULL;
}

static bool recv_pattern(int fd, size_t len) {
    uint8_t bytes[8 * 1024];
    for (size_t at = 0; at < len; at += sizeof(bytes)) {
        if (!recv_all(fd, bytes, sizeof(bytes))) {
            return false;
        }
        for (size_t i = 0; i < sizeof(bytes); i++) {
            if (bytes[i] != byte_at(at + i)) {
                return false;
            }
        }
    }
    return true;
}

// Waits until nothing has moved through the proxy for a while: the sender is stuck.
static bool wait_stuck(void) {
    for (unsigned before = 0, now = 1, tries = 0; before != now; tries++) {
        before = now;
        poll(NULL, 0, 100);
        now = fake_count(EVENT_BYTES) + fake_count(EVENT_SPLICED);
        if (tries == 200) {
            return false;
        }
    }
    return true;
}

// drain reads `len` bytes and forgets them.
static bool drain(int fd, size_t len) {
    static uint8_t bytes[64 * 1024];
    while (len != 0) {
        ssize_t n = recv(fd, bytes, len < sizeof(bytes) ? len : sizeof(bytes), 0);
        if (n <= 0) {
            return false;
        }
        len -= (size_t)n;
    }
    return true;
}

static void test_backpressure(void) {
    for (int from = 0; from < 2; from++) {
        begin();
        int fds[2];
        relay_open(&proxy, server, port, fds);
        struct transfer t = {.fd = fds[from], .len = 32 << 20};
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, send_pattern, &t) == 0);
        CU_ASSERT_TRUE(wait_stuck());
        CU_ASSERT_TRUE(fake_most_held() > 0 || splices);
        CU_ASSERT_TRUE(recv_pattern(fds[!from], t.len));
        CHECK(pthread_join(thread, NULL) == 0);
        CU_ASSERT_TRUE(t.ok);
        CU_ASSERT_EQUAL(recv_end(fds[!from]), 0);
        // One read, and no more.
        CU_ASSERT_TRUE(fake_most_held() <= 256 * 1024);
        close(fds[0]);
        close(fds[1]);
        end();
    }
}

// A reader that stands still again and again is given little at a time.
static void test_slow_reader(void) {
    for (int from = 0; from < 2; from++) {
        begin();
        int fds[2];
        relay_open(&proxy, server, port, fds);
        struct transfer t = {.fd = fds[from], .len = 48 << 20};
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, send_pattern, &t) == 0);
        CU_ASSERT_TRUE(wait_stuck() && wait_stuck()); // each takes a tenth of a second
        CU_ASSERT_TRUE(fake_most_held() <= 64 * 1024);
        CU_ASSERT_TRUE(drain(fds[!from], 8 << 20));
        CU_ASSERT_TRUE(wait_stuck());
        fake_forget_most_held();
        CU_ASSERT_TRUE(drain(fds[!from], 8 << 20));
        CU_ASSERT_TRUE(wait_stuck());
        CU_ASSERT_TRUE(fake_most_held() > 0);
        CU_ASSERT_TRUE(fake_most_held() <= 16 * 1024);
        reset_close(fds[!from]);
        CHECK(pthread_join(thread, NULL) == 0);
        close(fds[from]);
        end();
    }
}

// A reset is seen while the other side's slowness keeps the broken one from being read.
static void test_reset_under_backpressure(void) {
    begin();
    int fds[2];
    struct fake_note note;
    relay_open(&proxy, server, port, fds);
    struct transfer t = {.fd = fds[1], .len = 32 << 20};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, send_pattern, &t) == 0);
    CU_ASSERT_TRUE(wait_stuck());
    reset_close(fds[0]); // the slow reader
    CU_ASSERT_TRUE(fake_wait(&note, 1, EVENT_BROKEN, 1));
    CU_ASSERT_EQUAL(note.side, SIDE_CLIENT);
    CHECK(pthread_join(thread, NULL) == 0);
    CU_ASSERT_FALSE(t.ok);
    close(fds[1]);
    end();
}

static void *recv_pattern_thread(void *arg) {
    struct transfer *t = arg;
    t->ok = recv_pattern(t->fd, t->len);
    atomic_store(&t->over, true);
    return NULL;
}

// With both directions stuck the broken side has bytes unread and bytes to be written: neither may
// keep the session from being told.
static void test_reset_while_all_is_stuck(void) {
    begin();
    int fds[2];
    struct fake_note note;
    relay_open(&proxy, server, port, fds);
    struct transfer t[2] = {{.fd = fds[0], .len = 32 << 20}, {.fd = fds[1], .len = 32 << 20}};
    pthread_t threads[2];
    CHECK(pthread_create(&threads[0], NULL, send_pattern, &t[0]) == 0);
    CHECK(pthread_create(&threads[1], NULL, send_pattern, &t[1]) == 0);
    CU_ASSERT_TRUE(wait_stuck());
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    CHECK(setsockopt(fds[0], SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) == 0);
    // Its sender still uses the descriptor: disconnecting resets without closing it.
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    int same = dup(fds[0]); // lest the thread sanitizer take it for another file
    CHECK(connect(same, &nobody, sizeof(nobody)) == 0 && close(same) == 0);
    CU_ASSERT_TRUE(fake_wait(&note, 1, EVENT_BROKEN, 1));
    CU_ASSERT_EQUAL(note.side, SIDE_CLIENT);
    CU_ASSERT_EQUAL(note.errnum, ECONNRESET);
    CHECK(pthread_join(threads[0], NULL) == 0 && pthread_join(threads[1], NULL) == 0);
    CU_ASSERT_FALSE(t[0].ok || t[1].ok);
    close(fds[0]);
    close(fds[1]);
    end();
}

// While one connection is as busy as can be, another is served.
static void test_busy_does_not_starve(void) {
    begin();
    int fds[2], other[2];
    relay_open(&proxy, server, port, fds);
    relay_open(&proxy, server, port, other);
    struct transfer from = {.fd = fds[0], .len = 64 << 20}, to = {.fd = fds[1], .len = 64 << 20};
    pthread_t threads[2];
    CHECK(pthread_create(&threads[0], NULL, send_pattern, &from) == 0);
    CHECK(pthread_create(&threads[1], NULL, recv_pattern_thread, &to) == 0);
    unsigned served = 0;
    for (; !atomic_load(&to.over); served++) {
        CU_ASSERT_TRUE(send_all(other[0], "ping", 4) && recv_is(other[1], "ping"));
    }
    CHECK(pthread_join(threads[0], NULL) == 0 && pthread_join(threads[1], NULL) == 0);
    CU_ASSERT_TRUE(from.ok && to.ok);
    CU_ASSERT_TRUE(served >= 20);
    for (int i = 0; i < 2; i++) {
        close(fds[i]);
        close(other[i]);
    }
    end();
}

static void test_thousand_connections(void) {
    enum { NUM = 1000 };
    static int fds[NUM][2];
    begin();
    for (int i = 0; i < NUM; i++) {
        relay_open(&proxy, server, port, fds[i]);
    }
    CU_ASSERT_EQUAL(fake_alive(), NUM);
    for (int i = 0; i < NUM; i++) {
        CU_ASSERT_TRUE(send_all(fds[i][0], "question", 8));
        CU_ASSERT_TRUE(send_all(fds[i][1], "answer", 6));
    }
    for (int i = NUM - 1; i >= 0; i--) {
        CU_ASSERT_TRUE(recv_is(fds[i][1], "question") && recv_is(fds[i][0], "answer"));
        close(fds[i][0]);
        close(fds[i][1]);
    }
    end();
}

// What holds for bytes that are shown holds for those that are not.
#define SPLICED(test)                                                                              \
    static void spliced_##test(void) {                                                             \
        splices = true;                                                                            \
        test();                                                                                    \
        splices = false;                                                                           \
    }
SPLICED(test_client_half_closes)
SPLICED(test_server_half_closes)
SPLICED(test_client_resets)
SPLICED(test_server_resets)
SPLICED(test_reset_after_fin)
SPLICED(test_backpressure)
SPLICED(test_reset_under_backpressure)
SPLICED(test_reset_while_all_is_stuck)
SPLICED(test_busy_does_not_starve)

// More connections are stuck than there are pipes: the others' bytes are shown after all.
static void test_pipes_run_out(void) {
    enum { PATHS = 6 };
    fake_reset();
    proxy = (struct proxy){.splices = true, .config = {.max_pipes = 2}};
    proxy_start(&proxy);
    server = server_open(&port);
    int fds[PATHS][2];
    struct transfer transfers[PATHS];
    pthread_t threads[PATHS];
    for (int i = 0; i < PATHS; i++) {
        relay_open(&proxy, server, port, fds[i]);
        transfers[i] = (struct transfer){.fd = fds[i][1], .len = 16 << 20};
        CHECK(pthread_create(&threads[i], NULL, send_pattern, &transfers[i]) == 0);
    }
    CU_ASSERT_TRUE(wait_stuck());
    CU_ASSERT_TRUE(fake_count(EVENT_SPLICED) > 0 && fake_most_held() > 0);
    for (int i = 0; i < PATHS; i++) {
        CU_ASSERT_TRUE(recv_pattern(fds[i][0], transfers[i].len));
        CHECK(pthread_join(threads[i], NULL) == 0);
        CU_ASSERT_EQUAL(recv_end(fds[i][0]), 0);
        close(fds[i][0]);
        close(fds[i][1]);
    }
    end();
}

const struct unit_case unit_cases[] = {
    {"echo", test_echo},
    {"client half-closes", test_client_half_closes},
    {"server half-closes", test_server_half_closes},
    {"last words", test_last_words},
    {"client resets", test_client_resets},
    {"server resets", test_server_resets},
    {"reset after FIN", test_reset_after_fin},
    {"reset while not read", test_reset_while_not_read},
    {"bytes before a reset come first", test_bytes_before_reset},
    {"client vanishes at each step", test_client_vanishes},
    {"close delivers what was written", test_close_delivers_goodbye},
    {"reset wish", test_reset_wish},
    {"timer", test_timer},
    {"backpressure both ways", test_backpressure},
    {"reset under backpressure", test_reset_under_backpressure},
    {"reset while all is stuck", test_reset_while_all_is_stuck},
    {"a busy connection starves nobody", test_busy_does_not_starve},
    {"1000 connections", test_thousand_connections},
    {"spliced: client half-closes", spliced_test_client_half_closes},
    {"spliced: server half-closes", spliced_test_server_half_closes},
    {"spliced: client resets", spliced_test_client_resets},
    {"spliced: server resets", spliced_test_server_resets},
    {"spliced: reset after FIN", spliced_test_reset_after_fin},
    {"a slow reader", test_slow_reader},
    {"spliced: backpressure", spliced_test_backpressure},
    {"spliced: reset under backpressure", spliced_test_reset_under_backpressure},
    {"spliced: reset while all is stuck", spliced_test_reset_while_all_is_stuck},
    {"spliced: a busy connection starves nobody", spliced_test_busy_does_not_starve},
    {"pipes run out", test_pipes_run_out},
    {NULL, NULL},
};
