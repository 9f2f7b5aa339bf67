// OCSP responses and revocation lists for tests, good and bad, written with CBB.
#ifndef TESTS_UNIT_POLICY_CA_TEST_OCSP_H_
#define TESTS_UNIT_POLICY_CA_TEST_OCSP_H_

#include "tests/unit/policy/ca/test_pki.h"

enum ocsp_kind { OCSP_KIND_GOOD, OCSP_KIND_REVOKED, OCSP_KIND_UNKNOWN };

// struct ocsp_options is what differs from a good response by the issuer, from an hour before
// PKI_NOW until a day after.
struct ocsp_options {
    const struct pki_cert *cert, *issuer; // the certificate that it is about, and who issued it
    enum ocsp_kind kind;
    int reason;                     // of a revocation; below 0: none is given
    int64_t this_update;            // 0: PKI_NOW - 3600
    int64_t next_update;            // 0: PKI_NOW + PKI_DAY; below 0: none
    const struct pki_cert *signer;  // NULL: the issuer; its certificate is sent along
    const struct pki_cert *claimed; // named as responder instead of the signer
    bool by_key;                    // the responder is named by its key
    bool sha256;                    // the CertID is made with SHA-256
    bool break_signature, with_sct;
    int refusal; // not 0: a response with this status and nothing else
};

// ocsp_make returns a response in DER that OPENSSL_free frees.
uint8_t *ocsp_make(const struct ocsp_options *options, size_t *out_len);

// struct crl_options is what differs from a list that revokes `revoked`, made an hour before
// PKI_NOW and good for a day.
struct crl_options {
    const struct pki_cert *issuer, *signer; // `signer` NULL: the issuer
    const struct pki_cert *revoked[4];
    int reason; // of all of them; below 0: none is given
    int64_t this_update, next_update;
    bool break_signature, delta;
};

// crl_make returns a CertificateList in DER that OPENSSL_free frees.
uint8_t *crl_make(const struct crl_options *options, size_t *out_len);

#endif // TESTS_UNIT_POLICY_CA_TEST_OCSP_H_
