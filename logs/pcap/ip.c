#include "logs/pcap/ip.h"

#include <string.h>

#include "logs/pcap/bytes.h"

enum {
    IPV4_MIN = 20,
    IPV6_LEN = 40,
    IPV4_MORE = 0x2000,
    IPV4_OFFSET = 0x1fff,
    NEST_MAX = 4,     // IP in IP in …
    HEADERS_MAX = 16, // extension headers of one packet

    PROTOCOL_IPV4 = 4,
    PROTOCOL_IPV6 = 41,
    PROTOCOL_HOP_BY_HOP = 0,
    PROTOCOL_ROUTING = 43,
    PROTOCOL_FRAGMENT = 44,
    PROTOCOL_AUTHENTICATION = 51,
    PROTOCOL_DESTINATION = 60,
};

static void ipv4_address(uint8_t out[16], const uint8_t *p) {
    memset(out, 0, 10);
    memset(out + 10, 0xff, 2);
    memcpy(out + 12, p, 4);
}

// payload_set takes `len` bytes on the wire after a header of `skip`, of which the capture may hold
// fewer, or more: padding and checksums of the frame.
static void payload_set(struct ip_packet *out, struct span ip, size_t skip, size_t len) {
    size_t have = ip.len - skip;
    out->payload = (struct span){ip.p + skip, have < len ? have : len};
    out->wire_len = len;
}

static bool ipv4_parse(struct ip_packet *out, struct span ip) {
    size_t header_len = (size_t)(ip.p[0] & 0xf) * 4;
    if (ip.len < IPV4_MIN || header_len < IPV4_MIN || header_len > ip.len) {
        return false;
    }
    size_t total = get_be16(ip.p + 2);
    total = total != 0 ? total : ip.len;
    if (total < header_len) {
        return false;
    }
    uint16_t fragment = get_be16(ip.p + 6);
    *out = (struct ip_packet){
        .protocol = ip.p[9],
        .ttl = ip.p[8],
        .fragment = (fragment & (IPV4_MORE | IPV4_OFFSET)) != 0,
        .more_fragments = (fragment & IPV4_MORE) != 0,
        .fragment_offset = (uint32_t)(fragment & IPV4_OFFSET) * 8,
        .fragment_id = get_be16(ip.p + 4),
    };
    ipv4_address(out->src, ip.p + 12);
    ipv4_address(out->dst, ip.p + 16);
    payload_set(out, ip, header_len, total - header_len);
    return true;
}

static void fragment_set(struct ip_packet *out, const uint8_t *p) {
    uint16_t field = get_be16(p + 2);
    out->fragment_offset = field & 0xfff8;
    out->more_fragments = field & 1;
    out->fragment = out->fragment_offset != 0 || out->more_fragments;
    out->fragment_id = get_be32(p + 4);
}

// extension_pass moves the payload behind one extension header. It returns false when that is not
// one, or not whole.
static bool extension_pass(struct ip_packet *out) {
    const uint8_t *p = out->payload.p;
    size_t len;
    if (out->payload.len < 8) {
        return false;
    }
    switch (out->protocol) {
    case PROTOCOL_HOP_BY_HOP:
    case PROTOCOL_ROUTING:
    case PROTOCOL_DESTINATION:
        len = ((size_t)p[1] + 1) * 8;
        break;
    case PROTOCOL_FRAGMENT:
        len = 8;
        fragment_set(out, p);
        break;
    case PROTOCOL_AUTHENTICATION:
        len = ((size_t)p[1] + 2) * 4;
        break;
    default:
        return false;
    }
    if (len > out->payload.len) {
        return false;
    }
    out->protocol = p[0];
    out->payload = (struct span){p + len, out->payload.len - len};
    out->wire_len -= len;
    return true;
}

static bool ipv6_parse(struct ip_packet *out, struct span ip) {
    if (ip.len < IPV6_LEN) {
        return false;
    }
    size_t len = get_be16(ip.p + 4);
    *out = (struct ip_packet){.ipv6 = true, .protocol = ip.p[6], .ttl = ip.p[7]};
    memcpy(out->src, ip.p + 8, 16);
    memcpy(out->dst, ip.p + 24, 16);
    payload_set(out, ip, IPV6_LEN, len != 0 ? len : ip.len - IPV6_LEN);
    for (int i = 0; i < HEADERS_MAX && !out->fragment && extension_pass(out); i++) {
    }
    return true;
}

bool ip_parse(struct ip_packet *out, struct span ip) {
    for (int nest = 0; nest < NEST_MAX && ip.len != 0; nest++) {
        bool ok = ip.p[0] >> 4 == 4   ? ipv4_parse(out, ip)
                  : ip.p[0] >> 4 == 6 ? ipv6_parse(out, ip)
                                      : false;
        bool inner = ok && (out->protocol == PROTOCOL_IPV4 || out->protocol == PROTOCOL_IPV6);
        if (!inner || out->fragment) {
            return ok;
        }
        ip = out->payload;
    }
    return false;
}
