// From a captured frame to the IP packet inside.
#ifndef LOGS_PCAP_FRAME_H_
#define LOGS_PCAP_FRAME_H_

#include "logs/pcap/capture.h"

enum frame_result {
    FRAME_IP,
    FRAME_OTHER,        // another protocol: ARP, LLDP, …
    FRAME_CUT,          // too short for its own headers
    FRAME_UNKNOWN_LINK, // the link type is not one of those below
};

// frame_ip sets `*out_ip` to the IP packet that `packet` carries, which begins with its version and
// may have trailing bytes: Ethernet with any number of VLAN tags and with PPPoE, Linux cooked
// captures 1 and 2, raw IP, BSD loopback of either byte order, PPP.
enum frame_result frame_ip(struct span *out_ip, const struct packet *packet);

#endif // LOGS_PCAP_FRAME_H_
