#include "logs/pcap/capture_writer.h"

#include <stdlib.h>
#include <string.h>

#include "logs/pcap/tcp.h"

enum {
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 6,
    BLOCK_SECRETS = 10,
    BLOCK_SECTION = 0x0a0d0d0a,
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    SECRETS_TLS_KEY_LOG = 0x544c534b,
    LINK_ETHERNET = 1,

    ETHERNET_LEN = 14,
    IPV4_LEN = 20,
    IPV6_LEN = 40,
    TCP_LEN = 20,
    MSS_OPTION_LEN = 4,
    MTU = 1500,
    FRAME_MAX = ETHERNET_LEN + MTU,
    WINDOW = 65535,
    ACK_EVERY = 32, // segments, before the window is full
    HOPS = 64,

    FIRST_SEQ = 1000000, // of the client; the server's is its double
};

enum { OPTION_END = 0, OPTION_COMMENT = 1, OPTION_APPLICATION = 4 };

struct capture_writer {
    FILE *out;
    uint16_t ip_id;
};

// Numbers of blocks are in the byte order of the writing machine: the section header tells which.
static void put(struct capture_writer *writer, const void *p, size_t len) {
    fwrite(p, 1, len, writer->out);
}

static void put32(struct capture_writer *writer, uint32_t value) { put(writer, &value, 4); }

static size_t padded(size_t len) { return (len + 3) / 4 * 4; }

static void put_padded(struct capture_writer *writer, const void *p, size_t p_len) {
    static const uint8_t zeros[4];
    if (p_len != 0) {
        put(writer, p, p_len);
    }
    put(writer, zeros, padded(p_len) - p_len);
}

// struct block is what a block holds: a body, `p` with its padding, and one option, if `text` is
// not NULL.
struct block {
    uint32_t type;
    const void *head, *p;
    size_t head_len, p_len;
    uint16_t option;
    const char *text;
};

static void put_block(struct capture_writer *writer, const struct block *block) {
    size_t text_len = block->text != NULL ? strlen(block->text) : 0;
    size_t options = block->text != NULL ? 4 + padded(text_len) + 4 : 0;
    uint32_t len = (uint32_t)(12 + block->head_len + padded(block->p_len) + options);
    put32(writer, block->type);
    put32(writer, len);
    put(writer, block->head, block->head_len);
    put_padded(writer, block->p, block->p_len);
    if (block->text != NULL) {
        const uint16_t option[2] = {block->option, (uint16_t)text_len};
        put(writer, option, sizeof(option));
        put_padded(writer, block->text, text_len);
        put32(writer, OPTION_END);
    }
    put32(writer, len);
}

struct capture_writer *capture_writer_new(FILE *out) {
    struct capture_writer *writer = xcalloc(1, sizeof(*writer));
    const struct {
        uint32_t byte_order;
        uint16_t major, minor;
        int64_t section_len;
    } section = {BYTE_ORDER_MAGIC, 1, 0, -1};
    const struct {
        uint16_t link_type, reserved;
        uint32_t snap_len;
    } interface = {LINK_ETHERNET, 0, 0};
    writer->out = out;
    put_block(writer, &(struct block){.type = BLOCK_SECTION,
                                      .head = &section,
                                      .head_len = sizeof(section),
                                      .option = OPTION_APPLICATION,
                                      .text = "tlsblame: TCP is synthesised, TLS is as it was"});
    put_block(writer, &(struct block){.type = BLOCK_INTERFACE,
                                      .head = &interface,
                                      .head_len = sizeof(interface)});
    return writer;
}

bool capture_writer_free(struct capture_writer *writer, struct err *err) {
    bool ok = fflush(writer->out) == 0 && !ferror(writer->out);
    free(writer);
    return ok || err_errno(err, "the capture cannot be written");
}

void capture_writer_secrets(struct capture_writer *writer, const void *text, size_t text_len) {
    const uint32_t head[2] = {SECRETS_TLS_KEY_LOG, (uint32_t)text_len};
    put_block(writer, &(struct block){.type = BLOCK_SECRETS,
                                      .head = head,
                                      .head_len = sizeof(head),
                                      .p = text,
                                      .p_len = text_len});
}

static uint8_t *set16(uint8_t *p, uint16_t value) {
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
    return p + 2;
}

