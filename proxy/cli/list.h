// `tlsblame list`: the log, a line per connection.
#ifndef PROXY_CLI_LIST_H_
#define PROXY_CLI_LIST_H_

// list_main returns the exit status, as `tlsblame list --help` tells.
int list_main(int argc, char **argv);

#endif // PROXY_CLI_LIST_H_
