#include "logs/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_all(int fd, const uint8_t *p, size_t p_len) {
    while (p_len != 0) {
        ssize_t n = write(fd, p, p_len);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        p += n < 0 ? 0 : n;
        p_len -= n < 0 ? 0 : (size_t)n;
    }
    return true;
}

bool file_replace(const char *path, mode_t mode, const void *p, size_t p_len, struct err *err) {
    char *temporary;
    CHECK(asprintf(&temporary, "%s.XXXXXX", path) >= 0);
    int fd = mkostemp(temporary, O_CLOEXEC); // of mode 0600
    if (fd < 0) {
        err_errno(err, "%s: cannot be made", path);
        free(temporary);
        return false;
    }
    bool ok = write_all(fd, p, p_len) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    ok = (close(fd) == 0 || !ok) && ok && rename(temporary, path) == 0;
    if (!ok) {
        err_errno(err, "%s: cannot be written", path);
        unlink(temporary);
    }
    free(temporary);
    return ok;
}

static bool make_folder(const char *path, struct err *err) {
    if (mkdir(path, 0700) == 0 || errno == EEXIST) {
        return true;
    }
    // A folder above may be one that we can neither write to nor need to.
    int why = errno;
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        return true;
    }
    errno = why;
    return err_errno(err, "cannot make the folder %s", path);
}

bool file_make_folders(const char *path, struct err *err) {
    CHECK(*path != '\0');
    char *folder = xstrdup(path);
    bool ok = true;
    for (char *slash = folder; ok && (slash = strchr(slash + 1, '/')) != NULL;) {
        *slash = '\0';
        ok = make_folder(folder, err);
        *slash = '/';
    }
    ok = ok && make_folder(folder, err);
    free(folder);
    return ok;
}
