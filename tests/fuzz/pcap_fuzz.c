// Target functions: pcapng_next, frame_ip, ip_parse, fragments_put, tcp_parse, flow_packet,
// reassembly_put.
//
// Input that begins as pcapng is read as such. Anything else is packets: a link type from a list, a
// byte of time, two of length, and what is captured of it. What a flow tells must add up.
#include <stdio.h>
#include <stdlib.h>

#include "logs/pcap/flow.h"
#include "logs/pcap/pcapng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

static const uint32_t links[] = {1, 0, 101, 108, 113, 276, 9, 147};

// struct told is what was said of a stream, byte by byte.
struct told {
    uint64_t bytes[2], gaps[2];
};

static void on_begin(void *ctx, struct stream *stream) {
    (void)ctx;
    stream->user = xcalloc(1, sizeof(struct told));
}

static void on_bytes(void *ctx, struct stream *stream, enum flow_side from, const uint8_t *p,
                     size_t p_len, int64_t time_us) {
    struct told *told = stream->user;
    volatile uint8_t sum = 0;
    (void)time_us;
    for (size_t i = 0; i < p_len; i++) {
        sum = (uint8_t)(sum + p[i]);
    }
    told->bytes[from] += p_len;
    if (ctx != NULL && told->bytes[from] > 64) {
        flow_ignore(stream);
    }
}

static void on_gap(void *ctx, struct stream *stream, enum flow_side from, uint64_t len,
                   int64_t time_us) {
    struct told *told = stream->user;
    (void)ctx, (void)time_us;
    CHECK(len != 0);
    told->gaps[from] += len;
}

static void on_end(void *ctx, struct stream *stream) {
    struct told *told = stream->user;
    for (int side = 0; ctx == NULL && side < 2; side++) {
        CHECK(told->bytes[side] + told->gaps[side] <= stream->ends[side].bytes);
        CHECK(told->gaps[side] == stream->ends[side].gap_bytes);
        CHECK(told->bytes[side] + told->gaps[side] >= stream->lanes[side].bytes.next);
    }
    free(told);
}

static void read_pcapng(struct flow *flow, const uint8_t *data, size_t data_len) {
    struct err err;
    struct packet packet;
    FILE *file = fmemopen((void *)(uintptr_t)data, data_len, "rb");
    struct pcapng *pcapng = pcapng_new(file, "input");
    while (pcapng_next(pcapng, &packet, &err) == CAPTURE_PACKET) {
        CHECK(packet.len <= CAPTURE_PACKET_MAX && packet.len <= packet.wire_len);
        flow_packet(flow, &packet);
    }
    CHECK(pcapng_offset(pcapng) <= data_len && pcapng_secrets(pcapng).len <= data_len);
    pcapng_free(pcapng);
    fclose(file);
}

static void read_packets(struct flow *flow, const uint8_t *data, size_t data_len) {
    int64_t time_us = 0;
    for (size_t at = 0; data_len - at >= 4;) {
        size_t len = (size_t)data[at + 2] << 8 | data[at + 3];
        uint32_t link_type = links[data[at] % ARRAY_LEN(links)];
        time_us += (int64_t)data[at + 1] * 50000;
        at += 4;
        len = len < data_len - at ? len : data_len - at;
        uint8_t *copy = xmemdup(data + at, len);
        const struct packet packet = {
            .time_us = time_us, .link_type = link_type, .p = copy, .len = len, .wire_len = len};
        flow_packet(flow, &packet);
        free(copy);
        at += len;
    }
}

static void run(const uint8_t *data, size_t data_len, bool ignore) {
    static bool ignoring;
    const struct flow_events events = {.ctx = ignore ? &ignoring : NULL,
                                       .begin = on_begin,
                                       .bytes = on_bytes,
                                       .gap = on_gap,
                                       .end = on_end};
    struct flow *flow = flow_new(&events, 4);
    if (data_len != 0 && data[0] == 0x0a) {
        read_pcapng(flow, data, data_len);
    } else {
        read_packets(flow, data, data_len);
    }
    flow_finish(flow);
    flow_free(flow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len) {
    run(data, data_len, false);
    run(data, data_len, true);
    return 0;
}
