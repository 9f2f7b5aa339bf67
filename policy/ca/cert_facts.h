// What a certificate says, read once into plain values and printable strings.
#ifndef POLICY_CA_CERT_FACTS_H_
#define POLICY_CA_CERT_FACTS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/arena.h"
#include "third_party/boringssl/boringssl.h"

// The most items kept of one list; `total` counts on, so that a certificate with 10,000 names is
// told from one with 256 without costing as much.
enum { CERT_FACTS_MAX_ITEMS = 256 };

// struct cert_strings is a list of strings in the arena of the facts.
struct cert_strings {
    const char **items;
    size_t num, total;
};

// The bits of `key_usage`, RFC 5280 section 4.2.1.3.
enum {
    CERT_KU_DIGITAL_SIGNATURE = 1 << 0,
    CERT_KU_KEY_ENCIPHERMENT = 1 << 2,
    CERT_KU_KEY_CERT_SIGN = 1 << 5,
    CERT_KU_CRL_SIGN = 1 << 6,
};

// struct cert_facts holds NULL, 0 or false for what the certificate does not say or what could not
// be read. Strings live in the arena given to `cert_facts_parse`; every one is printable UTF-8 (see
// cert_text.h). The views below `raw` point into the certificate's DER, which must outlive them.
struct cert_facts {
    const char *problem; // the first thing that is malformed, or NULL

    int version;        // 1 to 3
    const char *serial; // hexadecimal, two digits a byte, as encoded
    bool serial_negative;
    const char *subject, *subject_cn, *subject_o; // the first in the manner of RFC 4514
    const char *issuer, *issuer_cn, *issuer_o;
    bool has_not_before, has_not_after;
    int64_t not_before, not_after; // unix seconds

    const char *key_type; // "RSA", "EC", "Ed25519", "DSA", "unknown"
    unsigned key_bits;
    const char *curve; // EC only; "explicit" for parameters without a name
    const char *signature_algorithm;
    bool signature_weak; // made over MD2, MD5 or SHA-1

    bool has_san;
    struct cert_strings dns, ip, other_names; // the last as "email:..." and "URI:..."
    bool has_basic_constraints, basic_constraints_critical, ca;
    int path_len; // -1: no limit
    bool has_key_usage, has_ext_key_usage;
    uint16_t key_usage; // CERT_KU_*
    struct cert_strings key_usages, ext_key_usages;
    bool server_auth;             // serverAuth or anyExtendedKeyUsage is listed
    const char *ski, *aki;        // hexadecimal
    struct cert_strings policies; // dotted OIDs
    bool has_scts;
    size_t num_scts;
    bool must_staple;
    bool name_constraints;
    struct cert_strings permitted_names, excluded_names;
    struct cert_strings ocsp, ca_issuers, crl_points; // URLs
    struct cert_strings unknown_critical; // dotted OIDs of critical extensions not listed here

    uint8_t sha256[SHA256_DIGEST_LENGTH], spki_sha256[SHA256_DIGEST_LENGTH];
    bool self_issued; // subject and issuer are the same bytes; who signed is another question

    struct {
        CBS der, tbs, signature; // whole; TBSCertificate with header; the signature's bytes
        CBS algorithm;           // AlgorithmIdentifier of that signature, with header
        CBS serial;              // contents of serialNumber
        CBS scts;                // contents of the list of timestamps; for sct_next
        CBS subject, issuer;     // Names with header
        CBS spki;                // SubjectPublicKeyInfo with header
        CBS san;                 // contents of GeneralNames
        const struct cert_oid *signature_oid;
    } raw;
};

// cert_facts_parse reads the certificate `der` into `*out`. It never fails outright: it returns
// false when something was malformed, `problem` then says what came first, and every fact that
// could be read is there. The hashes always are.
bool cert_facts_parse(struct cert_facts *out, struct arena *arena, const uint8_t *der,
                      size_t der_len);

// cert_facts_x509 is what libcrypto reads in `der`, which the caller owns, or NULL where it refuses
// it or there is more behind.
X509 *cert_facts_x509(CBS der);

// cert_facts_self_signed tells whether the certificate is self-issued and its signature verifies
// with its own key. This costs a signature verification, so it is not part of parsing.
bool cert_facts_self_signed(const struct cert_facts *facts);

// cert_facts_issued tells whether the key of `issuer` signed `cert`; answers are remembered (see
// cert_signature.h).
bool cert_facts_issued(const struct cert_facts *issuer, const struct cert_facts *cert);

// cert_strings_add appends `item`, which must live in `arena`, up to CERT_FACTS_MAX_ITEMS.
void cert_strings_add(struct cert_strings *list, struct arena *arena, const char *item);

#endif // POLICY_CA_CERT_FACTS_H_
