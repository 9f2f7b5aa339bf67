// Address literals and prefixes as text, and which address lies in which prefix.
#ifndef POLICY_CONFIG_NETWORK_H_
#define POLICY_CONFIG_NETWORK_H_

#include <stdbool.h>
#include <stdint.h>

#include "logs/base/check.h"
#include "policy/config/policy.h"

// The longest text of a network, with its NUL.
enum { NETWORK_TEXT_MAX = 52 };

enum network_verdict {
    NETWORK_OK,
    NETWORK_NO_ADDRESS,
    NETWORK_BAD_LENGTH, // after the slash is no number of bits that the address has
    NETWORK_HOST_BITS,  // bits are set beyond the prefix; `out` holds the network without them
};

// network_parse_address reads an IPv4 or IPv6 address literal, without brackets or zone. It returns
// false when `text` is none.
WUNRES bool network_parse_address(uint8_t out[16], const char *text);

// network_parse reads "ADDRESS" or "ADDRESS/BITS" (RFC 4632 section 3.1, RFC 4291 section 2.3).
WUNRES enum network_verdict network_parse(struct network *out, const char *text);

// network_contains tells whether `address` lies in `network`. IPv4 addresses lie in IPv4 networks
// alone: ::/0 is every IPv6 address and no IPv4 address.
bool network_contains(const struct network *network, const uint8_t address[16]);

// network_text writes the usual form (RFC 5952), without the length where it is a single address.
void network_text(char out[NETWORK_TEXT_MAX], const struct network *network);

#endif // POLICY_CONFIG_NETWORK_H_
