#include "logs/pcap/tcp.h"

#include "tests/unit/logs/pcap/packets.h"
#include "tests/unit/unit.h"

#define HEAD(offset_flags) "9c40 01bb 00000001 00000002" offset_flags "2000 0000 0000"

static struct wire wire;
static struct tcp_segment tcp;

static bool parse(const char *hex, size_t more_on_wire) {
    wire.len = 0;
    wire_hex(&wire, hex);
    return tcp_parse(&tcp, (struct span){wire.p, wire.len}, wire.len + more_on_wire);
}

static void test_header(void) {
    CU_ASSERT_TRUE(parse(HEAD("5018") "aabbcc", 2));
    CU_ASSERT_EQUAL(tcp.src_port, 40000);
    CU_ASSERT_EQUAL(tcp.dst_port, 443);
    CU_ASSERT_EQUAL(tcp.seq, 1);
    CU_ASSERT_EQUAL(tcp.ack, 2);
    CU_ASSERT_EQUAL(tcp.flags, TCP_PSH | TCP_ACK);
    CU_ASSERT_EQUAL(tcp.window, 0x2000);
    CU_ASSERT_EQUAL(tcp.data.len, 3);
    CU_ASSERT_EQUAL(tcp.wire_len, 5);
    CU_ASSERT_EQUAL(tcp.options.len, 0);
    CU_ASSERT_EQUAL(tcp.mss, 0);
}

static void test_options(void) {
    CU_ASSERT_TRUE(parse(HEAD("8002") "01 0303 07 020405b4 01010402", 0));
    CU_ASSERT_EQUAL(tcp.mss, 1460);
    CU_ASSERT_EQUAL(tcp.options.len, 12);
    CU_ASSERT_EQUAL(tcp.data.len, 0);
    CU_ASSERT_TRUE(parse(HEAD("6002") "00 020405", 0)); // behind the end
    CU_ASSERT_EQUAL(tcp.mss, 0);
    CU_ASSERT_TRUE(parse(HEAD("6002") "03000204", 0)); // a length of zero
    CU_ASSERT_EQUAL(tcp.mss, 0);
    CU_ASSERT_TRUE(parse(HEAD("6002") "01010204", 0)); // longer than what is left
    CU_ASSERT_EQUAL(tcp.mss, 0);
}

static void test_cut_and_impossible(void) {
    CU_ASSERT_FALSE(parse("9c40 01bb 0000", 0));
    CU_ASSERT_FALSE(parse(HEAD("4000"), 0));
    CU_ASSERT_FALSE(parse(HEAD("6000"), 3));
    CU_ASSERT_TRUE(parse(HEAD("8000") "0101", 20)); // options cut by the capture
    CU_ASSERT_EQUAL(tcp.options.len, 2);
    CU_ASSERT_EQUAL(tcp.data.len, 0);
    CU_ASSERT_EQUAL(tcp.wire_len, 10);
}

const struct unit_case unit_cases[] = {
    {"the header", test_header},
    {"options", test_options},
    {"cut, and impossible", test_cut_and_impossible},
    {NULL, NULL},
};
