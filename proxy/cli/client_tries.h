// What the command line allows to be tried with clients, as defaults of the policy.
#ifndef PROXY_CLI_CLIENT_TRIES_H_
#define PROXY_CLI_CLIENT_TRIES_H_

#include "logs/base/err.h"

enum { CLIENT_TRIES_MAX = 256 };

// client_tries_parse reads `text`, a list of "tunnel", "leaf" and "canary" with commas between, and
// writes the object that policy_load_over takes. It returns false and fills `err` for another word.
WUNRES bool client_tries_parse(char out[CLIENT_TRIES_MAX], const char *text, struct err *err);

#endif // PROXY_CLI_CLIENT_TRIES_H_
