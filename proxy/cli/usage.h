// What every subcommand says of a command line that is wrong.
#ifndef PROXY_CLI_USAGE_H_
#define PROXY_CLI_USAGE_H_

#include "logs/base/check.h"

// usage_error says on standard error what is wrong and where help is, and returns EXIT_USAGE.
// `command` is the subcommand's name. usage_hint is for where getopt_long has said what is wrong.
PRINTF(2, 3) int usage_error(const char *command, const char *fmt, ...);
int usage_hint(const char *command);

#endif // PROXY_CLI_USAGE_H_
