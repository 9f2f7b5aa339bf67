#include "policy/ca/cert_extensions.h"

#include <arpa/inet.h>
#include <string.h>

#include "policy/ca/cert_oid.h"
#include "policy/ca/cert_text.h"
#include "policy/ca/host_name.h"
#include "policy/ca/sct.h"

#define CONTEXT(n) (CBS_ASN1_CONTEXT_SPECIFIC | (n))
#define CONTEXT_OF(n) (CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | (n))

static const char *ip_text(CBS ip, struct arena *arena) {
    char text[INET6_ADDRSTRLEN];
    int family = CBS_len(&ip) == 4 ? AF_INET : AF_INET6;
    if ((CBS_len(&ip) != 4 && CBS_len(&ip) != 16) ||
        inet_ntop(family, CBS_data(&ip), text, sizeof(text)) == NULL) {
        return NULL;
    }
    return arena_dup(arena, text, strlen(text));
}

enum {
    NAME_EMAIL = CONTEXT(1),
    NAME_DIRECTORY = CONTEXT_OF(4),
    NAME_URI = CONTEXT(6),
};

// prefixed_text is "email:..." or "URI:...", NULL where it is no IA5String.
static const char *prefixed_text(unsigned tag, CBS name, struct arena *arena) {
    const char *text = cert_text_string(name, CBS_ASN1_IA5STRING, arena);
    return text == NULL ? NULL
                        : arena_printf(arena, "%s:%s", tag == NAME_EMAIL ? "email" : "URI", text);
}

static const char *san_text(unsigned tag, CBS name, struct arena *arena) {
    return tag == SAN_DNS  ? cert_text_string(name, CBS_ASN1_IA5STRING, arena)
           : tag == SAN_IP ? ip_text(name, arena)
                           : prefixed_text(tag, name, arena);
}

static bool read_san(struct cert_facts *facts, struct arena *arena, CBS value) {
    CBS names;
    if (!CBS_get_asn1(&value, &names, CBS_ASN1_SEQUENCE) || CBS_len(&value) != 0) {
        return false;
    }
    facts->has_san = true;
    facts->raw.san = names;
    while (CBS_len(&names) != 0) {
        CBS name;
        unsigned tag;
        if (!CBS_get_any_asn1(&names, &name, &tag)) {
            return false;
        }
        struct cert_strings *list = tag == SAN_DNS                         ? &facts->dns
                                    : tag == SAN_IP                        ? &facts->ip
                                    : tag == NAME_EMAIL || tag == NAME_URI ? &facts->other_names
                                                                           : NULL;
        if (list == NULL) {
            continue;
        }
        const char *text = NULL;
        if (list->num < CERT_FACTS_MAX_ITEMS) {
            text = san_text(tag, name, arena);
            if (text == NULL && (tag == SAN_DNS || tag == SAN_IP)) {
                return false;
            }
            text = text != NULL ? text : "unreadable";
        }
        cert_strings_add(list, arena, text);
    }
    return true;
}

static bool read_basic_constraints(struct cert_facts *facts, struct arena *arena, CBS value) {
    (void)arena;
    CBS sequence;
    int ca = 0;
    uint64_t path_len;
    if (!CBS_get_asn1(&value, &sequence, CBS_ASN1_SEQUENCE) || CBS_len(&value) != 0) {
        return false;
    }
    facts->has_basic_constraints = true;
    if (CBS_peek_asn1_tag(&sequence, CBS_ASN1_BOOLEAN) && !CBS_get_asn1_bool(&sequence, &ca)) {
        return false;
    }
    facts->ca = ca;
    if (CBS_len(&sequence) == 0) {
        return true;
    }
    if (!CBS_get_asn1_uint64(&sequence, &path_len) || CBS_len(&sequence) != 0) {
        return false;
    }
    facts->path_len = path_len < 1000 ? (int)path_len : 1000;
    return true;
}

static bool read_key_usage(struct cert_facts *facts, struct arena *arena, CBS value) {
    static const char *const names[] = {
        "digitalSignature", "contentCommitment", "keyEncipherment",
        "dataEncipherment", "keyAgreement",      "keyCertSign",
        "cRLSign",          "encipherOnly",      "decipherOnly",
    };
    CBS bits;
    if (!CBS_get_asn1(&value, &bits, CBS_ASN1_BITSTRING) || CBS_len(&value) != 0 ||
        !CBS_is_valid_asn1_bitstring(&bits)) {
        return false;
    }
    facts->has_key_usage = true;
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        if (CBS_asn1_bitstring_has_bit(&bits, i)) {
            facts->key_usage |= (uint16_t)(1u << i);
            cert_strings_add(&facts->key_usages, arena, names[i]);
        }
    }
    return true;
}

