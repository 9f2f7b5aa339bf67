// The CA as files: loading, with every reason to refuse, and making one at the first start.
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "logs/base/file.h"
#include "policy/ca/authority.h"
#include "policy/ca/cert_facts.h"
#include "policy/ca/cert_pem.h"
#include "policy/ca/cert_time.h"
#include "policy/ca/private_key.h"

enum { MAX_CA_FILE = 256 * 1024 };

struct paths {
    char cert[PATH_MAX], key[PATH_MAX];
};

static bool load_chain(struct authority *authority, const char *path, struct err *err) {
    struct buf text;
    struct stat st;
    buf_init(&text, MAX_CA_FILE);
    bool ok = private_key_contents(path, &text, &st, err);
    CBS rest;
    CBS_init(&rest, ok ? buf_data(&text) : NULL, text.len);
    while (ok) {
        uint8_t *der;
        size_t der_len;
        int got = cert_pem_next(&rest, &der, &der_len);
        if (got == 0) {
            break;
        }
        if (got < 0) {
            ok = err_set(err, "%s: certificate %zu is not base64, expected PEM", path,
                         authority->num_chain + 1);
        } else if (authority->num_chain == AUTHORITY_MAX_CHAIN) {
            free(der);
            ok = err_set(err, "%s: more than %d certificates, expected the CA and those above it",
                         path, AUTHORITY_MAX_CHAIN);
        } else {
            authority->chain[authority->num_chain++] = CRYPTO_BUFFER_new(der, der_len, NULL);
            CHECK(authority->chain[authority->num_chain - 1] != NULL);
            free(der);
        }
    }
    buf_cleanup(&text);
    if (ok && authority->num_chain == 0) {
        return err_set(err, "%s: no certificate in it, expected a block BEGIN CERTIFICATE", path);
    }
    return ok;
}

static bool check_dates(const struct cert_facts *facts, const char *path, int64_t now,
                        struct err *err) {
    char when[CERT_TIME_TEXT];
    if (facts->not_after < now) {
        cert_time_format(facts->not_after, when);
        return err_set(err,
                       "%s: the CA expired at %s; move it and its key away to have a new one "
                       "made, then install that in your clients",
                       path, when);
    }
    if (facts->not_before > now) {
        cert_time_format(facts->not_before, when);
        return err_set(err, "%s: the CA is not valid before %s; is this machine's clock right?",
                       path, when);
    }
    return true;
}

// Takes the CA's own key identifier, which its leaves repeat.
static void take_key_id(struct cert_key *key, X509 *cert) {
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(cert);
    if (id != NULL && ASN1_STRING_length(id) > 0 &&
        (size_t)ASN1_STRING_length(id) <= sizeof(key->id)) {
        key->id_len = (size_t)ASN1_STRING_length(id);
        memcpy(key->id, ASN1_STRING_get0_data(id), key->id_len);
    }
}

static bool check_cert(struct authority *authority, const char *path, const char *key_path,
                       int64_t now, struct err *err) {
    struct arena arena = {0};
    struct cert_facts facts;
    CBS der = authority_der(authority);
    bool ok = cert_facts_parse(&facts, &arena, CBS_data(&der), CBS_len(&der));
    X509 *cert = X509_parse_from_buffer(authority->chain[0]);
    if (cert == NULL) {
        ok = err_set(err, "%s: the first certificate is malformed (%s)", path,
                     facts.problem != NULL ? facts.problem : "refused by libcrypto");
    } else if (!ok) {
        err_set(err, "%s: the first certificate is malformed (%s)", path, facts.problem);
    } else if (!X509_check_private_key(cert, authority->key->key)) {
        ok = err_set(err,
                     "%s: not the key of %s; restore the right one, or move both away to have "
                     "a new CA made",
                     key_path, path);
    } else if (!facts.ca || (facts.has_key_usage && !(facts.key_usage & CERT_KU_KEY_CERT_SIGN))) {
        ok = err_set(err, "%s: %s may not sign certificates, expected CA:TRUE and keyCertSign",
                     path, facts.subject);
    } else {
        ok = check_dates(&facts, path, now, err);
    }
    if (ok) {
        take_key_id(authority->key, cert);
        authority->is_root = facts.self_issued;
        authority->subject = facts.raw.subject;
        authority->not_after = facts.not_after;
        memcpy(authority->sha256, facts.sha256, sizeof(facts.sha256));
    }
    X509_free(cert);
    ERR_clear_error();
    arena_cleanup(&arena);
    return ok;
}

