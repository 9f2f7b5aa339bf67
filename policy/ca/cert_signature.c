#include "policy/ca/cert_signature.h"

#include <limits.h>
#include <string.h>

enum { REMEMBERED = 256 };

static ASN1_BIT_STRING *bits_of(CBS signature) {
    ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
    if (bits != NULL &&
        !ASN1_BIT_STRING_set(bits, (uint8_t *)CBS_data(&signature), (int)CBS_len(&signature))) {
        ASN1_BIT_STRING_free(bits);
        return NULL;
    }
    if (bits != NULL) {
        bits->flags = (bits->flags & ~7L) | ASN1_STRING_FLAG_BITS_LEFT; // no bits are unused
    }
    return bits;
}

bool cert_signature_verify(CBS spki, CBS algorithm, CBS tbs, CBS signature) {
    if (CBS_len(&signature) == 0 || CBS_len(&tbs) > INT_MAX || CBS_len(&signature) > INT_MAX) {
        return false;
    }
    const uint8_t *algorithm_p = CBS_data(&algorithm), *tbs_p = CBS_data(&tbs);
    X509_ALGOR *algor = d2i_X509_ALGOR(NULL, &algorithm_p, (long)CBS_len(&algorithm));
    // ANY keeps a SEQUENCE as it is, so that what is hashed are the bytes that were signed.
    ASN1_TYPE *any = d2i_ASN1_TYPE(NULL, &tbs_p, (long)CBS_len(&tbs));
    ASN1_BIT_STRING *bits = bits_of(signature);
    EVP_PKEY *key = EVP_parse_public_key(&spki);
    bool ok = algor != NULL && any != NULL && bits != NULL && key != NULL &&
              any->type == V_ASN1_SEQUENCE && tbs_p == CBS_data(&tbs) + CBS_len(&tbs) &&
              ASN1_item_verify(ASN1_ITEM_rptr(ASN1_ANY), algor, bits, any, key) == 1;
    EVP_PKEY_free(key);
    ASN1_BIT_STRING_free(bits);
    ASN1_TYPE_free(any);
    X509_ALGOR_free(algor);
    ERR_clear_error();
    return ok;
}

// struct seen is the answer to one question, which `key` is the hash of.
struct seen {
    uint8_t key[SHA256_DIGEST_LENGTH];
    bool known, answer;
};

// seen_find returns the place of the answer to `key`; what else was there is forgotten.
static struct seen *seen_find(const uint8_t key[SHA256_DIGEST_LENGTH]) {
    static _Thread_local struct seen all[REMEMBERED];
    struct seen *seen = &all[key[0] % REMEMBERED];
    if (!seen->known || memcmp(seen->key, key, sizeof(seen->key)) != 0) {
        memcpy(seen->key, key, sizeof(seen->key));
        seen->known = false;
    }
    return seen;
}

bool cert_signature_remembered(CBS spki, CBS algorithm, CBS tbs, CBS signature) {
    const CBS parts[] = {spki, algorithm, tbs, signature};
    uint8_t key[SHA256_DIGEST_LENGTH];
    SHA256_CTX sha;
    SHA256_Init(&sha);
    for (size_t i = 0; i < 4; i++) {
        uint64_t len = CBS_len(&parts[i]);
        SHA256_Update(&sha, &len, sizeof(len));
        SHA256_Update(&sha, CBS_data(&parts[i]), CBS_len(&parts[i]));
    }
    SHA256_Final(key, &sha);
    struct seen *seen = seen_find(key);
    if (!seen->known) {
        seen->answer = cert_signature_verify(spki, algorithm, tbs, signature);
        seen->known = true;
    }
    return seen->answer;
}

bool cert_signature_link(X509 *cert, const uint8_t cert_sha256[SHA256_DIGEST_LENGTH],
                         EVP_PKEY *issuer_key, const uint8_t issuer_sha256[SHA256_DIGEST_LENGTH]) {
    static const char what[] = "link";
    uint8_t key[SHA256_DIGEST_LENGTH];
    SHA256_CTX sha;
    SHA256_Init(&sha);
    SHA256_Update(&sha, what, sizeof(what));
    SHA256_Update(&sha, cert_sha256, SHA256_DIGEST_LENGTH);
    SHA256_Update(&sha, issuer_sha256, SHA256_DIGEST_LENGTH);
    SHA256_Final(key, &sha);
    struct seen *seen = seen_find(key);
    if (!seen->known) {
        seen->answer = seen->known = X509_verify(cert, issuer_key) > 0;
        ERR_clear_error();
    }
    return seen->answer;
}