static bool read_ext_key_usage(struct cert_facts *facts, struct arena *arena, CBS value) {
    CBS purposes, oid;
    if (!CBS_get_asn1(&value, &purposes, CBS_ASN1_SEQUENCE) || CBS_len(&value) != 0) {
        return false;
    }
    facts->has_ext_key_usage = true;
    while (CBS_len(&purposes) != 0) {
        if (!CBS_get_asn1(&purposes, &oid, CBS_ASN1_OBJECT)) {
            return false;
        }
        const struct cert_oid *row = cert_oid_find(cert_oid_ext_key_usages, oid);
        if (row != NULL && (strcmp(row->name, "serverAuth") == 0 ||
                            strcmp(row->name, "anyExtendedKeyUsage") == 0)) {
            facts->server_auth = true;
        }
        bool kept = facts->ext_key_usages.num < CERT_FACTS_MAX_ITEMS;
        cert_strings_add(&facts->ext_key_usages, arena,
                         kept ? cert_oid_name(cert_oid_ext_key_usages, oid, arena) : NULL);
    }
    return true;
}

// A key identifier is a hash; what is longer than any is shown in part.
static const char *key_id_text(CBS id, struct arena *arena) {
    return cert_text_hex(CBS_data(&id), CBS_len(&id) < 64 ? CBS_len(&id) : 64, arena);
}

static bool read_ski(struct cert_facts *facts, struct arena *arena, CBS value) {
    CBS id;
    if (!CBS_get_asn1(&value, &id, CBS_ASN1_OCTETSTRING) || CBS_len(&value) != 0) {
        return false;
    }
    facts->ski = key_id_text(id, arena);
    return true;
}

static bool read_aki(struct cert_facts *facts, struct arena *arena, CBS value) {
    CBS sequence, id;
    int present;
    if (!CBS_get_asn1(&value, &sequence, CBS_ASN1_SEQUENCE) || CBS_len(&value) != 0 ||
        !CBS_get_optional_asn1(&sequence, &id, &present, CONTEXT(0))) {
        return false;
    }
    facts->aki = present ? key_id_text(id, arena) : NULL;
    return true;
}

static bool read_policies(struct cert_facts *facts, struct arena *arena, CBS value) {
    CBS policies, policy, oid;
    if (!CBS_get_asn1(&value, &policies, CBS_ASN1_SEQUENCE) || CBS_len(&value) != 0) {
        return false;
    }
    while (CBS_len(&policies) != 0) {
        if (!CBS_get_asn1(&policies, &policy, CBS_ASN1_SEQUENCE) ||
            !CBS_get_asn1(&policy, &oid, CBS_ASN1_OBJECT)) {
            return false;
        }
        bool kept = facts->policies.num < CERT_FACTS_MAX_ITEMS;
        cert_strings_add(&facts->policies, arena, kept ? cert_oid_name(NULL, oid, arena) : NULL);
    }
    return true;
}

// RFC 6962 section 3.3: a SignedCertificateTimestampList inside an OCTET STRING.
static bool read_scts(struct cert_facts *facts, struct arena *arena, CBS value) {
    (void)arena;
    CBS inner, list;
    struct sct sct;
    if (!CBS_get_asn1(&value, &inner, CBS_ASN1_OCTETSTRING) || CBS_len(&value) != 0 ||
        !sct_list_open(&list, inner)) {
        return false;
    }
    facts->has_scts = true;
    facts->raw.scts = list;
    while (sct_next(&list, &sct)) {
        facts->num_scts++;
    }
    return CBS_len(&list) == 0;
}

// RFC 7633: the TLS features status_request (5) and status_request_v2 (17).
static bool read_tls_feature(struct cert_facts *facts, struct arena *arena, CBS value) {
    (void)arena;
    CBS features;
    uint64_t feature;
    if (!CBS_get_asn1(&value, &features, CBS_ASN1_SEQUENCE) || CBS_len(&value) != 0) {
        return false;
    }
    while (CBS_len(&features) != 0) {
        if (!CBS_get_asn1_uint64(&features, &feature)) {
            return false;
        }
        facts->must_staple = facts->must_staple || feature == 5 || feature == 17;
    }
    return true;
}

// Appends the URLs of a GeneralNames to `list`.
static bool add_urls(struct cert_strings *list, struct arena *arena, CBS names) {
    CBS name;
    unsigned tag;
    while (CBS_len(&names) != 0) {
        if (!CBS_get_any_asn1(&names, &name, &tag)) {
            return false;
        }
        if (tag == CONTEXT(6)) {
            bool kept = list->num < CERT_FACTS_MAX_ITEMS;
            cert_strings_add(list, arena,
                             kept ? cert_text_string(name, CBS_ASN1_IA5STRING, arena) : NULL);
        }
    }
    return true;
}

