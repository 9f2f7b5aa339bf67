// The one decision: which rule applies to a connection. Pure.
#ifndef POLICY_DECIDE_DECIDE_H_
#define POLICY_DECIDE_DECIDE_H_

#include "policy/config/policy.h"

// struct question is what is known of a connection. `host` is the name or address literal (IPv6
// without brackets) that the client asked for, of any case, with or without a trailing dot; `sni`
// may be NULL; `client` is the client's address, IPv4 as ::ffff:a.b.c.d.
struct question {
    const char *host, *sni;
    uint16_t port;
    uint8_t client[16];
};

// policy_decide returns the first rule that matches, the defaults when none does; never NULL. A
// host glob matches the host, or the SNI where the host is an address literal. The rule lives as
// long as `policy`.
const struct policy_rule *policy_decide(const struct policy *policy, const struct question *q);

#endif // POLICY_DECIDE_DECIDE_H_
