#include "tests/unit/policy/ca/test_pki.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "logs/base/check.h"

char pki_output[16384];

EVP_PKEY *pki_rsa_key(unsigned bits) {
    EVP_PKEY *key = EVP_PKEY_new();
    RSA *rsa = RSA_new();
    BIGNUM *e = BN_new();
    CHECK(BN_set_word(e, RSA_F4) && RSA_generate_key_ex(rsa, (int)bits, e, NULL) &&
          EVP_PKEY_assign_RSA(key, rsa));
    BN_free(e);
    return key;
}

static EVP_PKEY *p256_key(void) {
    EVP_PKEY *key = EVP_PKEY_new();
    EC_KEY *ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    CHECK(EC_KEY_generate_key(ec) && EVP_PKEY_assign_EC_KEY(key, ec));
    return key;
}

static void set_name(X509_NAME *name, const char *cn, const char *o) {
    if (o != NULL) {
        CHECK(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const uint8_t *)o, -1, -1, 0));
    }
    if (cn != NULL) {
        CHECK(
            X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)cn, -1, -1, 0));
    }
}

static void add_extension(X509 *x509, X509 *issuer, int nid, const char *value) {
    if (value == NULL) {
        return;
    }
    // Policies ask for a configuration even when nothing is looked up in it.
    X509V3_CTX ctx = {0};
    CONF *conf = NCONF_new(NULL);
    X509V3_set_ctx(&ctx, issuer, x509, NULL, NULL, 0);
    X509V3_set_nconf(&ctx, conf);
    X509_EXTENSION *extension = X509V3_EXT_nconf_nid(conf, &ctx, nid, (char *)value);
    CHECK(extension != NULL && X509_add_ext(x509, extension, -1));
    X509_EXTENSION_free(extension);
    NCONF_free(conf);
}

static void add_raw_extension(X509 *x509, const char *dotted, bool critical, const void *value,
                              int value_len) {
    ASN1_OBJECT *oid = OBJ_txt2obj(dotted, 1);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    CHECK(ASN1_OCTET_STRING_set(octets, value, value_len));
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, oid, critical, octets);
    CHECK(extension != NULL && X509_add_ext(x509, extension, -1));
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(octets);
    ASN1_OBJECT_free(oid);
}

struct pki_cert *pki_make(struct pki_options o) {
    struct pki_cert *cert = xcalloc(1, sizeof(*cert));
    X509 *x509 = cert->x509 = X509_new();
    cert->key = o.key != NULL ? o.key : p256_key();
    if (o.key != NULL) {
        EVP_PKEY_up_ref(cert->key);
    }
    EVP_PKEY *signer = o.issuer != NULL ? o.issuer->key : cert->key;
    X509 *issuer = o.issuer != NULL ? o.issuer->x509 : x509;
    CHECK(X509_set_version(x509, 2));
    uint64_t serial;
    RAND_bytes((uint8_t *)&serial, sizeof(serial));
    CHECK(ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), serial >> 1 | 1));
    if (o.negative_serial) {
        CHECK(ASN1_INTEGER_set(X509_get_serialNumber(x509), -5));
    }
    set_name(X509_get_subject_name(x509), o.cn, o.o);
    if (o.issuer_cn != NULL) {
        set_name(X509_get_issuer_name(x509), o.issuer_cn, NULL);
    } else {
        CHECK(X509_set_issuer_name(x509, X509_get_subject_name(issuer)));
    }
    CHECK(ASN1_TIME_set(X509_getm_notBefore(x509),
                        o.not_before != 0 ? o.not_before : PKI_NOW - 30 * PKI_DAY) &&
          ASN1_TIME_set(X509_getm_notAfter(x509),
                        o.not_after != 0 ? o.not_after : PKI_NOW + 30 * PKI_DAY) &&
          X509_set_pubkey(x509, cert->key));
    add_extension(x509, issuer, NID_basic_constraints, o.basic_constraints);
    add_extension(x509, issuer, NID_key_usage, o.key_usage);
    add_extension(x509, issuer, NID_ext_key_usage, o.ext_key_usage);
    if (!o.no_key_ids) {
        add_extension(x509, issuer, NID_subject_key_identifier, "hash");
        if (o.issuer != NULL && X509_get0_subject_key_id(issuer) != NULL) {
            add_extension(x509, issuer, NID_authority_key_identifier, "keyid");
        }
    }
    add_extension(x509, issuer, NID_subject_alt_name, o.san);
    add_extension(x509, issuer, NID_name_constraints, o.name_constraints);
    add_extension(x509, issuer, NID_info_access, o.info_access);
    add_extension(x509, issuer, NID_crl_distribution_points, o.crl_points);
    add_extension(x509, issuer, NID_certificate_policies, o.policies);
    if (o.unknown_critical) {
        add_raw_extension(x509, "1.2.3.4.5", true, "\x05\x00", 2);
    }
    if (o.scts) { // a list of one that says nothing
        static const uint8_t list[] = {0x04, 0x06, 0x00, 0x04, 0x00, 0x02, 0xaa, 0xaa};
        add_raw_extension(x509, "1.3.6.1.4.1.11129.2.4.2", false, list, sizeof(list));
    }
    if (o.must_staple) {
        add_raw_extension(x509, "1.3.6.1.5.5.7.1.24", false, "\x30\x03\x02\x01\x05", 5);
    }
    CHECK(X509_sign(x509, signer, o.digest != NULL ? o.digest : EVP_sha256()));
    int len = i2d_X509(x509, &cert->der);
    CHECK(len > 0);
    cert->der_len = (size_t)len;
    if (o.break_signature) {
        cert->der[len - 1] ^= 1;
        const uint8_t *p = cert->der;
        X509_free(x509);
        cert->x509 = d2i_X509(NULL, &p, len);
        CHECK(cert->x509 != NULL);
    }
    return cert;
}

