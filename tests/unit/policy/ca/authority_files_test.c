#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/ca/authority.h"
#include "policy/ca/cert_facts.h"
#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/unit.h"

static int64_t mode_of(const char *folder, const char *name) {
    char path[512];
    struct stat st;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return stat(path, &st) == 0 ? (int64_t)(st.st_mode & 07777) : -1;
}

// Asserts that opening `folder` fails with `says` in the message.
static void expect_refused(const char *folder, int64_t now, const char *says) {
    struct err err = {0};
    struct authority *authority = authority_open(folder, now, &err);
    CU_ASSERT_PTR_NULL(authority);
    if (strstr(err.msg, says) == NULL) {
        printf("\n      got: %s", err.msg);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, says));
    authority_free(authority);
}

static void expect_opens(const char *folder, uint8_t out_sha256[32]) {
    struct err err = {0};
    struct authority *authority = authority_open(folder, PKI_NOW, &err);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(authority);
    memcpy(out_sha256, authority->sha256, 32);
    authority_free(authority);
}

static void test_first_start(void) {
    char *base = pki_folder(), folder[400];
    snprintf(folder, sizeof(folder), "%s/config/deep", base);
    struct err err = {0};
    struct authority *a = authority_open(folder, PKI_NOW, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(a);
    CU_ASSERT_EQUAL(mode_of(base, "config/deep"), 0700);
    CU_ASSERT_EQUAL(mode_of(folder, "ca-key.pem"), 0600);
    CU_ASSERT_EQUAL(pki_run("test \"$(ls -A '%s' | tr '\\n' ' ')\" = 'ca-key.pem ca.pem '", folder),
                    0);
    struct arena arena = {0};
    struct cert_facts f;
    CBS der = authority_der(a);
    CU_ASSERT_TRUE(cert_facts_parse(&f, &arena, CBS_data(&der), CBS_len(&der)));
    CU_ASSERT_PTR_NOT_NULL(strstr(f.subject, "CN=tlsblame CA "));
    CU_ASSERT_EQUAL(strlen(f.subject_cn), strlen("tlsblame CA 01234567"));
    CU_ASSERT_STRING_EQUAL(f.subject_o, "tlsblame");
    CU_ASSERT_TRUE(f.ca && f.basic_constraints_critical && f.path_len == 0);
    CU_ASSERT_EQUAL(f.key_usage, CERT_KU_KEY_CERT_SIGN | CERT_KU_CRL_SIGN);
    CU_ASSERT_TRUE(f.ski != NULL && f.aki != NULL && strcmp(f.ski, f.aki) == 0);
    CU_ASSERT_EQUAL(f.not_before, PKI_NOW - 2 * PKI_DAY);
    CU_ASSERT_EQUAL(f.not_after, PKI_NOW + 3648 * (int64_t)PKI_DAY);
    CU_ASSERT_EQUAL(strlen(f.serial), 32);
    CU_ASSERT_FALSE(f.serial_negative);
    CU_ASSERT_TRUE(cert_facts_self_signed(&f));
    CU_ASSERT_STRING_EQUAL(f.curve, "P-256");
    CU_ASSERT_EQUAL(memcmp(f.sha256, a->sha256, 32), 0);
    uint8_t again[32];
    expect_opens(folder, again);
    CU_ASSERT_EQUAL(memcmp(again, a->sha256, 32), 0);
    CU_ASSERT_EQUAL(pki_run("openssl verify -x509_strict -attime %lld -CAfile %s/ca.pem %s/ca.pem",
                            (long long)PKI_NOW, folder, folder),
                    0);
    arena_cleanup(&arena);
    authority_free(a);
    pki_remove(base);
}

static void test_refused(void) {
    char *folder = pki_folder(), key[400], cert[400];
    uint8_t hash[32];
    snprintf(key, sizeof(key), "%s/ca-key.pem", folder);
    snprintf(cert, sizeof(cert), "%s/ca.pem", folder);
    expect_opens(folder, hash);
    static const mode_t modes[] = {0640, 0604, 0660, 0601, 0620};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        CU_ASSERT_EQUAL(chmod(key, modes[i]), 0);
        expect_refused(folder, PKI_NOW, "chmod 600");
    }
    CU_ASSERT_EQUAL(chmod(key, 0400), 0);
    expect_opens(folder, hash);
    if (chown(key, 12345, (gid_t)-1) == 0) { // only root may, and not in every sandbox
        expect_refused(folder, PKI_NOW, "belongs to user 12345");
        CU_ASSERT_EQUAL(chown(key, 0, 0), 0);
    }
    expect_refused(folder, PKI_NOW + 4000 * (int64_t)PKI_DAY, "expired at 2036-");
    expect_refused(folder, PKI_NOW - 3 * PKI_DAY, "clock");
    CU_ASSERT_EQUAL(pki_run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 "
                            "-out '%s'; chmod 600 '%s'",
                            key, key),
                    0);
    expect_refused(folder, PKI_NOW, "not the key of");
    CU_ASSERT_EQUAL(pki_run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 "
                            "-aes128 -pass pass:x -out '%s'",
                            key),
                    0);
    expect_refused(folder, PKI_NOW, "encrypted");
    CU_ASSERT_EQUAL(pki_run("echo garbage > '%s'", key), 0);
    expect_refused(folder, PKI_NOW, "no private key in it");
    CU_ASSERT_EQUAL(pki_run(": > '%s'", key), 0);
    expect_refused(folder, PKI_NOW, "no private key in it");
    CU_ASSERT_EQUAL(pki_run("rm '%s'", key), 0);
    expect_refused(folder, PKI_NOW, "restore the key");
    CU_ASSERT_EQUAL(pki_run("echo garbage > '%s'", cert), 0);
    expect_refused(folder, PKI_NOW, "restore the key");
    CU_ASSERT_EQUAL(pki_run("touch '%s'; chmod 600 '%s'", key, key), 0);
    expect_refused(folder, PKI_NOW, "no certificate in it");
    CU_ASSERT_EQUAL(pki_run("printf -- '-----BEGIN CERTIFICATE-----\\n!!\\n-----END "
                            "CERTIFICATE-----\\n' > '%s'",
                            cert),
                    0);
    expect_refused(folder, PKI_NOW, "not base64");
    CU_ASSERT_EQUAL(pki_run("rm '%s'; mkdir '%s'", cert, cert), 0);
    expect_refused(folder, PKI_NOW, "not a file");
    expect_refused("", PKI_NOW, "empty");
    expect_refused("/proc/nowhere/ca", PKI_NOW, "cannot make the folder /proc/nowhere");
    pki_remove(folder);
}

