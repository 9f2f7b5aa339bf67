// `tlsblame show`: one connection, side by side.
#ifndef PROXY_CLI_SHOW_H_
#define PROXY_CLI_SHOW_H_

// show_main returns the exit status, as `tlsblame show --help` tells.
int show_main(int argc, char **argv);

#endif // PROXY_CLI_SHOW_H_
