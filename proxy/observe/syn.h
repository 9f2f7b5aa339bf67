// The first segment of one end of a TCP connection, which tells its system and how far away it is.
#ifndef PROXY_OBSERVE_SYN_H_
#define PROXY_OBSERVE_SYN_H_

#include "logs/record/obj.h"

enum { SYN_OPTIONS_MAX = 40 };

struct syn {
    bool seen;
    uint8_t ttl; // hop limit of IPv6
    uint16_t window;
    uint8_t options[SYN_OPTIONS_MAX]; // as sent
    uint8_t options_len;
};

// syn_parse reads the IP and TCP headers `p`, as the kernel keeps them of a connection that it has
// accepted (tcp(7), TCP_SAVED_SYN). It returns false, and nothing is seen, for anything else.
bool syn_parse(struct syn *out, const uint8_t *p, size_t p_len);

// syn_record fills `out`, of KIND_SYN, unless nothing was seen.
void syn_record(struct obj *out, const struct syn *syn);

#endif // PROXY_OBSERVE_SYN_H_
