// One SYN or datagram whose TTL may run out on the way, and who says so. Needs no privilege: the
// kernel keeps the ICMP message of a socket with IP_RECVERR on its error queue, with the address of
// the router, where the option is set before connect().
#ifndef PROXY_PROBE_FEELER_H_
#define PROXY_PROBE_FEELER_H_

#include <ev.h>

#include "proxy/net/address.h"

enum { FEELER_DATAGRAM_PORT = 33434 }; // the first of those that traceroute uses; one a TTL

enum feeler_fate {
    FEELER_SILENT,  // nothing came in time
    FEELER_EXPIRED, // a router said that the TTL ran out
    FEELER_REACHED, // accepted, or a datagram that the host has no port for
    FEELER_REFUSED, // a reset, or another objection
    FEELER_FAILED,  // it could not be sent
};

struct feeler_result {
    enum feeler_fate fate;
    char router[ADDRESS_TEXT_SIZE]; // of FEELER_EXPIRED: who says so
    int64_t us;                     // from the sending on
};

struct feeler_config {
    struct ev_loop *loop;
    struct address address;
    int ttl;
    bool datagram; // instead of a SYN; the port is FEELER_DATAGRAM_PORT + ttl
    int64_t timeout_us;
    int mark; // SO_MARK; 0: none
    // Called once, from the loop; it may free the feeler.
    void (*on_done)(void *ctx, const struct feeler_result *result);
    void *ctx;
};

struct feeler;

WUNRES struct feeler *feeler_new(const struct feeler_config *config);
void feeler_free(struct feeler *feeler);

#endif // PROXY_PROBE_FEELER_H_
