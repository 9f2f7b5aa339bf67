// The one decision: which rule applies to a connection. Pure.
#ifndef POLICY_DECIDE_DECIDE_H_
#define POLICY_DECIDE_DECIDE_H_

#include "policy/config/policy.h"

// struct question is what is known of a connection. `host` is the name or address literal (IPv6
// without brackets) that the client asked for, of any case, with or without a trailing dot; `sni`
// may be NULL, and `sni_to_come` says that it is so because the hello is not there yet; `client` is
// the client's address, IPv4 as ::ffff:a.b.c.d.
struct question {
    const char *host, *sni;
    uint16_t port;
    uint8_t client[16];
    bool sni_to_come;
};

// policy_decide returns the first rule whose hosts, ports and clients all match, the defaults when
// none does; NULL only where an SNI that is still to come might change that. It allocates nothing,
// and the rule lives as long as `policy`.
//
// Names are compared without regard to case (ASCII) and to one dot at the end. `*` in a glob stands
// for any run of characters, dots and the empty run included: "*.example.test" matches
// "a.b.example.test" but not "example.test". An address literal is compared as an address with
// addresses and networks, so that "::1" is "0:0:0:0:0:0:0:1" and "::ffff:192.0.2.1" is "192.0.2.1";
// globs match its usual text (RFC 5952) or the SNI.
const struct policy_rule *policy_decide(const struct policy *policy, const struct question *q);

#endif // POLICY_DECIDE_DECIDE_H_
