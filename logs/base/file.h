// Files and folders that are made whole.
#ifndef LOGS_BASE_FILE_H_
#define LOGS_BASE_FILE_H_

#include <stddef.h>
#include <sys/types.h>

#include "logs/base/err.h"

// file_replace makes `path` a file of the `p_len` bytes at `p` with `mode`, whatever the umask. A
// reader sees the old file or the new one, never a part, and on failure it stays as it was. It is
// never open to anybody whom `mode` leaves out. A crash may leave "PATH.XXXXXX" behind, which only
// its owner can read.
WUNRES bool file_replace(const char *path, mode_t mode, const void *p, size_t p_len,
                         struct err *err);

// file_make_folders makes the folder `path` and those above it where they are missing, with mode
// 0700.
WUNRES bool file_make_folders(const char *path, struct err *err);

#endif // LOGS_BASE_FILE_H_