struct pki_cert *pki_ca(const char *cn, const struct pki_cert *issuer) {
    return pki_make((struct pki_options){
        .cn = cn,
        .issuer = issuer,
        .not_before = PKI_NOW - 300 * PKI_DAY,
        .not_after = PKI_NOW + 300 * PKI_DAY,
        .basic_constraints = "critical,CA:TRUE",
        .key_usage = "critical,keyCertSign,cRLSign",
    });
}

struct pki_cert *pki_leaf(const char *host, const struct pki_cert *issuer) {
    char san[300];
    snprintf(san, sizeof(san), "DNS:%s", host);
    return pki_make((struct pki_options){
        .cn = host,
        .issuer = issuer,
        .san = san,
        .basic_constraints = "critical,CA:FALSE",
        .key_usage = "critical,digitalSignature",
        .ext_key_usage = "serverAuth",
    });
}

void pki_free(struct pki_cert *cert) {
    if (cert == NULL) {
        return;
    }
    X509_free(cert->x509);
    EVP_PKEY_free(cert->key);
    OPENSSL_free(cert->der);
    free(cert);
}

CBS pki_cbs(const struct pki_cert *cert) {
    CBS cbs;
    CBS_init(&cbs, cert->der, cert->der_len);
    return cbs;
}

void pki_write(const char *path, const struct pki_cert *const *certs, size_t num_certs,
               EVP_PKEY *key, unsigned mode) {
    BIO *bio = BIO_new_file(path, "w");
    CHECK(bio != NULL);
    for (size_t i = 0; i < num_certs; i++) {
        CHECK(PEM_write_bio_X509(bio, certs[i]->x509));
    }
    CHECK(key == NULL || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL));
    BIO_free(bio);
    CHECK(chmod(path, mode) == 0);
}

char *pki_folder(void) {
    const char *base = getenv("TEST_TMPDIR");
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/ca-test-XXXXXX", base != NULL ? base : "/tmp");
    CHECK(mkdtemp(path) != NULL);
    return xstrdup(path);
}

void pki_remove(char *folder) {
    CHECK(pki_run("rm -rf '%s'", folder) == 0);
    free(folder);
}

int pki_run(const char *fmt, ...) {
    char line[8192], command[8192 + 16];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    CHECK(n > 0 && (size_t)n < sizeof(line));
    snprintf(command, sizeof(command), "( %s ) 2>&1", line);
    FILE *pipe = popen(command, "r");
    CHECK(pipe != NULL);
    size_t len = fread(pki_output, 1, sizeof(pki_output) - 1, pipe);
    pki_output[len] = '\0';
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
