#include "logs/pcap/frame.h"

#include "logs/pcap/bytes.h"

enum {
    TYPE_IPV4 = 0x0800,
    TYPE_IPV6 = 0x86dd,
    TYPE_VLAN = 0x8100,
    TYPE_QINQ = 0x88a8,
    TYPE_QINQ_OLD = 0x9100,
    TYPE_MPLS = 0x8847,
    TYPE_PPPOE = 0x8864, // session stage, RFC 2516
    PPP_IPV4 = 0x0021,
    PPP_IPV6 = 0x0057,

    ETHERNET_LEN = 14,
    COOKED_LEN = 16,
    COOKED2_LEN = 20,
    VLAN_LEN = 4,
    MPLS_LEN = 4,
    PPPOE_LEN = 6,
    NULL_LEN = 4,
};

typedef enum frame_result (*take_fn)(struct span *ip, struct span rest);

static struct span after(struct span span, size_t n) {
    return (struct span){span.p + n, span.len - n};
}

static enum frame_result raw(struct span *ip, struct span rest) {
    if (rest.len == 0) {
        return FRAME_CUT;
    }
    *ip = rest;
    return rest.p[0] >> 4 == 4 || rest.p[0] >> 4 == 6 ? FRAME_IP : FRAME_OTHER;
}

// RFC 1661 section 5.1, RFC 1662 section 3.1: address and control, and the first byte of the
// protocol, may be left out.
static enum frame_result ppp(struct span *ip, struct span rest) {
    if (rest.len >= 2 && rest.p[0] == 0xff && rest.p[1] == 0x03) {
        rest = after(rest, 2);
    }
    if (rest.len < 2) {
        return FRAME_CUT;
    }
    size_t len = rest.p[0] & 1 ? 1 : 2;
    uint16_t protocol = len == 1 ? rest.p[0] : get_be16(rest.p);
    return protocol == PPP_IPV4 || protocol == PPP_IPV6 ? raw(ip, after(rest, len)) : FRAME_OTHER;
}

// by_type goes through tags and labels until there is IP.
static enum frame_result by_type(struct span *ip, uint16_t type, struct span rest) {
    while (type == TYPE_VLAN || type == TYPE_QINQ || type == TYPE_QINQ_OLD) {
        if (rest.len < VLAN_LEN) {
            return FRAME_CUT;
        }
        type = get_be16(rest.p + 2);
        rest = after(rest, VLAN_LEN);
    }
    if (type == TYPE_PPPOE) {
        return rest.len < PPPOE_LEN ? FRAME_CUT : ppp(ip, after(rest, PPPOE_LEN));
    }
    if (type == TYPE_MPLS) {
        bool bottom = false;
        while (!bottom) {
            if (rest.len < MPLS_LEN) {
                return FRAME_CUT;
            }
            bottom = rest.p[2] & 1;
            rest = after(rest, MPLS_LEN);
        }
        return raw(ip, rest);
    }
    return type == TYPE_IPV4 || type == TYPE_IPV6 ? raw(ip, rest) : FRAME_OTHER;
}

static enum frame_result ethernet(struct span *ip, struct span rest) {
    return rest.len < ETHERNET_LEN ? FRAME_CUT
                                   : by_type(ip, get_be16(rest.p + 12), after(rest, ETHERNET_LEN));
}

static enum frame_result cooked(struct span *ip, struct span rest) {
    return rest.len < COOKED_LEN ? FRAME_CUT
                                 : by_type(ip, get_be16(rest.p + 14), after(rest, COOKED_LEN));
}

static enum frame_result cooked2(struct span *ip, struct span rest) {
    return rest.len < COOKED2_LEN ? FRAME_CUT
                                  : by_type(ip, get_be16(rest.p), after(rest, COOKED2_LEN));
}

// The family before the packet has its system's value for IPv6; the packet tells its version.
static enum frame_result loopback(struct span *ip, struct span rest) {
    return rest.len < NULL_LEN ? FRAME_CUT : raw(ip, after(rest, NULL_LEN));
}

// clang-format off
static const struct {
    uint32_t link_type;
    take_fn take;
} links[] = {
    {1,   ethernet},
    {0,   loopback}, // NULL: the family in the byte order of the host that captured
    {108, loopback}, // LOOP: in network byte order
    {113, cooked},
    {276, cooked2},
    {101, raw},
    {12,  raw},      // as some systems wrote it
    {14,  raw},
    {228, raw},      // IPv4
    {229, raw},      // IPv6
    {9,   ppp},
    {50,  ppp},
};
// clang-format on

enum frame_result frame_ip(struct span *out_ip, const struct packet *packet) {
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        if (links[i].link_type == packet->link_type) {
            return links[i].take(out_ip, (struct span){packet->p, packet->len});
        }
    }
    return FRAME_UNKNOWN_LINK;
}
