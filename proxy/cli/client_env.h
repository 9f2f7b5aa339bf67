// The environment that makes programs use the proxy and trust its CA: `env` prints it, and `run`
// gives it to the command that it starts.
#ifndef PROXY_CLI_CLIENT_ENV_H_
#define PROXY_CLI_CLIENT_ENV_H_

#include <stdint.h>

#include "logs/base/arena.h"

enum client_value {
    CLIENT_PROXY_URL,    // http://HOST:PORT
    CLIENT_BUNDLE,       // for readers that replace their roots by the file
    CLIENT_CA,           // for readers that add the file to their roots
    CLIENT_ONE,          // 1
    CLIENT_JAVA_OPTIONS, // the user's own, then ours: the last one counts
};

// struct client_variable is one variable, how it gets its value, and which programs read it.
struct client_variable {
    const char *name;
    enum client_value value;
    const char *read_by;
};

// client_variables are the variables in the order in which they are printed; a NULL name ends them.
//
// Not among them: NO_PROXY and no_proxy, which stay as the user has them; ALL_PROXY, which would
// send schemes to the proxy that it does not speak; and anything for GnuTLS (wget on Debian) or NSS
// (Firefox, Chromium), which read no variable: there the CA is installed.
extern const struct client_variable client_variables[];

// struct client_env is what the values are made of. The caller owns all strings; paths should be
// absolute. A path that is NULL leaves out what needs it.
struct client_env {
    const char *host; // of the proxy, as the programs reach it; IPv6 without brackets
    uint16_t port;
    const char *ca;           // PEM file of the proxy's CA alone
    const char *bundle;       // PEM file of the system's roots and the CA (bundle_write)
    const char *java_bundle;  // the same for Java (bundle_write_java)
    const char *no_proxy;     // the user's, or NULL; Java's options repeat it
    const char *java_options; // the user's JAVA_TOOL_OPTIONS, or NULL
};

// client_env_init points `env` to the proxy at `host` and `port` and takes the user's settings from
// the environment of the process: `no_proxy` before `NO_PROXY`, as curl does.
void client_env_init(struct client_env *env, const char *host, uint16_t port);

// client_env_list returns NAME=value strings in the order of `client_variables`, ended by NULL, all
// of it in `arena`. Each may be given to putenv, as long as the arena lives.
WUNRES char **client_env_list(struct arena *arena, const struct client_env *env);

#endif // PROXY_CLI_CLIENT_ENV_H_
