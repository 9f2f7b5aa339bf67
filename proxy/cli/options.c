#include "proxy/cli/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "logs/base/check.h"
#include "proxy/cli/usage.h"

enum { CODE_FIRST = 256, CODE_HELP = 'h' }; // what getopt_long returns for row 0, and for --help

// number_take reads a number in the bounds of `row`. It returns -1 or the exit status.
static int number_take(const struct option_row *row, const char *command) {
    char *end;
    errno = 0;
    unsigned long long number = strtoull(optarg, &end, 10);
    bool fits = errno == 0 && isdigit((unsigned char)optarg[0]) && *end == '\0';
    if (fits && number >= row->min && (row->max == 0 || number <= row->max)) {
        *(size_t *)row->out = (size_t)number;
        return -1;
    }
    if (row->max == 0) {
        return usage_error(command, "--%s takes a number from %zu, not %s", row->name, row->min,
                           optarg);
    }
    return usage_error(command, "--%s takes a number from %zu to %zu, not %s", row->name, row->min,
                       row->max, optarg);
}

static int list_take(const struct option_row *row, const char *command) {
    struct option_list *list = row->out;
    if (list->num == OPTION_LIST_MAX) {
        return usage_error(command, "--%s can be given %d times", row->name, OPTION_LIST_MAX);
    }
    list->items[list->num++] = optarg;
    return -1;
}

static int row_take(const struct option_row *row, const char *command) {
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)row->out = true;
        return -1;
    case OPTION_TEXT:
        *(const char **)row->out = optarg;
        return -1;
    case OPTION_LIST:
        return list_take(row, command);
    default:
        return number_take(row, command);
    }
}

// tables_make writes the tables of getopt_long: `letters` holds two bytes a row, and "h".
static void tables_make(struct option *longs, char *letters, const struct option_row *rows,
                        size_t num_rows) {
    for (size_t i = 0; i < num_rows; i++) {
        bool takes = rows[i].kind != OPTION_FLAG;
        longs[i] = (struct option){rows[i].name, takes ? required_argument : no_argument, NULL,
                                   CODE_FIRST + (int)i};
        if (rows[i].letter != 0) {
            *letters++ = rows[i].letter;
            *letters = ':';
            letters += takes;
        }
    }
    longs[num_rows] = (struct option){"help", no_argument, NULL, CODE_HELP};
    longs[num_rows + 1] = (struct option){0};
    *letters++ = CODE_HELP;
    *letters = '\0';
}

int options_read(int *out_rest, const char *command, const char *help,
                 const struct option_row *rows, size_t num_rows, int argc, char **argv) {
    struct option longs[OPTIONS_MAX + 2];
    char letters[2 * OPTIONS_MAX + 2];
    CHECK(num_rows <= OPTIONS_MAX);
    tables_make(longs, letters, rows, num_rows);
    optind = 1;
    for (int code; (code = getopt_long(argc, argv, letters, longs, NULL)) != -1;) {
        if (code == CODE_HELP) {
            fputs(help, stdout);
            return 0;
        }
        const struct option_row *row = code >= CODE_FIRST ? &rows[code - CODE_FIRST] : NULL;
        for (size_t i = 0; row == NULL && i < num_rows; i++) {
            row = rows[i].letter == code && code != '?' ? &rows[i] : NULL;
        }
        int status = row == NULL ? usage_hint(command) : row_take(row, command);
        if (status != -1) {
            return status;
        }
    }
    *out_rest = optind;
    return -1;
}
