#include "logs/pcap/flow.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/logs/pcap/packets.h"
#include "tests/unit/unit.h"

enum { CLIENT_ISN = 1000, SERVER_ISN = 5000, SECOND = 1000000 };

static struct flow_log flow;

#define SAYS(text) CU_ASSERT_STRING_EQUAL(flow_log_text(&flow), text)

// Segments by their offset in the stream of the sender.
static void from_client(int64_t us, uint32_t offset, const char *data) {
    flow_log_tcp(&flow, us,
                 (struct tcp_spec){.flags = TCP_ACK,
                                   .seq = CLIENT_ISN + 1 + offset,
                                   .ack = SERVER_ISN + 1,
                                   .data = data,
                                   .len = strlen(data)});
}

static void from_server(int64_t us, uint32_t offset, uint32_t acked, const char *data) {
    flow_log_tcp(&flow, us,
                 (struct tcp_spec){.from_server = true,
                                   .flags = TCP_ACK,
                                   .seq = SERVER_ISN + 1 + offset,
                                   .ack = CLIENT_ISN + 1 + acked,
                                   .data = data,
                                   .len = strlen(data)});
}

static void flags(int64_t us, bool server, uint32_t offset, uint8_t bits) {
    flow_log_tcp(&flow, us,
                 (struct tcp_spec){.from_server = server,
                                   .flags = bits,
                                   .ttl = bits & TCP_RST ? 9 : 0,
                                   .seq = (server ? SERVER_ISN : CLIENT_ISN) + 1 + offset,
                                   .ack = (server ? CLIENT_ISN : SERVER_ISN) + 1});
}

static void open_stream(void) {
    flow_log_init(&flow, 0);
    flow_log_tcp(&flow, 0,
                 (struct tcp_spec){.flags = TCP_SYN, .seq = CLIENT_ISN, .options = "020405b4"});
    flow_log_tcp(&flow, 20000,
                 (struct tcp_spec){.from_server = true,
                                   .flags = TCP_SYN | TCP_ACK,
                                   .ttl = 55,
                                   .seq = SERVER_ISN,
                                   .ack = CLIENT_ISN + 1,
                                   .options = "0101020405780000"});
    SAYS("begin;");
}

static void test_a_connection_from_syn_to_fin(void) {
    open_stream();
    from_client(30000, 0, "hello");
    from_server(40000, 0, 5, "world");
    flags(50000, true, 5, TCP_FIN | TCP_ACK);
    flags(60000, false, 5, TCP_FIN | TCP_ACK);
    SAYS("C:hello;S:world;");
    flow_finish(flow.flow);
    SAYS("end fin S;");
    const struct flow_end *client = &flow.last.ends[FLOW_CLIENT],
                          *server = &flow.last.ends[FLOW_SERVER];
    CU_ASSERT_TRUE(client->syn && server->syn && client->fin && server->fin && !client->rst);
    CU_ASSERT_EQUAL(client->port, 40000);
    CU_ASSERT_EQUAL(server->port, 443);
    CU_ASSERT_EQUAL(server->address[15], 2);
    CU_ASSERT_EQUAL(client->mss, 1460);
    CU_ASSERT_EQUAL(server->mss, 0x578);
    CU_ASSERT_EQUAL(client->options_len, 4);
    CU_ASSERT_EQUAL(server->ttl, 55);
    CU_ASSERT_EQUAL(server->syn_us - client->syn_us, 20000);
    CU_ASSERT_EQUAL(client->bytes, 5);
    CU_ASSERT_EQUAL(flow.last.end_us, 50000);
    CU_ASSERT_EQUAL(client->packets, 3);
    flow_log_cleanup(&flow);
}

static void test_reordering_and_retransmission(void) {
    open_stream();
    from_client(1, 5, "fghij");
    from_client(2, 15, "pqrst");
    SAYS("");
    from_client(3, 0, "abcde");
    SAYS("C:abcde;C:fghij;");
    from_client(4, 0, "abcde");
    from_client(5, 5, "fghijklmno");
    SAYS("C:klmno;C:pqrst;");
    flow_finish(flow.flow);
    SAYS("end open;");
    CU_ASSERT_EQUAL(flow.last.ends[FLOW_CLIENT].retransmits, 1);
    CU_ASSERT_EQUAL(flow.last.ends[FLOW_CLIENT].bytes, 20);
    CU_ASSERT_EQUAL(flow.last.ends[FLOW_CLIENT].gap_bytes, 0);
    CU_ASSERT_FALSE(flow.last.lanes[FLOW_CLIENT].bytes.differs);
    flow_log_cleanup(&flow);
}

