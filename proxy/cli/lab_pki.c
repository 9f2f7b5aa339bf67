#include "proxy/cli/lab_pki.h"

#include <stdlib.h>
#include <string.h>

#include "logs/base/file.h"
#include "policy/ca/box_extensions.h"
#include "policy/ca/cert_build.h"
#include "policy/ca/cert_pem.h"

enum {
    DAY = 24 * 60 * 60,
    NAME_SIZE = 256,
    EXTENSIONS_SIZE = 1024,
    PEM_MAX = 16 * 1024,
    WEAK_BITS = 768
};

// struct ca is a certificate that issues others.
struct ca {
    struct cert_key *key;
    CRYPTO_BUFFER *cert;
    uint8_t name[NAME_SIZE]; // the subject, with header
    size_t name_len;
};

struct lab_pki {
    int64_t now;
    struct ca root, intermediate, foreign;
};

static CBS view(const void *p, size_t p_len) {
    CBS cbs;
    CBS_init(&cbs, p, p_len);
    return cbs;
}

static size_t name_write(uint8_t *out, const char *cn) {
    CBB cbb;
    size_t len;
    CHECK(CBB_init_fixed(&cbb, out, NAME_SIZE) &&
          cert_build_name(&cbb, view(cn, strlen(cn)), CBS_ASN1_UTF8STRING, "Lab") &&
          CBB_finish(&cbb, NULL, &len));
    return len;
}

// ca_init makes a CA below `issuer`, or a root for NULL, with `below` further CAs under it.
static void ca_init(struct ca *ca, const char *cn, const struct ca *issuer, unsigned below,
                    int64_t now) {
    static const struct ca_knobs ordinary = {0};
    uint8_t extensions[EXTENSIONS_SIZE];
    size_t extensions_len;
    CBB cbb;
    ca->key = cert_key_new(CERT_KEY_P256);
    ca->name_len = name_write(ca->name, cn);
    issuer = issuer != NULL ? issuer : ca;
    CHECK(CBB_init_fixed(&cbb, extensions, sizeof(extensions)) &&
          box_extensions_ca(&cbb, &ordinary, ca->key, issuer->key, below) &&
          CBB_finish(&cbb, NULL, &extensions_len));
    const CBS own = view(extensions, extensions_len);
    const struct cert_template template = {
        .issuer = view(issuer->name, issuer->name_len),
        .subject = view(ca->name, ca->name_len),
        .subject_key = ca->key,
        .issuer_key = issuer->key,
        .not_before = now - 30 * DAY,
        .not_after = now + 3650 * DAY,
        .ca = true,
        .extensions = &own,
    };
    ca->cert = cert_build(&template);
}

static void ca_cleanup(struct ca *ca) {
    cert_key_free(ca->key);
    CRYPTO_BUFFER_free(ca->cert);
}

struct lab_pki *lab_pki_new(int64_t now) {
    struct lab_pki *pki = xcalloc(1, sizeof(*pki));
    pki->now = now;
    ca_init(&pki->root, "Lab Root", NULL, 1, now);
    ca_init(&pki->intermediate, "Lab Intermediate", &pki->root, 0, now);
    ca_init(&pki->foreign, "Somebody's Private Root", NULL, 1, now);
    return pki;
}

void lab_pki_free(struct lab_pki *pki) {
    if (pki == NULL) {
        return;
    }
    ca_cleanup(&pki->root);
    ca_cleanup(&pki->intermediate);
    ca_cleanup(&pki->foreign);
    free(pki);
}

bool lab_pki_write_root(const struct lab_pki *pki, const char *path, struct err *err) {
    struct buf pem;
    buf_init(&pem, PEM_MAX);
    CHECK(cert_pem_print(&pem, CRYPTO_BUFFER_data(pki->root.cert),
                         CRYPTO_BUFFER_len(pki->root.cert)));
    bool ok = file_replace(path, 0644, buf_data(&pem), pem.len, err);
    buf_cleanup(&pem);
    return ok;
}

// san_write writes the dNSName `host` as the contents of GeneralNames.
static size_t san_write(uint8_t *out, const char *host) {
    CBB cbb, name;
    size_t len;
    CHECK(CBB_init_fixed(&cbb, out, NAME_SIZE) &&
          CBB_add_asn1(&cbb, &name, CBS_ASN1_CONTEXT_SPECIFIC | 2) &&
          CBB_add_bytes(&name, (const uint8_t *)host, strlen(host)) &&
          CBB_finish(&cbb, NULL, &len));
    return len;
}

static const struct ca *issuer_of(const struct lab_pki *pki, enum lab_cert cert) {
    switch (cert) {
    case LAB_CERT_SELF_SIGNED:
        return NULL;
    case LAB_CERT_UNKNOWN_CA:
        return &pki->foreign;
    default:
        return &pki->intermediate;
    }
}

// weak_key_new makes an RSA key that is smaller than any that clients still take.
static struct cert_key *weak_key_new(void) {
    EVP_PKEY *key = EVP_PKEY_new();
    RSA *rsa = RSA_new();
    BIGNUM *e = BN_new();
    CHECK(key != NULL && rsa != NULL && e != NULL && BN_set_word(e, RSA_F4) &&
          RSA_generate_key_ex(rsa, WEAK_BITS, e, NULL) && EVP_PKEY_assign_RSA(key, rsa));
    BN_free(e);
    return cert_key_wrap(key);
}

void lab_identity_init(struct lab_identity *identity, const struct lab_pki *pki, enum lab_cert cert,
                       const char *host) {
    const struct ca *issuer = issuer_of(pki, cert);
    struct cert_key *key = cert == LAB_CERT_WEAK_KEY ? weak_key_new() : cert_key_new(CERT_KEY_P256);
    const char *speaks_for = cert == LAB_CERT_WRONG_NAME ? "other.localhost" : host;
    uint8_t subject[NAME_SIZE], san[NAME_SIZE];
    struct cert_template template = {
        .subject = view(subject, name_write(subject, speaks_for)),
        .san = view(san, san_write(san, speaks_for)),
        .subject_key = key,
        .issuer_key = issuer != NULL ? issuer->key : key,
        .not_before = pki->now - 20 * DAY,
        .not_after = pki->now + 60 * DAY,
    };
    template.issuer = issuer != NULL ? view(issuer->name, issuer->name_len) : template.subject;
    if (cert == LAB_CERT_EXPIRED) {
        template.not_after = pki->now - DAY;
    } else if (cert == LAB_CERT_NOT_YET_VALID) {
        template.not_before = pki->now + 5 * DAY;
    }
    *identity = (struct lab_identity){.num_chain = 1};
    identity->chain[0] = cert_build(&template);
    if (issuer == &pki->intermediate && cert != LAB_CERT_NO_INTERMEDIATE) {
        CRYPTO_BUFFER_up_ref(issuer->cert);
        identity->chain[identity->num_chain++] = issuer->cert;
    }
    identity->key = cert == LAB_CERT_OTHER_KEY ? pki->foreign.key->key : key->key;
    EVP_PKEY_up_ref(identity->key);
    cert_key_free(key);
}

void lab_identity_cleanup(struct lab_identity *identity) {
    for (size_t i = 0; i < identity->num_chain; i++) {
        CRYPTO_BUFFER_free(identity->chain[i]);
    }
    EVP_PKEY_free(identity->key);
}
