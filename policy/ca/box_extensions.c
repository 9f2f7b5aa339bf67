#include "policy/ca/box_extensions.h"

#include <string.h>

#include "policy/ca/box_origin.h"
#include "policy/ca/cert_facts.h"
#include "policy/ca/cert_oid.h"

// The identifiers, contents only.
// clang-format off
static const uint8_t SKI[]         = {0x55, 0x1d, 0x0e};
static const uint8_t USAGE[]       = {0x55, 0x1d, 0x0f};
static const uint8_t SAN[]         = {0x55, 0x1d, 0x11};
static const uint8_t CONSTRAINTS[] = {0x55, 0x1d, 0x13};
static const uint8_t NAMES[]       = {0x55, 0x1d, 0x1e};
static const uint8_t CRL[]         = {0x55, 0x1d, 0x1f};
static const uint8_t AKI[]         = {0x55, 0x1d, 0x23};
static const uint8_t EXT_USAGE[]   = {0x55, 0x1d, 0x25};
static const uint8_t ACCESS[]      = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01};
static const uint8_t SCTS[]        = {0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02};
static const uint8_t OCSP[]        = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01};

// Their values.
static const uint8_t no_ca[]       = {0x30, 0x00};
static const uint8_t any_ca[]      = {0x30, 0x03, 0x01, 0x01, 0xff};
static const uint8_t usage_ca[]    = {0x03, 0x02, 0x01, 0x06}; // keyCertSign, cRLSign
static const uint8_t usage_ec[]    = {0x03, 0x02, 0x07, 0x80}; // digitalSignature
static const uint8_t usage_rsa[]   = {0x03, 0x02, 0x05, 0xa0}; // and keyEncipherment
static const uint8_t usage_wrong[] = {0x03, 0x02, 0x02, 0x04}; // keyCertSign
static const uint8_t server_auth[] = {0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01};
static const uint8_t client_auth[] = {0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02};
// clang-format on

static CBS view(const void *p, size_t p_len) {
    CBS cbs;
    CBS_init(&cbs, p, p_len);
    return cbs;
}

#define VIEW(array) view(array, sizeof(array))

// add_built appends an extension whose value `cbb` holds, and frees that.
static bool add_built(CBB *out, CBS oid, bool critical, CBB *cbb, bool built) {
    bool ok = built && CBB_flush(cbb) &&
              cert_build_extension(out, oid, critical, view(CBB_data(cbb), CBB_len(cbb)));
    CBB_cleanup(cbb);
    return ok;
}

// copy_extension appends the Extension `oid` of `origin` as it stands, where there is one.
static bool copy_extension(CBB *out, CBS origin, CBS oid) {
    CBS extension;
    return !box_origin_extension(origin, oid, &extension) ||
           CBB_add_bytes(out, CBS_data(&extension), CBS_len(&extension));
}

static bool add_usage(CBB *out, CBS oid, enum cert_knob_usage usage, CBS standard, CBS wrong,
                      bool critical, CBS origin) {
    CBS there;
    switch (usage) {
    case CERT_KNOB_USAGE_COPY_OR_STANDARD:
        if (!box_origin_extension(origin, oid, &there)) {
            break;
        }
        return copy_extension(out, origin, oid);
    case CERT_KNOB_USAGE_STANDARD_IF_THERE:
        if (box_origin_extension(origin, oid, &there)) {
            break;
        }
        return true;
    case CERT_KNOB_USAGE_COPY:
        return copy_extension(out, origin, oid);
    case CERT_KNOB_USAGE_NONE:
        return true;
    case CERT_KNOB_USAGE_WRONG:
        return cert_build_extension(out, oid, critical, wrong);
    case CERT_KNOB_USAGE_OWN:
    case CERT_KNOB_USAGE_STANDARD:
        break;
    }
    return cert_build_extension(out, oid, critical, standard);
}

// usage_bits writes a KeyUsage: a BIT STRING without zeros at its end (X.690, section 11.2.2).
static CBS usage_bits(uint8_t out[5], uint16_t bits) {
    uint8_t reversed[2] = {0, 0};
    unsigned num = 0;
    for (unsigned i = 0; i < 9; i++) {
        if (bits & 1u << i) {
            reversed[i / 8] |= (uint8_t)(0x80 >> i % 8);
            num = i + 1;
        }
    }
    uint8_t len = (uint8_t)((num + 7) / 8);
    out[0] = CBS_ASN1_BITSTRING;
    out[1] = (uint8_t)(1 + len);
    out[2] = (uint8_t)(8 * len - num);
    memcpy(out + 3, reversed, len);
    return view(out, 3 + (size_t)len);
}

