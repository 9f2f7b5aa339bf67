// A key log file, line by line.
#ifndef PROXY_CLI_KEY_FILE_H_
#define PROXY_CLI_KEY_FILE_H_

#include "proxy/tls/key_log.h"

enum { KEY_FILE_LINE_MAX = 1024 }; // bytes of a line; of longer ones the rest is passed over

// key_file_read adds the secrets of the key log `path` to `log` and calls `broken`, which may be
// NULL, for each line that is broken, with its number. It sets `*out_broken` to how many those
// were. It returns false when the file cannot be opened or read.
WUNRES bool key_file_read(struct key_log *log, size_t *out_broken, const char *path,
                          void (*broken)(void *ctx, const struct err *err), void *ctx,
                          struct err *err);

#endif // PROXY_CLI_KEY_FILE_H_
