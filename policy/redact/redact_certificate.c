#include <stdlib.h>
#include <string.h>

#include "policy/redact/internal.h"
#include "third_party/boringssl/boringssl.h"

enum { DEPTH_MAX = 24, TEXT_MAX = 4096, POINT_MAX = 160, SECRET_LEN = 64, SERIAL_SHORT = 4 };

// struct rewrite is a certificate whose copy is being redacted in place.
struct rewrite {
    struct redact *redact;
    const uint8_t *from; // the original
    uint8_t *to;         // its copy
    bool public_issuer, public_subject;
};

// place is where in the copy that is which `cbs` views in the original.
static uint8_t *place(const struct rewrite *rewrite, const CBS *cbs) {
    return rewrite->to + (CBS_data(cbs) - rewrite->from);
}

// ---- what is opaque

// fill replaces bytes that tell who it is, behind the first `kept`, which are for the form.
static void fill(const struct rewrite *rewrite, const CBS *bytes, size_t kept) {
    uint8_t *to = place(rewrite, bytes);
    if (CBS_len(bytes) > kept) {
        redact_fill(&rewrite->redact->salt, to + kept, CBS_len(bytes) - kept, 'b', CBS_data(bytes),
                    CBS_len(bytes));
        redact_pairs_add_bytes(&rewrite->redact->pairs, CBS_data(bytes), to, CBS_len(bytes));
    }
}

// point_fill puts another point of the curve there, so that the key can still be read.
static bool point_fill(const struct rewrite *rewrite, const EC_KEY *key, const CBS *bits) {
    uint8_t secret[SECRET_LEN], point[POINT_MAX];
    const EC_GROUP *group = EC_KEY_get0_group(key);
    redact_fill(&rewrite->redact->salt, secret, sizeof(secret), 'k', CBS_data(bits), CBS_len(bits));
    EC_KEY *other = EC_KEY_derive_from_secret(group, secret, sizeof(secret));
    size_t len = 0;
    if (other != NULL) {
        len = EC_POINT_point2oct(group, EC_KEY_get0_public_key(other), EC_KEY_get_conv_form(key),
                                 point, sizeof(point), NULL);
    }
    EC_KEY_free(other);
    bool fits = len != 0 && len == CBS_len(bits);
    if (fits) {
        memcpy(place(rewrite, bits), point, len);
        redact_pairs_add_bytes(&rewrite->redact->pairs, CBS_data(bits), point, len);
    }
    return fits;
}

// rsa_fill keeps the size of the modulus, and that it is odd.
static bool rsa_fill(const struct rewrite *rewrite, CBS bits) {
    CBS key, modulus;
    if (!CBS_get_asn1(&bits, &key, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&key, &modulus, CBS_ASN1_INTEGER) || CBS_len(&modulus) < 8) {
        return false;
    }
    fill(rewrite, &modulus, 2);
    uint8_t *last = place(rewrite, &modulus) + CBS_len(&modulus) - 1;
    *last |= 1;
    return true;
}

static void key_fill(const struct rewrite *rewrite, CBS spki) {
    CBS whole = spki, algorithm, bits;
    EVP_PKEY *key = EVP_parse_public_key(&whole);
    ERR_clear_error();
    if (CBS_get_asn1(&spki, &spki, CBS_ASN1_SEQUENCE) &&
        CBS_get_asn1(&spki, &algorithm, CBS_ASN1_SEQUENCE) &&
        CBS_get_asn1(&spki, &bits, CBS_ASN1_BITSTRING) && CBS_skip(&bits, 1)) {
        int type = key != NULL ? EVP_PKEY_id(key) : EVP_PKEY_NONE;
        bool done = type == EVP_PKEY_EC    ? point_fill(rewrite, EVP_PKEY_get0_EC_KEY(key), &bits)
                    : type == EVP_PKEY_RSA ? rsa_fill(rewrite, bits)
                                           : false;
        if (!done) {
            fill(rewrite, &bits, 1);
        }
    }
    EVP_PKEY_free(key);
}

