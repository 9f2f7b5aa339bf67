#include "logs/pcap/flow.h"

#include <stdlib.h>
#include <string.h>

#include "logs/pcap/frame.h"

enum {
    BUCKETS = 16384,
    FAR_AHEAD = 1 << 30, // the largest window there is (RFC 7323): beyond it nothing belongs here
};

struct flow {
    struct flow_events events;
    size_t streams_max, num_streams;
    size_t waiting; // bytes that wait, over all streams
    struct stream *buckets[BUCKETS];
    struct stream *oldest, *newest;
    struct stream *close_first, *close_last;
    struct fragments fragments;
    struct flow_counts counts;
};

struct flow *flow_new(const struct flow_events *events, size_t streams_max) {
    struct flow *flow = xcalloc(1, sizeof(*flow));
    flow->events = *events;
    flow->streams_max = streams_max != 0 ? streams_max : FLOW_STREAMS_MAX;
    return flow;
}

struct flow_counts flow_counts(const struct flow *flow) {
    struct flow_counts counts = flow->counts;
    counts.fragments_lost = flow->fragments.num_lost;
    return counts;
}

// ---- the table of streams

static uint32_t end_hash(const uint8_t address[16], uint16_t port) {
    uint64_t a, b;
    memcpy(&a, address, 8);
    memcpy(&b, address + 8, 8);
    uint64_t h = (a ^ (b + port)) * UINT64_C(0x9e3779b97f4a7c15);
    h = (h ^ h >> 29 ^ b) * UINT64_C(0xbf58476d1ce4e5b9);
    return (uint32_t)(h >> 32);
}

static bool end_is(const struct flow_end *end, const uint8_t address[16], uint16_t port) {
    return end->port == port && memcmp(end->address, address, sizeof(end->address)) == 0;
}

// bucket_of is the same for both directions.
static uint32_t bucket_of(const struct ip_packet *ip, const struct tcp_segment *tcp) {
    return (end_hash(ip->src, tcp->src_port) + end_hash(ip->dst, tcp->dst_port)) % BUCKETS;
}

// stream_find returns the stream of a packet and sets `*out_from` to its sender, or returns NULL.
static struct stream *stream_find(struct flow *flow, enum flow_side *out_from, uint32_t bucket,
                                  const struct ip_packet *ip, const struct tcp_segment *tcp) {
    for (struct stream *s = flow->buckets[bucket]; s != NULL; s = s->chain) {
        for (int from = 0; from < 2; from++) {
            if (end_is(&s->ends[from], ip->src, tcp->src_port) &&
                end_is(&s->ends[!from], ip->dst, tcp->dst_port)) {
                *out_from = (enum flow_side)from;
                return s;
            }
        }
    }
    return NULL;
}

static void age_unlink(struct flow *flow, struct stream *s) {
    *(s->older != NULL ? &s->older->newer : &flow->oldest) = s->newer;
    *(s->newer != NULL ? &s->newer->older : &flow->newest) = s->older;
}

static void age_append(struct flow *flow, struct stream *s) {
    s->older = flow->newest;
    s->newer = NULL;
    *(flow->newest != NULL ? &flow->newest->newer : &flow->oldest) = s;
    flow->newest = s;
}

static void chain_unlink(struct flow *flow, struct stream *s) {
    struct stream **link = &flow->buckets[s->bucket];
    while (*link != s) {
        link = &(*link)->chain;
    }
    *link = s->chain;
}

// Taking a stream out of the middle of this list is rare.
static void close_unlink(struct flow *flow, struct stream *s) {
    struct stream *before = NULL;
    for (struct stream *at = flow->close_first; at != NULL && at != s; at = at->close_next) {
        before = at;
    }
    *(before != NULL ? &before->close_next : &flow->close_first) = s->close_next;
    flow->close_last = flow->close_last == s ? before : flow->close_last;
}

static void close_append(struct flow *flow, struct stream *s) {
    s->close_next = NULL;
    *(flow->close_last != NULL ? &flow->close_last->close_next : &flow->close_first) = s;
    flow->close_last = s;
}

