#include "policy/ca/private_key.h"

#include <fcntl.h>
#include <unistd.h>

#include "logs/base/file.h"
#include "policy/ca/cert_pem.h"

bool private_key_contents(const char *path, struct buf *out, struct stat *out_stat,
                          struct err *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return err_errno(err, "%s: cannot be opened", path);
    }
    bool ok = true;
    if (fstat(fd, out_stat) != 0) {
        ok = err_errno(err, "%s: cannot be examined", path);
    } else if (!S_ISREG(out_stat->st_mode)) {
        ok = err_set(err, "%s: not a file", path);
    }
    ok = ok && cert_pem_read_fd(fd, path, out, err);
    close(fd);
    return ok;
}

static int no_password(char *out, int size, int rwflag, void *encrypted) {
    (void)out, (void)size, (void)rwflag;
    *(bool *)encrypted = true;
    return -1;
}

static EVP_PKEY *parse_key(const struct buf *text, const char *path, struct err *err) {
    bool encrypted = false;
    BIO *bio = BIO_new_mem_buf(buf_data(text), (int)text->len);
    CHECK(bio != NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_password, &encrypted);
    BIO_free(bio);
    ERR_clear_error();
    if (key == NULL && encrypted) {
        err_set(err, "%s: the key is encrypted; take the password off, e.g. with openssl pkey",
                path);
    } else if (key == NULL) {
        err_set(err, "%s: no private key in it, expected a PEM block BEGIN PRIVATE KEY", path);
    }
    return key;
}

struct cert_key *private_key_read(const char *path, struct err *err) {
    struct buf text;
    struct stat st;
    EVP_PKEY *key = NULL;
    buf_init(&text, PRIVATE_KEY_MAX);
    if (!private_key_contents(path, &text, &st, err)) {
        // The message is set.
    } else if (st.st_uid != geteuid()) {
        err_set(err, "%s: belongs to user %u, not to us (%u); chown it or use another folder", path,
                (unsigned)st.st_uid, (unsigned)geteuid());
    } else if ((st.st_mode & 077) != 0) {
        err_set(err, "%s: open to other users (mode %04o); do: chmod 600 '%s'", path,
                (unsigned)st.st_mode & 07777, path);
    } else {
        key = parse_key(&text, path, err);
    }
    if (text.data != NULL) {
        OPENSSL_cleanse(text.data, text.cap);
    }
    buf_cleanup(&text);
    if (key == NULL) {
        return NULL;
    }
    if (!cert_build_can_sign(key)) {
        EVP_PKEY_free(key);
        ERR_clear_error();
        err_set(err, "%s: a key that cannot sign, expected EC (P-256, P-384), RSA or Ed25519",
                path);
        return NULL;
    }
    return cert_key_wrap(key);
}

bool private_key_write(const char *path, const struct cert_key *key, struct err *err) {
    BIO *bio = BIO_new(BIO_s_mem());
    const uint8_t *pem;
    size_t pem_len;
    struct buf text;
    buf_init(&text, PRIVATE_KEY_MAX);
    CHECK(bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key->key, NULL, NULL, 0, NULL, NULL) &&
          BIO_mem_contents(bio, &pem, &pem_len) && buf_append(&text, pem, pem_len));
    bool ok = file_replace(path, 0600, buf_data(&text), text.len, err);
    OPENSSL_cleanse(text.data, text.cap);
    buf_cleanup(&text);
    BIO_free(bio);
    return ok;
}
