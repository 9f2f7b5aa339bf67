// The world's bad news: one sentence for the user, filled by the function that failed.
#ifndef LOGS_BASE_ERR_H_
#define LOGS_BASE_ERR_H_

#include <stdbool.h>

#include "logs/base/check.h"

// struct err holds the sentence that a failed call leaves for the user. It is the last parameter of
// every function that can fail for reasons outside the program, and fixed in size so that reporting
// never allocates. A message says what failed and what to do next; it does not end in a newline.
struct err {
    int errnum; // errno at the time, or 0
    char msg[512];
};

// err_set formats the message of `err` (which may be NULL: then nothing happens) and returns false,
// so that a failing function can end in `return err_set(...)`.
PRINTF(2, 3) bool err_set(struct err *err, const char *fmt, ...);

// err_errno is err_set with ": strerror(errno)" appended; it keeps errno in `errnum`.
PRINTF(2, 3) bool err_errno(struct err *err, const char *fmt, ...);

// err_prefix puts the formatted text before the message that is there and returns false.
PRINTF(2, 3) bool err_prefix(struct err *err, const char *fmt, ...);

#endif // LOGS_BASE_ERR_H_
