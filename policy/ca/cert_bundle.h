// Certificates as CAs serve them at the addresses of caIssuers: one in DER, any number in PEM, or a
// PKCS#7 (RFC 5652) bundle that holds nothing else, in either (RFC 5280 section 4.2.2.1).
#ifndef POLICY_CA_CERT_BUNDLE_H_
#define POLICY_CA_CERT_BUNDLE_H_

#include <stdbool.h>
#include <stddef.h>

#include "logs/base/arena.h"
#include "third_party/boringssl/boringssl.h"

// The most bytes looked into, and certificates taken.
enum { CERT_BUNDLE_MAX = 256 * 1024, CERT_BUNDLE_CERTS = 32 };

// cert_bundle_parse sets `out[0]` and on to the certificates of `in`, in their order, and returns
// how many there are; 0 for what is none of the forms above. They live in `arena`.
size_t cert_bundle_parse(CBS out[CERT_BUNDLE_CERTS], struct arena *arena, CBS in);

#endif // POLICY_CA_CERT_BUNDLE_H_
