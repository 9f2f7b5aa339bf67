#include "policy/ca/kept_key.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "logs/base/file.h"
#include "policy/ca/private_key.h"

static bool is_kind(const EVP_PKEY *key, enum cert_key_type type) {
    switch (type) {
    case CERT_KEY_RSA_1024:
        return EVP_PKEY_id(key) == EVP_PKEY_RSA && EVP_PKEY_bits(key) == 1024;
    case CERT_KEY_RSA_2048:
        return EVP_PKEY_id(key) == EVP_PKEY_RSA && EVP_PKEY_bits(key) == 2048;
    case CERT_KEY_RSA_3072:
        return EVP_PKEY_id(key) == EVP_PKEY_RSA && EVP_PKEY_bits(key) == 3072;
    case CERT_KEY_RSA_4096:
        return EVP_PKEY_id(key) == EVP_PKEY_RSA && EVP_PKEY_bits(key) == 4096;
    case CERT_KEY_P384:
        return EVP_PKEY_id(key) == EVP_PKEY_EC && EVP_PKEY_bits(key) == 384;
    case CERT_KEY_ED25519:
        return EVP_PKEY_id(key) == EVP_PKEY_ED25519;
    case CERT_KEY_P256:
        break;
    }
    return EVP_PKEY_id(key) == EVP_PKEY_EC && EVP_PKEY_bits(key) == 256;
}

static struct cert_key *make_key(const char *dir, const char *path, enum cert_key_type type,
                                 struct err *err) {
    if (access(dir, W_OK) != 0) { // making it takes long, and would be in vain
        err_errno(err, "%s: cannot be made", path);
        return NULL;
    }
    struct cert_key *key = cert_key_new(type);
    if (!private_key_write(path, key, err)) {
        cert_key_free(key);
        return NULL;
    }
    return key;
}

static struct cert_key *read_or_make(const char *dir, const char *path, enum cert_key_type type,
                                     struct err *err) {
    if (access(path, F_OK) != 0) {
        return make_key(dir, path, type, err);
    }
    struct cert_key *key = private_key_read(path, err);
    if (key != NULL && !is_kind(key->key, type)) {
        cert_key_free(key);
        return make_key(dir, path, type, err);
    }
    return key;
}

struct cert_key *kept_key_open(const char *dir, const char *name, enum cert_key_type type,
                               struct err *err) {
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path)) {
        err_set(err, "%s: the name of the folder is too long", dir);
        return NULL;
    }
    if (!file_make_folders(dir, err)) {
        return NULL;
    }
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        err_errno(err, "%s: cannot be locked", dir);
        if (fd >= 0) {
            close(fd);
        }
        return NULL;
    }
    struct cert_key *key = read_or_make(dir, path, type, err);
    close(fd);
    return key;
}
