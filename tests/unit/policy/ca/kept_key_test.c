#include "policy/ca/kept_key.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/unit.h"

enum { STARTS = 4 };
#define NAME "kept-key.pem"

static bool is_same(const struct cert_key *a, const struct cert_key *b) {
    return a->spki_len == b->spki_len && memcmp(a->spki, b->spki, a->spki_len) == 0;
}

static struct cert_key *open_key(const char *folder, enum cert_key_type type) {
    struct err err = {0};
    struct cert_key *key = kept_key_open(folder, NAME, type, &err);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(key);
    return key;
}

// Asserts that there is no key, that the message has the path and `says`, and that what is in the
// folder stays as it was.
static void expect_refused(const char *folder, const char *says) {
    struct err err = {0};
    char path[512];
    snprintf(path, sizeof(path), "%s/" NAME ": ", folder);
    (void)pki_run("ls -lAR --full-time '%s'; cat '%s/" NAME "'", folder, folder);
    char *before = strdup(pki_output);
    CU_ASSERT_PTR_NULL(kept_key_open(folder, NAME, CERT_KEY_P256, &err));
    (void)pki_run("ls -lAR --full-time '%s'; cat '%s/" NAME "'", folder, folder);
    CU_ASSERT_STRING_EQUAL(pki_output, before);
    free(before);
    CU_ASSERT_EQUAL(strncmp(err.msg, path, strlen(path)), 0);
    if (strstr(err.msg, says) == NULL) {
        printf("\n      got: %s", err.msg);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, says));
}

static void test_made_once(void) {
    char *base = pki_folder(), folder[400], path[512];
    struct stat st;
    snprintf(folder, sizeof(folder), "%s/not/there", base);
    snprintf(path, sizeof(path), "%s/" NAME, folder);
    struct cert_key *made = open_key(folder, CERT_KEY_RSA_2048);
    CU_ASSERT_EQUAL(EVP_PKEY_id(made->key), EVP_PKEY_RSA);
    CU_ASSERT_EQUAL(EVP_PKEY_bits(made->key), 2048);
    CU_ASSERT_EQUAL_FATAL(stat(path, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
    CU_ASSERT_EQUAL(pki_run("test \"$(ls -A '%s')\" = " NAME, folder), 0);
    CU_ASSERT_EQUAL(pki_run("openssl pkey -in '%s' -noout -check", path), 0);
    CU_ASSERT_EQUAL(chmod(path, 0400), 0);
    struct cert_key *read = open_key(folder, CERT_KEY_RSA_2048);
    CU_ASSERT_TRUE(is_same(made, read));
    cert_key_free(read);
    cert_key_free(made);
    pki_remove(base);
}

static void test_another_kind(void) {
    char *folder = pki_folder();
    struct cert_key *rsa = open_key(folder, CERT_KEY_RSA_1024);
    struct cert_key *ec = open_key(folder, CERT_KEY_P256), *again = open_key(folder, CERT_KEY_P256);
    CU_ASSERT_EQUAL(EVP_PKEY_id(ec->key), EVP_PKEY_EC);
    CU_ASSERT_TRUE(is_same(ec, again));
    cert_key_free(rsa);
    cert_key_free(ec);
    cert_key_free(again);
    pki_remove(folder);
}

static void test_refused(void) {
    char *folder = pki_folder(), path[512];
    snprintf(path, sizeof(path), "%s/" NAME, folder);
    cert_key_free(open_key(folder, CERT_KEY_P256));
    static const mode_t modes[] = {0640, 0604, 0660, 0601};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        CU_ASSERT_EQUAL(chmod(path, modes[i]), 0);
        expect_refused(folder, "open to other users");
    }
    CU_ASSERT_EQUAL(chmod(path, 0600), 0);
    if (chown(path, 12345, (gid_t)-1) == 0) { // only root may, and not in every sandbox
        expect_refused(folder, "belongs to user 12345");
        CU_ASSERT_EQUAL(chown(path, 0, (gid_t)-1), 0);
    }
    CU_ASSERT_EQUAL(truncate(path, 100), 0);
    expect_refused(folder, "no private key in it");
    CU_ASSERT_EQUAL(truncate(path, 0), 0);
    expect_refused(folder, "no private key in it");
    CU_ASSERT_EQUAL(pki_run("head -c 5000 /dev/urandom > '%s'", path), 0);
    expect_refused(folder, "no private key in it");
    CU_ASSERT_EQUAL(pki_run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 "
                            "-aes128 -pass pass:x -out '%s'",
                            path),
                    0);
    expect_refused(folder, "encrypted");
    CU_ASSERT_EQUAL(pki_run("openssl genpkey -algorithm X25519 -out '%s'", path), 0);
    expect_refused(folder, "cannot sign");
    pki_remove(folder);
}

static void test_no_place(void) {
    char *folder = pki_folder(), path[512];
    struct err err = {0};
    snprintf(path, sizeof(path), "%s/" NAME, folder);
    CU_ASSERT_EQUAL(mkdir(path, 0700), 0);
    CU_ASSERT_PTR_NULL(kept_key_open(folder, NAME, CERT_KEY_P256, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "not a file"));
    CU_ASSERT_PTR_NULL(kept_key_open(path, "x/" NAME, CERT_KEY_P256, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "cannot be made"));
    // A folder to which not even root can write.
    CU_ASSERT_PTR_NULL(kept_key_open("/proc/self", NAME, CERT_KEY_P256, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "/proc/self/" NAME ": cannot be made"));
    CU_ASSERT_PTR_NULL(kept_key_open("/proc/nowhere", NAME, CERT_KEY_P256, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "cannot make the folder /proc/nowhere"));
    pki_remove(folder);
}

static void *start(void *folder) { return open_key(folder, CERT_KEY_RSA_1024); }

static void test_started_at_once(void) {
    char *folder = pki_folder();
    pthread_t threads[STARTS];
    void *keys[STARTS];
    for (size_t i = 0; i < STARTS; i++) {
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, start, folder), 0);
    }
    for (size_t i = 0; i < STARTS; i++) {
        CU_ASSERT_EQUAL(pthread_join(threads[i], &keys[i]), 0);
        CU_ASSERT_TRUE(is_same(keys[0], keys[i]));
    }
    for (size_t i = 0; i < STARTS; i++) {
        cert_key_free(keys[i]);
    }
    pki_remove(folder);
}

const struct unit_case unit_cases[] = {
    {"a key is made once, for us alone", test_made_once},
    {"a key of another kind is replaced", test_another_kind},
    {"a file that is no key of ours alone is refused and left", test_refused},
    {"where no file can be", test_no_place},
    {"starts at the same time have one key", test_started_at_once},
    {NULL, NULL},
};
