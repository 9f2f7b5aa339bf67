// The TCP header (RFC 9293 section 3.1).
#ifndef LOGS_PCAP_TCP_H_
#define LOGS_PCAP_TCP_H_

#include "logs/record/obj.h"

enum {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_OPTIONS_MAX = 40,
};

struct tcp_segment {
    uint16_t src_port, dst_port;
    uint32_t seq, ack;
    uint8_t flags; // TCP_ bits
    uint16_t window;
    struct span options; // as sent
    uint16_t mss;        // of the option, 0 without it
    struct span data;    // as much as was captured
    size_t wire_len;     // of the data on the wire
};

// tcp_parse reads the segment `p`, which had `wire_len` bytes on the wire. The checksum is not
// looked at. It returns false when the header is not whole or not possible.
bool tcp_parse(struct tcp_segment *out, struct span p, size_t wire_len);

#endif // LOGS_PCAP_TCP_H_
