#include "proxy/cli/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "logs/base/buf.h"
#include "third_party/boringssl/boringssl.h"

enum { BUNDLE_MAX = 16 * 1024 * 1024 };

static bool read_file(struct buf *out, const char *path, struct err *err) {
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return err_errno(err, "%s", path);
    }
    char part[16 * 1024];
    size_t n;
    bool fits = true;
    while (fits && (n = fread(part, 1, sizeof(part), file)) != 0) {
        fits = buf_append(out, part, n);
    }
    bool ok = fits ? !ferror(file) || err_errno(err, "%s", path)
                   : err_set(err, "%s: larger than %d bytes", path, BUNDLE_MAX);
    fclose(file);
    return ok;
}

static bool write_all(int fd, const uint8_t *p, size_t p_len) {
    while (p_len != 0) {
        ssize_t n = write(fd, p, p_len);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        p += n < 0 ? 0 : n;
        p_len -= n < 0 ? 0 : (size_t)n;
    }
    return true;
}

// replace_file gives `path` new content at once, or leaves it as it is.
static bool replace_file(const char *path, const uint8_t *p, size_t p_len, struct err *err) {
    char *temporary = xmalloc(strlen(path) + sizeof(".XXXXXX"));
    sprintf(temporary, "%s.XXXXXX", path);
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        err_errno(err, "%s", path);
        free(temporary);
        return false;
    }
    bool ok = write_all(fd, p, p_len) && fchmod(fd, 0644) == 0 && fsync(fd) == 0;
    ok = (close(fd) == 0 || !ok) && ok && rename(temporary, path) == 0;
    if (!ok) {
        err_errno(err, "%s", path);
        unlink(temporary);
    }
    free(temporary);
    return ok;
}

bool bundle_write(const char *path, const char *system_roots_file, const char *ca_pem,
                  struct err *err) {
    struct buf all;
    buf_init(&all, BUNDLE_MAX);
    bool ok = system_roots_file == NULL || read_file(&all, system_roots_file, err);
    // The user's roots may be a bundle of ours, where a shell was given the variables before.
    if (ok && (all.len == 0 || memmem(buf_data(&all), all.len, ca_pem, strlen(ca_pem)) == NULL)) {
        bool open_line = all.len != 0 && buf_data(&all)[all.len - 1] != '\n';
        ok = buf_printf(&all, "%s%s", open_line ? "\n" : "", ca_pem) ||
             err_set(err, "%s: larger than %d bytes", path, BUNDLE_MAX);
    }
    ok = ok && replace_file(path, buf_data(&all), all.len, err);
    buf_cleanup(&all);
    return ok;
}

// add_utf appends a string as Java's DataOutput.writeUTF does; ASCII is the same in both.
static bool add_utf(CBB *cbb, const char *text) {
    return CBB_add_u16(cbb, (uint16_t)strlen(text)) &&
           CBB_add_bytes(cbb, (const uint8_t *)text, strlen(text));
}

// add_certificate appends a trusted certificate's entry: tag, alias, date, type, DER.
static bool add_certificate(CBB *cbb, unsigned i, const uint8_t *der, size_t der_len) {
    enum { TRUSTED_CERTIFICATE = 2 };
    char alias[32];
    snprintf(alias, sizeof(alias), "root-%u", i);
    return CBB_add_u32(cbb, TRUSTED_CERTIFICATE) && add_utf(cbb, alias) && CBB_add_u64(cbb, 0) &&
           add_utf(cbb, "X.509") && CBB_add_u32(cbb, (uint32_t)der_len) &&
           CBB_add_bytes(cbb, der, der_len);
}

// add_certificates appends an entry for each certificate in `pem` and counts them.
static unsigned add_certificates(CBB *cbb, const struct buf *pem) {
    BIO *bio = BIO_new_mem_buf(buf_data(pem), (int)pem->len);
    CHECK(bio != NULL);
    unsigned num = 0;
    char *name, *header;
    uint8_t *der;
    long der_len;
    while (PEM_read_bio(bio, &name, &header, &der, &der_len)) {
        if (strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_OLD) == 0) {
            CHECK(add_certificate(cbb, num++, der, (size_t)der_len));
        }
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(der);
    }
    ERR_clear_error();
    BIO_free(bio);
    return num;
}

// add_digest appends what JKS has for a seal: SHA-1 over the password in UTF-16, a phrase, and all
// that came before.
static bool add_digest(CBB *cbb) {
    static const char PASSWORD[] = BUNDLE_JAVA_PASSWORD, PHRASE[] = "Mighty Aphrodite";
    SHA_CTX sha;
    SHA1_Init(&sha);
    for (const char *p = PASSWORD; *p != '\0'; p++) {
        SHA1_Update(&sha, (const uint8_t[]){0, (uint8_t)*p}, 2);
    }
    SHA1_Update(&sha, PHRASE, strlen(PHRASE));
    SHA1_Update(&sha, CBB_data(cbb), CBB_len(cbb));
    uint8_t digest[SHA_DIGEST_LENGTH];
    SHA1_Final(digest, &sha);
    return CBB_add_bytes(cbb, digest, sizeof(digest));
}

bool bundle_write_java(const char *path, const char *bundle_file, struct err *err) {
    enum { MAGIC = 0xfeedfeed, VERSION = 2 };
    struct buf pem;
    buf_init(&pem, BUNDLE_MAX);
    if (!read_file(&pem, bundle_file, err)) {
        buf_cleanup(&pem);
        return false;
    }
    CBB entries, store;
    CHECK(CBB_init(&entries, pem.len) && CBB_init(&store, pem.len));
    unsigned num = add_certificates(&entries, &pem);
    buf_cleanup(&pem);
    CHECK(CBB_add_u32(&store, MAGIC) && CBB_add_u32(&store, VERSION) && CBB_add_u32(&store, num) &&
          CBB_add_bytes(&store, CBB_data(&entries), CBB_len(&entries)) && add_digest(&store));
    bool ok = num != 0 ? replace_file(path, CBB_data(&store), CBB_len(&store), err)
                       : err_set(err, "%s: no certificate in PEM is there", bundle_file);
    CBB_cleanup(&entries);
    CBB_cleanup(&store);
    return ok;
}
