// The files of an emulated box: keys that are kept, and its root for clients to trust.
#ifndef POLICY_CA_BOX_FILES_H_
#define POLICY_CA_BOX_FILES_H_

#include "policy/ca/authority.h"

// box_files_key returns the key in the file `name` of the folder `dir`. Where there is none, or one
// of another kind than `type`, a new one is written (mode 0600), with the folder. Processes that
// start at once end up with one key (flock on the folder). The caller owns the key.
WUNRES struct cert_key *box_files_key(const char *dir, const char *name, enum cert_key_type type,
                                      struct err *err);

// box_files_root returns the CA in `dir`, whose certificate is in AUTHORITY_CERT_FILE, as long as
// that is valid and differs from `fresh` in nothing but its serial number and dates; else `fresh`
// is written in its place. It takes over `key`, also where it fails.
WUNRES struct authority *box_files_root(const char *dir, struct cert_key *key, CRYPTO_BUFFER *fresh,
                                        int64_t now, struct err *err);

#endif // POLICY_CA_BOX_FILES_H_
