// The options of a subcommand, read by a table.
#ifndef PROXY_CLI_OPTIONS_H_
#define PROXY_CLI_OPTIONS_H_

#include <stdbool.h>
#include <stddef.h>

enum option_kind {
    OPTION_FLAG,   // takes nothing: `out` is a bool that becomes true
    OPTION_TEXT,   // takes any text: `out` is a const char *
    OPTION_NUMBER, // takes a number from `min` to `max`: `out` is a size_t
    OPTION_LIST,   // takes any text, and may be repeated: `out` is a struct option_list
};

enum { OPTION_LIST_MAX = 64 };

struct option_list {
    const char *items[OPTION_LIST_MAX];
    size_t num;
};

struct option_row {
    const char *name; // without its dashes
    char letter;      // of the short form, or 0
    enum option_kind kind;
    void *out;
    size_t min, max; // OPTION_NUMBER; a `max` of 0 is no bound
};

// The most rows that a table may have.
enum { OPTIONS_MAX = 32 };

// options_read reads the options of `command` as `rows` says, and -h and --help, which write `help`
// to standard output. It returns -1 with the index of the first argument that is no option in
// `*out_rest`, or else the exit status when there is nothing more to do.
int options_read(int *out_rest, const char *command, const char *help,
                 const struct option_row *rows, size_t num_rows, int argc, char **argv);

#endif // PROXY_CLI_OPTIONS_H_
