// A certification authority: the installation's own, a user's, or the one that nobody trusts.
#ifndef POLICY_CA_AUTHORITY_H_
#define POLICY_CA_AUTHORITY_H_

#include <stddef.h>
#include <stdint.h>

#include "logs/base/buf.h"
#include "logs/base/err.h"
#include "policy/ca/cert_build.h"
#include "third_party/boringssl/boringssl.h"

// The most certificates a CA file may hold: the CA and those above it.
enum { AUTHORITY_MAX_CHAIN = 8 };

// struct authority is immutable once made and may be used by any number of threads.
struct authority {
    struct cert_key *key;
    CRYPTO_BUFFER *chain[AUTHORITY_MAX_CHAIN]; // the CA's certificate, then those above it
    size_t num_chain;
    bool is_root;      // the CA's certificate is self-issued: a leaf is sent without it
    CBS subject;       // the CA's Name with header, inside chain[0]
    int64_t not_after; // unix seconds
    uint8_t sha256[SHA256_DIGEST_LENGTH]; // the fingerprint
};

// The names of the CA's files in its folder.
#define AUTHORITY_CERT_FILE "ca.pem"
#define AUTHORITY_KEY_FILE "ca-key.pem"

// authority_open loads the CA from `ca.pem` and `ca-key.pem` in the folder `dir` and makes both,
// and the folder, where neither file exists. A key found alone is the trace of a start that was cut
// short and gets its certificate; a certificate without its key is an error. Processes that start
// at once end up with one CA (flock on the folder). `now` is in unix seconds. Returns NULL with
// what to do in `err` as `authority_load` does, and when a file cannot be written.
WUNRES struct authority *authority_open(const char *dir, int64_t now, struct err *err);

// authority_load loads a CA from two files that may be one: the certificate, then any certificates
// between it and its root (PEM), and its key (PEM, not encrypted). Returns NULL with a message for
// a file that is missing, readable or writable by others than its owner (the key), not ours, or
// not what was expected; for a key that is another certificate's; and for a certificate that may
// not sign, has expired or is not yet valid at `now`.
WUNRES struct authority *authority_load(const char *cert_path, const char *key_path, int64_t now,
                                        struct err *err);

// authority_new makes a CA in memory: P-256, valid from two days before `now` for ten years, with a
// random suffix in its name so that no two installations share an issuer name.
WUNRES struct authority *authority_new(int64_t now);

// authority_new_for_key is authority_new for a key that exists; the authority takes it over.
WUNRES struct authority *authority_new_for_key(struct cert_key *key, int64_t now);

// authority_wrap makes an authority of a certificate that was just built for `key`, and takes over
// both.
WUNRES struct authority *authority_wrap(CRYPTO_BUFFER *cert, struct cert_key *key);

// authority_new_untrusted makes the CA for leaves that must fail trust. It is never exported, and
// the name that its leaves carry as issuer is the leaf's own business (see mint.h).
WUNRES struct authority *authority_new_untrusted(int64_t now);

// authority_free frees `authority`, which may be NULL.
void authority_free(struct authority *authority);

// authority_der views the CA's certificate; it lives as long as the authority.
CBS authority_der(const struct authority *authority);

// authority_fingerprint appends the SHA-256 of the CA's certificate as "AB:CD:…".
bool authority_fingerprint(const struct authority *authority, struct buf *out);

// authority_pem appends the CA's certificate as PEM. It returns false past the ceiling of `out`.
bool authority_pem(const struct authority *authority, struct buf *out);

// authority_pkcs12 appends the CA's certificate, without its key, as PKCS#12 with an empty
// password, readable by OpenSSL, NSS, Windows and Apple alike: the certificate is not encrypted,
// the MAC is HMAC-SHA-1. It returns false past the ceiling of `out`.
bool authority_pkcs12(const struct authority *authority, struct buf *out);

#endif // POLICY_CA_AUTHORITY_H_
