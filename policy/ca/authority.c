#include "policy/ca/authority.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/ca/cert_facts.h"
#include "policy/ca/cert_pem.h"

enum { DAY = 24 * 60 * 60, BACKDATED_DAYS = 2, VALID_DAYS = 3650 };

static CBS subject_of(CRYPTO_BUFFER *cert) {
    CBS der, certificate, tbs, subject;
    CRYPTO_BUFFER_init_CBS(cert, &der);
    CHECK(CBS_get_asn1(&der, &certificate, CBS_ASN1_SEQUENCE) &&
          CBS_get_asn1(&certificate, &tbs, CBS_ASN1_SEQUENCE) &&
          CBS_get_optional_asn1(&tbs, NULL, NULL,
                                CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0) &&
          CBS_get_asn1(&tbs, NULL, CBS_ASN1_INTEGER) &&
          CBS_get_asn1(&tbs, NULL, CBS_ASN1_SEQUENCE) &&
          CBS_get_asn1(&tbs, NULL, CBS_ASN1_SEQUENCE) &&
          CBS_get_asn1(&tbs, NULL, CBS_ASN1_SEQUENCE) &&
          CBS_get_asn1_element(&tbs, &subject, CBS_ASN1_SEQUENCE));
    return subject;
}

struct authority *authority_wrap(CRYPTO_BUFFER *cert, struct cert_key *key) {
    struct authority *authority = xcalloc(1, sizeof(*authority));
    struct arena arena = {0};
    struct cert_facts facts;
    (void)cert_facts_parse(&facts, &arena, CRYPTO_BUFFER_data(cert), CRYPTO_BUFFER_len(cert));
    authority->key = key;
    authority->chain[0] = cert;
    authority->num_chain = 1;
    authority->is_root = facts.self_issued;
    authority->not_after = facts.not_after;
    authority->subject = subject_of(cert);
    memcpy(authority->sha256, facts.sha256, sizeof(facts.sha256));
    arena_cleanup(&arena);
    return authority;
}

static struct authority *new_named(struct cert_key *key, const char *cn, int64_t now) {
    CBS name;
    CBB cbb;
    uint8_t *subject;
    size_t subject_len;
    CBS_init(&name, (const uint8_t *)cn, strlen(cn));
    CHECK(CBB_init(&cbb, 128) && cert_build_name(&cbb, name, CBS_ASN1_UTF8STRING, "tlsblame") &&
          CBB_finish(&cbb, &subject, &subject_len));
    struct cert_template template = {
        .subject_key = key,
        .issuer_key = key,
        .not_before = now - BACKDATED_DAYS * DAY,
        .not_after = now + (VALID_DAYS - BACKDATED_DAYS) * (int64_t)DAY,
        .ca = true,
    };
    CBS_init(&template.subject, subject, subject_len);
    template.issuer = template.subject;
    struct authority *authority = authority_wrap(cert_build(&template), key);
    OPENSSL_free(subject);
    return authority;
}

struct authority *authority_new_for_key(struct cert_key *key, int64_t now) {
    uint32_t suffix;
    char cn[64];
    RAND_bytes((uint8_t *)&suffix, sizeof(suffix));
    snprintf(cn, sizeof(cn), "tlsblame CA %08x", suffix);
    return new_named(key, cn, now);
}

struct authority *authority_new(int64_t now) {
    return authority_new_for_key(cert_key_new(CERT_KEY_P256), now);
}

struct authority *authority_new_untrusted(int64_t now) {
    return new_named(cert_key_new(CERT_KEY_P256), "tlsblame untrusted CA", now);
}

void authority_free(struct authority *authority) {
    if (authority == NULL) {
        return;
    }
    for (size_t i = 0; i < authority->num_chain; i++) {
        CRYPTO_BUFFER_free(authority->chain[i]);
    }
    cert_key_free(authority->key);
    free(authority);
}

CBS authority_der(const struct authority *authority) {
    CBS der;
    CRYPTO_BUFFER_init_CBS(authority->chain[0], &der);
    return der;
}

bool authority_fingerprint(const struct authority *authority, struct buf *out) {
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof(authority->sha256); i++) {
        ok = buf_printf(out, "%s%02X", i == 0 ? "" : ":", authority->sha256[i]);
    }
    return ok;
}

bool authority_pem(const struct authority *authority, struct buf *out) {
    CBS der = authority_der(authority);
    return cert_pem_print(out, CBS_data(&der), CBS_len(&der));
}

bool authority_pkcs12(const struct authority *authority, struct buf *out) {
    X509 *cert = X509_parse_from_buffer(authority->chain[0]);
    CHECK(cert != NULL);
    PKCS12 *p12 =
        PKCS12_create("", "tlsblame CA", NULL, cert, NULL, 0, -1, 0, PKCS12_DEFAULT_ITER, 0);
    BIO *bio = BIO_new(BIO_s_mem());
    const uint8_t *der;
    size_t der_len;
    CHECK(p12 != NULL && bio != NULL && i2d_PKCS12_bio(bio, p12) &&
          BIO_mem_contents(bio, &der, &der_len));
    bool ok = buf_append(out, der, der_len);
    BIO_free(bio);
    PKCS12_free(p12);
    X509_free(cert);
    return ok;
}
