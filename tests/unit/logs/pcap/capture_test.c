#include "logs/pcap/capture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/logs/pcap/packets.h"
#include "tests/unit/unit.h"

static struct err err;

static struct capture *open_file(const struct wire *wire, char **path) {
    *path = file_write(wire);
    err.msg[0] = '\0';
    return capture_open(*path, &err);
}

static struct wire two_packets(void) {
    struct wire file = {.len = 0}, packet = {.len = 0};
    wire_hex(&packet, "45000014 0102");
    pcap_head(&file, LINK_ETHERNET);
    pcap_packet(&file, INT64_C(1700000000123456), &packet);
    pcap_packet(&file, INT64_C(1700000001000001), &packet);
    return file;
}

static void test_pcap(void) {
    struct wire file = two_packets();
    struct packet packet;
    char *path;
    struct capture *capture = open_file(&file, &path);
    CU_ASSERT_PTR_NOT_NULL_FATAL(capture);
    CU_ASSERT_EQUAL(capture_size(capture), file.len);
    CU_ASSERT_EQUAL(capture_next(capture, &packet, &err), CAPTURE_PACKET);
    CU_ASSERT_EQUAL(packet.time_us, INT64_C(1700000000123456));
    CU_ASSERT_EQUAL(packet.link_type, LINK_ETHERNET);
    CU_ASSERT_EQUAL(packet.len, 6);
    CU_ASSERT_EQUAL(packet.wire_len, 6);
    CU_ASSERT_EQUAL(packet.p[5], 2);
    CU_ASSERT_EQUAL(capture_offset(capture), 24 + 16 + 6);
    CU_ASSERT_EQUAL(capture_next(capture, &packet, &err), CAPTURE_PACKET);
    CU_ASSERT_EQUAL(capture_next(capture, &packet, &err), CAPTURE_END);
    CU_ASSERT_EQUAL(capture_secrets(capture).len, 0);
    capture_free(capture);
    file_remove(path);
}

static void test_other_byte_order_nanoseconds_and_raw_ip(void) {
    struct wire file = {.len = 0};
    struct packet packet;
    char *path;
    wire_hex(&file, "a1b23c4d 0002 0004 00000000 00000000 00040000 00000065");
    wire_hex(&file, "00000001 0001e240 00000001 00000009 45");
    struct capture *capture = open_file(&file, &path);
    CU_ASSERT_PTR_NOT_NULL_FATAL(capture);
    CU_ASSERT_EQUAL(capture_next(capture, &packet, &err), CAPTURE_PACKET);
    CU_ASSERT_EQUAL(packet.time_us, 1000123);
    CU_ASSERT_EQUAL(packet.link_type, LINK_RAW);
    CU_ASSERT_EQUAL(packet.len, 1);
    CU_ASSERT_EQUAL(packet.wire_len, 9);
    capture_free(capture);
    file_remove(path);
}

static void test_cut_at_every_length(void) {
    struct wire file = two_packets();
    struct packet packet;
    for (size_t len = 24; len <= file.len; len++) {
        struct wire part = {.len = 0};
        char *path, want[64];
        wire_bytes(&part, file.p, len);
        struct capture *capture = open_file(&part, &path);
        CU_ASSERT_PTR_NOT_NULL_FATAL(capture);
        enum capture_result result;
        size_t num = 0;
        while ((result = capture_next(capture, &packet, &err)) == CAPTURE_PACKET) {
            num++;
        }
        CU_ASSERT_EQUAL(num, (len - 24) / 22);
        bool whole = (len - 24) % 22 == 0;
        CU_ASSERT_EQUAL(result, whole ? CAPTURE_END : CAPTURE_CUT);
        snprintf(want, sizeof(want), "at offset %zu ", 24 + num * 22);
        CU_ASSERT_TRUE(whole || strstr(err.msg, want) != NULL);
        capture_free(capture);
        file_remove(path);
    }
}

static void test_damaged_packet_header(void) {
    struct wire file = two_packets();
    struct packet packet;
    char *path;
    memset(file.p + 24 + 22 + 8, 0xff, 4);
    struct capture *capture = open_file(&file, &path);
    CU_ASSERT_EQUAL(capture_next(capture, &packet, &err), CAPTURE_PACKET);
    CU_ASSERT_EQUAL(capture_next(capture, &packet, &err), CAPTURE_BAD);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, path));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "at offset 46 a packet is expected"));
    capture_free(capture);
    file_remove(path);
}

static void refused(const char *hex, const char *says) {
    struct wire file = {.len = 0};
    char *path;
    wire_hex(&file, hex);
    CU_ASSERT_PTR_NULL(open_file(&file, &path));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, path));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, says));
    file_remove(path);
}

static void test_what_is_no_capture(void) {
    refused("", "it is empty");
    refused("1f8b0800", "it is compressed; 'zcat");
    refused("28b52ffd", "it is compressed; 'zstdcat");
    refused("7b22", "at offset 0 the first bytes of pcap or pcapng are expected");
    refused("d4c3b2a1 0200", "no pcap header at offset 0");
    refused("d4c3b2a1 0900 0400 00000000 00000000 00000400 01000000", "no pcap header");
    CU_ASSERT_PTR_NULL(capture_open("/nonexistent/x.pcap", &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "/nonexistent/x.pcap: cannot be opened: No such"));
    CU_ASSERT_PTR_NULL(capture_open("/", &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "/: is a folder"));
    capture_free(NULL);
}

static void test_standard_input(void) {
    struct wire file = two_packets();
    struct packet packet;
    int ends[2];
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    CU_ASSERT_EQUAL(write(ends[1], file.p, file.len), (ssize_t)file.len);
    close(ends[1]);
    CU_ASSERT_NOT_EQUAL(dup2(ends[0], STDIN_FILENO), -1);
    close(ends[0]);
    struct capture *capture = capture_open("-", &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(capture);
    CU_ASSERT_EQUAL(capture_size(capture), 0);
    CU_ASSERT_EQUAL(capture_next(capture, &packet, &err), CAPTURE_PACKET);
    CU_ASSERT_EQUAL(capture_next(capture, &packet, &err), CAPTURE_PACKET);
    CU_ASSERT_EQUAL(capture_next(capture, &packet, &err), CAPTURE_END);
    capture_free(capture);
}

const struct unit_case unit_cases[] = {
    {"pcap", test_pcap},
    {"other byte order, nanoseconds and raw IP", test_other_byte_order_nanoseconds_and_raw_ip},
    {"cut at every length", test_cut_at_every_length},
    {"a damaged packet header", test_damaged_packet_header},
    {"what is no capture", test_what_is_no_capture},
    {"standard input", test_standard_input},
    {NULL, NULL},
};