// What a crash may leave: a temporary file, a key without its certificate.
static void test_cut_short(void) {
    char *folder = pki_folder();
    uint8_t first[32], second[32];
    CU_ASSERT_EQUAL(pki_run("echo half > '%s/ca-key.pem.aaaaaa'; chmod 644 '%s/ca-key.pem.aaaaaa'",
                            folder, folder),
                    0);
    expect_opens(folder, first);
    CU_ASSERT_EQUAL(mode_of(folder, "ca-key.pem"), 0600);
    CU_ASSERT_EQUAL(pki_run("rm '%s/ca.pem'; cp '%s/ca-key.pem' '%s/kept'", folder, folder, folder),
                    0);
    expect_opens(folder, second);
    CU_ASSERT_EQUAL(pki_run("cmp '%s/ca-key.pem' '%s/kept'", folder, folder), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(first, second, 32), 0);
    CU_ASSERT_EQUAL(pki_run("rm '%s/ca.pem'; chmod 644 '%s/ca-key.pem'", folder, folder), 0);
    expect_refused(folder, PKI_NOW, "chmod 600");
    pki_remove(folder);
}

// Ten processes at once end up with one CA, and none ever sees half of one.
static void test_at_once(void) {
    enum { NUM = 10 };
    char *folder = pki_folder();
    int pipes[2];
    CU_ASSERT_EQUAL_FATAL(pipe(pipes), 0);
    for (int i = 0; i < NUM; i++) {
        fflush(NULL);
        pid_t child = fork();
        CU_ASSERT_TRUE_FATAL(child >= 0);
        if (child == 0) {
            uint8_t hash[32] = {0};
            struct authority *a = authority_open(folder, PKI_NOW, NULL);
            if (a != NULL) {
                memcpy(hash, a->sha256, sizeof(hash));
            }
            authority_free(a);
            _exit(write(pipes[1], hash, sizeof(hash)) != sizeof(hash));
        }
    }
    uint8_t hashes[NUM][32];
    for (int i = 0; i < NUM; i++) {
        CU_ASSERT_EQUAL(read(pipes[0], hashes[i], 32), 32);
        CU_ASSERT_EQUAL(memcmp(hashes[i], hashes[0], 32), 0);
        wait(NULL);
    }
    uint8_t last[32];
    expect_opens(folder, last);
    CU_ASSERT_EQUAL(memcmp(last, hashes[0], 32), 0);
    close(pipes[0]);
    close(pipes[1]);
    pki_remove(folder);
}

