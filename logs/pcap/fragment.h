// IP fragments put together (RFC 791 section 3.2, RFC 8200 section 4.5).
#ifndef LOGS_PCAP_FRAGMENT_H_
#define LOGS_PCAP_FRAGMENT_H_

#include "logs/pcap/ip.h"

enum { FRAGMENT_PACKETS_MAX = 64, FRAGMENT_TIMEOUT_US = 30 * 1000000 };

struct fragment_packet;

// struct fragments holds up to FRAGMENT_PACKETS_MAX packets of 64 KiB that are not whole yet; a
// zeroed struct is empty. The oldest goes for a new one, and every one after FRAGMENT_TIMEOUT_US.
struct fragments {
    struct fragment_packet *packets[FRAGMENT_PACKETS_MAX];
    struct fragment_packet *done; // handed out, freed by the next call
    uint64_t num_lost;            // packets that never became whole
};

void fragments_cleanup(struct fragments *fragments);

// fragments_put takes a fragment. It returns true when that makes a packet whole: `*packet` then is
// that packet, its payload valid until the next call. Where fragments overlap the first copy wins.
bool fragments_put(struct fragments *fragments, struct ip_packet *packet, int64_t now_us);

#endif // LOGS_PCAP_FRAGMENT_H_