static void test_keep_alive_is_no_retransmission(void) {
    open_stream();
    from_client(1, 0, "abc");
    from_client(2, 2, "c");
    flow_finish(flow.flow);
    CU_ASSERT_EQUAL(flow.last.ends[FLOW_CLIENT].retransmits, 0);
    flow_log_cleanup(&flow);
}

static void test_first_copy_wins(void) {
    open_stream();
    from_client(1, 0, "abc");
    from_client(2, 0, "xyzde");
    SAYS("C:abc;C:de;");
    flow_finish(flow.flow);
    CU_ASSERT_TRUE(flow.last.lanes[FLOW_CLIENT].bytes.differs);
    flow_log_cleanup(&flow);
}

static void test_loss_that_was_acknowledged(void) {
    open_stream();
    from_client(1, 0, "abc");
    from_client(2, 8, "ijk");
    from_server(3, 0, 11, "ok");
    SAYS("C:abc;S:ok;");
    from_server(2 * SECOND, 2, 11, "!");
    SAYS("S:!;C gap 5;C:ijk;");
    flow_finish(flow.flow);
    CU_ASSERT_EQUAL(flow.last.ends[FLOW_CLIENT].gap_bytes, 5);
    CU_ASSERT_EQUAL(flow_counts(flow.flow).gap_bytes, 5);
    flow_log_cleanup(&flow);
}

static void test_loss_waits_longer_without_acknowledgement(void) {
    open_stream();
    from_client(1, 3, "def");
    from_server(2 * SECOND, 0, 0, "x");
    SAYS("S:x;");
    from_server(32 * SECOND, 1, 0, "y");
    SAYS("S:y;C gap 3;C:def;");
    flow_log_cleanup(&flow);
}

static void test_loss_at_the_end(void) {
    open_stream();
    from_client(1, 3, "def");
    flow_finish(flow.flow);
    SAYS("C gap 3;C:def;end open;");
    flow_log_cleanup(&flow);
    open_stream();
    from_client(1, 0, "abc");
    from_server(2, 0, 100, "x");
    flow_finish(flow.flow);
    SAYS("C:abc;S:x;C gap 97;end open;");
    flow_log_cleanup(&flow);
}

static void test_waiting_bytes_have_a_ceiling(void) {
    char *data = xmalloc(60001);
    memset(data, 'x', 60000);
    data[60000] = '\0';
    open_stream();
    for (uint32_t i = 0; i < 17; i++) {
        from_client(1 + i, 10 + i * 60000, data);
    }
    SAYS("");
    from_client(20, 10 + 17 * 60000, data);
    const char *text = flow_log_text(&flow);
    CU_ASSERT_EQUAL(strncmp(text, "C gap 10;C:xxx", 14), 0);
    flow_log_cleanup(&flow);
    free(data);
}

static void test_packets_cut_by_the_snap_length(void) {
    struct tcp_spec spec = {
        .flags = TCP_ACK, .seq = CLIENT_ISN + 1, .ack = SERVER_ISN + 1, .data = "abcdef", .len = 6};
    struct wire wire = {.len = 0};
    open_stream();
    ip_bytes(&wire, &spec);
    struct packet packet = {
        .time_us = 1, .link_type = LINK_RAW, .p = wire.p, .len = wire.len - 2, .wire_len = 46};
    flow_packet(flow.flow, &packet);
    packet.len = 40; // nothing of the data
    wire.p[27] += 6;
    flow_packet(flow.flow, &packet);
    from_client(2, 12, "ghi");
    SAYS("C:abcd;C gap 2;C gap 6;C:ghi;");
    CU_ASSERT_EQUAL(flow_counts(flow.flow).cut, 2);
    flow_log_cleanup(&flow);
}

static void test_capture_that_starts_inside(void) {
    flow_log_init(&flow, 0);
    from_server(1, 700, 30, "");
    SAYS("");
    from_server(1, 700, 30, "late");
    from_client(2, 30, "abc");
    SAYS("begin?;S:late;C:abc;");
    flow_finish(flow.flow);
    SAYS("end open;");
    CU_ASSERT_EQUAL(flow.last.ends[FLOW_SERVER].port, 443);
    CU_ASSERT_FALSE(flow.last.ends[FLOW_CLIENT].syn);
    flow_log_cleanup(&flow);
}