// waiting_count brings the sum over all streams up to date.
static void waiting_count(struct flow *flow, struct flow_lane *lane) {
    flow->waiting += lane->bytes.waiting - lane->counted;
    lane->counted = lane->bytes.waiting;
}

static void stream_free(struct flow *flow, struct stream *s) {
    for (int side = 0; side < 2; side++) {
        reassembly_cleanup(&s->lanes[side].bytes);
        waiting_count(flow, &s->lanes[side]);
    }
    if (s->closing) {
        close_unlink(flow, s);
    }
    age_unlink(flow, s);
    chain_unlink(flow, s);
    flow->num_streams--;
    free(s);
}

void flow_free(struct flow *flow) {
    if (flow == NULL) {
        return;
    }
    while (flow->oldest != NULL) {
        stream_free(flow, flow->oldest);
    }
    fragments_cleanup(&flow->fragments);
    free(flow);
}

// ---- what the consumer is told

static void tell_bytes(struct flow *flow, struct stream *s, enum flow_side from,
                       const struct reassembly_bytes *bytes) {
    if (bytes->len != 0 && !s->ignored && flow->events.bytes != NULL) {
        flow->events.bytes(flow->events.ctx, s, from, bytes->p, bytes->len, bytes->time_us);
    }
}

static void tell_gap(struct flow *flow, struct stream *s, enum flow_side from, uint64_t len,
                     int64_t now_us) {
    if (len == 0) {
        return;
    }
    s->ends[from].gap_bytes += len;
    flow->counts.gaps++;
    flow->counts.gap_bytes += len;
    if (!s->ignored && flow->events.gap != NULL) {
        flow->events.gap(flow->events.ctx, s, from, len, now_us);
    }
}

// lane_drain hands over what waited and is next now.
static void lane_drain(struct flow *flow, struct stream *s, enum flow_side from) {
    struct reassembly_bytes bytes;
    while (reassembly_take(&s->lanes[from].bytes, &bytes)) {
        tell_bytes(flow, s, from, &bytes);
    }
}

static void lane_give_up(struct flow *flow, struct stream *s, enum flow_side from, int64_t now_us) {
    tell_gap(flow, s, from, reassembly_gap(&s->lanes[from].bytes), now_us);
    lane_drain(flow, s, from);
    s->lanes[from].wait_us = now_us;
}

// lane_end hands over what still waits, and tells what was acknowledged and never seen.
static void lane_end(struct flow *flow, struct stream *s, enum flow_side from) {
    struct flow_lane *lane = &s->lanes[from];
    struct flow_end *end = &s->ends[from];
    while (lane->bytes.num_pieces != 0) {
        lane_give_up(flow, s, from, s->last_us);
    }
    // A FIN counts as a byte too, seen or lost.
    if (end->fin && (int64_t)lane->acked > lane->fin_at && lane->fin_at >= (int64_t)end->bytes) {
        lane->acked = (uint64_t)lane->fin_at;
    }
    if (lane->acked > end->bytes + (end->fin ? 0 : 1)) {
        tell_gap(flow, s, from, lane->acked - end->bytes, s->last_us);
        end->bytes = lane->acked;
    }
}

// stream_end ends the stream.
static void stream_end(struct flow *flow, struct stream *s, enum flow_how how) {
    lane_end(flow, s, FLOW_CLIENT);
    lane_end(flow, s, FLOW_SERVER);
    s->how = s->how != FLOW_OPEN ? s->how : how;
    flow->events.end(flow->events.ctx, s);
    stream_free(flow, s);
}

void flow_finish(struct flow *flow) {
    while (flow->oldest != NULL) {
        stream_end(flow, flow->oldest, FLOW_OPEN);
    }
}

bool flow_evict(struct flow *flow) {
    if (flow->oldest == NULL) {
        return false;
    }
    flow->counts.evicted++;
    stream_end(flow, flow->oldest, FLOW_EVICTED);
    return true;
}

void flow_ignore(struct stream *stream) { stream->ignored = true; }

// ---- packets