static void test_users_own(void) {
    char *folder = pki_folder(), cert[400], key[400];
    struct err err = {0};
    snprintf(cert, sizeof(cert), "%s/chain.pem", folder);
    snprintf(key, sizeof(key), "%s/key.pem", folder);
    EVP_PKEY *rsa = pki_rsa_key(2048);
    struct pki_cert *root = pki_ca("Corp Root", NULL);
    struct pki_cert *inter = pki_make((struct pki_options){.cn = "Corp TLS Inspection",
                                                           .issuer = root,
                                                           .key = rsa,
                                                           .basic_constraints = "critical,CA:TRUE",
                                                           .key_usage = "keyCertSign"});
    pki_write(cert, (const struct pki_cert *[]){inter, root}, 2, NULL, 0644);
    pki_write(key, NULL, 0, rsa, 0600);
    struct authority *a = authority_load(cert, key, PKI_NOW, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(a);
    CU_ASSERT_EQUAL(a->num_chain, 2);
    CU_ASSERT_FALSE(a->is_root);
    authority_free(a);
    // One file for both; a leaf is no CA; the key of another.
    pki_write(key, (const struct pki_cert *[]){inter}, 1, rsa, 0600);
    a = authority_load(key, key, PKI_NOW, &err);
    CU_ASSERT_PTR_NOT_NULL(a);
    authority_free(a);
    struct pki_cert *leaf = pki_leaf("a.test", root);
    pki_write(cert, (const struct pki_cert *[]){leaf}, 1, NULL, 0644);
    pki_write(key, NULL, 0, leaf->key, 0600);
    CU_ASSERT_PTR_NULL(authority_load(cert, key, PKI_NOW, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "may not sign"));
    pki_write(key, NULL, 0, rsa, 0600);
    CU_ASSERT_PTR_NULL(authority_load(cert, key, PKI_NOW, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "not the key of"));
    const struct pki_cert *many[9] = {inter, root, root, root, root, root, root, root, root};
    pki_write(cert, many, 9, NULL, 0644);
    CU_ASSERT_PTR_NULL(authority_load(cert, key, PKI_NOW, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "more than 8"));
    pki_free(root);
    pki_free(inter);
    pki_free(leaf);
    EVP_PKEY_free(rsa);
    pki_remove(folder);
}

const struct unit_case unit_cases[] = {
    {"made at the first start", test_first_start},
    {"refused, with what to do", test_refused},
    {"a start that was cut short", test_cut_short},
    {"ten processes at once", test_at_once},
    {"a user's own CA", test_users_own},
    {NULL, NULL},
};
