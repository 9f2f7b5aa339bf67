// Target functions: client_cert_read, private_key_read, cert_pem_next, cert_pem_print.
//
// The input is a file with certificates and a key, or two with a NUL between them. What was read
// is a chain whose leaf has that key, and comes back from a file written with it.
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/ca/cert_pem.h"
#include "policy/ca/client_cert.h"

enum { PATH_SIZE = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

// file_make makes a file without a name, and the path to open it by.
static int file_make(char path[PATH_SIZE], const uint8_t *p, size_t p_len) {
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    CHECK(fd >= 0 && fchmod(fd, 0600) == 0 && write(fd, p, p_len) == (ssize_t)p_len);
    snprintf(path, PATH_SIZE, "/proc/self/fd/%d", fd);
    return fd;
}

static void same_check(const struct client_cert *a, const struct client_cert *b) {
    CHECK(a->num_chain == b->num_chain && EVP_PKEY_cmp(a->key->key, b->key->key) == 1);
    for (size_t i = 0; i < a->num_chain; i++) {
        size_t len = CRYPTO_BUFFER_len(a->chain[i]);
        CHECK(len != 0 && len == CRYPTO_BUFFER_len(b->chain[i]));
        CHECK(memcmp(CRYPTO_BUFFER_data(a->chain[i]), CRYPTO_BUFFER_data(b->chain[i]), len) == 0);
    }
}

static void again_check(const struct client_cert *cert) {
    char path[PATH_SIZE];
    const uint8_t *pem;
    size_t pem_len;
    struct buf text;
    struct err err;
    buf_init(&text, CLIENT_CERT_MAX_FILE);
    BIO *bio = BIO_new(BIO_s_mem());
    CHECK(bio != NULL &&
          PEM_write_bio_PKCS8PrivateKey(bio, cert->key->key, NULL, NULL, 0, NULL, NULL) &&
          BIO_mem_contents(bio, &pem, &pem_len));
    bool fits = buf_append(&text, pem, pem_len);
    for (size_t i = 0; fits && i < cert->num_chain; i++) {
        fits = cert_pem_print(&text, CRYPTO_BUFFER_data(cert->chain[i]),
                              CRYPTO_BUFFER_len(cert->chain[i]));
    }
    if (fits) {
        int fd = file_make(path, buf_data(&text), text.len);
        struct client_cert *again = client_cert_read(path, NULL, &err);
        CHECK(again != NULL);
        same_check(cert, again);
        client_cert_free(again);
        close(fd);
    }
    BIO_free(bio);
    buf_cleanup(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len) {
    char cert_path[PATH_SIZE], key_path[PATH_SIZE];
    struct err err = {0};
    const uint8_t *nul = data_len != 0 ? memchr(data, '\0', data_len) : NULL;
    size_t cert_len = nul != NULL ? (size_t)(nul - data) : data_len;
    int cert_fd = file_make(cert_path, data, cert_len), key_fd = -1;
    if (nul != NULL) {
        key_fd = file_make(key_path, nul + 1, data_len - cert_len - 1);
    }
    struct client_cert *cert = client_cert_read(cert_path, nul != NULL ? key_path : NULL, &err);
    CHECK((cert == NULL) == (err.msg[0] != '\0'));
    if (cert != NULL) {
        CHECK(cert->num_chain >= 1 && cert->num_chain <= CLIENT_CERT_CHAIN_MAX);
        CHECK(cert_build_can_sign(cert->key->key));
        again_check(cert);
    }
    client_cert_free(cert);
    close(cert_fd);
    if (key_fd >= 0) {
        close(key_fd);
    }
    return 0;
}
