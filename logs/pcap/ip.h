// IPv4 and IPv6 headers down to what they carry (RFC 791, RFC 8200).
#ifndef LOGS_PCAP_IP_H_
#define LOGS_PCAP_IP_H_

#include "logs/record/obj.h"

enum { IP_PROTOCOL_TCP = 6 };

// struct ip_packet: addresses are in network byte order, IPv4 as ::ffff:a.b.c.d.
struct ip_packet {
    uint8_t src[16], dst[16];
    bool ipv6;
    uint8_t protocol;    // of the payload
    uint8_t ttl;         // or hop limit
    struct span payload; // as much as was captured
    size_t wire_len;     // of the payload on the wire, at least `payload.len`
    bool fragment;       // the payload is one of several; it begins at `fragment_offset`
    bool more_fragments;
    uint32_t fragment_offset, fragment_id;
};

// ip_parse reads the packet `ip`, through extension headers and IP in IP. Checksums are not looked
// at: network cards fill them in after the capture. A length of zero, which cards that cut packets
// themselves leave behind, means all there is. It returns false for what is too short or not IP.
bool ip_parse(struct ip_packet *out, struct span ip);

#endif // LOGS_PCAP_IP_H_
