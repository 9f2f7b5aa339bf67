#ifndef PROXY_CLI_DIFF_H_
#define PROXY_CLI_DIFF_H_

// diff_main is `tlsblame diff`; it returns the exit status.
int diff_main(int argc, char **argv);

#endif // PROXY_CLI_DIFF_H_