static bool read_aia(struct cert_facts *facts, struct arena *arena, CBS value) {
    static const uint8_t method[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30};
    CBS descriptions, description, oid;
    if (!CBS_get_asn1(&value, &descriptions, CBS_ASN1_SEQUENCE) || CBS_len(&value) != 0) {
        return false;
    }
    while (CBS_len(&descriptions) != 0) {
        if (!CBS_get_asn1(&descriptions, &description, CBS_ASN1_SEQUENCE) ||
            !CBS_get_asn1(&description, &oid, CBS_ASN1_OBJECT)) {
            return false;
        }
        const uint8_t *p = CBS_data(&oid);
        if (CBS_len(&oid) != sizeof(method) + 1 || memcmp(p, method, sizeof(method)) != 0 ||
            p[sizeof(method)] < 1 || p[sizeof(method)] > 2) {
            continue;
        }
        bool ocsp = p[sizeof(method)] == 1;
        if (!add_urls(ocsp ? &facts->ocsp : &facts->ca_issuers, arena, description)) {
            return false;
        }
    }
    return true;
}

static bool read_crl_points(struct cert_facts *facts, struct arena *arena, CBS value) {
    CBS points, point, name, full_name;
    int present;
    if (!CBS_get_asn1(&value, &points, CBS_ASN1_SEQUENCE) || CBS_len(&value) != 0) {
        return false;
    }
    while (CBS_len(&points) != 0) {
        if (!CBS_get_asn1(&points, &point, CBS_ASN1_SEQUENCE) ||
            !CBS_get_optional_asn1(&point, &name, &present, CONTEXT_OF(0))) {
            return false;
        }
        if (!present) {
            continue;
        }
        if (!CBS_get_optional_asn1(&name, &full_name, &present, CONTEXT_OF(0)) ||
            (present && !add_urls(&facts->crl_points, arena, full_name))) {
            return false;
        }
    }
    return true;
}

// network_text is an address with the length of its prefix, or with its mask where that is none.
static const char *network_text(CBS network, struct arena *arena) {
    size_t len = CBS_len(&network) / 2;
    CBS address, mask = network;
    if ((CBS_len(&network) != 8 && CBS_len(&network) != 32) ||
        !CBS_get_bytes(&mask, &address, len)) {
        return NULL;
    }
    unsigned ones = 0, last = 0; // set bits, and the place behind the last of them
    for (unsigned i = 0; i < 8 * len; i++) {
        if ((CBS_data(&mask)[i / 8] >> (7 - i % 8) & 1) != 0) {
            ones++;
            last = i + 1;
        }
    }
    const char *text = ip_text(address, arena);
    return ones == last ? arena_printf(arena, "%s/%u", text, ones)
                        : arena_printf(arena, "%s/%s", text, ip_text(mask, arena));
}

// constraint_text says what names a GeneralName stands for; NULL: it cannot be said.
static const char *constraint_text(unsigned tag, CBS name, struct arena *arena) {
    const char *text = NULL;
    CBS inner;
    switch (tag) {
    case SAN_DNS:
        text = cert_text_string(name, CBS_ASN1_IA5STRING, arena);
        return text != NULL && *text == '\0' ? "every DNS name" : text;
    case SAN_IP:
        return network_text(name, arena);
    case NAME_EMAIL:
    case NAME_URI:
        return prefixed_text(tag, name, arena);
    case NAME_DIRECTORY:
        return CBS_get_asn1(&name, &inner, CBS_ASN1_SEQUENCE) && cert_text_name(inner, arena, &text)
                   ? arena_printf(arena, "directory:%s", text)
                   : NULL;
    default:
        return NULL;
    }
}

static bool read_subtrees(struct cert_strings *list, struct arena *arena, CBS subtrees) {
    while (CBS_len(&subtrees) != 0) {
        CBS subtree, name;
        unsigned tag;
        if (!CBS_get_asn1(&subtrees, &subtree, CBS_ASN1_SEQUENCE) ||
            !CBS_get_any_asn1(&subtree, &name, &tag)) {
            return false;
        }
        const char *text =
            list->num < CERT_FACTS_MAX_ITEMS ? constraint_text(tag, name, arena) : NULL;
        cert_strings_add(list, arena, text != NULL ? text : "names of another kind");
    }
    return true;
}

