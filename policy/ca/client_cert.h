// A client certificate in files, to be shown to servers that ask for one.
#ifndef POLICY_CA_CLIENT_CERT_H_
#define POLICY_CA_CLIENT_CERT_H_

#include <stddef.h>

#include "logs/base/err.h"
#include "policy/ca/cert_build.h"

enum { CLIENT_CERT_CHAIN_MAX = 16, CLIENT_CERT_MAX_FILE = 256 * 1024 };

// struct client_cert is a chain, leaf first, with the leaf's key.
struct client_cert {
    CRYPTO_BUFFER *chain[CLIENT_CERT_CHAIN_MAX];
    size_t num_chain;
    struct cert_key *key;
};

// client_cert_read reads the PEM certificates of `cert_path` and the key of `key_path`; NULL: the
// key is in the same file. It returns NULL and a filled error for files that are missing or hold
// no such thing, a first certificate that is malformed or not the key's, and what private_key_read
// refuses: a key that is encrypted, not ours or open to others.
WUNRES struct client_cert *client_cert_read(const char *cert_path, const char *key_path,
                                            struct err *err);
void client_cert_free(struct client_cert *cert);

#endif // POLICY_CA_CLIENT_CERT_H_
