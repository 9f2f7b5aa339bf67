#include "proxy/cli/ca_folder.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/ca/trust.h"
#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/unit.h"

static void test_names(void) {
    struct err err = {0};
    struct ca_folder folder;
    CU_ASSERT(ca_folder_init(&folder, "/a/b", &err));
    CU_ASSERT_STRING_EQUAL(folder.dir, "/a/b");
    CU_ASSERT_STRING_EQUAL(folder.cert, "/a/b/ca.pem");
    CU_ASSERT_STRING_EQUAL(folder.bundle, "/a/b/bundle.pem");
    CU_ASSERT_STRING_EQUAL(folder.java_bundle, "/a/b/bundle.jks");
    ca_folder_cleanup(&folder);
    CU_ASSERT_EQUAL_FATAL(chdir("/tmp"), 0);
    CU_ASSERT(ca_folder_init(&folder, "b", &err));
    CU_ASSERT_STRING_EQUAL(folder.cert, "/tmp/b/ca.pem");
    ca_folder_cleanup(&folder);
}

static void test_default(void) {
    struct err err = {0};
    struct ca_folder folder;
    setenv("XDG_CONFIG_HOME", "/c", 1);
    CU_ASSERT(ca_folder_init(&folder, NULL, &err));
    CU_ASSERT_STRING_EQUAL(folder.dir, "/c/tlsblame/ca");
    ca_folder_cleanup(&folder);
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("HOME");
    CU_ASSERT_FALSE(ca_folder_init(&folder, NULL, &err));
    CU_ASSERT_NOT_EQUAL(err.msg[0], '\0');
    ca_folder_cleanup(&folder);
}

static void test_bundles(void) {
    struct err err = {0};
    struct ca_folder folder;
    char *dir = pki_folder(), roots[400];
    struct pki_cert *root = pki_ca("a root", NULL);
    snprintf(roots, sizeof(roots), "%s/roots.pem", dir);
    pki_write(roots, (const struct pki_cert *const[]){root}, 1, NULL, 0644);
    struct authority *authority = authority_new(PKI_NOW);
    CU_ASSERT(ca_folder_init(&folder, dir, &err));
    CU_ASSERT(ca_folder_write_bundles(&folder, authority, roots, &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    struct trust *trust = trust_new(folder.bundle, NULL, 0, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trust);
    CU_ASSERT_EQUAL(trust_num_roots(trust), 2);
    trust_free(trust);
    struct stat st;
    CU_ASSERT_EQUAL(stat(folder.java_bundle, &st), 0);
    CU_ASSERT(ca_folder_write_bundles(&folder, authority, NULL, &err));
    CU_ASSERT_FALSE(ca_folder_write_bundles(&folder, authority, "/nowhere", &err));
    ca_folder_cleanup(&folder);
    CU_ASSERT(ca_folder_init(&folder, "/proc/nowhere", &err));
    CU_ASSERT_FALSE(ca_folder_write_bundles(&folder, authority, NULL, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "/proc/nowhere/bundle.pem"));
    ca_folder_cleanup(&folder);
    authority_free(authority);
    pki_free(root);
    pki_remove(dir);
}

const struct unit_case unit_cases[] = {
    {"names", test_names},
    {"default", test_default},
    {"bundles", test_bundles},
    {NULL, NULL},
};