static struct stream *stream_new(struct flow *flow, uint32_t bucket, const struct ip_packet *ip,
                                 const struct tcp_segment *tcp, int64_t now_us) {
    struct stream *s = xcalloc(1, sizeof(*s));
    bool syn = tcp->flags & TCP_SYN, ack = tcp->flags & TCP_ACK;
    bool from_client = syn ? !ack : tcp->src_port >= tcp->dst_port;
    struct flow_end *src = &s->ends[from_client ? FLOW_CLIENT : FLOW_SERVER];
    struct flow_end *dst = &s->ends[from_client ? FLOW_SERVER : FLOW_CLIENT];
    memcpy(src->address, ip->src, sizeof(src->address));
    memcpy(dst->address, ip->dst, sizeof(dst->address));
    src->port = tcp->src_port;
    dst->port = tcp->dst_port;
    s->roles_known = syn;
    s->start_us = s->last_us = now_us;
    s->bucket = bucket;
    s->chain = flow->buckets[bucket];
    flow->buckets[bucket] = s;
    age_append(flow, s);
    if (++flow->num_streams > flow->streams_max) {
        (void)flow_evict(flow);
    }
    flow->counts.streams++;
    if (flow->events.begin != NULL) {
        flow->events.begin(flow->events.ctx, s);
    }
    return s;
}

static void lane_base(struct flow_lane *lane, uint32_t seq) {
    if (!lane->based) {
        lane->based = true;
        lane->base = seq;
    }
}

// lane_offset is the offset in the stream of sequence number `seq`, near the last byte seen;
// negative before the first.
static int64_t lane_offset(const struct flow_lane *lane, const struct flow_end *end, uint32_t seq) {
    uint32_t here = lane->base + (uint32_t)end->bytes;
    return (int64_t)end->bytes + (int32_t)(seq - here);
}

static void syn_take(struct stream *s, enum flow_side from, const struct tcp_segment *tcp,
                     int64_t now_us) {
    struct flow_end *end = &s->ends[from];
    lane_base(&s->lanes[from], tcp->seq + 1);
    if (tcp->flags & TCP_ACK) {
        lane_base(&s->lanes[!from], tcp->ack);
    }
    end->retransmits += end->syn;
    if (end->syn) {
        return;
    }
    end->syn = true;
    end->syn_us = now_us;
    end->mss = tcp->mss;
    end->window = tcp->window;
    memcpy(end->options, tcp->options.p, tcp->options.len);
    end->options_len = (uint8_t)tcp->options.len;
}

static void closing_add(struct flow *flow, struct stream *s, int64_t now_us) {
    if (!s->closing) {
        s->closing = true;
        s->close_us = now_us;
        close_append(flow, s);
    }
}

static void end_set(struct stream *s, enum flow_how how, enum flow_side by, int64_t now_us) {
    if (s->how == FLOW_OPEN) {
        s->how = how;
        s->by = by;
        s->end_us = now_us;
    }
}

static void fin_take(struct flow *flow, struct stream *s, enum flow_side from,
                     const struct tcp_segment *tcp, int64_t now_us) {
    struct flow_end *end = &s->ends[from];
    if (!end->fin) {
        lane_base(&s->lanes[from], tcp->seq);
        s->lanes[from].fin_at =
            lane_offset(&s->lanes[from], end, tcp->seq + (uint32_t)tcp->wire_len);
        end->fin = true;
        end->fin_us = now_us;
        end_set(s, FLOW_FIN, from, now_us);
    }
    if (s->ends[!from].fin) {
        closing_add(flow, s, now_us);
    }
}

static void rst_take(struct flow *flow, struct stream *s, enum flow_side from, uint8_t ttl,
                     int64_t now_us) {
    struct flow_end *end = &s->ends[from];
    if (!end->rst) {
        end->rst = true;
        end->rst_us = now_us;
        end->rst_ttl = ttl;
    }
    end_set(s, FLOW_RST, from, now_us);
    closing_add(flow, s, now_us);
}

