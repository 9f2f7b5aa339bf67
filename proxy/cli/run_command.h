// `tlsblame run -- COMMAND`: a command through a proxy of its own.
#ifndef PROXY_CLI_RUN_COMMAND_H_
#define PROXY_CLI_RUN_COMMAND_H_

#include "proxy/cli/engine.h"
#include "proxy/cli/run_report.h"

// run_command runs `argv` through a proxy with `options`, whose signals and callback it sets, and
// writes `report` to standard error when it has ended. It returns the exit status: the command's,
// or EXIT_USAGE or EXIT_ENVIRONMENT where there is no proxy.
int run_command(struct engine_options *options, struct run_report *report, char *const *argv);

#endif // PROXY_CLI_RUN_COMMAND_H_