static bool add_purposes(CBB *out, const struct cert_knob_strings *purposes) {
    CBB cbb, sequence, oid;
    bool ok = CBB_init(&cbb, 32) && CBB_add_asn1(&cbb, &sequence, CBS_ASN1_SEQUENCE);
    for (size_t i = 0; ok && i < purposes->num; i++) {
        const struct cert_oid *row = cert_oid_named(cert_oid_ext_key_usages, purposes->items[i]);
        ok = CBB_add_asn1(&sequence, &oid, CBS_ASN1_OBJECT) &&
             CBB_add_bytes(&oid, row->der, row->len) && CBB_flush(&sequence);
    }
    return add_built(out, VIEW(EXT_USAGE), false, &cbb, ok);
}

static bool add_ski(CBB *out, const struct cert_key *key) {
    CBB cbb, id;
    bool ok = CBB_init(&cbb, 32) && CBB_add_asn1(&cbb, &id, CBS_ASN1_OCTETSTRING) &&
              CBB_add_bytes(&id, key->id, key->id_len);
    return add_built(out, VIEW(SKI), false, &cbb, ok);
}

// RFC 5280 section 4.2.1.1; `issuer` may be empty: no name and no serial number then.
static bool add_aki(CBB *out, const struct cert_key *key, CBS issuer) {
    enum { INSIDE = CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED };
    CBB cbb, sequence, id, names, directory, number;
    CBS serial, name;
    bool ok = CBB_init(&cbb, 32) && CBB_add_asn1(&cbb, &sequence, CBS_ASN1_SEQUENCE) &&
              CBB_add_asn1(&sequence, &id, CBS_ASN1_CONTEXT_SPECIFIC | 0) &&
              CBB_add_bytes(&id, key->id, key->id_len);
    if (box_origin_serial(issuer, &serial, &name)) {
        ok = ok && CBB_add_asn1(&sequence, &names, INSIDE | 1) &&
             CBB_add_asn1(&names, &directory, INSIDE | 4) &&
             CBB_add_bytes(&directory, CBS_data(&name), CBS_len(&name)) &&
             CBB_add_asn1(&sequence, &number, CBS_ASN1_CONTEXT_SPECIFIC | 2) &&
             CBB_add_bytes(&number, CBS_data(&serial), CBS_len(&serial));
    }
    return add_built(out, VIEW(AKI), false, &cbb, ok);
}

static bool add_san(CBB *out, CBS san, bool critical) {
    CBB cbb, names;
    if (CBS_len(&san) == 0) {
        return true;
    }
    bool ok = CBB_init(&cbb, CBS_len(&san) + 8) && CBB_add_asn1(&cbb, &names, CBS_ASN1_SEQUENCE) &&
              CBB_add_bytes(&names, CBS_data(&san), CBS_len(&san));
    return add_built(out, VIEW(SAN), critical, &cbb, ok);
}

// RFC 5280 section 4.2.1.13: one DistributionPoint with a fullName.
static bool add_crl(CBB *out, const char *url) {
    enum { INSIDE = CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED };
    CBB cbb, points, point, name, full, uri;
    bool ok = CBB_init(&cbb, 64) && CBB_add_asn1(&cbb, &points, CBS_ASN1_SEQUENCE) &&
              CBB_add_asn1(&points, &point, CBS_ASN1_SEQUENCE) &&
              CBB_add_asn1(&point, &name, INSIDE | 0) && CBB_add_asn1(&name, &full, INSIDE | 0) &&
              CBB_add_asn1(&full, &uri, CBS_ASN1_CONTEXT_SPECIFIC | 6) &&
              CBB_add_bytes(&uri, (const uint8_t *)url, strlen(url));
    return add_built(out, VIEW(CRL), false, &cbb, ok);
}

// RFC 5280 section 4.2.2.1: one AccessDescription.
static bool add_ocsp(CBB *out, const char *url) {
    CBB cbb, list, access, method, uri;
    bool ok = CBB_init(&cbb, 64) && CBB_add_asn1(&cbb, &list, CBS_ASN1_SEQUENCE) &&
              CBB_add_asn1(&list, &access, CBS_ASN1_SEQUENCE) &&
              CBB_add_asn1(&access, &method, CBS_ASN1_OBJECT) &&
              CBB_add_bytes(&method, OCSP, sizeof(OCSP)) &&
              CBB_add_asn1(&access, &uri, CBS_ASN1_CONTEXT_SPECIFIC | 6) &&
              CBB_add_bytes(&uri, (const uint8_t *)url, strlen(url));
    return add_built(out, VIEW(ACCESS), false, &cbb, ok);
}

