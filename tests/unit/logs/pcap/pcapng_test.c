#include "logs/pcap/pcapng.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/logs/pcap/packets.h"
#include "tests/unit/unit.h"

static struct err err;
static FILE *file;

static struct pcapng *open_wire(const struct wire *wire) {
    file = fmemopen((void *)(uintptr_t)wire->p, wire->len, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    err.msg[0] = '\0';
    return pcapng_new(file, "x.pcapng");
}

static void close_wire(struct pcapng *pcapng) {
    pcapng_free(pcapng);
    fclose(file);
}

static struct wire bytes(const char *hex) {
    struct wire wire = {.len = 0};
    wire_hex(&wire, hex);
    return wire;
}

static struct packet expect_packet(struct pcapng *pcapng) {
    struct packet packet = {.len = 0};
    CU_ASSERT_EQUAL(pcapng_next(pcapng, &packet, &err), CAPTURE_PACKET);
    return packet;
}

static void test_interfaces_of_different_kind(void) {
    static struct wire wire;
    struct wire packet = bytes("450102");
    wire.len = 0;
    section(&wire);
    interface(&wire, 1, "");
    interface(&wire, 101, "0900 0100 09000000 0000 0000");                  // nanoseconds
    interface(&wire, 276, "0900 0100 8a000000 0e00 0800 0500000000000000"); // 2^-10 s, 5 s on
    enhanced_packet(&wire, 0, 7000001, &packet);
    enhanced_packet(&wire, 1, 7000001999, &packet);
    enhanced_packet(&wire, 2, 1536, &packet);
    struct pcapng *pcapng = open_wire(&wire);
    struct packet got = expect_packet(pcapng);
    CU_ASSERT_EQUAL(got.time_us, 7000001);
    CU_ASSERT_EQUAL(got.link_type, 1);
    CU_ASSERT_EQUAL(got.len, 3);
    CU_ASSERT_EQUAL(got.p[2], 2);
    got = expect_packet(pcapng);
    CU_ASSERT_EQUAL(got.time_us, 7000001);
    CU_ASSERT_EQUAL(got.link_type, 101);
    got = expect_packet(pcapng);
    CU_ASSERT_EQUAL(got.time_us, 6500000);
    CU_ASSERT_EQUAL(got.link_type, 276);
    CU_ASSERT_EQUAL(pcapng_next(pcapng, &got, &err), CAPTURE_END);
    CU_ASSERT_EQUAL(pcapng_offset(pcapng), wire.len);
    close_wire(pcapng);
}

static void test_secrets(void) {
    static struct wire wire;
    struct wire secret = bytes("4b534c54 04000000"), other = bytes("574b4757 02000000 6869");
    wire_bytes(&secret, "ABCD", 4);
    wire.len = 0;
    section(&wire);
    block(&wire, 10, &secret);
    block(&wire, 10, &other);
    block(&wire, 5, &other); // of statistics
    block(&wire, 10, &secret);
    struct pcapng *pcapng = open_wire(&wire);
    struct packet packet;
    CU_ASSERT_EQUAL(pcapng_next(pcapng, &packet, &err), CAPTURE_END);
    struct span text = pcapng_secrets(pcapng);
    CU_ASSERT_EQUAL_FATAL(text.len, 10);
    CU_ASSERT_EQUAL(memcmp(text.p, "ABCD\nABCD\n", 10), 0);
    close_wire(pcapng);
}

static void test_old_and_simple_packets(void) {
    static struct wire wire;
    struct wire old = bytes("0000 0300 00000000 09000000 02000000 05000000 4501"),
                simple = bytes("06000000 450203");
    wire.len = 0;
    section(&wire);
    interface(&wire, 101, "");
    block(&wire, 2, &old);
    block(&wire, 3, &simple);
    struct pcapng *pcapng = open_wire(&wire);
    struct packet got = expect_packet(pcapng);
    CU_ASSERT_EQUAL(got.len, 2);
    CU_ASSERT_EQUAL(got.wire_len, 5);
    CU_ASSERT_EQUAL(got.time_us, 9);
    got = expect_packet(pcapng);
    CU_ASSERT_EQUAL(got.len, 4); // with the padding: there is no other length
    CU_ASSERT_EQUAL(got.wire_len, 6);
    CU_ASSERT_EQUAL(got.time_us, 9);
    close_wire(pcapng);
}

static void test_big_endian_section_after_a_little_one(void) {
    static struct wire wire;
    struct wire packet = bytes("45");
    wire.len = 0;
    section(&wire);
    interface(&wire, 1, "");
    enhanced_packet(&wire, 0, 1, &packet);
    wire_hex(&wire, "0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c");
    wire_hex(&wire, "00000001 00000014 0065 0000 00000000 00000014");
    wire_hex(&wire, "00000006 00000024 00000000 00000000 00000002 00000001 00000001 45000000"
                    "00000024");
    struct pcapng *pcapng = open_wire(&wire);
    CU_ASSERT_EQUAL(expect_packet(pcapng).link_type, 1);
    struct packet got = expect_packet(pcapng);
    CU_ASSERT_EQUAL(got.link_type, 101);
    CU_ASSERT_EQUAL(got.time_us, 2);
    close_wire(pcapng);
}

static void test_cut_at_every_length(void) {
    static struct wire wire;
    struct wire packet = bytes("45010203 04");
    wire.len = 0;
    section(&wire);
    interface(&wire, 101, "");
    size_t first = wire.len;
    enhanced_packet(&wire, 0, 1, &packet);
    for (size_t len = 1; len < wire.len; len++) {
        static struct wire part;
        struct packet got;
        part.len = 0;
        wire_bytes(&part, wire.p, len);
        struct pcapng *pcapng = open_wire(&part);
        bool whole = len == 28 || len == first;
        CU_ASSERT_EQUAL(pcapng_next(pcapng, &got, &err), whole ? CAPTURE_END : CAPTURE_CUT);
        CU_ASSERT_TRUE(whole || strstr(err.msg, "x.pcapng: ends at offset ") == err.msg);
        close_wire(pcapng);
    }
}

static void damaged(const char *hex, const char *expected) {
    static struct wire wire;
    struct packet got;
    char want[256];
    wire.len = 0;
    section(&wire);
    size_t at = wire.len;
    wire_hex(&wire, hex);
    struct pcapng *pcapng = open_wire(&wire);
    CU_ASSERT_EQUAL(pcapng_next(pcapng, &got, &err), CAPTURE_BAD);
    snprintf(want, sizeof(want), "x.pcapng: at offset %zu %s is expected", at, expected);
    CU_ASSERT_STRING_EQUAL(err.msg, want);
    close_wire(pcapng);
}

static void test_damage(void) {
    damaged("05000000 0a000000 0000 0a000000",
            "a block with a length that is a multiple of 4 and holds its own head and tail");
    damaged("05000000 08000000 00000000",
            "a block with a length that is a multiple of 4 and holds its own head and tail");
    damaged("05000000 10000000 00000000 14000000",
            "a block whose length is the same at both of its ends");
    damaged("06000000 10000010 00000000", "a block of at most 16 MiB");
    damaged("01000000 10000000 01000000 10000000", "an interface description of at least 20 bytes");
    damaged("06000000 24000000 00000000 00000000 00000000 01000000 01000000 45000000 24000000",
            "a packet of an interface that was described before");
    damaged("06000000 10000000 00000000 10000000", "a packet block of at least 32 bytes");
    damaged("03000000 14000000 04000000 45000000 14000000",
            "a simple packet after an interface description");
    damaged("0a000000 14000000 4b534c54 ff000000 14000000",
            "a decryption secrets block that holds what it announces");
    damaged("0a0d0d0a 1c000000 00000000 00000000 00000000 00000000 1c000000",
            "a pcapng section header");
    damaged("0a0d0d0a 1c000000 4d3c2b1a 0200 0000 ffffffffffffffff 1c000000",
            "a section of pcapng version 1");
}

static void test_packet_longer_than_its_block(void) {
    static struct wire wire;
    struct packet got;
    wire.len = 0;
    section(&wire);
    interface(&wire, 1, "");
    wire_hex(&wire, "06000000 24000000 00000000 00000000 00000000 05000000 05000000 45000000"
                    "24000000");
    struct pcapng *pcapng = open_wire(&wire);
    CU_ASSERT_EQUAL(pcapng_next(pcapng, &got, &err), CAPTURE_BAD);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "a packet that fits its block"));
    close_wire(pcapng);
}

const struct unit_case unit_cases[] = {
    {"interfaces of different kind", test_interfaces_of_different_kind},
    {"secrets", test_secrets},
    {"old and simple packets", test_old_and_simple_packets},
    {"a big-endian section after a little one", test_big_endian_section_after_a_little_one},
    {"cut at every length", test_cut_at_every_length},
    {"damage", test_damage},
    {"a packet longer than its block", test_packet_longer_than_its_block},
    {NULL, NULL},
};
