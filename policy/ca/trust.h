// The roots that server certificates are verified against.
#ifndef POLICY_CA_TRUST_H_
#define POLICY_CA_TRUST_H_

#include <stddef.h>
#include <stdint.h>

#include "logs/base/err.h"
#include "policy/ca/crl.h"
#include "third_party/boringssl/boringssl.h"

// struct trust is immutable once made and may be used by any number of threads.
struct trust;

// The most roots kept, from all sources together.
enum { TRUST_MAX_ROOTS = 4096 };

// trust_new loads the system's roots and those of the files `extra` (PEM, or one certificate in
// DER). `system` names a file or folder; NULL looks at SSL_CERT_FILE, SSL_CERT_DIR and where
// distributions keep their bundle; "" takes none. A certificate of the system that libcrypto
// refuses is skipped and counted; a certificate in an extra file that is trusted need not be a root
// (an intermediate or a server's own will do). Returns NULL with a message when a file that was
// named cannot be read, or an extra one holds no certificate or anything malformed. A system
// without a bundle is no error: see trust_num_roots.
WUNRES struct trust *trust_new(const char *system, const char *const *extra, size_t num_extra,
                               struct err *err);

// trust_free frees `trust`, which may be NULL.
void trust_free(struct trust *trust);

// trust_source is the file or folder that the system's roots came from, or NULL for none.
const char *trust_source(const struct trust *trust);

// trust_num_roots and trust_num_skipped count the certificates taken, each once, and, of the
// system's, refused.
size_t trust_num_roots(const struct trust *trust);
size_t trust_num_skipped(const struct trust *trust);

// trust_serial is a number that no other `struct trust` of this process ever has.
uint64_t trust_serial(const struct trust *trust);

// trust_add_crls loads revocation lists (see crl.h), before `trust` is used. It returns false with
// a message for a file that is not to be had as lists.
WUNRES bool trust_add_crls(struct trust *trust, const char *const *files, size_t num_files,
                           struct err *err);

// trust_with_crls makes one with the roots of `trust` and the lists of `crls`, which it takes, and
// not those of `trust`. It may outlive `trust`.
WUNRES struct trust *trust_with_crls(const struct trust *trust, struct crl_set *crls);

// trust_crls is those lists, NULL for none.
struct crl_set *trust_crls(const struct trust *trust);

// trust_store is the roots as libcrypto wants them.
X509_STORE *trust_store(const struct trust *trust);

// trust_root_hash takes the SHA-256 of a certificate, which roots carry with them.
void trust_root_hash(X509 *cert, uint8_t out[SHA256_DIGEST_LENGTH]);

#endif // POLICY_CA_TRUST_H_
