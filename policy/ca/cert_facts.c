#include "policy/ca/cert_facts.h"

#include <limits.h>
#include <string.h>

#include "policy/ca/cert_extensions.h"
#include "policy/ca/cert_oid.h"
#include "policy/ca/cert_signature.h"
#include "policy/ca/cert_text.h"
#include "policy/ca/cert_time.h"

void cert_strings_add(struct cert_strings *list, struct arena *arena, const char *item) {
    list->total++;
    if (list->num == CERT_FACTS_MAX_ITEMS) {
        return;
    }
    // The array is full at 0, 4, 8, 16, ... items and then moves to one of twice the size.
    if (list->num == 0 || (list->num >= 4 && (list->num & (list->num - 1)) == 0)) {
        size_t cap = list->num == 0 ? 4 : list->num * 2;
        const char **items = arena_alloc(arena, cap * sizeof(*items));
        if (list->num != 0) {
            memcpy(items, list->items, list->num * sizeof(*items));
        }
        list->items = items;
    }
    list->items[list->num++] = item;
}

// Leaves the first problem and returns false.
static bool malformed(struct cert_facts *facts, const char *what) {
    if (facts->problem == NULL) {
        facts->problem = what;
    }
    return false;
}

static const char *attribute_text(CBS name, const char *attribute, struct arena *arena) {
    CBS value;
    unsigned tag;
    return cert_text_attribute(name, attribute, &value, &tag) ? cert_text_string(value, tag, arena)
                                                              : NULL;
}

static bool read_name(struct arena *arena, CBS element, const char **out_name, const char **out_cn,
                      const char **out_o) {
    CBS name;
    if (!CBS_get_asn1(&element, &name, CBS_ASN1_SEQUENCE)) {
        return false;
    }
    *out_cn = attribute_text(name, "CN", arena);
    *out_o = attribute_text(name, "O", arena);
    return cert_text_name(name, arena, out_name);
}

static bool read_time(CBS *validity, bool *out_present, int64_t *out) {
    CBS text;
    unsigned tag;
    bool der;
    *out_present = CBS_get_any_asn1(validity, &text, &tag) && cert_time_parse(text, tag, out, &der);
    return *out_present && der;
}

static bool read_validity(struct cert_facts *facts, CBS validity) {
    if (!read_time(&validity, &facts->has_not_before, &facts->not_before)) {
        malformed(facts, "notBefore is not a time as RFC 5280 writes it");
    }
    if (!read_time(&validity, &facts->has_not_after, &facts->not_after)) {
        malformed(facts, "notAfter is not a time as RFC 5280 writes it");
    }
    return facts->problem == NULL;
}

// The bits of the first INTEGER in `sequence`: an RSA modulus, a DSA prime.
static unsigned integer_bits(CBS sequence) {
    CBS integer;
    if (!CBS_get_asn1(&sequence, &integer, CBS_ASN1_INTEGER)) {
        return 0;
    }
    while (CBS_len(&integer) != 0 && CBS_data(&integer)[0] == 0) {
        CBS_skip(&integer, 1);
    }
    size_t bits = CBS_len(&integer) * 8;
    for (unsigned top = bits != 0 ? CBS_data(&integer)[0] : 0x80; top < 0x80; top <<= 1) {
        bits--;
    }
    return (unsigned)bits;
}

static void read_curve(struct cert_facts *facts, struct arena *arena, CBS parameters) {
    CBS oid;
    if (!CBS_get_asn1(&parameters, &oid, CBS_ASN1_OBJECT)) {
        facts->curve = "explicit";
        return;
    }
    const struct cert_oid *row = cert_oid_find(cert_oid_curves, oid);
    facts->curve = cert_oid_name(cert_oid_curves, oid, arena);
    facts->key_bits = row != NULL ? (unsigned)row->value : 0;
}

