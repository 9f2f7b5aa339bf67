// The lab's certificates: a root that its proxy trusts, one that it does not, and leaves with every
// defect that a certificate can have.
#ifndef PROXY_CLI_LAB_PKI_H_
#define PROXY_CLI_LAB_PKI_H_

#include <stddef.h>
#include <stdint.h>

#include "logs/base/err.h"
#include "third_party/boringssl/boringssl.h"

// What is wrong with a server's certificate.
enum lab_cert {
    LAB_CERT_GOOD,
    LAB_CERT_EXPIRED,
    LAB_CERT_NOT_YET_VALID,
    LAB_CERT_SELF_SIGNED,
    LAB_CERT_UNKNOWN_CA,      // issued by the root that is not trusted
    LAB_CERT_WRONG_NAME,      // speaks for another host
    LAB_CERT_NO_INTERMEDIATE, // sent without the certificate between it and the root
    LAB_CERT_WEAK_KEY,        // RSA with 768 bits
    LAB_CERT_OTHER_KEY,       // the server signs with a key that is not the certificate's
};

enum { LAB_CHAIN_MAX = 2 };

// struct lab_identity is what a server shows: its certificate, those above it but for the root, and
// the key that it signs with.
struct lab_identity {
    CRYPTO_BUFFER *chain[LAB_CHAIN_MAX];
    size_t num_chain;
    EVP_PKEY *key;
};

struct lab_pki;

// lab_pki_new makes both roots and the intermediates, valid around `now` (unix seconds), in well
// under a millisecond. lab_pki_free frees them; NULL does nothing.
WUNRES struct lab_pki *lab_pki_new(int64_t now);
void lab_pki_free(struct lab_pki *pki);

// lab_pki_write_root writes the trusted root to the file `path` as PEM.
WUNRES bool lab_pki_write_root(const struct lab_pki *pki, const char *path, struct err *err);

// lab_identity_init makes an identity for `host` with the defect `cert`; it may outlive `pki` and
// is ended with lab_identity_cleanup.
void lab_identity_init(struct lab_identity *identity, const struct lab_pki *pki, enum lab_cert cert,
                       const char *host);
void lab_identity_cleanup(struct lab_identity *identity);

#endif // PROXY_CLI_LAB_PKI_H_