static bool add_constraints(CBB *out, const struct cert_knobs *knobs, CBS origin) {
    bool critical = !knobs->constraints_not_critical;
    CBS extension;
    switch (knobs->constraints) {
    case CERT_KNOB_CONSTRAINTS_ABSENT:
        return true;
    case CERT_KNOB_CONSTRAINTS_CA:
        return cert_build_extension(out, VIEW(CONSTRAINTS), critical, VIEW(any_ca));
    case CERT_KNOB_CONSTRAINTS_COPY_ONLY:
        return copy_extension(out, origin, VIEW(CONSTRAINTS));
    case CERT_KNOB_CONSTRAINTS_COPY:
        if (box_origin_extension(origin, VIEW(CONSTRAINTS), &extension)) {
            return CBB_add_bytes(out, CBS_data(&extension), CBS_len(&extension));
        }
        break;
    case CERT_KNOB_CONSTRAINTS_LEAF:
        break;
    }
    return cert_build_extension(out, VIEW(CONSTRAINTS), critical, VIEW(no_ca));
}

// may_sign returns whether the key usage of `origin` has digitalSignature, the first bit of the BIT
// STRING that ends the Extension, or is not there.
static bool may_sign(CBS origin) {
    CBS extension, inside, octets, bits;
    uint8_t unused, first;
    if (!box_origin_extension(origin, VIEW(USAGE), &extension)) {
        return true;
    }
    return CBS_get_asn1(&extension, &inside, CBS_ASN1_SEQUENCE) &&
           CBS_get_asn1(&inside, NULL, CBS_ASN1_OBJECT) &&
           CBS_get_optional_asn1(&inside, NULL, NULL, CBS_ASN1_BOOLEAN) &&
           CBS_get_asn1(&inside, &octets, CBS_ASN1_OCTETSTRING) &&
           CBS_get_asn1(&octets, &bits, CBS_ASN1_BITSTRING) && CBS_get_u8(&bits, &unused) &&
           CBS_get_u8(&bits, &first) && (first & 0x80) != 0;
}

// key_usage_of returns what the library can show: see cert_knobs.h.
static enum cert_knob_usage key_usage_of(const struct cert_knobs *knobs, bool rsa, CBS origin) {
    bool copies = knobs->key_usage == CERT_KNOB_USAGE_COPY ||
                  knobs->key_usage == CERT_KNOB_USAGE_COPY_OR_STANDARD;
    bool own = knobs->key_usage == CERT_KNOB_USAGE_OWN &&
               (knobs->key_usage_bits & CERT_KU_DIGITAL_SIGNATURE) != 0;
    bool shown = rsa || own || knobs->key_usage == CERT_KNOB_USAGE_NONE ||
                 knobs->key_usage == CERT_KNOB_USAGE_STANDARD_IF_THERE ||
                 (copies && may_sign(origin));
    return shown ? knobs->key_usage : CERT_KNOB_USAGE_STANDARD;
}

static bool add_one(CBB *out, enum cert_knob_extension extension, const struct cert_knobs *knobs,
                    const struct box_leaf *leaf) {
    bool rsa = EVP_PKEY_id(leaf->key->key) == EVP_PKEY_RSA;
    CBS none, there, origin = leaf->origin;
    enum cert_knob_usage usage = key_usage_of(knobs, rsa, origin);
    uint8_t bits[5];
    CBS_init(&none, NULL, 0);
    switch (extension) {
    case CERT_KNOB_EXTENSION_BASIC_CONSTRAINTS:
        return add_constraints(out, knobs, origin);
    case CERT_KNOB_EXTENSION_KEY_USAGE:
        return add_usage(out, VIEW(USAGE), usage,
                         usage == CERT_KNOB_USAGE_OWN ? usage_bits(bits, knobs->key_usage_bits)
                         : rsa                        ? VIEW(usage_rsa)
                                                      : VIEW(usage_ec),
                         VIEW(usage_wrong), !knobs->key_usage_not_critical, origin);
    case CERT_KNOB_EXTENSION_EXT_KEY_USAGE:
        if (knobs->ext_key_usage == CERT_KNOB_USAGE_OWN) {
            return add_purposes(out, &knobs->ext_key_usages);
        }
        return add_usage(out, VIEW(EXT_USAGE), knobs->ext_key_usage, VIEW(server_auth),
                         VIEW(client_auth), false, origin);
    case CERT_KNOB_EXTENSION_SUBJECT_KEY_ID:
        return knobs->no_ski ||
               (knobs->ski_if_there && !box_origin_extension(origin, VIEW(SKI), &there)) ||
               add_ski(out, leaf->key);
    case CERT_KNOB_EXTENSION_AUTHORITY_KEY_ID:
        return knobs->no_aki ||
               (knobs->aki_if_there && !box_origin_extension(origin, VIEW(AKI), &there)) ||
               add_aki(out, leaf->issuer_key, knobs->aki_issuer ? leaf->issuer : none);
    case CERT_KNOB_EXTENSION_SAN:
        return add_san(out, leaf->san, leaf->empty_subject);
    case CERT_KNOB_EXTENSION_CRL:
        return knobs->crl == CERT_KNOB_URL_OWN    ? add_crl(out, knobs->crl_url)
               : knobs->crl == CERT_KNOB_URL_COPY ? copy_extension(out, origin, VIEW(CRL))
                                                  : true;
    case CERT_KNOB_EXTENSION_OCSP:
        return knobs->ocsp == CERT_KNOB_URL_OWN    ? add_ocsp(out, knobs->ocsp_url)
               : knobs->ocsp == CERT_KNOB_URL_COPY ? copy_extension(out, origin, VIEW(ACCESS))
                                                   : true;
    case CERT_KNOB_EXTENSION_SCTS:
        return !knobs->copy_scts || copy_extension(out, origin, VIEW(SCTS));
    case CERT_KNOB_NUM_EXTENSIONS:
        break;
    }
    return false;
}

