#include "proxy/cli/bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "logs/base/buf.h"
#include "logs/base/file.h"
#include "policy/ca/cert_pem.h"
#include "policy/ca/trust.h"
#include "third_party/boringssl/boringssl.h"

enum { BUNDLE_MAX = CERT_PEM_MAX_FILE };

// replace gives `path` the content unless it has that already, so that a start of the proxy writes
// nothing where nothing has changed.
static bool replace(const char *path, const uint8_t *p, size_t p_len, struct err *err) {
    struct buf old;
    buf_init(&old, BUNDLE_MAX);
    bool same = cert_pem_read(path, &old, NULL) && old.len == p_len &&
                memcmp(buf_data(&old), p, p_len) == 0;
    buf_cleanup(&old);
    return same || file_replace(path, 0644, p, p_len, err);
}

// add_folder appends the certificates of a folder, each once however many names it has there.
static bool add_folder(struct buf *out, const char *path, struct err *err) {
    struct trust *trust = trust_new(path, NULL, 0, err);
    if (trust == NULL) {
        return false;
    }
    const STACK_OF(X509_OBJECT) *roots = X509_STORE_get0_objects(trust_store(trust));
    bool fits = true;
    for (size_t i = 0; fits && i < trust_num_roots(trust); i++) {
        uint8_t *der = NULL;
        int der_len = i2d_X509(X509_OBJECT_get0_X509(sk_X509_OBJECT_value(roots, i)), &der);
        CHECK(der_len > 0);
        fits = cert_pem_print(out, der, (size_t)der_len);
        OPENSSL_free(der);
    }
    trust_free(trust);
    return fits || err_set(err, "%s: more than %d bytes of certificates", path, BUNDLE_MAX);
}

static bool add_roots(struct buf *out, const char *path, struct err *err) {
    struct stat st;
    bool is_folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    return is_folder ? add_folder(out, path, err) : cert_pem_read(path, out, err);
}

bool bundle_write(const char *path, const char *system_roots, const char *ca_pem, struct err *err) {
    struct buf all;
    buf_init(&all, BUNDLE_MAX);
    bool ok = system_roots == NULL || add_roots(&all, system_roots, err);
    // The user's roots may be a bundle of ours, where a shell was given the variables before.
    if (ok && (all.len == 0 || memmem(buf_data(&all), all.len, ca_pem, strlen(ca_pem)) == NULL)) {
        bool open_line = all.len != 0 && buf_data(&all)[all.len - 1] != '\n';
        ok = buf_printf(&all, "%s%s", open_line ? "\n" : "", ca_pem) ||
             err_set(err, "%s: larger than %d bytes", path, BUNDLE_MAX);
    }
    ok = ok && replace(path, buf_data(&all), all.len, err);
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
    CBS text;
    CBS_init(&text, buf_data(pem), pem->len);
    unsigned num = 0;
    uint8_t *der;
    size_t der_len;
    for (int got; (got = cert_pem_next(&text, &der, &der_len)) != 0;) {
        if (got > 0) {
            CHECK(add_certificate(cbb, num++, der, der_len));
            free(der);
        }
    }
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
    if (!cert_pem_read(bundle_file, &pem, err)) {
        buf_cleanup(&pem);
        return false;
    }
    CBB entries, store;
    CHECK(CBB_init(&entries, pem.len) && CBB_init(&store, pem.len));
    unsigned num = add_certificates(&entries, &pem);
    buf_cleanup(&pem);
    CHECK(CBB_add_u32(&store, MAGIC) && CBB_add_u32(&store, VERSION) && CBB_add_u32(&store, num) &&
          CBB_add_bytes(&store, CBB_data(&entries), CBB_len(&entries)) && add_digest(&store));
    bool ok = num != 0 ? replace(path, CBB_data(&store), CBB_len(&store), err)
                       : err_set(err, "%s: no certificate in PEM is there", bundle_file);
    CBB_cleanup(&entries);
    CBB_cleanup(&store);
    return ok;
}
