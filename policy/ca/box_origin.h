// What an emulated box copies from the server's certificate.
#ifndef POLICY_CA_BOX_ORIGIN_H_
#define POLICY_CA_BOX_ORIGIN_H_

#include <stdbool.h>

#include "third_party/boringssl/boringssl.h"

// box_origin_serial views the serial number (contents) and the issuer (a Name with header) of the
// certificate `cert`. Like the others here it returns false where the certificate has none or
// cannot be read, and the views live as long as the certificate.
bool box_origin_serial(CBS cert, CBS *out_serial, CBS *out_issuer);

// box_origin_hash is MD5 over those two, one after the other.
bool box_origin_hash(CBS cert, uint8_t out[MD5_DIGEST_LENGTH]);

// box_origin_extensions views the contents of Extensions.
bool box_origin_extensions(CBS cert, CBS *out);

// box_origin_extension views the Extension `oid` (DER, contents only), with its header.
bool box_origin_extension(CBS cert, CBS oid, CBS *out);

#endif // POLICY_CA_BOX_ORIGIN_H_