static bool read_spki(struct cert_facts *facts, struct arena *arena, CBS spki) {
    CBS contents, algorithm, oid, key, sequence;
    uint8_t unused_bits;
    facts->key_type = "unknown";
    if (!CBS_get_asn1(&spki, &contents, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&contents, &algorithm, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&algorithm, &oid, CBS_ASN1_OBJECT) ||
        !CBS_get_asn1(&contents, &key, CBS_ASN1_BITSTRING) || !CBS_get_u8(&key, &unused_bits)) {
        return malformed(facts, "malformed subjectPublicKeyInfo");
    }
    const struct cert_oid *row = cert_oid_find(cert_oid_keys, oid);
    if (row == NULL) {
        return true;
    }
    facts->key_type = row->name;
    if (row->value == EVP_PKEY_ED25519) {
        facts->key_bits = 256;
    } else if (row->value == EVP_PKEY_EC) {
        read_curve(facts, arena, algorithm);
    } else if (row->value == EVP_PKEY_RSA && CBS_get_asn1(&key, &sequence, CBS_ASN1_SEQUENCE)) {
        facts->key_bits = integer_bits(sequence);
    } else if (row->value == EVP_PKEY_DSA &&
               CBS_get_asn1(&algorithm, &sequence, CBS_ASN1_SEQUENCE)) {
        facts->key_bits = integer_bits(sequence);
    }
    return true;
}

static bool read_signature_algorithm(struct cert_facts *facts, struct arena *arena, CBS element) {
    CBS algorithm, oid;
    if (!CBS_get_asn1(&element, &algorithm, CBS_ASN1_SEQUENCE) ||
        !CBS_get_asn1(&algorithm, &oid, CBS_ASN1_OBJECT)) {
        return malformed(facts, "malformed signatureAlgorithm");
    }
    const struct cert_oid *row = cert_oid_find(cert_oid_signatures, oid);
    facts->raw.signature_oid = row;
    facts->signature_algorithm = cert_oid_name(cert_oid_signatures, oid, arena);
    facts->signature_weak =
        row != NULL && (row->value == NID_md2 || row->value == NID_md5 || row->value == NID_sha1);
    return true;
}

// Skips an implicitly tagged unique identifier (RFC 5280 section 4.1.2.8).
static bool skip_unique_id(CBS *tbs, unsigned n) {
    return CBS_get_optional_asn1(tbs, NULL, NULL, CBS_ASN1_CONTEXT_SPECIFIC | n);
}

static bool read_version_and_serial(struct cert_facts *facts, struct arena *arena, CBS *tbs) {
    CBS serial;
    uint64_t version;
    int negative;
    if (!CBS_get_optional_asn1_uint64(tbs, &version,
                                      CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0, 0)) {
        return malformed(facts, "malformed version");
    }
    facts->version = version < 100 ? (int)version + 1 : 0;
    if (version > 2) {
        malformed(facts, "a version above 3");
    }
    if (!CBS_get_asn1(tbs, &serial, CBS_ASN1_INTEGER)) {
        return malformed(facts, "malformed serialNumber");
    }
    facts->raw.serial = serial;
    size_t shown = CBS_len(&serial) < 64 ? CBS_len(&serial) : 64;
    facts->serial = cert_text_hex(CBS_data(&serial), shown, arena);
    facts->serial_negative = CBS_len(&serial) != 0 && (CBS_data(&serial)[0] & 0x80) != 0;
    if (!CBS_is_valid_asn1_integer(&serial, &negative)) {
        malformed(facts, "serialNumber is not an INTEGER in DER");
    }
    return true;
}

static bool read_tbs(struct cert_facts *facts, struct arena *arena, CBS tbs) {
    CBS validity, wrapped, extensions;
    int present;
    if (!read_version_and_serial(facts, arena, &tbs)) {
        return false;
    }
    if (!CBS_get_asn1(&tbs, NULL, CBS_ASN1_SEQUENCE)) {
        return malformed(facts, "malformed signature field");
    }
    if (!CBS_get_asn1_element(&tbs, &facts->raw.issuer, CBS_ASN1_SEQUENCE) ||
        !read_name(arena, facts->raw.issuer, &facts->issuer, &facts->issuer_cn, &facts->issuer_o)) {
        malformed(facts, "malformed issuer");
    }
    if (!CBS_get_asn1(&tbs, &validity, CBS_ASN1_SEQUENCE)) {
        return malformed(facts, "malformed validity");
    }
    read_validity(facts, validity);
    if (!CBS_get_asn1_element(&tbs, &facts->raw.subject, CBS_ASN1_SEQUENCE) ||
        !read_name(arena, facts->raw.subject, &facts->subject, &facts->subject_cn,
                   &facts->subject_o)) {
        malformed(facts, "malformed subject");
    }
    if (!CBS_get_asn1_element(&tbs, &facts->raw.spki, CBS_ASN1_SEQUENCE)) {
        return malformed(facts, "malformed subjectPublicKeyInfo");
    }
    SHA256(CBS_data(&facts->raw.spki), CBS_len(&facts->raw.spki), facts->spki_sha256);
    read_spki(facts, arena, facts->raw.spki);
    if (!skip_unique_id(&tbs, 1) || !skip_unique_id(&tbs, 2) ||
        !CBS_get_optional_asn1(&tbs, &wrapped, &present,
                               CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 3) ||
        CBS_len(&tbs) != 0) {
        return malformed(facts, "malformed end of tbsCertificate");
    }
    if (!present) {
        return true;
    }
    if (!CBS_get_asn1(&wrapped, &extensions, CBS_ASN1_SEQUENCE) || CBS_len(&wrapped) != 0) {
        return malformed(facts, "malformed extensions");
    }
    return cert_extensions_parse(facts, arena, extensions);
}