// Signatures of ECDSA and DSA are two numbers, of which the first bytes keep the lengths true.
static void signature_fill(const struct rewrite *rewrite, CBS bits) {
    CBS copy = bits, numbers, number;
    if (!CBS_skip(&bits, 1)) {
        return;
    }
    copy = bits;
    if (CBS_get_asn1(&copy, &numbers, CBS_ASN1_SEQUENCE) && CBS_len(&copy) == 0) {
        while (CBS_get_asn1(&numbers, &number, CBS_ASN1_INTEGER)) {
            fill(rewrite, &number, 2);
        }
    } else {
        fill(rewrite, &bits, 0);
    }
}

// ---- text

static void value_rewrite(const struct rewrite *rewrite, const char *key, const CBS *value) {
    const char *in = (const char *)CBS_data(value);
    char *to = (char *)place(rewrite, value);
    redact_value(&rewrite->redact->salt, to, key, in, CBS_len(value));
    text_learn(rewrite->redact, in, to, CBS_len(value));
}

// wide_rewrite maps what of UTF-16 (step 2) or UTF-32 (step 4) is ASCII.
static void wide_rewrite(const struct rewrite *rewrite, const char *key, const CBS *value,
                         size_t step) {
    char in[TEXT_MAX], to[TEXT_MAX];
    size_t num = CBS_len(value) / step;
    const uint8_t *p = CBS_data(value);
    for (size_t i = 0; i < num && i < TEXT_MAX; i++) {
        in[i] = (char)(p[i * step + step - 2] == 0 ? p[i * step + step - 1] : 0x80);
    }
    num = num < TEXT_MAX ? num : TEXT_MAX;
    redact_value(&rewrite->redact->salt, to, key, in, num);
    for (size_t i = 0; i < num; i++) {
        uint8_t *at = place(rewrite, value) + i * step;
        memset(at, 0, step);
        at[step - 1] = (uint8_t)to[i];
    }
    redact_pairs_add_bytes(&rewrite->redact->pairs, p, place(rewrite, value), CBS_len(value));
}

static void string_rewrite(const struct rewrite *rewrite, unsigned tag, const char *key,
                           const CBS *value) {
    enum { BMP = CBS_ASN1_BMPSTRING, UNIVERSAL = CBS_ASN1_UNIVERSALSTRING };
    if (tag == BMP || tag == UNIVERSAL) {
        wide_rewrite(rewrite, key, value, tag == BMP ? 2 : 4);
    } else {
        value_rewrite(rewrite, key, value);
    }
}

static bool is_string(unsigned tag) {
    return tag == CBS_ASN1_UTF8STRING || tag == CBS_ASN1_PRINTABLESTRING ||
           tag == CBS_ASN1_IA5STRING || tag == CBS_ASN1_T61STRING || tag == CBS_ASN1_BMPSTRING ||
           tag == CBS_ASN1_UNIVERSALSTRING || tag == CBS_ASN1_VISIBLESTRING;
}

// GeneralName (RFC 5280 section 4.2.1.6), as far as its tags alone tell.
static void general_rewrite(const struct rewrite *rewrite, unsigned number, const CBS *value) {
    enum { EMAIL = 1, DNS = 2, URL = 6, ADDRESS = 7 };
    if (number == ADDRESS) {
        uint8_t from[18] = {0x87, (uint8_t)CBS_len(value)}, to[18];
        size_t len = CBS_len(value);
        if ((len == 4 || len == 16) &&
            address_map_bytes(rewrite->redact, place(rewrite, value), len)) {
            memcpy(from + 2, CBS_data(value), len);
            memcpy(to, from, 2);
            memcpy(to + 2, place(rewrite, value), len);
            redact_pairs_add_bytes(&rewrite->redact->pairs, from, to, 2 + len);
        }
    } else if (number == DNS) {
        redact_name(&rewrite->redact->salt, (char *)place(rewrite, value),
                    (const char *)CBS_data(value), CBS_len(value));
        name_learn(rewrite->redact, (const char *)CBS_data(value), CBS_len(value));
    } else if (number == EMAIL || number == URL) {
        value_rewrite(rewrite, "", value);
    }
}