bool box_extensions_leaf(CBB *out, const struct cert_knobs *knobs, const struct box_leaf *leaf) {
#define EXTENSION_TEXT(name, word) word,
    static const char *const NAMES_OF[] = {CERT_KNOB_EXTENSIONS(EXTENSION_TEXT)};
#undef EXTENSION_TEXT
    bool done[CERT_KNOB_NUM_EXTENSIONS] = {false}, ok = true;
    for (size_t i = 0; i < knobs->extension_order.num; i++) {
        for (int e = 0; e < CERT_KNOB_NUM_EXTENSIONS; e++) {
            if (!done[e] && strcmp(NAMES_OF[e], knobs->extension_order.items[i]) == 0) {
                ok = ok && add_one(out, (enum cert_knob_extension)e, knobs, leaf);
                done[e] = true;
            }
        }
    }
    for (int e = 0; e < CERT_KNOB_NUM_EXTENSIONS; e++) {
        ok = ok && (done[e] || add_one(out, (enum cert_knob_extension)e, knobs, leaf));
    }
    return ok;
}

static bool add_ca_constraints(CBB *out, const struct ca_knobs *knobs, unsigned below) {
    CBB cbb, sequence;
    uint64_t path_len = knobs->path_len == CA_KNOB_PATH_LEN_ZERO ? 0 : below;
    if (knobs->no_constraints) {
        return true;
    }
    bool ok =
        CBB_init(&cbb, 16) && CBB_add_asn1(&cbb, &sequence, CBS_ASN1_SEQUENCE) &&
        CBB_add_asn1_bool(&sequence, 1) &&
        (knobs->path_len == CA_KNOB_PATH_LEN_NONE || CBB_add_asn1_uint64(&sequence, path_len));
    return add_built(out, VIEW(CONSTRAINTS), !knobs->constraints_not_critical, &cbb, ok);
}

// RFC 5280 section 4.2.1.10: permittedSubtrees of dNSNames.
static bool add_permitted(CBB *out, const struct cert_knob_strings *domains) {
    CBB cbb, constraints, permitted, subtree, name;
    if (domains->num == 0) {
        return true;
    }
    bool ok = CBB_init(&cbb, 64) && CBB_add_asn1(&cbb, &constraints, CBS_ASN1_SEQUENCE) &&
              CBB_add_asn1(&constraints, &permitted,
                           CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0);
    for (size_t i = 0; ok && i < domains->num; i++) {
        ok = CBB_add_asn1(&permitted, &subtree, CBS_ASN1_SEQUENCE) &&
             CBB_add_asn1(&subtree, &name, CBS_ASN1_CONTEXT_SPECIFIC | 2) &&
             CBB_add_bytes(&name, (const uint8_t *)domains->items[i], strlen(domains->items[i])) &&
             CBB_flush(&permitted);
    }
    return add_built(out, VIEW(NAMES), true, &cbb, ok);
}

bool box_extensions_ca(CBB *out, const struct ca_knobs *knobs, const struct cert_key *key,
                       const struct cert_key *issuer_key, unsigned below) {
    return add_ca_constraints(out, knobs, below) &&
           (knobs->no_key_usage || cert_build_extension(out, VIEW(USAGE), true, VIEW(usage_ca))) &&
           (knobs->ext_key_usage != CERT_KNOB_USAGE_COPY ||
            cert_build_extension(out, VIEW(EXT_USAGE), false, VIEW(server_auth))) &&
           (knobs->ext_key_usage != CERT_KNOB_USAGE_WRONG ||
            cert_build_extension(out, VIEW(EXT_USAGE), false, VIEW(client_auth))) &&
           (knobs->no_ski || add_ski(out, key)) &&
           (knobs->no_ski || add_aki(out, issuer_key, view(NULL, 0))) &&
           add_permitted(out, &knobs->permitted_dns);
}
