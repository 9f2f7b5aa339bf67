// Certificates for tests, good and bad, made with libcrypto's own X509 functions so that the code
// under test is not its own judge.
#ifndef TESTS_UNIT_POLICY_CA_TEST_PKI_H_
#define TESTS_UNIT_POLICY_CA_TEST_PKI_H_

#include <stdbool.h>
#include <stdint.h>

#include "third_party/boringssl/boringssl.h"

enum { PKI_DAY = 24 * 60 * 60 };
#define PKI_NOW INT64_C(1795000000) // 2026-11-18T11:06:40Z

struct pki_cert {
    X509 *x509;
    EVP_PKEY *key;
    uint8_t *der;
    size_t der_len;
};

// struct pki_options is what differs from a plain certificate. Strings of extensions are in the
// syntax of openssl.cnf.
struct pki_options {
    const char *cn, *o;
    const struct pki_cert *issuer; // NULL: self-signed
    const char *issuer_cn;         // another name than the issuer's own
    EVP_PKEY *key;                 // borrowed; NULL: a new P-256 key
    int64_t not_before, not_after; // 0: PKI_NOW -+ 30 days
    const char *san, *basic_constraints, *key_usage, *ext_key_usage;
    const char *name_constraints, *info_access, *crl_points, *policies;
    const EVP_MD *digest; // NULL: SHA-256
    bool no_key_ids, unknown_critical, break_signature, negative_serial, must_staple, scts;
};

struct pki_cert *pki_make(struct pki_options options);

// pki_ca makes a CA, self-signed where `issuer` is NULL.
struct pki_cert *pki_ca(const char *cn, const struct pki_cert *issuer);

// pki_leaf makes a good leaf for `host`.
struct pki_cert *pki_leaf(const char *host, const struct pki_cert *issuer);

void pki_free(struct pki_cert *cert);

// pki_cbs views the certificate's DER.
CBS pki_cbs(const struct pki_cert *cert);

// pki_rsa_key makes an RSA key; the caller frees it.
EVP_PKEY *pki_rsa_key(unsigned bits);

// pki_write writes `num_certs` certificates as PEM to `path`, and `key` too unless it is NULL.
void pki_write(const char *path, const struct pki_cert *const *certs, size_t num_certs,
               EVP_PKEY *key, unsigned mode);

// pki_folder makes an empty folder for one test and returns its path, to be freed by pki_remove,
// which removes it with all it holds.
char *pki_folder(void);
void pki_remove(char *folder);

// pki_run formats a shell command, runs it and returns its exit status. Its output is kept in
// `pki_output` (up to 16 KiB).
__attribute__((format(printf, 1, 2))) int pki_run(const char *fmt, ...);
extern char pki_output[16384];

#endif // TESTS_UNIT_POLICY_CA_TEST_PKI_H_
