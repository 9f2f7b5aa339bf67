// What the files of this room share.
#ifndef POLICY_REDACT_INTERNAL_H_
#define POLICY_REDACT_INTERNAL_H_

#include "logs/record/obj.h"
#include "policy/redact/redact.h"
#include "policy/redact/redact_pairs.h"
#include "policy/redact/redact_words.h"

enum { ADDRESSES_MAX = 10000, CERTIFICATES_MAX = 10000, ADDRESS_TEXT_MAX = 46 };

struct redact_certificate {
    uint8_t *from, *to; // DER, `len` bytes each
    size_t len;
};

struct redact {
    struct redact_salt salt;
    struct redact_pairs pairs;
    uint8_t (*addresses)[17]; // the family's length and the address
    size_t num_addresses;
    struct redact_certificate *certificates;
    size_t num_certificates;
    struct redact_counts counts;
};

// address_map finds what stands for the address `text`, `out` having room for ADDRESS_TEXT_MAX. It
// returns false for what is none, and for addresses that tell nothing: loopback, unspecified.
bool address_map(struct redact *redact, char *out, const char *text);

// address_map_bytes does the same for 4 or 16 bytes, in place.
bool address_map_bytes(struct redact *redact, uint8_t *p, size_t p_len);

// address_learn has the address `text` replaced wherever it stands.
void address_learn(struct redact *redact, const char *text);

// name_learn has the host name `name`, and the domains that it is under, replaced wherever they
// stand; it may be an address.
void name_learn(struct redact *redact, const char *name, size_t name_len);

// text_learn has `text`, mapped to `to`, replaced wherever it stands.
void text_learn(struct redact *redact, const char *text, const char *to, size_t len);

// certificate_learn redacts the certificate `der` and remembers what was replaced in it.
// certificate_map returns the redacted one, or NULL for one that was not learned.
void certificate_learn(struct redact *redact, const uint8_t *der, size_t der_len);
const uint8_t *certificate_map(const struct redact *redact, const uint8_t *der, size_t der_len);

// attributes_learn looks for attributes of distinguished names (RFC 5280 appendix A.1) in any
// bytes: handshakes in the clear hold certificates and names of CAs.
void attributes_learn(struct redact *redact, const uint8_t *p, size_t p_len);

// What a field holds, where replacing what was learned elsewhere is not enough.
enum redact_how {
    REDACT_TEXT, // nothing of its own
    REDACT_NAME, // a host name, or an address
    REDACT_ADDRESS,
    REDACT_DN,
    REDACT_AGENT,
    REDACT_WORDS, // anything that somebody may have written
    REDACT_HEX,   // a hash or a number of a certificate
    REDACT_DROP,  // left out
};

enum redact_how redact_how(enum field field);

// record_learn takes everything in that the record names somebody by.
void record_learn(struct redact *redact, const struct obj *root);

// port_map stands for a client's port.
int64_t port_map(const struct redact *redact, int64_t port);

#endif // POLICY_REDACT_INTERNAL_H_
