#include "policy/ca/client_cert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/unit.h"

static char *folder;
static char both[256], certs[256], key[256];
static struct pki_cert *ca, *leaf, *other;
static struct err err;

static void begin(void) {
    folder = pki_folder();
    snprintf(both, sizeof(both), "%s/both.pem", folder);
    snprintf(certs, sizeof(certs), "%s/certs.pem", folder);
    snprintf(key, sizeof(key), "%s/key.pem", folder);
    ca = pki_ca("Client CA", NULL);
    leaf = pki_leaf("client.example", ca);
    other = pki_leaf("other.example", ca);
    pki_write(both, (const struct pki_cert *const[]){leaf, ca}, 2, leaf->key, 0600);
    pki_write(certs, (const struct pki_cert *const[]){leaf, ca}, 2, NULL, 0644);
    pki_write(key, NULL, 0, leaf->key, 0600);
}

static void end(void) {
    pki_free(ca);
    pki_free(leaf);
    pki_free(other);
    pki_remove(folder);
}

static void check_good(const char *cert_path, const char *key_path) {
    struct client_cert *cert = client_cert_read(cert_path, key_path, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(cert);
    CU_ASSERT_EQUAL(cert->num_chain, 2);
    CU_ASSERT_EQUAL(CRYPTO_BUFFER_len(cert->chain[0]), leaf->der_len);
    CU_ASSERT_EQUAL(EVP_PKEY_cmp(cert->key->key, leaf->key), 1);
    client_cert_free(cert);
}

static void check_bad(const char *cert_path, const char *key_path, const char *says) {
    CU_ASSERT_PTR_NULL(client_cert_read(cert_path, key_path, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, says));
}

static void test_good(void) {
    begin();
    check_good(both, NULL);
    check_good(both, key);
    check_good(certs, key);
    end();
    client_cert_free(NULL);
}

static void test_bad_files(void) {
    char path[256];
    begin();
    snprintf(path, sizeof(path), "%s/nowhere.pem", folder);
    check_bad(path, NULL, "nowhere.pem: cannot be opened");
    check_bad(certs, path, "nowhere.pem: cannot be opened");
    check_bad(folder, NULL, "not a file");
    check_bad(key, NULL, "no certificate in it");
    check_bad(certs, NULL, "no private key in it");
    CU_ASSERT_EQUAL(pki_run("printf -- '-----BEGIN CERTIFICATE-----\\n!!!!\\n"
                            "-----END CERTIFICATE-----\\n' > %s",
                            path),
                    0);
    check_bad(path, key, "not base64");
    CU_ASSERT_EQUAL(pki_run("printf -- '-----BEGIN CERTIFICATE-----\\nAAAA\\n"
                            "-----END CERTIFICATE-----\\n' > %s",
                            path),
                    0);
    check_bad(path, key, "malformed");
    CU_ASSERT_EQUAL(pki_run("for i in 1 2 3 4 5 6 7 8 9; do cat %s; done > %s", certs, path), 0);
    check_bad(path, key, "more than 16");
    end();
}

static void test_bad_keys(void) {
    char path[256];
    begin();
    snprintf(path, sizeof(path), "%s/other.pem", folder);
    pki_write(path, NULL, 0, other->key, 0600);
    check_bad(certs, path, "not the key of the first certificate");
    pki_write(path, NULL, 0, leaf->key, 0644);
    check_bad(certs, path, "open to other users");
    CU_ASSERT_EQUAL(pki_run("openssl pkey -in %s -aes256 -passout pass:x -out %s/locked.pem && "
                            "chmod 600 %s/locked.pem",
                            key, folder, folder),
                    0);
    snprintf(path, sizeof(path), "%s/locked.pem", folder);
    check_bad(certs, path, "the key is encrypted");
    end();
}

const struct unit_case unit_cases[] = {
    {"a chain with its key", test_good},
    {"bad files", test_bad_files},
    {"bad keys", test_bad_keys},
    {NULL, NULL},
};
