// Standard output, and what becomes of a subcommand when it cannot be written.
#ifndef PROXY_CLI_OUTPUT_H_
#define PROXY_CLI_OUTPUT_H_

#include "logs/base/buf.h"

// output_write writes and frees what `out` holds, and goes on as output_finish does.
int output_write(const char *command, struct buf *out);

// output_finish flushes standard output. It returns 0, or EXIT_ENVIRONMENT when anything could not
// be written, and then says so on behalf of the subcommand `command`.
int output_finish(const char *command);

#endif // PROXY_CLI_OUTPUT_H_
