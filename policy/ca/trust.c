#include "policy/ca/trust.h"

#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/ca/cert_facts.h"
#include "policy/ca/cert_pem.h"
#include "policy/ca/trust_attempt.h"

struct trust {
    uint64_t serial;
    X509_STORE *store;
    char *source;
    size_t num_skipped;
    struct crl_set *crls;
};

// Where distributions keep their roots: bundles first, they load fastest.
static const char *const places[] = {
    "/etc/ssl/certs/ca-certificates.crt",                // Debian, Arch, Gentoo
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Fedora, RHEL
    "/etc/pki/tls/certs/ca-bundle.crt",                  // older RHEL
    "/etc/ssl/ca-bundle.pem",                            // openSUSE
    "/etc/ssl/cert.pem",                                 // Alpine, BSD
    "/etc/ssl/certs",
};

// Where a root has its hash: index of a slot of X509_get_ex_data.
static int hash_slot;
static pthread_once_t hash_once = PTHREAD_ONCE_INIT;

static void hash_free(void *parent, void *hash, CRYPTO_EX_DATA *data, int index, long argl,
                      void *argp) {
    (void)parent, (void)data, (void)index, (void)argl, (void)argp;
    free(hash);
}

static void hash_slot_make(void) {
    hash_slot = X509_get_ex_new_index(0, NULL, NULL, NULL, hash_free);
    CHECK(hash_slot >= 0);
}

static void hash_attach(X509 *cert, const uint8_t *der, size_t der_len) {
    CHECK(pthread_once(&hash_once, hash_slot_make) == 0);
    uint8_t *hash = xmalloc(SHA256_DIGEST_LENGTH);
    SHA256(der, der_len, hash);
    CHECK(X509_set_ex_data(cert, hash_slot, hash));
}

static bool add_der(struct trust *trust, const uint8_t *der, size_t der_len) {
    CBS all;
    CBS_init(&all, der, der_len);
    X509 *cert = cert_facts_x509(all);
    bool ok = cert != NULL && trust_num_roots(trust) < TRUST_MAX_ROOTS;
    if (ok) {
        hash_attach(cert, der, der_len);
        ok = X509_STORE_add_cert(trust->store, cert);
    }
    X509_free(cert);
    ERR_clear_error();
    return ok;
}

// Adds every certificate of `text`. `strict`: anything malformed is an error.
static bool add_text(struct trust *trust, const struct buf *text, const char *path, bool strict,
                     struct err *err) {
    CBS rest;
    CBS_init(&rest, text->len != 0 ? buf_data(text) : NULL, text->len);
    if (text->len > 1 && buf_data(text)[0] == 0x30 && add_der(trust, buf_data(text), text->len)) {
        return true;
    }
    for (size_t n = 1;; n++) {
        uint8_t *der;
        size_t der_len;
        int got = cert_pem_next(&rest, &der, &der_len);
        if (got == 0) {
            return n > 1 || !strict ||
                   err_set(err, "%s: no certificate in it, expected PEM blocks BEGIN CERTIFICATE",
                           path);
        }
        bool ok = got > 0 && add_der(trust, der, der_len);
        if (got > 0) {
            free(der);
        }
        if (!ok && strict) {
            return err_set(err, "%s: certificate %zu is malformed, expected X.509 in PEM", path, n);
        }
        trust->num_skipped += !ok;
    }
}

static bool add_file(struct trust *trust, const char *path, bool strict, struct err *err) {
    struct buf text;
    buf_init(&text, CERT_PEM_MAX_FILE);
    bool ok = cert_pem_read(path, &text, err) && add_text(trust, &text, path, strict, err);
    buf_cleanup(&text);
    return ok;
}

static bool has_suffix(const char *name, const char *suffix) {
    size_t len = strlen(name), suffix_len = strlen(suffix);
    return len > suffix_len && strcmp(name + len - suffix_len, suffix) == 0;
}

