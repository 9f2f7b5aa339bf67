#include "policy/ca/box_extensions.h"

#include <string.h>

#include "policy/ca/box_origin.h"

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
    switch (usage) {
    case CERT_KNOB_USAGE_COPY:
        return copy_extension(out, origin, oid);
    case CERT_KNOB_USAGE_NONE:
        return true;
    case CERT_KNOB_USAGE_WRONG:
        return cert_build_extension(out, oid, critical, wrong);
    case CERT_KNOB_USAGE_STANDARD:
        break;
    }
    return cert_build_extension(out, oid, critical, standard);
}

static bool add_ski(CBB *out, const struct cert_key *key) {
    CBB cbb, id;
    bool ok = CBB_init(&cbb, 32) && CBB_add_asn1(&cbb, &id, CBS_ASN1_OCTETSTRING) &&
              CBB_add_bytes(&id, key->id, key->id_len);
    return add_built(out, VIEW(SKI), false, &cbb, ok);
}

static bool add_aki(CBB *out, const struct cert_key *issuer) {
    CBB cbb, sequence, id;
    bool ok = CBB_init(&cbb, 32) && CBB_add_asn1(&cbb, &sequence, CBS_ASN1_SEQUENCE) &&
              CBB_add_asn1(&sequence, &id, CBS_ASN1_CONTEXT_SPECIFIC | 0) &&
              CBB_add_bytes(&id, issuer->id, issuer->id_len);
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

static bool add_urls(CBB *out, const struct cert_knobs *knobs, CBS origin) {
    bool ok = true;
    if (knobs->crl == CERT_KNOB_URL_OWN) {
        ok = add_crl(out, knobs->crl_url);
    } else if (knobs->crl == CERT_KNOB_URL_COPY) {
        ok = copy_extension(out, origin, VIEW(CRL));
    }
    if (knobs->ocsp == CERT_KNOB_URL_OWN) {
        ok = ok && add_ocsp(out, knobs->ocsp_url);
    } else if (knobs->ocsp == CERT_KNOB_URL_COPY) {
        ok = ok && copy_extension(out, origin, VIEW(ACCESS));
    }
    return ok;
}

bool box_extensions_leaf(CBB *out, const struct cert_knobs *knobs, const struct box_leaf *leaf) {
    bool rsa = EVP_PKEY_id(leaf->key->key) == EVP_PKEY_RSA;
    CBS constraints = knobs->constraints == CERT_KNOB_CONSTRAINTS_CA ? VIEW(any_ca) : VIEW(no_ca);
    return (knobs->constraints == CERT_KNOB_CONSTRAINTS_ABSENT ||
            cert_build_extension(out, VIEW(CONSTRAINTS), true, constraints)) &&
           add_usage(out, VIEW(USAGE), knobs->key_usage, rsa ? VIEW(usage_rsa) : VIEW(usage_ec),
                     VIEW(usage_wrong), true, leaf->origin) &&
           add_usage(out, VIEW(EXT_USAGE), knobs->ext_key_usage, VIEW(server_auth),
                     VIEW(client_auth), false, leaf->origin) &&
           (knobs->no_ski || add_ski(out, leaf->key)) &&
           (knobs->no_aki || add_aki(out, leaf->issuer_key)) &&
           add_san(out, leaf->san, leaf->empty_subject) && add_urls(out, knobs, leaf->origin) &&
           (!knobs->copy_scts || copy_extension(out, leaf->origin, VIEW(SCTS)));
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
           (knobs->no_ski || add_ski(out, key)) && (knobs->no_ski || add_aki(out, issuer_key)) &&
           add_permitted(out, &knobs->permitted_dns);
}
