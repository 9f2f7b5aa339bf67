// A command that is run as if nobody stood between it and its user.
#ifndef PROXY_CLI_CHILD_H_
#define PROXY_CLI_CHILD_H_

#include <signal.h>

#include "logs/base/err.h"

// The exit statuses for a command that is there and cannot be run, for one that is not there, and,
// plus the signal's number, for one that a signal ended: those of a shell.
enum { CHILD_CANNOT_RUN = 126, CHILD_NOT_FOUND = 127, CHILD_SIGNALED = 128 };

// struct child_signals is what the signals of the process were before child_signals_take.
struct child_signals {
    sigset_t before;
    bool ignored_pipe;
};

// child_signals_take keeps for child_run the signals that concern the command; it comes before any
// other thread is started. child_signals_give_back ends that.
void child_signals_take(struct child_signals *signals);
void child_signals_give_back(const struct child_signals *signals);

// child_run runs `argv`, found as a shell finds it, with the environment of the process and the
// NAME=value strings of `more`, ended by NULL, which go before. Its standard streams are ours.
// SIGTERM, SIGHUP, SIGUSR1 and SIGUSR2 are passed on to it; SIGINT and SIGQUIT, too, unless they
// come from the terminal, which sends them to both. It returns the exit status, in the manner of a
// shell; `err` says why, where the command could not be run, and is else empty.
int child_run(char *const *argv, char *const *more, const struct child_signals *signals,
              struct err *err);

#endif // PROXY_CLI_CHILD_H_