static void test_ports_used_again(void) {
    open_stream();
    from_client(1, 0, "one");
    flow_log_tcp(&flow, 2, (struct tcp_spec){.flags = TCP_SYN, .seq = 77000});
    SAYS("C:one;end reused;begin;");
    flow_log_tcp(&flow, 3, (struct tcp_spec){.flags = TCP_SYN, .seq = 77000});
    flow_log_tcp(&flow, 4,
                 (struct tcp_spec){.flags = TCP_ACK, .seq = 77001, .data = "t", .len = 1});
    flow_finish(flow.flow);
    SAYS("C:t;end open;");
    CU_ASSERT_EQUAL(flow.last.ends[FLOW_CLIENT].retransmits, 1);
    flow_log_cleanup(&flow);
}

static void test_reset(void) {
    open_stream();
    from_client(1, 0, "abc");
    flags(2, true, 0, TCP_RST | TCP_ACK);
    flags(3, false, 3, TCP_RST);
    SAYS("C:abc;");
    // What comes within the linger still belongs to it, what comes later begins nothing.
    from_server(SECOND, 0, 3, "late");
    SAYS("S:late;");
    flow_log_tcp(&flow, 9 * SECOND,
                 (struct tcp_spec){.client_port = 40001, .flags = TCP_SYN, .seq = 1});
    SAYS("end rst S;begin;");
    CU_ASSERT_EQUAL(flow.last.ends[FLOW_SERVER].rst_us, 2);
    CU_ASSERT_EQUAL(flow.last.ends[FLOW_SERVER].rst_ttl, 9);
    CU_ASSERT_TRUE(flow.last.ends[FLOW_CLIENT].rst);
    flags(10 * SECOND, false, 3, TCP_ACK);
    SAYS("");
    flow_log_cleanup(&flow);
}

static void test_connection_that_outlives_a_reset(void) {
    open_stream();
    flags(1, true, 0, TCP_RST);
    for (int i = 1; i < 8; i++) {
        from_client(i * 2 * SECOND, (uint32_t)i - 1, "x");
    }
    SAYS("C:x;C:x;C:x;C:x;C:x;C:x;C:x;");
    flow_finish(flow.flow);
    SAYS("end rst S;");
    flow_log_cleanup(&flow);
}

static void test_ignored_streams_are_counted(void) {
    flow_log_init(&flow, 0);
    flow.ignore = true;
    flow_log_tcp(&flow, 0, (struct tcp_spec){.flags = TCP_SYN, .seq = CLIENT_ISN});
    from_client(1, 0, "abc");
    from_client(2, 10, "klm");
    from_client(3, 0, "abc");
    flow_finish(flow.flow);
    SAYS("begin;end open;");
    CU_ASSERT_EQUAL(flow.last.ends[FLOW_CLIENT].bytes, 13);
    CU_ASSERT_EQUAL(flow.last.ends[FLOW_CLIENT].retransmits, 1);
    flow_log_cleanup(&flow);
}

static void test_too_many_streams(void) {
    flow_log_init(&flow, 2);
    for (uint16_t i = 0; i < 3; i++) {
        flow_log_tcp(
            &flow, i,
            (struct tcp_spec){.client_port = (uint16_t)(50000 + i), .flags = TCP_SYN, .seq = 1});
    }
    SAYS("begin;begin;end evicted;begin;");
    CU_ASSERT_EQUAL(flow.last.ends[FLOW_CLIENT].port, 50000);
    CU_ASSERT_EQUAL(flow_counts(flow.flow).evicted, 1);
    flow_log_cleanup(&flow);
}

static void test_eviction_on_demand(void) {
    flow_log_init(&flow, 0);
    CU_ASSERT_FALSE(flow_evict(flow.flow));
    flow_log_tcp(&flow, 0, (struct tcp_spec){.flags = TCP_SYN, .seq = 1});
    CU_ASSERT_TRUE(flow_evict(flow.flow));
    SAYS("begin;end evicted;");
    CU_ASSERT_EQUAL(flow_counts(flow.flow).evicted, 1);
    flow_log_cleanup(&flow);
}