// data_put brings a segment into order and tells the consumer what is next.
static void data_put(struct flow *flow, struct stream *s, enum flow_side from, uint64_t offset,
                     struct reassembly_bytes segment) {
    struct reassembly *r = &s->lanes[from].bytes;
    struct reassembly_bytes bytes;
    bool was_waiting = r->num_pieces != 0, full;
    do {
        if (reassembly_put(r, &bytes, &full, offset, segment)) {
            tell_bytes(flow, s, from, &bytes);
        }
        lane_drain(flow, s, from);
        if (full) {
            lane_give_up(flow, s, from, segment.time_us);
        }
    } while (full);
    if (!was_waiting) {
        s->lanes[from].wait_us = segment.time_us;
    }
}

// data_take takes the data of a segment: its facts always, its bytes where they are wanted.
static void data_take(struct flow *flow, struct stream *s, enum flow_side from,
                      const struct tcp_segment *tcp, int64_t now_us) {
    struct flow_end *end = &s->ends[from];
    struct flow_lane *lane = &s->lanes[from];
    struct reassembly *r = &lane->bytes;
    struct reassembly_bytes segment = {tcp->data.p, tcp->data.len, now_us};
    uint32_t seq = tcp->seq + (tcp->flags & TCP_SYN ? 1 : 0);
    lane_base(lane, seq);
    int64_t offset = lane_offset(lane, end, seq), past = offset + (int64_t)tcp->wire_len;
    if (past <= (int64_t)(s->ignored ? end->bytes : r->next)) {
        bool keep_alive = tcp->wire_len == 1 && past == (int64_t)end->bytes;
        end->retransmits += !keep_alive;
    }
    if (past <= 0 || past > (int64_t)end->bytes + FAR_AHEAD) {
        return;
    }
    if (offset < 0) {
        size_t before = (size_t)-offset < segment.len ? (size_t)-offset : segment.len;
        segment.p += before;
        segment.len -= before;
        offset = 0;
    }
    end->bytes = (uint64_t)past > end->bytes ? (uint64_t)past : end->bytes;
    flow->counts.cut += tcp->data.len < tcp->wire_len;
    if (s->ignored) {
        return;
    }
    if (segment.len != 0) {
        data_put(flow, s, from, (uint64_t)offset, segment);
    }
    bool cut = segment.len < (size_t)(past - offset);
    if (cut && r->next == (uint64_t)offset + segment.len) {
        tell_gap(flow, s, from, reassembly_skip(r, (uint64_t)past), now_us);
        lane_drain(flow, s, from);
    }
}

// ack_take notes how far the other end has received.
static void ack_take(struct stream *s, enum flow_side from, uint32_t ack) {
    struct flow_lane *other = &s->lanes[!from];
    lane_base(other, ack);
    int64_t offset = lane_offset(other, &s->ends[!from], ack);
    if (offset > (int64_t)other->acked && offset <= (int64_t)s->ends[!from].bytes + FAR_AHEAD) {
        other->acked = (uint64_t)offset;
    }
}

// lane_check gives up what the capture will not show any more, and keeps the ceilings.
static void lane_check(struct flow *flow, struct stream *s, enum flow_side from, int64_t now_us) {
    struct flow_lane *lane = &s->lanes[from];
    if (s->ignored && (lane->bytes.num_pieces != 0 || lane->bytes.head != NULL)) {
        reassembly_drop(&lane->bytes);
    }
    waiting_count(flow, lane);
    if (lane->bytes.num_pieces == 0) {
        return;
    }
    bool acked = lane->acked > lane->bytes.next;
    int64_t patience = acked ? FLOW_ACKED_WAIT_US : FLOW_UNACKED_WAIT_US;
    if (now_us - lane->wait_us > patience || flow->waiting > FLOW_WAITING_MAX) {
        lane_give_up(flow, s, from, now_us);
        waiting_count(flow, lane);
    }
}

// closed_end ends the streams that closed a while ago. One that goes on all the same, as after a
// reset that was forged, stays.
static void closed_end(struct flow *flow, int64_t now_us) {
    while (flow->close_first != NULL && now_us - flow->close_first->close_us > FLOW_LINGER_US) {
        struct stream *s = flow->close_first;
        if (now_us - s->last_us > FLOW_LINGER_US) {
            stream_end(flow, s, FLOW_OPEN);
            continue;
        }
        close_unlink(flow, s);
        s->close_us = now_us;
        close_append(flow, s);
    }
}

