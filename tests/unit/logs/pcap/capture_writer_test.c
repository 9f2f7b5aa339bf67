#include "logs/pcap/capture_writer.h"

#include <stdlib.h>
#include <string.h>

#include "logs/pcap/ip.h"
#include "logs/pcap/pcapng.h"
#include "tests/unit/logs/pcap/packets.h"
#include "tests/unit/unit.h"

static char *text;
static size_t num_read; // packets
static size_t text_len;
static FILE *out;

static struct capture_writer *writer_begin(void) {
    out = open_memstream(&text, &text_len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    return capture_writer_new(out);
}

static void writer_end(struct capture_writer *writer) {
    struct err err;
    CU_ASSERT_TRUE(capture_writer_free(writer, &err));
    fclose(out);
}

static struct capture_stream stream_of(bool ipv6, uint16_t port) {
    struct capture_stream stream = {.client = {.port = port}, .server = {.port = 443}};
    for (int i = 0; i < 2; i++) {
        uint8_t *address = i == 0 ? stream.client.address : stream.server.address;
        memcpy(address, ipv6 ? "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0" : "\0\0\0\0\0\0\0\0\0\0\xff\xff",
               12);
        memcpy(address + 12, "\x0a\0\0", 3);
        address[15] = (uint8_t)(i + 1);
    }
    return stream;
}

static uint32_t add(uint32_t total, const uint8_t *p, size_t len) {
    for (size_t i = 0; i < len; i++) {
        total += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
    }
    return total;
}

static bool adds_up(uint32_t total) { return total % 0xffff == 0; }

// check_sums verifies what a receiver would.
static void check_sums(const struct packet *packet) {
    struct ip_packet ip;
    const uint8_t *p = packet->p + 14;
    CU_ASSERT_TRUE_FATAL(ip_parse(&ip, (struct span){p, packet->len - 14}));
    CU_ASSERT_TRUE(ip.ipv6 || adds_up(add(0, p, 20)));
    uint32_t total = add(add(0, ip.src + (ip.ipv6 ? 0 : 12), ip.ipv6 ? 16 : 4),
                         ip.dst + (ip.ipv6 ? 0 : 12), ip.ipv6 ? 16 : 4);
    CU_ASSERT_TRUE(adds_up(add(total + 6 + (uint32_t)ip.wire_len, ip.payload.p, ip.wire_len)));
    CU_ASSERT_EQUAL(ip.wire_len, ip.payload.len);
    CU_ASSERT_TRUE(packet->len <= 1514);
}

// read_back sends the file through a flow and returns what that says; `*secrets` becomes the
// decryption secrets.
static const char *read_back(char secrets[64]) {
    struct flow_log log;
    struct packet packet;
    struct err err;
    FILE *file = fmemopen(text, text_len, "rb");
    struct pcapng *pcapng = pcapng_new(file, "test");
    enum capture_result result;
    num_read = 0;
    flow_log_init(&log, 0);
    while ((result = pcapng_next(pcapng, &packet, &err)) == CAPTURE_PACKET) {
        check_sums(&packet);
        num_read++;
        flow_packet(log.flow, &packet);
    }
    CU_ASSERT_EQUAL(result, CAPTURE_END);
    flow_finish(log.flow);
    snprintf(secrets, 64, "%.*s", (int)pcapng_secrets(pcapng).len,
             (const char *)pcapng_secrets(pcapng).p);
    const char *says = flow_log_text(&log);
    flow_log_cleanup(&log);
    pcapng_free(pcapng);
    fclose(file);
    free(text);
    return says;
}

static void test_two_streams_and_secrets(void) {
    char secrets[64];
    struct capture_stream a = stream_of(false, 1001), b = stream_of(true, 1002);
    struct capture_writer *writer = writer_begin();
    capture_writer_secrets(writer, "CLIENT_RANDOM 00 11", 19);
    capture_stream_open(writer, &a, 1000000);
    capture_stream_data(writer, &a, true, "hello", 5, 1000001);
    capture_stream_open(writer, &b, 1000002);
    capture_stream_data(writer, &a, false, "world!", 6, 1000003);
    capture_stream_data(writer, &b, false, "six", 3, 1000004);
    capture_stream_fin(writer, &a, false, 1000005);
    capture_stream_fin(writer, &a, false, 1000006);
    capture_stream_fin(writer, &a, true, 1000007);
    capture_stream_reset(writer, &b, true, 1000008);
    writer_end(writer);
    CU_ASSERT_STRING_EQUAL(read_back(secrets),
                           "begin;C:hello;begin;S:world!;S:six;end fin S;end rst C;");
    CU_ASSERT_STRING_EQUAL(secrets, "CLIENT_RANDOM 00 11\n");
}

static void test_what_is_passed_over(void) {
    char secrets[64], comment[CAPTURE_COMMENT_MAX + 1] = {0};
    memset(comment, 'c', CAPTURE_COMMENT_MAX);
    struct capture_stream a = stream_of(false, 1);
    a.comment = comment;
    a.connect_us = 250;
    struct capture_writer *writer = writer_begin();
    capture_stream_open(writer, &a, 1000000);
    capture_stream_data(writer, &a, true, "hello", 5, 1000500);
    capture_stream_skip(&a, true, 1000);
    capture_stream_fin(writer, &a, true, 1000600);
    capture_stream_fin(writer, &a, false, 1000600);
    writer_end(writer);
    CU_ASSERT_PTR_NOT_NULL(memmem(text, text_len, comment, CAPTURE_COMMENT_MAX));
    CU_ASSERT_PTR_NOT_NULL(memmem(text, text_len, "tlsblame: TCP is synthesised", 28));
    CU_ASSERT_STRING_EQUAL(read_back(secrets), "begin;C:hello;C gap 1000;end fin C;");
}

static void test_long_data_is_cut_into_segments(void) {
    char secrets[64], data[3001];
    memset(data, 'x', sizeof(data));
    struct capture_stream a = stream_of(true, 1);
    struct capture_writer *writer = writer_begin();
    capture_stream_open(writer, &a, 0);
    capture_stream_data(writer, &a, true, data, sizeof(data), 0);
    writer_end(writer);
    const char *says = read_back(secrets);
    // 1440 + 1440 + 121, each with "C:" and ";".
    CU_ASSERT_EQUAL(strlen(says), strlen("begin;") + sizeof(data) + 9 + strlen("end open;"));
    CU_ASSERT_EQUAL(strncmp(says + 6 + 2 + 1440, ";C:x", 4), 0);
}

static void test_the_window_is_kept(void) {
    static const char data[200000];
    char secrets[64];
    struct capture_stream a = stream_of(false, 1);
    struct capture_writer *writer = writer_begin();
    capture_stream_open(writer, &a, 0);
    capture_stream_data(writer, &a, true, data, sizeof(data), 0);
    writer_end(writer);
    (void)read_back(secrets);
    // After the handshake 137 segments, an acknowledgement after each 32 of them and at the end.
    CU_ASSERT_EQUAL(num_read, 3 + 137 + 5);
}

static void test_a_full_disk(void) {
    struct err err = {0};
    FILE *full = fopen("/dev/full", "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(full);
    CU_ASSERT_FALSE(capture_writer_free(capture_writer_new(full), &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "the capture cannot be written: No space"));
    fclose(full);
}

const struct unit_case unit_cases[] = {
    {"two streams and secrets", test_two_streams_and_secrets},
    {"what is passed over", test_what_is_passed_over},
    {"long data is cut into segments", test_long_data_is_cut_into_segments},
    {"the window is kept", test_the_window_is_kept},
    {"a full disk", test_a_full_disk},
    {NULL, NULL},
};
