// Private keys in files (PEM, PKCS#8), which belong to us and to nobody else.
#ifndef POLICY_CA_PRIVATE_KEY_H_
#define POLICY_CA_PRIVATE_KEY_H_

#include <sys/stat.h>

#include "logs/base/buf.h"
#include "logs/base/err.h"
#include "policy/ca/cert_build.h"

enum { PRIVATE_KEY_MAX = 256 * 1024 };

// private_key_read returns the key in the file `path`, which the caller owns, or NULL and a filled
// error: for a file that is missing, not ours or open to others, encrypted, no key, or of a kind
// that cannot sign.
WUNRES struct cert_key *private_key_read(const char *path, struct err *err);

// private_key_write writes `key` to `path` with mode 0600.
WUNRES bool private_key_write(const char *path, const struct cert_key *key, struct err *err);

// private_key_contents appends what the file `path` holds, and tells what is known of the file.
WUNRES bool private_key_contents(const char *path, struct buf *out, struct stat *out_stat,
                                 struct err *err);

#endif // POLICY_CA_PRIVATE_KEY_H_