// Takes the contents of a SEQUENCE. One whose length is wrong, as in a certificate that was cut
// short, is opened all the same: its first fields can often be read.
static bool open_sequence(struct cert_facts *facts, CBS *in, CBS *out) {
    if (CBS_get_asn1(in, out, CBS_ASN1_SEQUENCE)) {
        return true;
    }
    uint8_t tag, len;
    if (!CBS_get_u8(in, &tag) || tag != 0x30 || !CBS_get_u8(in, &len) ||
        (len >= 0x80 && (len > 0x84 || !CBS_skip(in, len & 0x7f)))) {
        return false;
    }
    malformed(facts, "cut short, or lengths that are not DER");
    *out = *in;
    CBS_init(in, NULL, 0);
    return true;
}

bool cert_facts_parse(struct cert_facts *out, struct arena *arena, const uint8_t *der,
                      size_t der_len) {
    *out = (struct cert_facts){.path_len = -1};
    CBS_init(&out->raw.der, der, der_len);
    SHA256(der, der_len, out->sha256);
    CBS rest = out->raw.der, certificate, tbs, algorithm, signature;
    uint8_t unused_bits;
    if (!open_sequence(out, &rest, &certificate)) {
        return malformed(out, "not a DER SEQUENCE");
    }
    if (CBS_len(&rest) != 0) {
        malformed(out, "bytes behind the certificate");
    }
    out->raw.tbs = certificate;
    if (!open_sequence(out, &certificate, &tbs)) {
        return malformed(out, "malformed tbsCertificate");
    }
    CBS_init(&out->raw.tbs, CBS_data(&out->raw.tbs),
             CBS_len(&out->raw.tbs) - CBS_len(&certificate));
    read_tbs(out, arena, tbs);
    out->self_issued =
        CBS_len(&out->raw.subject) != 0 &&
        CBS_mem_equal(&out->raw.subject, CBS_data(&out->raw.issuer), CBS_len(&out->raw.issuer));
    if (!CBS_get_asn1_element(&certificate, &algorithm, CBS_ASN1_SEQUENCE)) {
        return malformed(out, "malformed signatureAlgorithm");
    }
    out->raw.algorithm = algorithm;
    read_signature_algorithm(out, arena, algorithm);
    if (!CBS_get_asn1(&certificate, &signature, CBS_ASN1_BITSTRING) ||
        !CBS_get_u8(&signature, &unused_bits) || CBS_len(&certificate) != 0) {
        return malformed(out, "malformed signatureValue");
    }
    out->raw.signature = signature;
    return out->problem == NULL;
}

X509 *cert_facts_x509(CBS der) {
    const uint8_t *p = CBS_data(&der);
    if (CBS_len(&der) == 0 || CBS_len(&der) > LONG_MAX) {
        return NULL;
    }
    X509 *cert = d2i_X509(NULL, &p, (long)CBS_len(&der));
    ERR_clear_error();
    if (cert != NULL && p != CBS_data(&der) + CBS_len(&der)) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

bool cert_facts_self_signed(const struct cert_facts *facts) {
    return facts->self_issued && cert_signature_verify(facts->raw.spki, facts->raw.algorithm,
                                                       facts->raw.tbs, facts->raw.signature);
}

bool cert_facts_issued(const struct cert_facts *issuer, const struct cert_facts *cert) {
    return cert_signature_remembered(issuer->raw.spki, cert->raw.algorithm, cert->raw.tbs,
                                     cert->raw.signature);
}
