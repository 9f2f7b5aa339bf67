#include "proxy/cli/log_open.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "logs/store/paths.h"
#include "proxy/cli/exit.h"

enum { WARNINGS_MAX = 10 };

// struct warnings counts the lines that are no records, of which only the first are told: a file
// may be something else altogether.
struct warnings {
    const char *name;
    size_t num;
};

static void warn(void *ctx, const char *says) {
    struct warnings *warnings = ctx;
    if (warnings->num++ < WARNINGS_MAX) {
        fprintf(stderr, "tlsblame %s: %s\n", warnings->name, says);
    }
}

// warnings_end returns false, and says so, where there were lines and none of them is a record.
static bool warnings_end(const struct warnings *warnings, const struct log_reader *reader,
                         const char *log) {
    if (warnings->num > WARNINGS_MAX) {
        fprintf(stderr, "tlsblame %s: %zu more lines of it are no records\n", warnings->name,
                warnings->num - WARNINGS_MAX);
    }
    if (warnings->num == 0 || log_reader_num(reader) != 0) {
        return true;
    }
    fprintf(
        stderr,
        "tlsblame %s: %s holds no record: a log is expected, which 'tlsblame import' makes of a "
        "capture\n",
        warnings->name, log);
    return false;
}

struct log_reader *log_open(int *out_status, const char *name, const char *path) {
    struct err err = {0};
    char *log = path != NULL ? xstrdup(path) : paths_state("log.ndjson", &err);
    struct log_reader *reader = NULL;
    struct warnings warnings = {.name = name};
    if (log != NULL) {
        reader = log_reader_open(log, warn, &warnings, &err);
    }
    if (reader != NULL && !warnings_end(&warnings, reader, log)) {
        log_reader_free(reader);
        reader = NULL;
        *out_status = EXIT_USAGE;
    } else if (reader == NULL && path == NULL && err.errnum == ENOENT) {
        fprintf(stderr, "tlsblame %s: nothing was recorded so far in %s; 'tlsblame run' does\n",
                name, log);
        *out_status = EXIT_USAGE;
    } else if (reader == NULL) {
        fprintf(stderr, "tlsblame %s: %s\n", name, err.msg);
        *out_status = log == NULL ? EXIT_ENVIRONMENT : EXIT_USAGE;
    }
    free(log);
    return reader;
}
