// Signatures over ASN.1: of certificates, OCSP responses and revocation lists alike.
#ifndef POLICY_CA_CERT_SIGNATURE_H_
#define POLICY_CA_CERT_SIGNATURE_H_

#include <stdbool.h>

#include "third_party/boringssl/boringssl.h"

// cert_signature_verify returns whether `signature` (the bits of the BIT STRING, without the count
// of unused ones) over the SEQUENCE `tbs` was made with the key `spki` as the AlgorithmIdentifier
// `algorithm` says. All three of them are with their header. An algorithm that libcrypto does not
// know verifies nothing.
bool cert_signature_verify(CBS spki, CBS algorithm, CBS tbs, CBS signature);

// cert_signature_remembered is cert_signature_verify, but a question that this thread asked lately
// costs a hash instead of a signature: a server staples the same response to every connection.
bool cert_signature_remembered(CBS spki, CBS algorithm, CBS tbs, CBS signature);

// cert_signature_link returns whether `cert` is signed with `issuer_key`, the key of another
// certificate, as X509_verify says. Both certificates are named by their hashes, and a link that
// this thread saw to be good lately costs a hash: an intermediate's signature is the same above all
// its leaves.
bool cert_signature_link(X509 *cert, const uint8_t cert_sha256[SHA256_DIGEST_LENGTH],
                         EVP_PKEY *issuer_key, const uint8_t issuer_sha256[SHA256_DIGEST_LENGTH]);

#endif // POLICY_CA_CERT_SIGNATURE_H_
