// The subcommand `ca`: what the CA is, and its certificate for others to trust.
#ifndef PROXY_CLI_CA_H_
#define PROXY_CLI_CA_H_

// ca_main returns the exit status.
int ca_main(int argc, char **argv);

#endif // PROXY_CLI_CA_H_
