#include "proxy/cli/key_file.h"

#include <stdio.h>
#include <string.h>

// line_read reads the next line, or its beginning and passes over the rest. It returns false at the
// end of the file.
static bool line_read(FILE *file, char *line, size_t line_size) {
    if (fgets(line, (int)line_size, file) == NULL) {
        return false;
    }
    if (strchr(line, '\n') == NULL) {
        int c;
        while ((c = getc(file)) != EOF && c != '\n') {
        }
    }
    return true;
}

bool key_file_read(struct key_log *log, size_t *out_broken, const char *path,
                   void (*broken)(void *ctx, const struct err *err), void *ctx, struct err *err) {
    char line[KEY_FILE_LINE_MAX];
    struct err line_err;
    *out_broken = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return err_errno(err, "cannot open the key log %s", path);
    }
    key_log_restart(log);
    while (line_read(file, line, sizeof(line))) {
        if (!key_log_line(log, line, strlen(line), &line_err)) {
            ++*out_broken;
            if (broken != NULL) {
                broken(ctx, &line_err);
            }
        }
    }
    bool ok = !ferror(file) || err_errno(err, "cannot read the key log %s", path);
    fclose(file);
    return ok;
}