// is_other_connection tells whether a SYN begins another connection between the same ports.
static bool is_other_connection(const struct stream *s, enum flow_side from,
                                const struct tcp_segment *tcp) {
    const struct flow_lane *lane = &s->lanes[from];
    bool opens = (tcp->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
    return opens && lane->based && lane->base != tcp->seq + 1;
}

// stream_of returns the stream that a segment belongs to, or NULL for one that begins none: what
// comes late after the end, or acknowledges something from before the capture.
static struct stream *stream_of(struct flow *flow, enum flow_side *out_from,
                                const struct ip_packet *ip, const struct tcp_segment *tcp,
                                int64_t now_us) {
    uint32_t bucket = bucket_of(ip, tcp);
    struct stream *s = stream_find(flow, out_from, bucket, ip, tcp);
    if (s != NULL && is_other_connection(s, *out_from, tcp)) {
        stream_end(flow, s, FLOW_REUSED);
        s = NULL;
    }
    if (s == NULL && ((tcp->flags & TCP_SYN) || tcp->wire_len > 1)) {
        s = stream_new(flow, bucket, ip, tcp, now_us);
        *out_from =
            end_is(&s->ends[FLOW_CLIENT], ip->src, tcp->src_port) ? FLOW_CLIENT : FLOW_SERVER;
    }
    return s;
}

static void segment_take(struct flow *flow, const struct ip_packet *ip,
                         const struct tcp_segment *tcp, int64_t now_us) {
    enum flow_side from;
    struct stream *s = stream_of(flow, &from, ip, tcp, now_us);
    if (s == NULL) {
        return;
    }
    struct flow_end *end = &s->ends[from];
    if (s != flow->newest) {
        age_unlink(flow, s);
        age_append(flow, s);
    }
    s->last_us = now_us;
    end->packets++;
    if (!end->spoke) {
        end->spoke = true;
        end->ttl = ip->ttl;
    }
    if (tcp->flags & TCP_SYN) {
        syn_take(s, from, tcp, now_us);
    }
    // What a reset carries is a text for people (RFC 9293 section 3.5.3), not data.
    if (tcp->wire_len != 0 && (tcp->flags & TCP_RST) == 0) {
        data_take(flow, s, from, tcp, now_us);
    }
    if (tcp->flags & TCP_ACK) {
        ack_take(s, from, tcp->ack);
    }
    if (tcp->flags & TCP_FIN) {
        fin_take(flow, s, from, tcp, now_us);
    }
    if (tcp->flags & TCP_RST) {
        rst_take(flow, s, from, ip->ttl, now_us);
    }
    lane_check(flow, s, FLOW_CLIENT, now_us);
    lane_check(flow, s, FLOW_SERVER, now_us);
}

static void link_count(struct flow *flow, enum frame_result result, uint32_t link_type) {
    flow->counts.other += result == FRAME_OTHER;
    flow->counts.malformed += result == FRAME_CUT;
    if (result == FRAME_UNKNOWN_LINK) {
        flow->counts.unknown_link++;
        flow->counts.last_unknown_link = link_type;
    }
}

void flow_packet(struct flow *flow, const struct packet *packet) {
    struct span frame;
    struct ip_packet ip;
    struct tcp_segment tcp;
    flow->counts.packets++;
    closed_end(flow, packet->time_us);
    enum frame_result result = frame_ip(&frame, packet);
    if (result != FRAME_IP) {
        link_count(flow, result, packet->link_type);
    } else if (!ip_parse(&ip, frame)) {
        flow->counts.malformed++;
    } else if (ip.protocol != IP_PROTOCOL_TCP) {
        flow->counts.other++;
    } else if (ip.fragment && !fragments_put(&flow->fragments, &ip, packet->time_us)) {
        return;
    } else if (!tcp_parse(&tcp, ip.payload, ip.wire_len)) {
        flow->counts.malformed++;
    } else {
        segment_take(flow, &ip, &tcp, packet->time_us);
    }
}
