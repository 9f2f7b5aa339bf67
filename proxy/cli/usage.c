#include "proxy/cli/usage.h"

#include <stdarg.h>
#include <stdio.h>

#include "proxy/cli/exit.h"

int usage_error(const char *command, const char *fmt, ...) {
    va_list args;
    fprintf(stderr, "tlsblame %s: ", command);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    return usage_hint(command);
}

int usage_hint(const char *command) {
    fprintf(stderr, "'tlsblame %s --help' tells more\n", command);
    return EXIT_USAGE;
}
