#include "proxy/cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proxy/cli/exit.h"

int output_write(const char *command, struct buf *out) {
    fwrite(buf_data(out), 1, out->len, stdout);
    buf_cleanup(out);
    return output_finish(command);
}

int output_finish(const char *command) {
    if (fflush(stdout) == 0 && !ferror(stdout)) {
        return 0;
    }
    fprintf(stderr, "tlsblame %s: standard output: %s\n", command, strerror(errno));
    return EXIT_ENVIRONMENT;
}
