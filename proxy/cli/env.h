// The subcommand `env`: the variables that make programs use the proxy, for a shell.
#ifndef PROXY_CLI_ENV_H_
#define PROXY_CLI_ENV_H_

#include <stdbool.h>

#include "logs/base/buf.h"

enum shell { SHELL_SH, SHELL_FISH, SHELL_CSH };

// env_print_variable appends the command that exports `name`, which needs no quotes, as `value`,
// which may hold anything but NUL. Each command is a line that ends in a semicolon, so that eval
// works where the shell joins lines. It returns false past the ceiling of `out`.
WUNRES bool env_print_variable(struct buf *out, enum shell shell, const char *name,
                               const char *value);

// env_main returns the exit status.
int env_main(int argc, char **argv);

#endif // PROXY_CLI_ENV_H_