// Adds the files of a folder. Names like 002c0b4f.0 are links to the others, unless there are only
// such; the store takes the same certificate once.
static bool add_folder(struct trust *trust, const char *path, struct err *err) {
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return err_errno(err, "%s: cannot be opened, expected a folder of certificates", path);
    }
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char file[PATH_MAX];
        int n = snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
        bool wanted = has_suffix(entry->d_name, ".pem") || has_suffix(entry->d_name, ".crt") ||
                      has_suffix(entry->d_name, ".cer") || has_suffix(entry->d_name, ".0");
        if (wanted && (size_t)n < sizeof(file) && !add_file(trust, file, false, NULL)) {
            trust->num_skipped++;
        }
    }
    closedir(dir);
    return true;
}

static bool add_system(struct trust *trust, const char *path, struct err *err) {
    struct stat st;
    if (stat(path, &st) != 0) {
        return err_errno(err, "%s: cannot be opened, expected the system's root certificates",
                         path);
    }
    trust->source = xstrdup(path);
    return S_ISDIR(st.st_mode) ? add_folder(trust, path, err) : add_file(trust, path, false, err);
}

static bool add_found_system(struct trust *trust, struct err *err) {
    static const char *const variables[] = {"SSL_CERT_FILE", "SSL_CERT_DIR"};
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        const char *path = getenv(variables[i]);
        if (path != NULL && path[0] != '\0') {
            return add_system(trust, path, err) ||
                   err_prefix(err, "%s (unset it for the system's own): ", variables[i]);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        if (access(places[i], R_OK) == 0) {
            return add_system(trust, places[i], err);
        }
    }
    return true;
}

static struct trust *trust_alloc(void) {
    static atomic_uint_fast64_t serials;
    struct trust *trust = xcalloc(1, sizeof(*trust));
    trust->serial = atomic_fetch_add(&serials, 1);
    return trust;
}

struct trust *trust_new(const char *system, const char *const *extra, size_t num_extra,
                        struct err *err) {
    struct trust *trust = trust_alloc();
    trust->store = X509_STORE_new();
    CHECK(trust->store != NULL);
    trust_attempt_prepare(trust->store);
    bool ok = true;
    if (system == NULL) {
        ok = add_found_system(trust, err);
    } else if (system[0] != '\0') {
        ok = add_system(trust, system, err);
    }
    for (size_t i = 0; ok && i < num_extra; i++) {
        ok = add_file(trust, extra[i], true, err);
    }
    if (!ok) {
        trust_free(trust);
        return NULL;
    }
    return trust;
}

void trust_free(struct trust *trust) {
    if (trust == NULL) {
        return;
    }
    X509_STORE_free(trust->store);
    crl_set_free(trust->crls);
    free(trust->source);
    free(trust);
}

const char *trust_source(const struct trust *trust) { return trust->source; }

size_t trust_num_roots(const struct trust *trust) {
    return sk_X509_OBJECT_num(X509_STORE_get0_objects(trust->store));
}

size_t trust_num_skipped(const struct trust *trust) { return trust->num_skipped; }

X509_STORE *trust_store(const struct trust *trust) { return trust->store; }

void trust_root_hash(X509 *cert, uint8_t out[SHA256_DIGEST_LENGTH]) {
    const uint8_t *hash = X509_get_ex_data(cert, hash_slot);
    CHECK(hash != NULL);
    memcpy(out, hash, SHA256_DIGEST_LENGTH);
}

uint64_t trust_serial(const struct trust *trust) { return trust->serial; }

bool trust_add_crls(struct trust *trust, const char *const *files, size_t num_files,
                    struct err *err) {
    for (size_t i = 0; i < num_files; i++) {
        if (trust->crls == NULL) {
            trust->crls = crl_set_new();
        }
        if (!crl_set_load(trust->crls, files[i], err)) {
            return false;
        }
    }
    return true;
}

struct trust *trust_with_crls(const struct trust *trust, struct crl_set *crls) {
    struct trust *with = trust_alloc();
    CHECK(X509_STORE_up_ref(trust->store) == 1);
    with->store = trust->store;
    with->source = trust->source != NULL ? xstrdup(trust->source) : NULL;
    with->num_skipped = trust->num_skipped;
    with->crls = crls;
    return with;
}

struct crl_set *trust_crls(const struct trust *trust) {
    return trust->crls;
}