static const char *attribute_key(const CBS *oid) {
    static const struct {
        uint8_t last;
        const char *key;
    } keys[] = {{3, "CN"}, {6, "C"}, {10, "O"}, {11, "OU"}};
    const uint8_t *p = CBS_data(oid);
    for (size_t i = 0; CBS_len(oid) == 3 && p[0] == 0x55 && p[1] == 4 && i < ARRAY_LEN(keys); i++) {
        if (keys[i].last == p[2]) {
            return keys[i].key;
        }
    }
    return "";
}

// walk redacts every string in `der`, whatever it is. In a Name the type stands before the value.
static void walk(const struct rewrite *rewrite, CBS der, unsigned depth) {
    const char *key = "";
    CBS value;
    unsigned tag;
    while (depth < DEPTH_MAX && CBS_get_any_asn1(&der, &value, &tag)) {
        unsigned number = tag & CBS_ASN1_TAG_NUMBER_MASK;
        if ((tag & CBS_ASN1_CONSTRUCTED) != 0) {
            walk(rewrite, value, depth + 1);
        } else if (tag == CBS_ASN1_OBJECT) {
            key = attribute_key(&value);
            continue;
        } else if (is_string(tag)) {
            string_rewrite(rewrite, tag, key, &value);
        } else if ((tag & CBS_ASN1_CLASS_MASK) == CBS_ASN1_CONTEXT_SPECIFIC) {
            general_rewrite(rewrite, number, &value);
        } else if (tag == CBS_ASN1_OCTETSTRING) {
            walk(rewrite, value, depth + 1);
        }
        key = "";
    }
}

// name_is_public looks for the organisation of a public CA.
static bool name_is_public(CBS name) {
    CBS set, attribute, oid, value;
    unsigned tag;
    if (!CBS_get_asn1(&name, &name, CBS_ASN1_SEQUENCE)) {
        return false;
    }
    while (CBS_get_asn1(&name, &set, CBS_ASN1_SET)) {
        while (CBS_get_asn1(&set, &attribute, CBS_ASN1_SEQUENCE)) {
            if (CBS_get_asn1(&attribute, &oid, CBS_ASN1_OBJECT) &&
                CBS_get_any_asn1(&attribute, &value, &tag) &&
                strcmp(attribute_key(&oid), "O") == 0 &&
                redact_keeps(REDACT_KEPT_ISSUER, (const char *)CBS_data(&value), CBS_len(&value))) {
                return true;
            }
        }
    }
    return false;
}

// ---- extensions

// Key ids tell the key: that of a public CA is known to everybody.
static void key_id_fill(const struct rewrite *rewrite, CBS value, bool authority) {
    CBS id;
    if (!authority && CBS_get_asn1(&value, &id, CBS_ASN1_OCTETSTRING)) {
        fill(rewrite, &id, 0);
    } else if (authority && CBS_get_asn1(&value, &value, CBS_ASN1_SEQUENCE) &&
               CBS_get_asn1(&value, &id, CBS_ASN1_CONTEXT_SPECIFIC | 0) &&
               !rewrite->public_issuer) {
        fill(rewrite, &id, 0);
    }
}

