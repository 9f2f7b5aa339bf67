#include "tests/unit/policy/ca/test_trust.h"

#include <stdio.h>

#include "logs/base/check.h"

struct trust *trust_in(const struct pki_cert *const *roots, size_t num) {
    char path[512], *folder = pki_folder();
    const char *extra = path;
    struct err err = {0};
    snprintf(path, sizeof(path), "%s/roots.pem", folder);
    pki_write(path, roots, num, NULL, 0644);
    struct trust *trust = trust_new("", &extra, 1, &err);
    CHECK(trust != NULL);
    pki_remove(folder);
    return trust;
}

struct trust *trust_in_root(const struct pki_cert *root) {
    return trust_in(&root, 1);
}
