// What the output is: how wide, and whether it takes colour.
#ifndef PROXY_CLI_TERMINAL_H_
#define PROXY_CLI_TERMINAL_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "logs/base/check.h"

// terminal_color sets whether to write colour to `to`, as `when` says: "always", "never", or
// "auto", which is when `to` is a terminal that can and NO_COLOR is not set. False when `when` is
// none of them.
WUNRES bool terminal_color(bool *out_color, const char *when, FILE *to);

// terminal_width returns how many columns `to` has: COLUMNS, or what the terminal says, or
// `otherwise` where there is none.
size_t terminal_width(FILE *to, size_t otherwise);

#endif // PROXY_CLI_TERMINAL_H_
