#include "policy/ca/box.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/policy/ca/box_world.h"
#include "tests/unit/unit.h"

static const struct cert_knobs KNOBS = {
    .reuse = CERT_KNOB_REUSE_SHIPPED,
    .ca = {.subject = BOX_STRINGS("C=SK", "O=Box", "CN=Box CA"),
           .intermediate_subject = BOX_STRINGS("CN=Box Inter"),
           .untrusted_subject = BOX_STRINGS("CN=Box Untrusted")},
};

static struct box *open_box(const char *dir, const struct cert_knobs *knobs) {
    struct err err = {0};
    struct box *box = box_open(dir, knobs, PKI_NOW, &err);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(box);
    return box;
}

static mode_t mode_of(const char *dir, const char *name) {
    char path[1024];
    struct stat st;
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return stat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

static bool same_root(const struct box *a, const struct box *b) {
    return memcmp(a->root->sha256, b->root->sha256, sizeof(a->root->sha256)) == 0;
}

static void test_is_kept(void) {
    char *folder = pki_folder(), dir[512];
    snprintf(dir, sizeof(dir), "%s/ca/profiles/box", folder);
    struct cert_knobs knobs = KNOBS;
    struct box *a = open_box(dir, &knobs), *b = open_box(dir, &knobs);
    CU_ASSERT_EQUAL(mode_of(dir, AUTHORITY_KEY_FILE), 0600);
    CU_ASSERT_EQUAL(mode_of(dir, BOX_LEAF_KEY_FILE), 0600);
    CU_ASSERT_EQUAL(mode_of(dir, AUTHORITY_CERT_FILE), 0644);
    CU_ASSERT_TRUE(same_root(a, b));
    CU_ASSERT_EQUAL(EVP_PKEY_cmp(a->leaf_key->key, b->leaf_key->key), 1);
    CU_ASSERT_TRUE(a->root->is_root && !a->intermediate->is_root && a->untrusted->is_root);
    box_free(b);
    // Another name makes another certificate, with the same key.
    struct cert_knobs renamed = KNOBS;
    renamed.ca.subject = (struct cert_knob_strings)BOX_STRINGS("CN=Renamed");
    b = open_box(dir, &renamed);
    CU_ASSERT_FALSE(same_root(a, b));
    CU_ASSERT_EQUAL(EVP_PKEY_cmp(a->root->key->key, b->root->key->key), 1);
    box_free(b);
    // Another kind of key makes both.
    renamed.ca.key = CERT_KNOB_KEY_RSA_1024;
    b = open_box(dir, &renamed);
    CU_ASSERT_EQUAL(EVP_PKEY_bits(b->root->key->key), 1024);
    box_free(b);
    box_free(a);
    pki_remove(folder);
}

static void test_expired_is_made_anew(void) {
    char *folder = pki_folder();
    struct cert_knobs knobs = KNOBS;
    struct err err;
    struct box *a = open_box(folder, &knobs);
    struct box *b = box_open(folder, &knobs, PKI_NOW + 3650 * (int64_t)PKI_DAY, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b);
    CU_ASSERT_FALSE(same_root(a, b));
    box_free(a);
    box_free(b);
    pki_remove(folder);
}

static void test_nothing_to_keep(void) {
    const struct cert_knobs knobs = {0};
    struct box *box = open_box("/nowhere/at/all", &knobs);
    CU_ASSERT_PTR_NULL(box->root);
    box_free(box);
}

static void test_bad_files(void) {
    char *folder = pki_folder(), path[512];
    struct cert_knobs knobs = KNOBS;
    struct err err = {0};
    box_free(open_box(folder, &knobs));
    snprintf(path, sizeof(path), "%s/" AUTHORITY_KEY_FILE, folder);
    CU_ASSERT_EQUAL(chmod(path, 0644), 0);
    CU_ASSERT_PTR_NULL(box_open(folder, &knobs, PKI_NOW, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "open to other users"));
    CU_ASSERT_EQUAL(chmod(path, 0600), 0);
    CU_ASSERT_EQUAL(truncate(path, 10), 0);
    CU_ASSERT_PTR_NULL(box_open(folder, &knobs, PKI_NOW, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "no private key in it"));
    snprintf(path, sizeof(path), "%s/" AUTHORITY_CERT_FILE "/below", folder);
    CU_ASSERT_PTR_NULL(box_open(path, &knobs, PKI_NOW, &err));
    pki_remove(folder);
}

// What openssl says of a chain whose only oddity is that it is a box's.
static void test_chain_is_sound(void) {
    char *folder = pki_folder(), path[512];
    struct cert_knobs knobs = KNOBS;
    struct box_world w;
    struct leaf *leaf;
    (void)box_world_once(&w, &knobs, &leaf);
    static const char *const names[] = {"leaf.pem", "chain.pem", "root.pem"};
    CRYPTO_BUFFER *certs[] = {leaf->chain[0], leaf->chain[1], w.box->root->chain[0]};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        struct pki_cert cert = {.der = (uint8_t *)(uintptr_t)CRYPTO_BUFFER_data(certs[i]),
                                .der_len = CRYPTO_BUFFER_len(certs[i]),
                                .x509 = X509_parse_from_buffer(certs[i])};
        const struct pki_cert *list[] = {&cert};
        pki_write(path, list, 1, NULL, 0644);
        X509_free(cert.x509);
    }
    int status = pki_run("cd '%s' && openssl verify -x509_strict -purpose sslserver -attime %lld "
                         "-CAfile root.pem -untrusted chain.pem -verify_hostname www.origin.test "
                         "leaf.pem",
                         folder, (long long)PKI_NOW);
    if (status != 0) {
        printf("\n      %s", pki_output);
    }
    CU_ASSERT_EQUAL(status, 0);
    leaf_unref(leaf);
    box_world_cleanup(&w);
    pki_remove(folder);
}

const struct unit_case unit_cases[] = {
    {"is kept", test_is_kept},
    {"expired is made anew", test_expired_is_made_anew},
    {"nothing to keep", test_nothing_to_keep},
    {"bad files", test_bad_files},
    {"chain is sound", test_chain_is_sound},
    {NULL, NULL},
};
