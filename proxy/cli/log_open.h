// The log that `list` and `show` read.
#ifndef PROXY_CLI_LOG_OPEN_H_
#define PROXY_CLI_LOG_OPEN_H_

#include "logs/store/log_reader.h"

// log_open opens the log `path`, or the default one for NULL, for the subcommand `name`, which goes
// before what is said on standard error: the first broken lines of the log, how many more there
// are, and why NULL was returned: it cannot be read, or no line of it is a record. `*out_status` is
// then the exit status.
WUNRES struct log_reader *log_open(int *out_status, const char *name, const char *path);

#endif // PROXY_CLI_LOG_OPEN_H_
