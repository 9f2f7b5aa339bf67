#include "policy/ca/cert_bundle.h"

#include <stdlib.h>

#include "policy/ca/cert_pem.h"

static void take(CBS out[CERT_BUNDLE_CERTS], size_t *num, struct arena *arena, const void *p,
                 size_t p_len) {
    if (*num < CERT_BUNDLE_CERTS) {
        CBS_init(&out[(*num)++], arena_dup(arena, p, p_len), p_len);
    }
}

// Old CAs serve bundles in BER, which libcrypto knows how to read.
static void take_pkcs7(CBS out[CERT_BUNDLE_CERTS], size_t *num, struct arena *arena, CBS in) {
    STACK_OF(CRYPTO_BUFFER) *certs = sk_CRYPTO_BUFFER_new_null();
    CHECK(certs != NULL);
    if (PKCS7_get_raw_certificates(certs, &in, NULL)) {
        for (size_t i = 0; i < sk_CRYPTO_BUFFER_num(certs); i++) {
            const CRYPTO_BUFFER *cert = sk_CRYPTO_BUFFER_value(certs, i);
            take(out, num, arena, CRYPTO_BUFFER_data(cert), CRYPTO_BUFFER_len(cert));
        }
    }
    sk_CRYPTO_BUFFER_pop_free(certs, CRYPTO_BUFFER_free);
    ERR_clear_error();
}

// A certificate begins with a TBSCertificate, which is a SEQUENCE; a bundle with an OBJECT
// IDENTIFIER.
static void take_der(CBS out[CERT_BUNDLE_CERTS], size_t *num, struct arena *arena, CBS in) {
    CBS rest = in, inside;
    if (CBS_get_asn1(&rest, &inside, CBS_ASN1_SEQUENCE) && CBS_len(&rest) == 0 &&
        CBS_peek_asn1_tag(&inside, CBS_ASN1_SEQUENCE)) {
        take(out, num, arena, CBS_data(&in), CBS_len(&in));
    } else {
        take_pkcs7(out, num, arena, in);
    }
}

static void take_pem(CBS out[CERT_BUNDLE_CERTS], size_t *num, struct arena *arena, CBS in,
                     const char *label) {
    uint8_t *p;
    size_t p_len;
    for (int got; (got = cert_pem_next_of(&in, label, &p, &p_len)) != 0;) {
        if (got > 0) {
            CBS der;
            CBS_init(&der, p, p_len);
            take_der(out, num, arena, der);
            free(p);
        }
    }
}

size_t cert_bundle_parse(CBS out[CERT_BUNDLE_CERTS], struct arena *arena, CBS in) {
    enum { DER_SEQUENCE = 0x30 };
    size_t num = 0;
    if (CBS_len(&in) == 0 || CBS_len(&in) > CERT_BUNDLE_MAX) {
        return 0;
    }
    if (CBS_data(&in)[0] == DER_SEQUENCE) {
        take_der(out, &num, arena, in);
    } else {
        take_pem(out, &num, arena, in, "CERTIFICATE");
        take_pem(out, &num, arena, in, "PKCS7");
    }
    return num;
}
