#include "logs/store/paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/base/file.h"

static char *folder_path(const char *variable, const char *below_home, const char *name,
                         struct err *err) {
    const char *folder = getenv(variable), *home = getenv("HOME");
    char *path = NULL;
    if (folder != NULL && folder[0] == '/') {
        CHECK(asprintf(&path, "%s/tlsblame/%s", folder, name) >= 0);
    } else if (home != NULL && home[0] == '/') {
        CHECK(asprintf(&path, "%s/%s/tlsblame/%s", home, below_home, name) >= 0);
    } else {
        err_set(err, "no place for %s: neither %s nor HOME is set; name the file yourself", name,
                variable);
    }
    return path;
}

char *paths_state(const char *name, struct err *err) {
    return folder_path("XDG_STATE_HOME", ".local/state", name, err);
}

char *paths_config(const char *name, struct err *err) {
    return folder_path("XDG_CONFIG_HOME", ".config", name, err);
}

bool paths_make_parent(const char *path, struct err *err) {
    char *folder = xstrdup(path), *slash = strrchr(folder, '/');
    bool ok = true;
    if (slash != NULL && slash != folder) {
        *slash = '\0';
        ok = file_make_folders(folder, err);
    }
    free(folder);
    return ok;
}
