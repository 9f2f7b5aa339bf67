#include "logs/pcap/fragment.h"

#include <string.h>

#include "tests/unit/unit.h"

static struct fragments fragments;
static struct ip_packet packet;

// put sends `text` as the fragment at `offset` of the packet `id`.
static bool put(uint32_t id, size_t offset, bool more, const char *text, int64_t now_us) {
    packet = (struct ip_packet){.protocol = IP_PROTOCOL_TCP,
                                .fragment = true,
                                .more_fragments = more,
                                .fragment_offset = (uint32_t)offset,
                                .fragment_id = id,
                                .payload = {(const uint8_t *)text, strlen(text)},
                                .wire_len = strlen(text)};
    return fragments_put(&fragments, &packet, now_us);
}

static bool whole_is(const char *text) {
    return packet.payload.len == strlen(text) && packet.wire_len == strlen(text) &&
           !packet.fragment && memcmp(packet.payload.p, text, strlen(text)) == 0;
}

static void test_in_any_order(void) {
    CU_ASSERT_FALSE(put(1, 16, false, "qr", 0));
    CU_ASSERT_FALSE(put(1, 8, true, "ijklmnop", 1));
    CU_ASSERT_FALSE(put(1, 8, true, "ijklmnop", 2));
    CU_ASSERT_TRUE(put(1, 0, true, "abcdefgh", 3));
    CU_ASSERT_TRUE(whole_is("abcdefghijklmnopqr"));
    CU_ASSERT_EQUAL(fragments.num_lost, 0);
    fragments_cleanup(&fragments);
}

static void test_first_copy_wins(void) {
    CU_ASSERT_FALSE(put(1, 0, true, "abcdefgh", 0));
    CU_ASSERT_TRUE(put(1, 0, false, "XXXXXXXXij", 1));
    CU_ASSERT_TRUE(whole_is("abcdefghij"));
    fragments_cleanup(&fragments);
}

static void test_packets_are_told_apart(void) {
    CU_ASSERT_FALSE(put(1, 0, true, "abcdefgh", 0));
    CU_ASSERT_FALSE(put(2, 8, false, "2", 0));
    CU_ASSERT_TRUE(put(1, 8, false, "1", 0));
    CU_ASSERT_TRUE(whole_is("abcdefgh1"));
    fragments_cleanup(&fragments);
}

static void test_bytes_beyond_the_end_do_not_count(void) {
    CU_ASSERT_FALSE(put(1, 8, false, "ij", 0));
    CU_ASSERT_FALSE(put(1, 16, true, "qrstuvwx", 0));
    CU_ASSERT_TRUE(put(1, 0, true, "abcdefgh", 0));
    CU_ASSERT_TRUE(whole_is("abcdefghij"));
    fragments_cleanup(&fragments);
}

static void test_impossible_and_cut(void) {
    CU_ASSERT_FALSE(put(1, 65528, false, "abcdefgh", 0));
    CU_ASSERT_FALSE(put(1, 0, true, "abc", 0));
    packet.payload.len = 1;
    packet.wire_len = 8;
    CU_ASSERT_FALSE(fragments_put(&fragments, &packet, 0));
    for (size_t i = 0; i < FRAGMENT_PACKETS_MAX; i++) {
        CU_ASSERT_PTR_NULL(fragments.packets[i]);
    }
    fragments_cleanup(&fragments);
}

static void test_ceilings(void) {
    for (uint32_t i = 0; i < FRAGMENT_PACKETS_MAX; i++) {
        CU_ASSERT_FALSE(put(i, 0, true, "abcdefgh", i));
    }
    CU_ASSERT_FALSE(put(FRAGMENT_PACKETS_MAX, 0, true, "ABCDEFGH", 1000));
    CU_ASSERT_EQUAL(fragments.num_lost, 1);
    CU_ASSERT_FALSE(put(0, 8, false, "i", 1001)); // the first is gone
    CU_ASSERT_EQUAL(fragments.num_lost, 2);
    CU_ASSERT_TRUE(put(FRAGMENT_PACKETS_MAX, 8, false, "I", 1002));
    // After the time limit a part is of another packet with the same id.
    CU_ASSERT_FALSE(put(9, 8, false, "i", 2000 + FRAGMENT_TIMEOUT_US));
    CU_ASSERT_EQUAL(fragments.num_lost, FRAGMENT_PACKETS_MAX + 1);
    fragments_cleanup(&fragments);
}

const struct unit_case unit_cases[] = {
    {"in any order", test_in_any_order},
    {"the first copy wins", test_first_copy_wins},
    {"packets are told apart", test_packets_are_told_apart},
    {"bytes beyond the end do not count", test_bytes_beyond_the_end_do_not_count},
    {"what cannot be, and what was cut", test_impossible_and_cut},
    {"ceilings", test_ceilings},
    {NULL, NULL},
};
