#include "proxy/net/transport.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/proxy/net/harness.h"
#include "tests/unit/unit.h"

static void test_connected(void) {
    uint16_t port;
    int server = server_open(&port), client = client_open(port), peer = server_accept(server);
    struct transport t;
    CU_ASSERT_TRUE(send_all(client, "question", 8) && recv_is(peer, "question"));
    CU_ASSERT_TRUE(send_all(peer, "answer", 6) && recv_is(client, "answer"));
    transport_sample(&t, client);
    CU_ASSERT_TRUE(t.rtt_us > 0 && t.rtt_us < 5000000);
    CU_ASSERT_TRUE(t.min_rtt_us > 0 && t.min_rtt_us <= 5000000);
    CU_ASSERT_TRUE(t.retransmits >= 0 && t.unacked >= 0 && t.outq == 0);
    // Bytes that the peer's full buffer keeps here are seen.
    static char flood[64 * 1024];
    while (send(client, flood, sizeof(flood), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
    }
    transport_sample(&t, client);
    CU_ASSERT_TRUE(t.outq > 0);
    close(client);
    close(peer);
    close(server);
}

// The SYN is kept for whoever accepts, once.
static void test_syn(void) {
    enum { IPV4_HEADER = 20, FLAGS = 13, SYN_FLAG = 2 };
    uint16_t port;
    uint8_t syn[TRANSPORT_SYN_MAX];
    int server = server_open(&port);
    transport_keep_syn(server);
    int client = client_open(port), peer = server_accept(server);
    CU_ASSERT_TRUE_FATAL(transport_syn(syn, peer) >= IPV4_HEADER + 20);
    CU_ASSERT_EQUAL(syn[0], 0x45);
    CU_ASSERT_EQUAL(syn[IPV4_HEADER + FLAGS] & SYN_FLAG, SYN_FLAG);
    CU_ASSERT_EQUAL(transport_syn(syn, peer), 0);
    CU_ASSERT_EQUAL(transport_syn(syn, client), 0);
    CU_ASSERT_EQUAL(transport_syn(syn, -1), 0);
    close(client);
    close(peer);
    close(server);
}

static void test_unknown(void) {
    struct transport t = {0};
    transport_sample(&t, -1);
    CU_ASSERT_TRUE(t.rtt_us < 0 && t.min_rtt_us < 0);
    CU_ASSERT_TRUE(t.retransmits < 0 && t.unacked < 0 && t.outq < 0);
}

static void test_prepare(void) {
    uint16_t port;
    int server = server_open(&port), client = client_open(port), on = 0;
    socklen_t len = sizeof(on);
    transport_prepare(client);
    CU_ASSERT_EQUAL(getsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
    CU_ASSERT_TRUE(on);
    on = 0;
    CU_ASSERT_EQUAL(getsockopt(client, SOL_SOCKET, SO_KEEPALIVE, &on, &len), 0);
    CU_ASSERT_TRUE(on);
    close(client);
    close(server);
}

const struct unit_case unit_cases[] = {
    {"a connection", test_connected}, {"SYN", test_syn}, {"no connection", test_unknown},
    {"prepare", test_prepare},        {NULL, NULL},
};
