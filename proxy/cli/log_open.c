#include "proxy/cli/log_open.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "logs/store/paths.h"
#include "proxy/cli/exit.h"

static void warn(void *ctx, const char *says) {
    fprintf(stderr, "tlsblame %s: %s\n", (const char *)ctx, says);
}

struct log_reader *log_open(int *out_status, const char *name, const char *path) {
    struct err err = {0};
    char *log = path != NULL ? xstrdup(path) : paths_state("log.ndjson", &err);
    struct log_reader *reader = NULL;
    if (log != NULL) {
        reader = log_reader_open(log, warn, (void *)(uintptr_t)name, &err);
    }
    if (reader == NULL && path == NULL && err.errnum == ENOENT) {
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
