// `tlsblame explain`: a verdict or a cause, as an expert would tell it to a colleague.
#ifndef PROXY_CLI_EXPLAIN_H_
#define PROXY_CLI_EXPLAIN_H_

// explain_main returns the exit status, as `tlsblame explain --help` tells.
int explain_main(int argc, char **argv);

#endif // PROXY_CLI_EXPLAIN_H_
