#include "proxy/cli/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH_MIN = 40, WIDTH_MAX = 1000 };

bool terminal_color(bool *out_color, const char *when, FILE *to) {
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    bool refused =
        (no_color != NULL && *no_color != '\0') || (term != NULL && strcmp(term, "dumb") == 0);
    bool is_auto = strcmp(when, "auto") == 0;
    *out_color = is_auto ? !refused && isatty(fileno(to)) : strcmp(when, "always") == 0;
    return is_auto || *out_color || strcmp(when, "never") == 0;
}

size_t terminal_width(FILE *to, size_t otherwise) {
    const char *columns = getenv("COLUMNS");
    unsigned long width = columns != NULL ? strtoul(columns, NULL, 10) : 0;
    struct winsize size;
    if (width == 0 && ioctl(fileno(to), TIOCGWINSZ, &size) == 0) {
        width = size.ws_col;
    }
    if (width == 0) {
        return otherwise;
    }
    return width < WIDTH_MIN ? WIDTH_MIN : width < WIDTH_MAX ? width : WIDTH_MAX;
}
