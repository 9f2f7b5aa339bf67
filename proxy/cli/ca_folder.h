// The folder of the CA and the files in it.
#ifndef PROXY_CLI_CA_FOLDER_H_
#define PROXY_CLI_CA_FOLDER_H_

#include "logs/base/err.h"
#include "policy/ca/authority.h"

// struct ca_folder is absolute paths: programs that are pointed to a file may run elsewhere.
struct ca_folder {
    char *dir;
    char *cert;        // PEM: the CA alone
    char *bundle;      // PEM: the system's roots and the CA
    char *java_bundle; // JKS: the same
};

// ca_folder_init names the files in `dir`, or in the default folder for NULL. Nothing is made or
// looked at. It fails where there is no default or no working directory; ca_folder_cleanup may
// follow it in either case.
WUNRES bool ca_folder_init(struct ca_folder *folder, const char *dir, struct err *err);
void ca_folder_cleanup(struct ca_folder *folder);

// ca_folder_of_profile returns the folder of the CA of an emulated box; the caller frees it.
WUNRES char *ca_folder_of_profile(const struct ca_folder *folder, const char *profile);

// ca_folder_write_bundles makes the two bundles of `system_roots`, a file or folder (NULL: none),
// and `authority`, where they are not that already.
WUNRES bool ca_folder_write_bundles(const struct ca_folder *folder,
                                    const struct authority *authority, const char *system_roots,
                                    struct err *err);

#endif // PROXY_CLI_CA_FOLDER_H_
