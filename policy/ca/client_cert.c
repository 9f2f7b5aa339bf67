#include "policy/ca/client_cert.h"

#include <stdlib.h>
#include <string.h>

#include "policy/ca/cert_pem.h"
#include "policy/ca/private_key.h"

static bool chain_add(struct client_cert *cert, const char *path, const uint8_t *der,
                      size_t der_len, struct err *err) {
    if (cert->num_chain == CLIENT_CERT_CHAIN_MAX) {
        return err_set(err, "%s: more than %d certificates, expected one and those above it", path,
                       CLIENT_CERT_CHAIN_MAX);
    }
    cert->chain[cert->num_chain] = CRYPTO_BUFFER_new(der, der_len, NULL);
    CHECK(cert->chain[cert->num_chain] != NULL);
    cert->num_chain++;
    return true;
}

// chain_read reads the certificates of the file, in which there has to be a key, too, if `keyed`.
static bool chain_read(struct client_cert *cert, const char *path, bool keyed, struct err *err) {
    static const char key[] = "PRIVATE KEY-----";
    struct buf text;
    struct stat st;
    uint8_t *der;
    size_t der_len;
    buf_init(&text, CLIENT_CERT_MAX_FILE);
    bool ok = private_key_contents(path, &text, &st, err);
    CBS rest;
    CBS_init(&rest, ok ? buf_data(&text) : NULL, ok ? text.len : 0);
    for (int got; ok && (got = cert_pem_next(&rest, &der, &der_len)) != 0;) {
        if (got < 0) {
            ok = err_set(err, "%s: certificate %zu is not base64, expected PEM", path,
                         cert->num_chain + 1);
            break;
        }
        ok = chain_add(cert, path, der, der_len, err);
        free(der);
    }
    if (ok && cert->num_chain == 0) {
        ok = err_set(err, "%s: no certificate in it, expected a block BEGIN CERTIFICATE", path);
    } else if (ok && keyed && memmem(buf_data(&text), text.len, key, strlen(key)) == NULL) {
        ok = err_set(err, "%s: no private key in it, beside the certificate", path);
    }
    if (text.data != NULL) {
        OPENSSL_cleanse(text.data, text.cap);
    }
    buf_cleanup(&text);
    return ok;
}

static bool key_fits(const struct client_cert *cert, const char *cert_path, const char *key_path,
                     struct err *err) {
    X509 *leaf = X509_parse_from_buffer(cert->chain[0]);
    bool ok;
    if (leaf == NULL) {
        ok = err_set(err, "%s: the first certificate is malformed", cert_path);
    } else {
        ok = X509_check_private_key(leaf, cert->key->key) ||
             err_set(err, "%s: not the key of the first certificate in %s", key_path, cert_path);
    }
    X509_free(leaf);
    ERR_clear_error();
    return ok;
}

struct client_cert *client_cert_read(const char *cert_path, const char *key_path, struct err *err) {
    struct client_cert *cert = xcalloc(1, sizeof(*cert));
    bool keyed = key_path == NULL;
    key_path = keyed ? cert_path : key_path;
    if (chain_read(cert, cert_path, keyed, err) &&
        (cert->key = private_key_read(key_path, err)) != NULL &&
        key_fits(cert, cert_path, key_path, err)) {
        return cert;
    }
    client_cert_free(cert);
    return NULL;
}

void client_cert_free(struct client_cert *cert) {
    if (cert == NULL) {
        return;
    }
    for (size_t i = 0; i < cert->num_chain; i++) {
        CRYPTO_BUFFER_free(cert->chain[i]);
    }
    cert_key_free(cert->key);
    free(cert);
}
