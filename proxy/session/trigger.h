// Whether the conditions of an emulated box's reaction hold for a connection. Pure.
#ifndef PROXY_SESSION_TRIGGER_H_
#define PROXY_SESSION_TRIGGER_H_

#include "policy/profiles/profile.h"
#include "proxy/tls/client_hello.h"

// struct trigger_facts is what is known of a connection once its hello is whole. Strings may be
// NULL where there is none.
struct trigger_facts {
    const struct client_hello *hello;
    const char *host, *user_agent;
    size_t segments, records;
    uint32_t nth; // connection of this client to this host, from 1
    double draw;  // from 0, below 1
};

// trigger_met returns whether every condition of `when` holds.
bool trigger_met(const struct reaction_when *when, const struct trigger_facts *facts);

// trigger_segments is how many TCP segments a hello of `wire_len` bytes that came in `num_reads`
// reads takes on an Ethernet, as the kernel of this machine may have joined them or never cut them.
size_t trigger_segments(size_t wire_len, size_t num_reads);

#endif // PROXY_SESSION_TRIGGER_H_
