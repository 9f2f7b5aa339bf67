// TCP streams out of packets.
#ifndef LOGS_PCAP_FLOW_H_
#define LOGS_PCAP_FLOW_H_

#include "logs/pcap/capture.h"
#include "logs/pcap/fragment.h"
#include "logs/pcap/reassembly.h"
#include "logs/pcap/tcp.h"

enum {
    FLOW_STREAMS_MAX = 16384,            // open at a time
    FLOW_WAITING_MAX = 32 * 1024 * 1024, // bytes that wait out of order, over all streams
    FLOW_ACKED_WAIT_US = 1000000,        // for bytes that the receiver has, but the capture not
    FLOW_UNACKED_WAIT_US = 30 * 1000000, // for bytes that may still be sent again
    FLOW_LINGER_US = 3 * 1000000,        // that a closed stream still takes packets
};

enum flow_side { FLOW_CLIENT, FLOW_SERVER };

enum flow_how {
    FLOW_OPEN,    // not ended where the capture ends
    FLOW_FIN,     // closed, at least from one side
    FLOW_RST,     // reset
    FLOW_REUSED,  // another connection began with the same ports
    FLOW_EVICTED, // the oldest idle one when there were too many
};

// struct flow_end is what is known of one end of a stream: what it sent.
struct flow_end {
    uint8_t address[16]; // in network byte order, IPv4 as ::ffff:a.b.c.d
    uint16_t port;
    bool syn, fin, rst, spoke; // `spoke`: any packet was seen
    uint8_t ttl, rst_ttl;      // of the first packet, and of the reset
    uint16_t mss;              // of the SYN, as are window and options; 0 without
    uint16_t window;
    uint8_t options[TCP_OPTIONS_MAX];
    uint8_t options_len;
    int64_t syn_us, fin_us, rst_us;
    uint64_t bytes;       // of data, gaps included
    uint64_t gap_bytes;   // of them lost to the capture
    uint32_t packets;     // with or without data
    uint32_t retransmits; // segments that brought nothing new
};

// struct stream is one connection. The flow owns it; it is valid from its begin to the return of
// its end.
struct stream {
    // Facts, for the reader.
    struct flow_end ends[2]; // by enum flow_side
    int64_t start_us;        // of the first packet
    int64_t last_us;         // of the last
    bool roles_known;        // a SYN told who is the client; else the higher port is taken for it
    enum flow_how how;
    enum flow_side by; // FIN, RST: who was first
    int64_t end_us;    // FIN, RST: when

    void *user; // the consumer's

    // State, private.
    struct flow_lane {
        struct reassembly bytes;
        bool based;
        uint32_t base;   // sequence number of offset 0
        uint64_t acked;  // offset up to which the other end has acknowledged
        int64_t fin_at;  // offset of the first FIN, if it was seen
        size_t counted;  // bytes of `bytes.waiting` in the sum over all streams
        int64_t wait_us; // when the first of the waiting pieces began to wait
    } lanes[2];
    bool ignored;
    bool closing;
    struct stream *chain;         // in a bucket
    struct stream *older, *newer; // by the last packet
    struct stream *close_next;    // in the order of closing
    int64_t close_us;
    uint32_t bucket;
};

// struct flow_events is what the consumer does; all but `end` may be NULL. `begin` comes with the
// first packet of a stream; `bytes` with data in order, a segment at a time; `gap` with the length
// of what was lost before the next bytes of that side; `end` last, after which the stream is freed.
struct flow_events {
    void *ctx;
    void (*begin)(void *ctx, struct stream *stream);
    void (*bytes)(void *ctx, struct stream *stream, enum flow_side from, const uint8_t *p,
                  size_t p_len, int64_t time_us);
    void (*gap)(void *ctx, struct stream *stream, enum flow_side from, uint64_t len,
                int64_t time_us);
    void (*end)(void *ctx, struct stream *stream);
};

// struct flow_counts tells what became of the packets.
struct flow_counts {
    uint64_t packets;
    uint64_t other;        // not IP, or not TCP
    uint64_t malformed;    // headers that are cut or not possible
    uint64_t unknown_link; // of a link type that is not read
    uint32_t last_unknown_link;
    uint64_t cut;            // TCP segments of which the capture holds only a part
    uint64_t fragments_lost; // IP packets of which not all fragments were there
    uint64_t streams, evicted;
    uint64_t gaps, gap_bytes;
};

struct flow;

// flow_new returns a flow that calls `events`, of which it keeps a copy. `streams_max` of 0 means
// FLOW_STREAMS_MAX. The caller frees it with flow_free, which calls no event.
WUNRES struct flow *flow_new(const struct flow_events *events, size_t streams_max);
void flow_free(struct flow *flow);

// flow_packet takes the next packet.
void flow_packet(struct flow *flow, const struct packet *packet);

// flow_finish ends all streams: the capture is over.
void flow_finish(struct flow *flow);

// flow_evict ends the stream that has been idle for longest, if there is one. It returns false when
// there is none.
bool flow_evict(struct flow *flow);

// flow_ignore says that no more bytes of `stream` are needed: from now on there are neither bytes
// nor gaps, and its data cost next to nothing. The facts go on.
void flow_ignore(struct stream *stream);

// flow_counts returns the numbers so far.
struct flow_counts flow_counts(const struct flow *flow);

#endif // LOGS_PCAP_FLOW_H_