struct authority *authority_load(const char *cert_path, const char *key_path, int64_t now,
                                 struct err *err) {
    struct authority *authority = xcalloc(1, sizeof(*authority));
    if (load_chain(authority, cert_path, err) &&
        (authority->key = private_key_read(key_path, err)) != NULL &&
        check_cert(authority, cert_path, key_path, now, err)) {
        return authority;
    }
    authority_free(authority);
    return NULL;
}

static bool write_cert(const struct authority *authority, const struct paths *paths,
                       struct err *err) {
    struct buf text;
    buf_init(&text, MAX_CA_FILE);
    CHECK(authority_pem(authority, &text));
    bool ok = file_replace(paths->cert, 0644, buf_data(&text), text.len, err);
    buf_cleanup(&text);
    return ok;
}

// The key goes first: alone it can be given a certificate, a certificate alone is lost.
static bool make_files(const struct paths *paths, int dir_fd, int64_t now, struct err *err) {
    struct authority *authority = authority_new(now);
    bool ok =
        private_key_write(paths->key, authority->key, err) && write_cert(authority, paths, err);
    fsync(dir_fd);
    authority_free(authority);
    return ok;
}

static bool complete_files(const struct paths *paths, int dir_fd, int64_t now, struct err *err) {
    struct cert_key *key = private_key_read(paths->key, err);
    if (key == NULL) {
        return false;
    }
    struct authority *authority = authority_new_for_key(key, now);
    bool ok = write_cert(authority, paths, err);
    fsync(dir_fd);
    authority_free(authority);
    return ok;
}

static bool exists(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0;
}

static bool make_missing(const struct paths *paths, int dir_fd, int64_t now, struct err *err) {
    bool cert = exists(paths->cert), key = exists(paths->key);
    if (cert && key) {
        return true;
    }
    if (cert) {
        return err_set(err,
                       "%s is missing but %s is there: restore the key, or move the "
                       "certificate away to have a new CA made",
                       paths->key, paths->cert);
    }
    return key ? complete_files(paths, dir_fd, now, err) : make_files(paths, dir_fd, now, err);
}

static bool make_under_lock(const char *dir, const struct paths *paths, int64_t now,
                            struct err *err) {
    if (!file_make_folders(dir, err)) {
        return false;
    }
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return err_errno(err, "%s: cannot be opened as a folder", dir);
    }
    bool ok;
    if (flock(fd, LOCK_EX) != 0) {
        ok = err_errno(err, "%s: cannot be locked", dir);
    } else {
        ok = make_missing(paths, fd, now, err);
    }
    close(fd);
    return ok;
}

struct authority *authority_open(const char *dir, int64_t now, struct err *err) {
    struct paths paths;
    if (strlen(dir) == 0 || strlen(dir) > PATH_MAX - 32) {
        err_set(err, "the CA folder's name is empty or too long");
        return NULL;
    }
    snprintf(paths.cert, sizeof(paths.cert), "%s/" AUTHORITY_CERT_FILE, dir);
    snprintf(paths.key, sizeof(paths.key), "%s/" AUTHORITY_KEY_FILE, dir);
    if ((!exists(paths.cert) || !exists(paths.key)) && !make_under_lock(dir, &paths, now, err)) {
        return NULL;
    }
    return authority_load(paths.cert, paths.key, now, err);
}
