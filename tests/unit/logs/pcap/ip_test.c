#include "logs/pcap/ip.h"

#include <string.h>

#include "tests/unit/logs/pcap/packets.h"
#include "tests/unit/unit.h"

#define V4(len, fragment, protocol)                                                                \
    "4500" len "1234" fragment "40" protocol "0000 c0000201 c6336402"
#define V6_ADDRESSES                                                                               \
    "20010db8000000000000000000000001"                                                             \
    "20010db8000000000000000000000002"

static struct wire wire;
static struct ip_packet ip;

static bool parse(const char *hex) {
    wire.len = 0;
    wire_hex(&wire, hex);
    return ip_parse(&ip, (struct span){wire.p, wire.len});
}

static void test_ipv4(void) {
    CU_ASSERT_TRUE_FATAL(parse(V4("0018", "0000", "06") "01020304 eeee"));
    CU_ASSERT_EQUAL(ip.protocol, IP_PROTOCOL_TCP);
    CU_ASSERT_EQUAL(ip.ttl, 64);
    CU_ASSERT_FALSE(ip.fragment || ip.ipv6);
    CU_ASSERT_EQUAL(ip.payload.len, 4); // the padding of the frame is left out
    CU_ASSERT_EQUAL(ip.wire_len, 4);
    CU_ASSERT_EQUAL(ip.payload.p[3], 4);
    CU_ASSERT_EQUAL(memcmp(ip.src, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x01", 16), 0);
}

static void test_ipv4_cut_offloaded_and_with_options(void) {
    CU_ASSERT_TRUE(parse(V4("0118", "0000", "06") "0102"));
    CU_ASSERT_EQUAL(ip.payload.len, 2);
    CU_ASSERT_EQUAL(ip.wire_len, 0x118 - 20);
    CU_ASSERT_TRUE(parse(V4("0000", "0000", "06") "010203"));
    CU_ASSERT_EQUAL(ip.wire_len, 3);
    CU_ASSERT_TRUE(parse("4600 001a 0000 0000 40 06 0000 c0000201 c6336402 94040000 aabb"));
    CU_ASSERT_EQUAL(ip.payload.len, 2);
}

static void test_ipv4_impossible(void) {
    CU_ASSERT_FALSE(parse(""));
    CU_ASSERT_FALSE(parse("45"));
    CU_ASSERT_FALSE(parse("5500 0014 0000 0000 4006 0000 c0000201 c6336402"));
    CU_ASSERT_FALSE(parse("4400 0014 0000 0000 4006 0000 c0000201 c6336402"));
    CU_ASSERT_FALSE(parse("4600 0018 0000 0000 4006 0000 c0000201 c6336402"));
    CU_ASSERT_FALSE(parse(V4("0013", "0000", "06") "01"));
}

static void test_ipv4_fragments(void) {
    CU_ASSERT_TRUE(parse(V4("001c", "2003", "06") "0102030405060708"));
    CU_ASSERT_TRUE(ip.fragment && ip.more_fragments);
    CU_ASSERT_EQUAL(ip.fragment_offset, 24);
    CU_ASSERT_EQUAL(ip.fragment_id, 0x1234);
    CU_ASSERT_TRUE(parse(V4("001c", "4000", "06") "0102030405060708"));
    CU_ASSERT_FALSE(ip.fragment);
}

static void test_ipv6_with_extension_headers(void) {
    // Hop-by-hop, routing, destination options, authentication, then TCP.
    CU_ASSERT_TRUE(parse("60000000 002e 00 3f" V6_ADDRESSES "2b00000000000000 3c00000000000000"
                         "3300000000000000 0602000000000000 0000000000000000 dddddddddddd"));
    CU_ASSERT_EQUAL(ip.protocol, IP_PROTOCOL_TCP);
    CU_ASSERT_EQUAL(ip.ttl, 0x3f);
    CU_ASSERT_TRUE(ip.ipv6);
    CU_ASSERT_EQUAL(ip.payload.len, 6);
    CU_ASSERT_EQUAL(ip.wire_len, 6);
    CU_ASSERT_EQUAL(ip.dst[15], 2);
}

static void test_ipv6_fragment(void) {
    CU_ASSERT_TRUE(parse("60000000 0010 2c 40" V6_ADDRESSES "06000011 cafebabe 0102030405060708"));
    CU_ASSERT_TRUE(ip.fragment && ip.more_fragments);
    CU_ASSERT_EQUAL(ip.fragment_offset, 16);
    CU_ASSERT_EQUAL(ip.fragment_id, 0xcafebabe);
    CU_ASSERT_EQUAL(ip.protocol, IP_PROTOCOL_TCP);
    // A fragment header on a packet that is whole (RFC 6946).
    CU_ASSERT_TRUE(parse("60000000 0010 2c 40" V6_ADDRESSES "06000000 cafebabe 0102030405060708"));
    CU_ASSERT_FALSE(ip.fragment);
    CU_ASSERT_EQUAL(ip.payload.len, 8);
}

static void test_ipv6_cut(void) {
    CU_ASSERT_FALSE(parse("60000000 0010 06 40"));
    CU_ASSERT_TRUE(parse("60000000 0010 00 40" V6_ADDRESSES "06ff"));
    CU_ASSERT_EQUAL(ip.protocol, 0); // the header is not whole: it stays what it is
}

static void test_ip_in_ip(void) {
    CU_ASSERT_TRUE(parse(V4("0030", "0000", "04") V4("001c", "0000", "06") "0102030405060708"));
    CU_ASSERT_EQUAL(ip.protocol, IP_PROTOCOL_TCP);
    CU_ASSERT_EQUAL(ip.payload.len, 8);
    CU_ASSERT_FALSE(parse(V4("0014", "0000", "04")));
    CU_ASSERT_FALSE(parse(V4("0064", "0000", "04") V4("0050", "0000", "04") V4("003c", "0000", "04")
                              V4("0028", "0000", "04") V4("0014", "0000", "06")));
}

const struct unit_case unit_cases[] = {
    {"IPv4", test_ipv4},
    {"IPv4 cut, offloaded, with options", test_ipv4_cut_offloaded_and_with_options},
    {"IPv4 headers that cannot be", test_ipv4_impossible},
    {"IPv4 fragments", test_ipv4_fragments},
    {"IPv6 with extension headers", test_ipv6_with_extension_headers},
    {"IPv6 fragment", test_ipv6_fragment},
    {"IPv6 cut", test_ipv6_cut},
    {"IP in IP", test_ip_in_ip},
    {NULL, NULL},
};