// Timestamps (RFC 6962 section 3.3): logs are public, so a signature would find the certificate.
static void timestamps_fill(const struct rewrite *rewrite, CBS value) {
    CBS list, sct, extensions, signature;
    if (!CBS_get_asn1(&value, &value, CBS_ASN1_OCTETSTRING) ||
        !CBS_get_u16_length_prefixed(&value, &list)) {
        return;
    }
    while (CBS_get_u16_length_prefixed(&list, &sct)) {
        if (CBS_skip(&sct, 1 + 32 + 8) && CBS_get_u16_length_prefixed(&sct, &extensions) &&
            CBS_skip(&sct, 2) && CBS_get_u16_length_prefixed(&sct, &signature)) {
            fill(rewrite, &signature, 0);
        }
    }
}

static void extension_rewrite(const struct rewrite *rewrite, CBS extension) {
    static const uint8_t ski[] = {0x55, 0x1d, 0x0e}, aki[] = {0x55, 0x1d, 0x23},
                         scts[] = {0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 2};
    CBS oid, value;
    int critical;
    if (!CBS_get_asn1(&extension, &oid, CBS_ASN1_OBJECT) ||
        !CBS_get_optional_asn1_bool(&extension, &critical, CBS_ASN1_BOOLEAN, 0) ||
        !CBS_get_asn1(&extension, &value, CBS_ASN1_OCTETSTRING)) {
        return;
    }
    if (CBS_mem_equal(&oid, ski, sizeof(ski))) {
        key_id_fill(rewrite, value, false);
    } else if (CBS_mem_equal(&oid, aki, sizeof(aki))) {
        key_id_fill(rewrite, value, true);
    } else if (CBS_mem_equal(&oid, scts, sizeof(scts))) {
        timestamps_fill(rewrite, value);
    } else {
        walk(rewrite, value, 0);
    }
}

static void extensions_rewrite(const struct rewrite *rewrite, CBS tbs) {
    CBS extensions, extension;
    int present;
    if (CBS_get_optional_asn1(&tbs, NULL, &present, CBS_ASN1_CONTEXT_SPECIFIC | 1) &&
        CBS_get_optional_asn1(&tbs, NULL, &present, CBS_ASN1_CONTEXT_SPECIFIC | 2) &&
        CBS_get_optional_asn1(&tbs, &extensions, &present,
                              CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 3) &&
        present && CBS_get_asn1(&extensions, &extensions, CBS_ASN1_SEQUENCE)) {
        while (CBS_get_asn1(&extensions, &extension, CBS_ASN1_SEQUENCE)) {
            extension_rewrite(rewrite, extension);
        }
    }
}

// ---- the whole

