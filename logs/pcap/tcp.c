#include "logs/pcap/tcp.h"

#include "logs/pcap/bytes.h"

enum { HEADER_MIN = 20, OPTION_END = 0, OPTION_NOP = 1, OPTION_MSS = 2, OPTION_MSS_LEN = 4 };

static uint16_t find_mss(struct span options) {
    size_t at = 0;
    while (at < options.len && options.p[at] != OPTION_END) {
        if (options.p[at] == OPTION_NOP) {
            at++;
            continue;
        }
        if (options.len - at < 2 || options.p[at + 1] < 2 || options.p[at + 1] > options.len - at) {
            return 0;
        }
        if (options.p[at] == OPTION_MSS && options.p[at + 1] == OPTION_MSS_LEN) {
            return get_be16(options.p + at + 2);
        }
        at += options.p[at + 1];
    }
    return 0;
}

bool tcp_parse(struct tcp_segment *out, struct span p, size_t wire_len) {
    if (p.len < HEADER_MIN) {
        return false;
    }
    size_t header_len = (size_t)(p.p[12] >> 4) * 4;
    if (header_len < HEADER_MIN || header_len > wire_len) {
        return false;
    }
    // The capture may have cut the options off: nothing of the data is left then.
    size_t have = header_len < p.len ? header_len : p.len;
    *out = (struct tcp_segment){
        .src_port = get_be16(p.p),
        .dst_port = get_be16(p.p + 2),
        .seq = get_be32(p.p + 4),
        .ack = get_be32(p.p + 8),
        .flags = p.p[13],
        .window = get_be16(p.p + 14),
        .options = {p.p + HEADER_MIN, have - HEADER_MIN},
        .data = {p.p + have, p.len - have},
        .wire_len = wire_len - header_len,
    };
    out->mss = find_mss(out->options);
    return true;
}
