// The name of a server as the client meant it, and whether a certificate speaks for it.
#ifndef POLICY_CA_HOST_NAME_H_
#define POLICY_CA_HOST_NAME_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "third_party/boringssl/boringssl.h"

// The tags of the GeneralNames that name a server (RFC 5280 section 4.2.1.6).
#define SAN_DNS (CBS_ASN1_CONTEXT_SPECIFIC | 2)
#define SAN_IP (CBS_ASN1_CONTEXT_SPECIFIC | 7)

// struct host_name is a DNS name (`ip_len` 0) or an IP address (4 or 16 bytes). `text` is the form
// to compare and to put into certificates: lower case A-labels without a final dot, or the address
// as inet_ntop writes it.
struct host_name {
    char text[256];
    uint8_t ip[16];
    size_t ip_len;
};

// host_name_init reads `host` as it comes from a CONNECT, an SNI or a user: brackets and a zone
// around an IPv6 address and a final dot are dropped, U-labels become A-labels (RFC 5890 section
// 2.3.2.1; a U-label is lower case and normalised by definition, so nothing is mapped but ASCII
// letters). Underscores and single labels are fine. It returns false for what no server can be
// called: nothing, empty labels, more than 253 bytes, labels above 63, control characters, bad
// UTF-8. `*out` is then an empty name that matches nothing.
bool host_name_init(struct host_name *out, const char *host);

// host_name_matches tells whether the dNSName `pattern` speaks for `host` (RFC 9525 section 6.3):
// equal without regard to case, or a wildcard that is the whole left-most label, stands for exactly
// one label and has two more behind it. Never for an IP address.
bool host_name_matches(const struct host_name *host, CBS pattern);

// host_name_in_san looks for a dNSName or iPAddress in the GeneralNames contents `san` (RFC 5280
// section 4.2.1.6) that speaks for `host` and returns whether there is one. `out_name` may be NULL;
// else it is the whole GeneralName, header included.
bool host_name_in_san(const struct host_name *host, CBS san, CBS *out_name);

// host_name_has_identifiers tells whether `san` holds any dNSName or iPAddress.
bool host_name_has_identifiers(CBS san);

#endif // POLICY_CA_HOST_NAME_H_
