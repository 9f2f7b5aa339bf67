// A certificate from its parts: the one writer for the CA and its leaves.
#ifndef POLICY_CA_CERT_BUILD_H_
#define POLICY_CA_CERT_BUILD_H_

#include <stdbool.h>
#include <stdint.h>

#include "policy/ca/cert_knobs.h"
#include "third_party/boringssl/boringssl.h"

// struct cert_key is a key pair with what certificates repeat of it: the SubjectPublicKeyInfo in
// DER and the key identifier of RFC 5280 section 4.2.1.2 (1), or the one its issuer chose.
struct cert_key {
    EVP_PKEY *key;
    uint8_t *spki;
    size_t spki_len;
    uint8_t id[64];
    size_t id_len;
};

enum cert_key_type {
    CERT_KEY_P256,
    CERT_KEY_RSA_2048,
    CERT_KEY_RSA_1024, // from here on: only emulated boxes have them
    CERT_KEY_RSA_3072,
    CERT_KEY_ED25519,
    CERT_KEY_RSA_4096,
    CERT_KEY_P384,
};

enum { CERT_KEY_TYPES = CERT_KEY_P384 + 1 };

// cert_key_new makes a key pair. P-256 takes some 50 microseconds, RSA some 100 milliseconds.
// `cert_key_wrap` takes over `key` instead, and frees it with the rest.
struct cert_key *cert_key_new(enum cert_key_type type);
struct cert_key *cert_key_wrap(EVP_PKEY *key);
void cert_key_free(struct cert_key *key);

// struct cert_template is what goes into a certificate beside its random serial number. Every view
// belongs to the caller. `issuer` and `subject` are Names with header, `san` the contents of
// GeneralNames; an empty `san` leaves the extension out.
struct cert_template {
    CBS issuer, subject, san;
    const struct cert_key *subject_key, *issuer_key;
    int64_t not_before, not_after; // unix seconds
    bool must_staple;              // it demands a stapled OCSP response
    bool ca;                       // a CA with path length 0, else a TLS server

    // What emulated boxes do otherwise; zeroes are the ordinary certificate.
    enum cert_knob_digest digest; // SHA-1 and MD5 need an issuer with an RSA key, SHA-384 RSA or EC
    CBS serial;                   // contents of the INTEGER
    const CBS *extensions;        // contents of Extensions in place of the ordinary ones
};

// cert_build signs `*template` with its issuer's key: SHA-256, or the digest that goes with a
// larger curve, or what it asks for. The serial number is its own or 16 random bytes, the first of
// them 0x40 to 0x7f, so that two certificates of one issuer never share one (RFC 5280
// section 4.1.2.2). The caller frees the result. It fails only when libcrypto cannot allocate or
// sign, and then aborts.
CRYPTO_BUFFER *cert_build(const struct cert_template *template);

// cert_build_name appends a Name with a CN and an O, either of which may be empty. `cn_tag` is the
// CN's string type.
bool cert_build_name(CBB *cbb, CBS cn, unsigned cn_tag, const char *o);

// cert_build_signature appends the AlgorithmIdentifier that goes with `key`, and the BIT STRING of
// its signature over `tbs`.
bool cert_build_signature(CBB *cbb, const uint8_t *tbs, size_t tbs_len, EVP_PKEY *key);

// cert_build_attribute appends an attribute of a Name as a set of its own: `type` is "CN", "O" and
// the like, `tag` the value's string type. Those called `type` must be in cert_oid_attributes.
bool cert_build_attribute(CBB *name, const char *type, CBS value, unsigned tag);

// cert_build_extension appends an Extension to the contents of Extensions; `oid` is in DER, its
// contents only.
bool cert_build_extension(CBB *extensions, CBS oid, bool critical, CBS value);

// cert_build_can_sign returns whether `key` can make a signature at all.
bool cert_build_can_sign(EVP_PKEY *key);

#endif // POLICY_CA_CERT_BUILD_H_
