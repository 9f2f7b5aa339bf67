#include "proxy/cli/export_output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "logs/pcap/record_capture.h"

enum { SECRETS_MAX = 64 * 1024 };

bool export_format_of(enum export_format *out, const char *path) {
    static const struct {
        const char *ending;
        enum export_format format;
    } rows[] = {
        {".pcapng", EXPORT_PCAPNG}, {".ntar", EXPORT_PCAPNG}, {".keylog", EXPORT_KEYLOG},
        {".keys", EXPORT_KEYLOG},   {".log", EXPORT_KEYLOG},  {".txt", EXPORT_KEYLOG},
        {".json", EXPORT_JSON},     {".jsonl", EXPORT_JSON},  {".ndjson", EXPORT_JSON},
    };
    size_t len = strlen(path);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t ending = strlen(rows[i].ending);
        if (len > ending && strcasecmp(path + len - ending, rows[i].ending) == 0) {
            *out = rows[i].format;
            return true;
        }
    }
    return false;
}

bool export_output_spares(const struct export_output *output, const char *log, struct err *err) {
    for (int i = 0; i < EXPORT_FORMATS; i++) {
        struct stat a, b;
        const char *path = output->paths[i];
        if (path != NULL && strcmp(path, "-") != 0 && stat(path, &a) == 0 && stat(log, &b) == 0 &&
            a.st_dev == b.st_dev && a.st_ino == b.st_ino) {
            return err_set(err, "%s is the log that is being read", path);
        }
    }
    return true;
}

// file_open makes the file `path`, empty and for its owner alone.
static FILE *file_open(const char *path, struct err *err) {
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        err_errno(err, "cannot write %s", path);
        return NULL;
    }
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        (ftruncate(fd, 0) != 0 || fchmod(fd, 0600) != 0)) {
        err_errno(err, "cannot write %s", path);
        close(fd);
        return NULL;
    }
    FILE *file = fdopen(fd, "w");
    CHECK(file != NULL);
    return file;
}

bool export_output_open(struct export_output *output, struct err *err) {
    for (int i = 0; i < EXPORT_FORMATS; i++) {
        const char *path = output->paths[i];
        if (path == NULL) {
            continue;
        }
        bool dash = strcmp(path, "-") == 0;
        if (dash && i == EXPORT_PCAPNG && isatty(STDOUT_FILENO)) {
            return err_set(err, "a capture is not for a terminal; name a file, or use a pipe");
        }
        output->files[i] = dash ? stdout : file_open(path, err);
        if (output->files[i] == NULL) {
            return false;
        }
    }
    if (output->files[EXPORT_PCAPNG] != NULL) {
        output->capture = capture_writer_new(output->files[EXPORT_PCAPNG]);
    }
    return true;
}

bool export_output_close(struct export_output *output, struct err *err) {
    bool ok = true;
    if (output->capture != NULL) {
        ok = capture_writer_free(output->capture, err);
    }
    for (int i = 0; i < EXPORT_FORMATS; i++) {
        FILE *file = output->files[i];
        if (file == NULL) {
            continue;
        }
        bool written = fflush(file) == 0 && !ferror(file);
        written = (file == stdout || fclose(file) == 0) && written;
        if (!written && ok) {
            ok = err_errno(err, "cannot write %s", output->paths[i]);
        }
    }
    *output = (struct export_output){.legs = output->legs};
    return ok;
}

static void secrets_write(struct export_output *output, const struct obj *root) {
    struct buf text;
    buf_init(&text, SECRETS_MAX);
    if (record_capture_secrets(&text, root) && text.len != 0) {
        fwrite(buf_data(&text), 1, text.len, output->files[EXPORT_KEYLOG]);
        output->secrets++;
    }
    buf_cleanup(&text);
}

void export_output_record(struct export_output *output, const struct obj *root, struct span line) {
    if (output->capture != NULL) {
        output->legs += record_capture_write(output->capture, &output->bare, root);
    }
    if (output->files[EXPORT_KEYLOG] != NULL) {
        secrets_write(output, root);
    }
    if (output->files[EXPORT_JSON] != NULL) {
        fwrite(line.p, 1, line.len, output->files[EXPORT_JSON]);
        putc('\n', output->files[EXPORT_JSON]);
    }
}