static uint8_t *set32(uint8_t *p, uint32_t value) {
    return set16(set16(p, (uint16_t)(value >> 16)), (uint16_t)value);
}

// sum adds the 16-bit words of `p` to `total`, and fold makes a checksum of it (RFC 1071).
static uint32_t sum(uint32_t total, const uint8_t *p, size_t len) {
    for (size_t i = 0; i + 1 < len; i += 2) {
        total += (uint32_t)p[i] << 8 | p[i + 1];
    }
    return len % 2 != 0 ? total + ((uint32_t)p[len - 1] << 8) : total;
}

static uint16_t fold(uint32_t total) {
    total = (total >> 16) + (total & 0xffff);
    return (uint16_t) ~((total >> 16) + total);
}

static bool is_ipv4(const struct capture_end *end) {
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(end->address, prefix, sizeof(prefix)) == 0;
}

static size_t ipv4_head(struct capture_writer *writer, uint8_t *p, const struct capture_end *src,
                        const struct capture_end *dst, size_t payload_len) {
    memset(p, 0, IPV4_LEN);
    p[0] = 0x45;
    set16(p + 2, (uint16_t)(IPV4_LEN + payload_len));
    set16(p + 4, ++writer->ip_id);
    p[6] = 0x40; // don't fragment
    p[8] = HOPS;
    p[9] = 6;
    memcpy(p + 12, src->address + 12, 4);
    memcpy(p + 16, dst->address + 12, 4);
    set16(p + 10, fold(sum(0, p, IPV4_LEN)));
    return IPV4_LEN;
}

static size_t ipv6_head(uint8_t *p, const struct capture_end *src, const struct capture_end *dst,
                        size_t payload_len) {
    set32(p, 6u << 28);
    set16(p + 4, (uint16_t)payload_len);
    p[6] = 6;
    p[7] = HOPS;
    memcpy(p + 8, src->address, 16);
    memcpy(p + 24, dst->address, 16);
    return IPV6_LEN;
}

static size_t ethernet_head(uint8_t *p, bool from_client, bool ipv4) {
    // Locally administered addresses: 02:00:00:00:00:01 is the client, …:02 the server.
    memcpy(p, "\x02\0\0\0\0\x02\x02\0\0\0\0\x01", 12);
    if (!from_client) {
        p[5] = 1;
        p[11] = 2;
    }
    set16(p + 12, ipv4 ? 0x0800 : 0x86dd);
    return ETHERNET_LEN;
}

static void packet_write(struct capture_writer *writer, const uint8_t *frame, size_t len,
                         const char *comment, int64_t time_us) {
    const uint32_t head[5] = {0, (uint32_t)((uint64_t)time_us >> 32), (uint32_t)time_us,
                              (uint32_t)len, (uint32_t)len};
    CHECK(comment == NULL || strlen(comment) <= CAPTURE_COMMENT_MAX);
    put_block(writer, &(struct block){.type = BLOCK_PACKET,
                                      .head = head,
                                      .head_len = sizeof(head),
                                      .p = frame,
                                      .p_len = len,
                                      .option = OPTION_COMMENT,
                                      .text = comment});
}

// tcp_write writes a segment at `p`, whose address words add up to `pseudo`, and returns its
// length.
static size_t tcp_write(uint8_t *p, const struct capture_stream *stream, bool from_client,
                        uint8_t flags, uint16_t mss, uint32_t pseudo, struct span data) {
    const struct capture_end *src = from_client ? &stream->client : &stream->server;
    const struct capture_end *dst = from_client ? &stream->server : &stream->client;
    size_t head_len = TCP_LEN + (mss != 0 ? MSS_OPTION_LEN : 0), len = head_len + data.len;
    uint8_t *at = set16(set16(p, src->port), dst->port);
    at = set32(at, stream->next[from_client ? 0 : 1]);
    at = set32(at, flags & TCP_ACK ? stream->next[from_client ? 1 : 0] : 0);
    *at++ = (uint8_t)(head_len / 4 << 4);
    *at++ = flags;
    at = set32(set16(at, WINDOW), 0); // window, checksum, urgent pointer
    if (mss != 0) {
        at = set16(set16(at, 0x0204), mss);
    }
    if (data.len != 0) {
        memcpy(at, data.p, data.len);
    }
    set16(p + 16, fold(sum(pseudo + 6 + (uint32_t)len, p, len)));
    return len;
}