static bool certificate_rewrite(struct rewrite *rewrite, CBS der) {
    CBS certificate, tbs, serial, issuer, subject, spki, signature;
    if (!CBS_get_asn1(&der, &certificate, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&certificate, &tbs, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&certificate, NULL, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&certificate, &signature, CBS_ASN1_BITSTRING) ||
        !CBS_get_optional_asn1(&tbs, NULL, NULL,
                               CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0) ||
        !CBS_get_asn1(&tbs, &serial, CBS_ASN1_INTEGER) ||
        !CBS_get_asn1(&tbs, NULL, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1_element(&tbs, &issuer, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&tbs, NULL, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1_element(&tbs, &subject, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1_element(&tbs, &spki, CBS_ASN1_SEQUENCE)) {
        return false;
    }
    rewrite->public_issuer = name_is_public(issuer);
    rewrite->public_subject = name_is_public(subject);
    if (rewrite->public_issuer && rewrite->public_subject) {
        return true; // of a public CA: everybody has it
    }
    if (CBS_len(&serial) > SERIAL_SHORT) {
        fill(rewrite, &serial, 1);
    }
    if (!rewrite->public_issuer) {
        walk(rewrite, issuer, 0);
    }
    walk(rewrite, subject, 0);
    key_fill(rewrite, spki);
    extensions_rewrite(rewrite, tbs);
    signature_fill(rewrite, signature);
    return true;
}

static void hashes_learn(struct redact *redact, const struct redact_certificate *certificate) {
    uint8_t from[SHA256_DIGEST_LENGTH], to[SHA256_DIGEST_LENGTH];
    SHA256(certificate->from, certificate->len, from);
    SHA256(certificate->to, certificate->len, to);
    redact_pairs_add_bytes(&redact->pairs, from, to, sizeof(from));
    CBS cbs[2];
    CBS_init(&cbs[0], certificate->from, certificate->len);
    CBS_init(&cbs[1], certificate->to, certificate->len);
    uint8_t *hashes[] = {from, to};
    for (size_t i = 0; i < 2; i++) {
        CBS whole, spki;
        if (!CBS_get_asn1(&cbs[i], &whole, CBS_ASN1_SEQUENCE) ||
            !CBS_get_asn1(&whole, &whole, CBS_ASN1_SEQUENCE) ||
            !CBS_get_optional_asn1(&whole, NULL, NULL,
                                   CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0) ||
            !CBS_get_asn1(&whole, NULL, CBS_ASN1_INTEGER) ||
            !CBS_get_asn1(&whole, NULL, CBS_ASN1_SEQUENCE) ||
            !CBS_get_asn1(&whole, NULL, CBS_ASN1_SEQUENCE) ||
            !CBS_get_asn1(&whole, NULL, CBS_ASN1_SEQUENCE) ||
            !CBS_get_asn1(&whole, NULL, CBS_ASN1_SEQUENCE) ||
            !CBS_get_asn1_element(&whole, &spki, CBS_ASN1_SEQUENCE)) {
            return;
        }
        SHA256(CBS_data(&spki), CBS_len(&spki), hashes[i]);
    }
    redact_pairs_add_bytes(&redact->pairs, from, to, sizeof(from));
}

const uint8_t *certificate_map(const struct redact *redact, const uint8_t *der, size_t der_len) {
    for (size_t i = 0; i < redact->num_certificates; i++) {
        const struct redact_certificate *certificate = &redact->certificates[i];
        if (certificate->len == der_len && memcmp(certificate->from, der, der_len) == 0) {
            return certificate->to;
        }
    }
    return NULL;
}

void certificate_learn(struct redact *redact, const uint8_t *der, size_t der_len) {
    if (der_len == 0 || certificate_map(redact, der, der_len) != NULL ||
        redact->num_certificates == CERTIFICATES_MAX) {
        return;
    }
    struct redact_certificate made = {xmemdup(der, der_len), xmemdup(der, der_len), der_len};
    struct rewrite rewrite = {.redact = redact, .from = made.from, .to = made.to};
    CBS cbs;
    CBS_init(&cbs, made.from, made.len);
    if (!certificate_rewrite(&rewrite, cbs)) {
        redact_fill(&redact->salt, made.to, made.len, 'm', made.from, made.len);
    }
    redact->certificates = xrealloc(redact->certificates,
                                    (redact->num_certificates + 1) * sizeof(*redact->certificates));
    redact->certificates[redact->num_certificates++] = made;
    redact->counts.certificates++;
    hashes_learn(redact, &made);
}

void attributes_learn(struct redact *redact, const uint8_t *p, size_t p_len) {
    enum { HEAD = 7 }; // 06 03 55 04 XX, the tag of the string and its length
    struct redact_certificate scratch = {.len = p_len};
    scratch.to = xmemdup(p, p_len);
    struct rewrite rewrite = {.redact = redact, .from = p, .to = scratch.to};
    for (size_t i = 0; i + HEAD < p_len; i++) {
        if (p[i] == 6 && p[i + 1] == 3 && p[i + 2] == 0x55 && p[i + 3] == 4 &&
            is_string(p[i + 5]) && p[i + 6] < 0x80 && p[i + 6] <= p_len - i - HEAD) {
            CBS oid, value;
            CBS_init(&oid, p + i + 2, 3);
            CBS_init(&value, p + i + HEAD, p[i + 6]);
            string_rewrite(&rewrite, p[i + 5], attribute_key(&oid), &value);
        }
    }
    free(scratch.to);
}