static void test_sequence_numbers_wrap(void) {
    flow_log_init(&flow, 0);
    flow_log_tcp(&flow, 0, (struct tcp_spec){.flags = TCP_SYN, .seq = 0xfffffffd});
    flow_log_tcp(&flow, 1, (struct tcp_spec){.flags = TCP_ACK, .seq = 1, .data = "def", .len = 3});
    flow_log_tcp(&flow, 2,
                 (struct tcp_spec){.flags = TCP_ACK, .seq = 0xfffffffe, .data = "abc", .len = 3});
    SAYS("begin;C:abc;C:def;");
    // Nothing so far away belongs to any window.
    flow_log_tcp(&flow, 3,
                 (struct tcp_spec){.flags = TCP_ACK, .seq = 0x50000000, .data = "zzz", .len = 3});
    flow_finish(flow.flow);
    SAYS("end open;");
    CU_ASSERT_EQUAL(flow.last.ends[FLOW_CLIENT].bytes, 6);
    flow_log_cleanup(&flow);
}

static void test_ipv6_and_what_is_not_tcp(void) {
    flow_log_init(&flow, 0);
    flow_log_tcp(&flow, 0, (struct tcp_spec){.ipv6 = true, .flags = TCP_SYN, .seq = 1});
    flow_log_tcp(
        &flow, 1,
        (struct tcp_spec){.ipv6 = true, .flags = TCP_ACK, .seq = 2, .data = "six", .len = 3});
    SAYS("begin;C:six;");
    struct wire wire = {.len = 0};
    wire_hex(&wire, "45000014 00000000 40110000 01020304 05060708");
    struct packet packet = {.link_type = LINK_RAW, .p = wire.p, .len = wire.len};
    flow_packet(flow.flow, &packet);
    wire.p[9] = 6; // TCP, without any header
    flow_packet(flow.flow, &packet);
    packet.link_type = 127;
    flow_packet(flow.flow, &packet);
    struct flow_counts counts = flow_counts(flow.flow);
    CU_ASSERT_EQUAL(counts.packets, 5);
    CU_ASSERT_EQUAL(counts.other, 1);
    CU_ASSERT_EQUAL(counts.malformed, 1);
    CU_ASSERT_EQUAL(counts.unknown_link, 1);
    CU_ASSERT_EQUAL(counts.last_unknown_link, 127);
    CU_ASSERT_EQUAL(counts.streams, 1);
    flow_log_cleanup(&flow);
}

static void test_fragments(void) {
    struct tcp_spec spec = {.flags = TCP_SYN, .seq = 7, .data = "0123456789abcdef", .len = 16};
    struct wire whole = {.len = 0}, first = {.len = 0}, second = {.len = 0};
    flow_log_init(&flow, 0);
    ip_bytes(&whole, &spec);
    wire_bytes(&first, whole.p, 20 + 24);
    first.p[3] = (uint8_t)first.len;
    first.p[6] = 0x20;
    wire_bytes(&second, whole.p, 20);
    wire_bytes(&second, whole.p + 44, whole.len - 44);
    second.p[3] = (uint8_t)second.len;
    second.p[6] = 0;
    second.p[7] = 3;
    struct packet packet = {.link_type = LINK_RAW, .p = second.p, .len = second.len};
    flow_packet(flow.flow, &packet);
    SAYS("");
    packet.p = first.p;
    packet.len = first.len;
    flow_packet(flow.flow, &packet);
    SAYS("begin;C:0123456789abcdef;");
    flow_log_cleanup(&flow);
}

const struct unit_case unit_cases[] = {
    {"a connection from SYN to FIN", test_a_connection_from_syn_to_fin},
    {"reordering and retransmission", test_reordering_and_retransmission},
    {"a keep-alive is no retransmission", test_keep_alive_is_no_retransmission},
    {"the first copy wins", test_first_copy_wins},
    {"loss that was acknowledged", test_loss_that_was_acknowledged},
    {"loss waits longer without acknowledgement", test_loss_waits_longer_without_acknowledgement},
    {"loss at the end", test_loss_at_the_end},
    {"waiting bytes have a ceiling", test_waiting_bytes_have_a_ceiling},
    {"packets cut by the snap length", test_packets_cut_by_the_snap_length},
    {"a capture that starts inside", test_capture_that_starts_inside},
    {"ports used again", test_ports_used_again},
    {"reset", test_reset},
    {"a connection that outlives a reset", test_connection_that_outlives_a_reset},
    {"ignored streams are counted", test_ignored_streams_are_counted},
    {"too many streams", test_too_many_streams},
    {"eviction on demand", test_eviction_on_demand},
    {"sequence numbers wrap", test_sequence_numbers_wrap},
    {"IPv6, and what is not TCP", test_ipv6_and_what_is_not_tcp},
    {"fragments", test_fragments},
    {NULL, NULL},
};