static size_t mss_of(const struct capture_stream *stream) {
    return MTU - (is_ipv4(&stream->client) ? IPV4_LEN : IPV6_LEN) - TCP_LEN;
}

// segment_write writes a packet and moves the sender's sequence number behind it.
static void segment_write(struct capture_writer *writer, struct capture_stream *stream,
                          bool from_client, uint8_t flags, struct span data, int64_t time_us) {
    uint8_t frame[FRAME_MAX];
    const struct capture_end *src = from_client ? &stream->client : &stream->server;
    const struct capture_end *dst = from_client ? &stream->server : &stream->client;
    bool ipv4 = is_ipv4(src);
    CHECK(ipv4 == is_ipv4(dst) && data.len <= mss_of(stream));
    size_t skip = ipv4 ? 12 : 0, address_len = 16 - skip;
    uint32_t pseudo =
        sum(sum(0, src->address + skip, address_len), dst->address + skip, address_len);
    uint16_t mss = flags & TCP_SYN ? (uint16_t)mss_of(stream) : 0;
    size_t at = ethernet_head(frame, from_client, ipv4);
    size_t ip_len = ipv4 ? IPV4_LEN : IPV6_LEN;
    size_t tcp_len = tcp_write(frame + at + ip_len, stream, from_client, flags, mss, pseudo, data);
    if (ipv4) {
        ipv4_head(writer, frame + at, src, dst, tcp_len);
    } else {
        ipv6_head(frame + at, src, dst, tcp_len);
    }
    const char *comment = flags == TCP_SYN ? stream->comment : NULL;
    packet_write(writer, frame, at + ip_len + tcp_len, comment, time_us);
    bool counts = (flags & (TCP_SYN | TCP_FIN)) != 0; // as a byte
    stream->next[from_client ? 0 : 1] += (uint32_t)data.len + counts;
}

static const struct span nothing = {NULL, 0};

void capture_stream_open(struct capture_writer *writer, struct capture_stream *stream,
                         int64_t time_us) {
    stream->next[0] = FIRST_SEQ;
    stream->next[1] = 2 * FIRST_SEQ;
    segment_write(writer, stream, true, TCP_SYN, nothing, time_us);
    time_us += stream->connect_us;
    segment_write(writer, stream, false, TCP_SYN | TCP_ACK, nothing, time_us);
    segment_write(writer, stream, true, TCP_ACK, nothing, time_us);
}

void capture_stream_skip(struct capture_stream *stream, bool from_client, uint64_t len) {
    stream->next[from_client ? 0 : 1] += (uint32_t)len;
}

void capture_stream_data(struct capture_writer *writer, struct capture_stream *stream,
                         bool from_client, const void *p, size_t p_len, int64_t time_us) {
    struct span rest = {p, p_len};
    for (size_t i = 1; rest.len != 0; i++) {
        size_t n = rest.len < mss_of(stream) ? rest.len : mss_of(stream);
        uint8_t flags = TCP_ACK | (n == rest.len ? TCP_PSH : 0);
        segment_write(writer, stream, from_client, flags, (struct span){rest.p, n}, time_us);
        rest = (struct span){rest.p + n, rest.len - n};
        if (i % ACK_EVERY == 0 && rest.len != 0) {
            segment_write(writer, stream, !from_client, TCP_ACK, nothing, time_us);
        }
    }
    segment_write(writer, stream, !from_client, TCP_ACK, nothing, time_us);
}

void capture_stream_fin(struct capture_writer *writer, struct capture_stream *stream,
                        bool from_client, int64_t time_us) {
    if (!stream->fin[from_client ? 0 : 1]) {
        stream->fin[from_client ? 0 : 1] = true;
        segment_write(writer, stream, from_client, TCP_FIN | TCP_ACK, nothing, time_us);
        segment_write(writer, stream, !from_client, TCP_ACK, nothing, time_us);
    }
}

void capture_stream_reset(struct capture_writer *writer, struct capture_stream *stream,
                          bool from_client, int64_t time_us) {
    segment_write(writer, stream, from_client, TCP_RST | TCP_ACK, nothing, time_us);
}
