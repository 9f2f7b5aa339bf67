#include "policy/ca/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/unit.h"

struct world {
    char *folder, path[512];
    struct pki_cert *a, *b;
};

static struct world world_make(void) {
    struct world w = {.folder = pki_folder(), .a = pki_ca("A", NULL), .b = pki_ca("B", NULL)};
    snprintf(w.path, sizeof(w.path), "%s/roots.pem", w.folder);
    return w;
}

static void world_end(struct world *w) {
    pki_free(w->a);
    pki_free(w->b);
    pki_remove(w->folder);
}

static void expect_refused(const char *system, const char *extra, const char *says) {
    struct err err = {0};
    CU_ASSERT_PTR_NULL(trust_new(system, &extra, extra != NULL, &err));
    if (strstr(err.msg, says) == NULL) {
        printf("\n      got: %s", err.msg);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, says));
}

static void test_files(void) {
    struct world w = world_make();
    struct err err = {0};
    const char *extra = w.path;
    pki_write(w.path, (const struct pki_cert *[]){w.a, w.b}, 2, NULL, 0644);
    struct trust *trust = trust_new("", &extra, 1, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trust);
    CU_ASSERT_EQUAL(trust_num_roots(trust), 2);
    CU_ASSERT_PTR_NULL(trust_source(trust));
    trust_free(trust);
    FILE *f = fopen(w.path, "wb");
    CU_ASSERT_EQUAL(fwrite(w.a->der, 1, w.a->der_len, f), w.a->der_len);
    fclose(f);
    trust = trust_new("", &extra, 1, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trust);
    CU_ASSERT_EQUAL(trust_num_roots(trust), 1);
    trust_free(trust);
    trust_free(NULL);
    // A folder, with a file in it that is none of ours and one that is broken.
    CU_ASSERT_EQUAL(pki_run("cd '%s' && rm roots.pem && echo x > README && echo "
                            "'-----BEGIN CERTIFICATE-----' > bad.crt",
                            w.folder),
                    0);
    pki_write(w.path, (const struct pki_cert *[]){w.a, w.b}, 2, NULL, 0644);
    trust = trust_new(w.folder, NULL, 0, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trust);
    CU_ASSERT_EQUAL(trust_num_roots(trust), 2);
    CU_ASSERT_EQUAL(trust_num_skipped(trust), 1);
    CU_ASSERT_STRING_EQUAL(trust_source(trust), w.folder);
    trust_free(trust);
    world_end(&w);
}

static void test_refused(void) {
    struct world w = world_make();
    expect_refused("", w.path, "cannot be opened");
    expect_refused(w.path, NULL, "cannot be opened");
    CU_ASSERT_EQUAL(pki_run("echo hello > '%s'", w.path), 0);
    expect_refused("", w.path, "expected PEM blocks");
    CU_ASSERT_EQUAL(pki_run(": > '%s'", w.path), 0);
    expect_refused("", w.path, "no certificate in it");
    pki_write(w.path, (const struct pki_cert *[]){w.a}, 1, NULL, 0644);
    CU_ASSERT_EQUAL(pki_run("printf -- '-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END "
                            "CERTIFICATE-----\\n' >> '%s'",
                            w.path),
                    0);
    expect_refused("", w.path, "certificate 2 is malformed");
    expect_refused("", "/dev/zero", "larger than");
    world_end(&w);
}

static void test_system(void) {
    struct world w = world_make();
    struct err err = {0};
    pki_write(w.path, (const struct pki_cert *[]){w.a}, 1, NULL, 0644);
    setenv("SSL_CERT_FILE", w.path, 1);
    struct trust *trust = trust_new(NULL, NULL, 0, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trust);
    CU_ASSERT_EQUAL(trust_num_roots(trust), 1);
    CU_ASSERT_STRING_EQUAL(trust_source(trust), w.path);
    trust_free(trust);
    setenv("SSL_CERT_FILE", "/nonexistent", 1);
    expect_refused(NULL, NULL, "SSL_CERT_FILE");
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    trust = trust_new(NULL, NULL, 0, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trust);
    CU_ASSERT_TRUE(trust_source(trust) == NULL || trust_num_roots(trust) > 10);
    trust_free(trust);
    world_end(&w);
}

const struct unit_case unit_cases[] = {
    {"files and folders", test_files},
    {"refused, with what was expected", test_refused},
    {"the system's own", test_system},
    {NULL, NULL},
};
