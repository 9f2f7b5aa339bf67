// `tlsblame run`: the proxy.
#ifndef PROXY_CLI_RUN_H_
#define PROXY_CLI_RUN_H_

// run_main takes the subcommand's name and options and returns the exit status.
int run_main(int argc, char **argv);

#endif // PROXY_CLI_RUN_H_
