// Packets and capture files made byte by byte, and a log of what a flow says about them.
#ifndef TESTS_UNIT_LOGS_PCAP_PACKETS_H_
#define TESTS_UNIT_LOGS_PCAP_PACKETS_H_

#include "logs/base/buf.h"
#include "logs/pcap/flow.h"

enum { LINK_ETHERNET = 1, LINK_RAW = 101, PACKETS_MAX = 64 * 1024 + 256 };

// struct wire is bytes being put together.
struct wire {
    uint8_t p[PACKETS_MAX];
    size_t len;
};

void wire_bytes(struct wire *wire, const void *p, size_t len);
void wire_hex(struct wire *wire, const char *hex); // white space is ignored
void wire_be16(struct wire *wire, uint16_t value);
void wire_be32(struct wire *wire, uint32_t value);
void wire_le16(struct wire *wire, uint16_t value);
void wire_le32(struct wire *wire, uint32_t value);

// struct tcp_spec is a segment. Zeros take defaults: client 192.0.2.1:40000, server
// 198.51.100.2:443 (2001:db8::1 and ::2), hop limit 64.
struct tcp_spec {
    bool from_server, ipv6;
    uint16_t client_port, server_port;
    uint8_t flags, ttl;
    uint32_t seq, ack;
    const char *options; // hex, a multiple of four bytes
    const void *data;
    size_t len;
};

// tcp_bytes appends the TCP segment, ip_bytes the IP packet around it. Checksums are wrong.
void tcp_bytes(struct wire *wire, const struct tcp_spec *spec);
void ip_bytes(struct wire *wire, const struct tcp_spec *spec);

// pcap_head and pcap_packet write a little-endian pcap file.
void pcap_head(struct wire *wire, uint32_t link_type);
void pcap_packet(struct wire *wire, int64_t time_us, const struct wire *packet);

// block appends a little-endian pcapng block; section and interface the usual two.
void block(struct wire *wire, uint32_t type, const struct wire *body);
void section(struct wire *wire);
void interface(struct wire *wire, uint16_t link_type, const char *options_hex);
void enhanced_packet(struct wire *wire, uint32_t interface, uint64_t ticks,
                     const struct wire *packet);

// file_write writes `wire` to a new file below TEST_TMPDIR or /tmp and returns its path, which
// file_remove removes and frees.
char *file_write(const struct wire *wire);
void file_remove(char *path);

// struct flow_log is a flow whose events become text: "begin;", "C:bytes;", "S gap 5;",
// "end fin server;".
struct flow_log {
    struct flow *flow;
    struct buf text;
    bool ignore;        // every stream, from its first bytes on
    struct stream last; // as it ended
};

void flow_log_init(struct flow_log *log, size_t streams_max);
void flow_log_cleanup(struct flow_log *log);

// flow_log_tcp sends a segment at `time_us` through the flow.
void flow_log_tcp(struct flow_log *log, int64_t time_us, struct tcp_spec spec);

// flow_log_text returns what was said so far and forgets it.
const char *flow_log_text(struct flow_log *log);

#endif // TESTS_UNIT_LOGS_PCAP_PACKETS_H_
