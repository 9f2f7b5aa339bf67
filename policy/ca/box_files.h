// The file of an emulated box: its root, for clients to trust.
#ifndef POLICY_CA_BOX_FILES_H_
#define POLICY_CA_BOX_FILES_H_

#include "policy/ca/authority.h"

// box_files_root returns the CA in `dir`, whose certificate is in AUTHORITY_CERT_FILE, as long as
// that is valid and differs from `fresh` in nothing but its serial number and dates; else `fresh`
// is written in its place. It takes over `key`, also where it fails.
WUNRES struct authority *box_files_root(const char *dir, struct cert_key *key, CRYPTO_BUFFER *fresh,
                                        int64_t now, struct err *err);

#endif // POLICY_CA_BOX_FILES_H_
