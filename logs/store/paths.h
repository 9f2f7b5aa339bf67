// Where things are kept when nobody says otherwise: the XDG folders.
#ifndef LOGS_STORE_PATHS_H_
#define LOGS_STORE_PATHS_H_

#include "logs/base/err.h"

// paths_state returns "$XDG_STATE_HOME/tlsblame/NAME" (~/.local/state without the variable),
// paths_config "$XDG_CONFIG_HOME/tlsblame/NAME" (~/.config): the log lies in the one, the CA and
// the policy in the other. A relative folder in the variable is ignored, as the XDG specification
// asks. NULL when the variables name no folder. The caller frees the result; nothing is created.
WUNRES char *paths_state(const char *name, struct err *err);
WUNRES char *paths_config(const char *name, struct err *err);

// paths_make_parent creates the folders above `path` that are missing, with mode 0700.
WUNRES bool paths_make_parent(const char *path, struct err *err);

#endif // LOGS_STORE_PATHS_H_
