// Keys that outlive the process: made once, then read at each start.
#ifndef POLICY_CA_KEPT_KEY_H_
#define POLICY_CA_KEPT_KEY_H_

#include "logs/base/err.h"
#include "policy/ca/cert_build.h"

// kept_key_open returns the key in the file `name` of the folder `dir`. Where there is none, or one
// of another kind than `type`, a new one is written (mode 0600), with the folder. Processes that
// start at once end up with one key (flock on the folder). The caller owns the key. It returns NULL
// and fills `err` as `private_key_read` does, and when a file cannot be written; no file that is
// there is then touched.
WUNRES struct cert_key *kept_key_open(const char *dir, const char *name, enum cert_key_type type,
                                      struct err *err);

#endif // POLICY_CA_KEPT_KEY_H_
