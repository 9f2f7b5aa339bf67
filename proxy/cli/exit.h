// The exit statuses of every subcommand.
#ifndef PROXY_CLI_EXIT_H_
#define PROXY_CLI_EXIT_H_

enum {
    EXIT_FINDING = 1,     // a diagnosed failure, a difference
    EXIT_USAGE = 2,       // bad usage, or a bad input file
    EXIT_ENVIRONMENT = 3, // port taken, no such host, disk full
};

#endif // PROXY_CLI_EXIT_H_
