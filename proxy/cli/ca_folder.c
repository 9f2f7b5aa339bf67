#include "proxy/cli/ca_folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "logs/store/paths.h"
#include "proxy/cli/bundle.h"

enum { PEM_MAX = 64 * 1024 };

static char *join(const char *dir, const char *name) {
    char *path;
    CHECK(asprintf(&path, "%s/%s", dir, name) >= 0);
    return path;
}

static char *absolute(const char *path, struct err *err) {
    if (path[0] == '/') {
        return xstrdup(path);
    }
    char *here = getcwd(NULL, 0);
    if (here == NULL) {
        err_errno(err, "%s: the working directory has no name", path);
        return NULL;
    }
    char *joined = join(here, path);
    free(here);
    return joined;
}

bool ca_folder_init(struct ca_folder *folder, const char *dir, struct err *err) {
    *folder = (struct ca_folder){0};
    folder->dir = dir != NULL ? absolute(dir, err) : paths_config("ca", err);
    if (folder->dir == NULL) {
        return false;
    }
    folder->cert = join(folder->dir, AUTHORITY_CERT_FILE);
    folder->bundle = join(folder->dir, BUNDLE_FILE);
    folder->java_bundle = join(folder->dir, BUNDLE_JAVA_FILE);
    return true;
}

void ca_folder_cleanup(struct ca_folder *folder) {
    free(folder->dir);
    free(folder->cert);
    free(folder->bundle);
    free(folder->java_bundle);
    *folder = (struct ca_folder){0};
}

char *ca_folder_of_profile(const struct ca_folder *folder, const char *profile) {
    char *path;
    CHECK(asprintf(&path, "%s/profiles/%s", folder->dir, profile) >= 0);
    return path;
}

bool ca_folder_write_bundles(const struct ca_folder *folder, const struct authority *authority,
                             const char *system_roots, struct err *err) {
    struct buf pem;
    buf_init(&pem, PEM_MAX);
    bool ok = (authority_pem(authority, &pem) && buf_append(&pem, "", 1)) ||
              err_set(err, "%s: larger than %d bytes", folder->cert, PEM_MAX);
    ok = ok && bundle_write(folder->bundle, system_roots, (const char *)buf_data(&pem), err) &&
         bundle_write_java(folder->java_bundle, folder->bundle, err);
    buf_cleanup(&pem);
    return ok;
}
