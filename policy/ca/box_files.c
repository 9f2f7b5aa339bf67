#include "policy/ca/box_files.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "logs/base/file.h"
#include "policy/ca/cert_facts.h"
#include "policy/ca/cert_pem.h"
#include "policy/ca/private_key.h"

// struct shape is what of a certificate is not new each time: all but serial number, dates and
// signature.
struct shape {
    CBS algorithm, issuer, subject, rest;
};

static bool shape_of(struct shape *out, CBS der) {
    CBS certificate, tbs;
    if (!CBS_get_asn1(&der, &certificate, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&certificate, &tbs, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&tbs, NULL, CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0) ||
        !CBS_get_asn1(&tbs, NULL, CBS_ASN1_INTEGER) ||
        !CBS_get_asn1(&tbs, &out->algorithm, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&tbs, &out->issuer, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&tbs, NULL, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&tbs, &out->subject, CBS_ASN1_SEQUENCE)) {
        return false;
    }
    out->rest = tbs;
    return true;
}

static bool is_equal(CBS a, CBS b) { return CBS_mem_equal(&a, CBS_data(&b), CBS_len(&b)); }

// still_right returns whether the certificate `der` is what would be made now. The two dates may be
// moved, but not over.
static bool still_right(CBS der, CRYPTO_BUFFER *fresh, int64_t now) {
    struct shape have, want;
    CBS fresh_der;
    CRYPTO_BUFFER_init_CBS(fresh, &fresh_der);
    struct arena arena = {0};
    struct cert_facts facts, fresh_facts;
    bool ok = cert_facts_parse(&facts, &arena, CBS_data(&der), CBS_len(&der)) &&
              cert_facts_parse(&fresh_facts, &arena, CBS_data(&fresh_der), CBS_len(&fresh_der)) &&
              facts.not_before <= now && facts.not_after > now &&
              facts.not_after - facts.not_before == fresh_facts.not_after - fresh_facts.not_before;
    arena_cleanup(&arena);
    return ok && shape_of(&have, der) && shape_of(&want, fresh_der) &&
           is_equal(have.algorithm, want.algorithm) && is_equal(have.issuer, want.issuer) &&
           is_equal(have.subject, want.subject) && is_equal(have.rest, want.rest);
}

// read_cert returns the first certificate of the file, or NULL: whatever is wrong with it, another
// one takes its place.
static CRYPTO_BUFFER *read_cert(const char *path) {
    struct buf text;
    struct err ignored;
    uint8_t *der;
    size_t der_len;
    CRYPTO_BUFFER *cert = NULL;
    buf_init(&text, PRIVATE_KEY_MAX);
    if (cert_pem_read(path, &text, &ignored)) {
        CBS rest;
        CBS_init(&rest, buf_data(&text), text.len);
        if (cert_pem_next(&rest, &der, &der_len) == 1) {
            cert = CRYPTO_BUFFER_new(der, der_len, NULL);
            CHECK(cert != NULL);
            free(der);
        }
    }
    buf_cleanup(&text);
    return cert;
}

static bool write_cert(const char *path, CRYPTO_BUFFER *cert, struct err *err) {
    struct buf text;
    buf_init(&text, PRIVATE_KEY_MAX);
    CHECK(cert_pem_print(&text, CRYPTO_BUFFER_data(cert), CRYPTO_BUFFER_len(cert)));
    bool ok = file_replace(path, 0644, buf_data(&text), text.len, err);
    buf_cleanup(&text);
    return ok;
}

struct authority *box_files_root(const char *dir, struct cert_key *key, CRYPTO_BUFFER *fresh,
                                 int64_t now, struct err *err) {
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/" AUTHORITY_CERT_FILE, dir);
    CRYPTO_BUFFER *cert = read_cert(path);
    CBS der;
    if (cert != NULL) {
        CRYPTO_BUFFER_init_CBS(cert, &der);
        if (still_right(der, fresh, now)) {
            return authority_wrap(cert, key);
        }
        CRYPTO_BUFFER_free(cert);
    }
    if (!write_cert(path, fresh, err)) {
        cert_key_free(key);
        return NULL;
    }
    CRYPTO_BUFFER_up_ref(fresh);
    return authority_wrap(fresh, key);
}