static bool read_name_constraints(struct cert_facts *facts, struct arena *arena, CBS value) {
    CBS sequence, permitted, excluded;
    CBS_init(&permitted, NULL, 0); // an absent one is left as it is
    CBS_init(&excluded, NULL, 0);
    facts->name_constraints = true;
    return CBS_get_asn1(&value, &sequence, CBS_ASN1_SEQUENCE) && CBS_len(&value) == 0 &&
           CBS_get_optional_asn1(&sequence, &permitted, NULL, CONTEXT_OF(0)) &&
           CBS_get_optional_asn1(&sequence, &excluded, NULL, CONTEXT_OF(1)) &&
           read_subtrees(&facts->permitted_names, arena, permitted) &&
           read_subtrees(&facts->excluded_names, arena, excluded);
}

static bool read_nothing(struct cert_facts *facts, struct arena *arena, CBS value) {
    (void)facts, (void)arena, (void)value;
    return true;
}

struct row {
    uint8_t len, der[10];
    const char *name;
    bool (*read)(struct cert_facts *facts, struct arena *arena, CBS value);
};

// clang-format off
static const struct row rows[] = {
    { 3, {0x55, 0x1d, 0x0e}, "subjectKeyIdentifier", read_ski},
    { 3, {0x55, 0x1d, 0x0f}, "keyUsage", read_key_usage},
    { 3, {0x55, 0x1d, 0x11}, "subjectAltName", read_san},
    { 3, {0x55, 0x1d, 0x12}, "issuerAltName", read_nothing},
    { 3, {0x55, 0x1d, 0x13}, "basicConstraints", read_basic_constraints},
    { 3, {0x55, 0x1d, 0x1e}, "nameConstraints", read_name_constraints},
    { 3, {0x55, 0x1d, 0x1f}, "cRLDistributionPoints", read_crl_points},
    { 3, {0x55, 0x1d, 0x20}, "certificatePolicies", read_policies},
    { 3, {0x55, 0x1d, 0x21}, "policyMappings", read_nothing},
    { 3, {0x55, 0x1d, 0x23}, "authorityKeyIdentifier", read_aki},
    { 3, {0x55, 0x1d, 0x24}, "policyConstraints", read_nothing},
    { 3, {0x55, 0x1d, 0x25}, "extKeyUsage", read_ext_key_usage},
    { 3, {0x55, 0x1d, 0x36}, "inhibitAnyPolicy", read_nothing},
    { 8, {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01}, "authorityInfoAccess", read_aia},
    { 8, {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x18}, "tlsFeature", read_tls_feature},
    { 9, {0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x42, 0x01, 0x01}, "nsCertType", read_nothing},
    {10, {0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02}, "SCT list", read_scts},
};
// clang-format on

static const struct row *find_row(CBS oid) {
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (CBS_mem_equal(&oid, rows[i].der, rows[i].len)) {
            return &rows[i];
        }
    }
    return NULL;
}

static void set_problem(struct cert_facts *facts, struct arena *arena, const char *what,
                        const char *name) {
    if (facts->problem == NULL) {
        facts->problem = arena_printf(arena, "%s %s", what, name);
    }
}

bool cert_extensions_parse(struct cert_facts *facts, struct arena *arena, CBS extensions) {
    bool ok = true;
    uint32_t seen = 0;
    while (CBS_len(&extensions) != 0) {
        CBS extension, oid, value;
        int critical = 0;
        if (!CBS_get_asn1(&extensions, &extension, CBS_ASN1_SEQUENCE) ||
            !CBS_get_asn1(&extension, &oid, CBS_ASN1_OBJECT) ||
            (CBS_peek_asn1_tag(&extension, CBS_ASN1_BOOLEAN) &&
             !CBS_get_asn1_bool(&extension, &critical)) ||
            !CBS_get_asn1(&extension, &value, CBS_ASN1_OCTETSTRING) || CBS_len(&extension) != 0) {
            set_problem(facts, arena, "malformed", "extension");
            return false;
        }
        const struct row *row = find_row(oid);
        if (row == NULL) {
            bool kept = critical && facts->unknown_critical.num < CERT_FACTS_MAX_ITEMS;
            if (kept) {
                cert_strings_add(&facts->unknown_critical, arena, cert_oid_name(NULL, oid, arena));
            }
            continue;
        }
        uint32_t bit = UINT32_C(1) << (row - rows);
        if (seen & bit) {
            set_problem(facts, arena, "repeated extension", row->name);
            ok = false;
            continue;
        }
        seen |= bit;
        if (row->read == read_basic_constraints) {
            facts->basic_constraints_critical = critical;
        }
        if (!row->read(facts, arena, value)) {
            set_problem(facts, arena, "malformed extension", row->name);
            ok = false;
        }
    }
    return ok;
}
