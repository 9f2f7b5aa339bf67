// What a leaf is made of: its key, its digest and its extensions.
#include "policy/learn/internal.h"

#include <string.h>

#include "policy/ca/box_origin.h"
#include "policy/ca/cert_knobs.h"
#include "policy/ca/cert_oid.h"

static enum fit fit_of(bool fits) { return fits ? FIT_YES : FIT_NO; }

const char *knob_of_key(const struct cert_facts *facts) {
    static const struct {
        const char *type, *curve;
        unsigned bits;
        const char *word;
    } rows[] = {
        {"RSA", NULL, 1024, "rsa1024"},  {"RSA", NULL, 2048, "rsa2048"},
        {"RSA", NULL, 3072, "rsa3072"},  {"RSA", NULL, 4096, "rsa4096"},
        {"EC", "P-256", 0, "p256"},      {"EC", "P-384", 0, "p384"},
        {"Ed25519", NULL, 0, "ed25519"},
    };
    for (size_t i = 0; facts->key_type != NULL && i < ARRAY_LEN(rows); i++) {
        bool curve = rows[i].curve == NULL ||
                     (facts->curve != NULL && strcmp(facts->curve, rows[i].curve) == 0);
        if (strcmp(facts->key_type, rows[i].type) == 0 && curve &&
            (rows[i].bits == 0 || facts->key_bits == rows[i].bits)) {
            return rows[i].word;
        }
    }
    return NULL;
}

const char *knob_of_digest(const struct cert_facts *facts) {
    const struct cert_oid *oid = facts->raw.signature_oid;
    return oid == NULL                ? NULL
           : oid->value == NID_sha256 ? "sha256"
           : oid->value == NID_sha384 ? "sha384"
           : oid->value == NID_sha512 ? "sha512"
           : oid->value == NID_sha1   ? "sha1"
           : oid->value == NID_md5    ? "md5"
                                      : NULL;
}

// learn_word turns `path` to the word that `word_of` has for every leaf.
static void learn_word(struct learn *learn, const char *path,
                       const char *(*word_of)(const struct cert_facts *), const char *what) {
    struct sources sources = {.num = 0};
    const char *word = NULL;
    for (size_t i = 0; i < learn->num; i++) {
        const struct cert_facts *leaf = learn_leaf(learn->seen[i]);
        if (leaf == NULL) {
            continue;
        }
        const char *next = word_of(leaf);
        if (next == NULL || (word != NULL && strcmp(word, next) != 0)) {
            learn_miss(learn, path,
                       next == NULL ? "no knob has this %s: %s, %u bits, %s"
                                    : "the leaves differ in their %s: %s, %u bits, %s",
                       what, leaf->key_type, leaf->key_bits, leaf->signature_algorithm);
            return;
        }
        word = next;
        sources_add(&sources, learn->seen[i]);
    }
    learn_set(learn, path, json_string(word), &sources, NULL);
}

// The extensions that a profile knows; one row has none of its own.
// clang-format off
static const struct {
    const char *name;
    uint8_t len, der[10];
} EXTENSIONS[CERT_KNOB_NUM_EXTENSIONS] = {
    [CERT_KNOB_EXTENSION_BASIC_CONSTRAINTS] = {"basic_constraints",  3, {0x55, 0x1d, 0x13}},
    [CERT_KNOB_EXTENSION_KEY_USAGE]         = {"key_usage",          3, {0x55, 0x1d, 0x0f}},
    [CERT_KNOB_EXTENSION_EXT_KEY_USAGE]     = {"ext_key_usage",      3, {0x55, 0x1d, 0x25}},
    [CERT_KNOB_EXTENSION_SUBJECT_KEY_ID]    = {"subject_key_id",     3, {0x55, 0x1d, 0x0e}},
    [CERT_KNOB_EXTENSION_AUTHORITY_KEY_ID]  = {"authority_key_id",   3, {0x55, 0x1d, 0x23}},
    [CERT_KNOB_EXTENSION_SAN]               = {"san",                3, {0x55, 0x1d, 0x11}},
    [CERT_KNOB_EXTENSION_CRL]               = {"crl",                3, {0x55, 0x1d, 0x1f}},
    [CERT_KNOB_EXTENSION_OCSP]              = {"ocsp",               8, {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01}},
    [CERT_KNOB_EXTENSION_SCTS]              = {"scts",              10, {0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02}},
};
// clang-format on

static CBS whole(const struct cert_facts *facts) { return facts->raw.der; }

static bool extension_of(const struct cert_facts *facts, enum cert_knob_extension e, CBS *out) {
    CBS oid;
    CBS_init(&oid, EXTENSIONS[e].der, EXTENSIONS[e].len);
    return box_origin_extension(whole(facts), oid, out);
}

// same_extension returns whether both have the very same extension, or both none.
static bool same_extension(const struct cert_facts *a, const struct cert_facts *b,
                           enum cert_knob_extension e) {
    CBS x, y;
    bool has_x = extension_of(a, e, &x), has_y = extension_of(b, e, &y);
    return has_x && has_y ? CBS_mem_equal(&x, CBS_data(&y), CBS_len(&y)) : has_x == has_y;
}

// copied: that both have none is no sign of copying.
static enum fit copied(const struct seen *seen, enum cert_knob_extension e) {
    CBS there;
    return !seen->has_origin                                     ? FIT_UNKNOWN
           : !same_extension(learn_leaf(seen), &seen->origin, e) ? FIT_NO
           : extension_of(&seen->origin, e, &there)              ? FIT_YES
                                                                 : FIT_UNKNOWN;
}

static bool is_critical(const struct cert_facts *facts, enum cert_knob_extension e) {
    CBS element, extension, critical;
    int has = 0;
    return extension_of(facts, e, &element) &&
           CBS_get_asn1(&element, &extension, CBS_ASN1_SEQUENCE) &&
           CBS_get_asn1(&extension, NULL, CBS_ASN1_OBJECT) &&
           CBS_get_optional_asn1(&extension, &critical, &has, CBS_ASN1_BOOLEAN) && has != 0;
}

static enum fit usage_standard(const struct seen *seen) {
    const struct cert_facts *leaf = learn_leaf(seen);
    bool rsa = leaf->key_type != NULL && strcmp(leaf->key_type, "RSA") == 0;
    unsigned bits = CERT_KU_DIGITAL_SIGNATURE | (rsa ? CERT_KU_KEY_ENCIPHERMENT : 0);
    return fit_of(leaf->has_key_usage && leaf->key_usage == bits);
}
static enum fit usage_copy(const struct seen *s) {
    return copied(s, CERT_KNOB_EXTENSION_KEY_USAGE);
}
static enum fit usage_none(const struct seen *s) { return fit_of(!learn_leaf(s)->has_key_usage); }
static enum fit usage_wrong(const struct seen *seen) {
    const struct cert_facts *leaf = learn_leaf(seen);
    return fit_of(leaf->has_key_usage && leaf->key_usage == CERT_KU_KEY_CERT_SIGN);
}

// purposes_are returns whether `purpose` is the only extended key usage.
static bool purposes_are(const struct cert_facts *leaf, const char *purpose) {
    return leaf->ext_key_usages.total == 1 && strcmp(leaf->ext_key_usages.items[0], purpose) == 0;
}

static enum fit purpose_standard(const struct seen *seen) {
    return fit_of(purposes_are(learn_leaf(seen), "serverAuth"));
}
static enum fit purpose_copy(const struct seen *seen) {
    return copied(seen, CERT_KNOB_EXTENSION_EXT_KEY_USAGE);
}
static enum fit purpose_none(const struct seen *seen) {
    return fit_of(!learn_leaf(seen)->has_ext_key_usage);
}
static enum fit purpose_wrong(const struct seen *seen) {
    return fit_of(purposes_are(learn_leaf(seen), "clientAuth"));
}

static enum fit constraints_leaf(const struct seen *seen) {
    const struct cert_facts *leaf = learn_leaf(seen);
    return fit_of(leaf->has_basic_constraints && !leaf->ca);
}
static enum fit constraints_absent(const struct seen *seen) {
    return fit_of(!learn_leaf(seen)->has_basic_constraints);
}
static enum fit constraints_ca(const struct seen *seen) { return fit_of(learn_leaf(seen)->ca); }
// or_otherwise: the server's own, and without one what `otherwise` says, which is then no sign of
// copying.
static enum fit or_otherwise(const struct seen *seen, enum cert_knob_extension e,
                             enum fit (*otherwise)(const struct seen *)) {
    CBS there;
    return !seen->has_origin                        ? FIT_UNKNOWN
           : extension_of(&seen->origin, e, &there) ? copied(seen, e)
           : otherwise(seen) == FIT_NO              ? FIT_NO
                                                    : FIT_UNKNOWN;
}
static enum fit constraints_copy(const struct seen *seen) {
    return or_otherwise(seen, CERT_KNOB_EXTENSION_BASIC_CONSTRAINTS, constraints_leaf);
}

// learn_critical says whether the extension is critical wherever it is not a copy of the server's.
static void learn_critical(struct learn *learn, const char *path, enum cert_knob_extension e,
                           bool copies) {
    struct sources sources = {.num = 0};
    bool critical = false;
    for (size_t i = 0; i < learn->num; i++) {
        const struct cert_facts *leaf = learn_leaf(learn->seen[i]);
        CBS there;
        if (leaf == NULL || !extension_of(leaf, e, &there) ||
            (copies && learn->seen[i]->has_origin &&
             extension_of(&learn->seen[i]->origin, e, &there))) {
            continue;
        }
        if (sources.num != 0 && critical != is_critical(leaf, e)) {
            learn_miss(learn, path, "it is critical in some leaves and not in others");
            return;
        }
        critical = is_critical(leaf, e);
        sources_add(&sources, learn->seen[i]);
    }
    if (sources.num != 0) {
        learn_set(learn, path, json_boolean(critical), &sources, NULL);
    }
}

static enum fit usage_either(const struct seen *seen) {
    return or_otherwise(seen, CERT_KNOB_EXTENSION_KEY_USAGE, usage_standard);
}
static enum fit purpose_either(const struct seen *seen) {
    return or_otherwise(seen, CERT_KNOB_EXTENSION_EXT_KEY_USAGE, purpose_standard);
}

// if_there: what `otherwise` says, where the server's certificate has the extension, else nothing.
static enum fit if_there(const struct seen *seen, enum cert_knob_extension e,
                         enum fit (*otherwise)(const struct seen *)) {
    CBS there;
    bool has = extension_of(learn_leaf(seen), e, &there);
    return !seen->has_origin                        ? FIT_UNKNOWN
           : extension_of(&seen->origin, e, &there) ? otherwise(seen)
           : has                                    ? FIT_NO
                                                    : FIT_UNKNOWN;
}
static enum fit usage_if_there(const struct seen *seen) {
    return if_there(seen, CERT_KNOB_EXTENSION_KEY_USAGE, usage_standard);
}
static enum fit purpose_if_there(const struct seen *seen) {
    return if_there(seen, CERT_KNOB_EXTENSION_EXT_KEY_USAGE, purpose_standard);
}
static enum fit constraints_copy_only(const struct seen *seen) {
    return copied(seen, CERT_KNOB_EXTENSION_BASIC_CONSTRAINTS);
}

// sample_first returns the first leaf.
static const struct cert_facts *sample_first(const struct learn *learn) {
    size_t i = 0;
    while (i < learn->num && learn_leaf(learn->seen[i]) == NULL) {
        i++;
    }
    CHECK(i < learn->num);
    return learn_leaf(learn->seen[i]);
}

// is_constant returns whether every leaf has the same extension `e`.
static bool is_constant(const struct learn *learn, enum cert_knob_extension e,
                        struct sources *sources) {
    const struct cert_facts *first = sample_first(learn);
    CBS there;
    bool same = extension_of(first, e, &there);
    for (size_t i = 0; i < learn->num && same; i++) {
        const struct cert_facts *leaf = learn_leaf(learn->seen[i]);
        if (leaf != NULL) {
            same = same_extension(leaf, first, e);
            sources_add(sources, learn->seen[i]);
        }
    }
    return same;
}

// learn_own_usage and learn_own_purposes are for what is the same in every leaf and no word.
static bool learn_own_usage(struct learn *learn) {
    struct sources sources = {.num = 0};
    if (!is_constant(learn, CERT_KNOB_EXTENSION_KEY_USAGE, &sources)) {
        return false;
    }
    learn_set(learn, "cert.key_usage", json_string("own"), &sources, NULL);
    learn_set(learn, "cert.key_usage_bits", json_integer(sample_first(learn)->key_usage), &sources,
              NULL);
    learn_critical(learn, "cert.key_usage_critical", CERT_KNOB_EXTENSION_KEY_USAGE, false);
    return true;
}

static bool learn_own_purposes(struct learn *learn) {
    struct sources sources = {.num = 0};
    const struct cert_strings *purposes = &sample_first(learn)->ext_key_usages;
    bool ok = is_constant(learn, CERT_KNOB_EXTENSION_EXT_KEY_USAGE, &sources) &&
              purposes->num != 0 && purposes->num == purposes->total;
    json_t *list = json_array();
    for (size_t i = 0; i < purposes->num; i++) {
        ok = ok && cert_oid_named(cert_oid_ext_key_usages, purposes->items[i]) != NULL &&
             json_array_append_new(list, json_string(purposes->items[i])) == 0;
    }
    if (ok) {
        learn_set(learn, "cert.ext_key_usage", json_string("own"), &sources, NULL);
        learn_set(learn, "cert.ext_key_usages", json_incref(list), &sources, NULL);
    }
    json_decref(list);
    return ok;
}

static void learn_usages(struct learn *learn) {
    static const struct choice usages[] = {{"standard", usage_standard},
                                           {"none", usage_none},
                                           {"copy", usage_copy},
                                           {"copy_or_standard", usage_either},
                                           {"standard_if_there", usage_if_there},
                                           {"wrong", usage_wrong}};
    static const struct choice purposes[] = {{"standard", purpose_standard},
                                             {"copy", purpose_copy},
                                             {"copy_or_standard", purpose_either},
                                             {"standard_if_there", purpose_if_there},
                                             {"none", purpose_none},
                                             {"wrong", purpose_wrong}};
    static const struct choice constraints[] = {{"copy", constraints_copy},
                                                {"leaf", constraints_leaf},
                                                {"copy_only", constraints_copy_only},
                                                {"absent", constraints_absent},
                                                {"ca", constraints_ca}};
    bool usual = learn_fits(learn, usages, ARRAY_LEN(usages));
    int usage = !usual && learn_own_usage(learn)
                    ? -1
                    : learn_choose(learn, "cert.key_usage", usages, ARRAY_LEN(usages));
    if (usage != -1 && strcmp(usages[usage].word, "none") != 0) {
        learn_critical(learn, "cert.key_usage_critical", CERT_KNOB_EXTENSION_KEY_USAGE,
                       strncmp(usages[usage].word, "copy", 4) == 0);
    }
    if (learn_fits(learn, purposes, ARRAY_LEN(purposes)) || !learn_own_purposes(learn)) {
        (void)learn_choose(learn, "cert.ext_key_usage", purposes, ARRAY_LEN(purposes));
    }
    int chosen = learn_choose(learn, "cert.basic_constraints", constraints, ARRAY_LEN(constraints));
    if (chosen != -1 && strcmp(constraints[chosen].word, "absent") != 0) {
        learn_critical(learn, "cert.basic_constraints_critical",
                       CERT_KNOB_EXTENSION_BASIC_CONSTRAINTS,
                       strncmp(constraints[chosen].word, "copy", 4) == 0);
    }
}

// there_as_origin returns whether every leaf has what `has` looks for where the server's has it.
static bool there_as_origin(const struct learn *learn, bool (*has)(const struct cert_facts *)) {
    for (size_t i = 0; i < learn->num; i++) {
        const struct seen *seen = learn->seen[i];
        if (learn_leaf(seen) != NULL &&
            (!seen->has_origin || has(learn_leaf(seen)) != has(&seen->origin))) {
            return false;
        }
    }
    return true;
}

// learn_there turns `path` to whether every leaf has what `has` looks for, or `as_origin` where
// they have what the server's has.
static void learn_there(struct learn *learn, const char *path, const char *as_origin,
                        bool (*has)(const struct cert_facts *)) {
    struct sources sources = {.num = 0};
    bool some = false, all = true;
    for (size_t i = 0; i < learn->num; i++) {
        const struct cert_facts *leaf = learn_leaf(learn->seen[i]);
        if (leaf == NULL) {
            continue;
        }
        some = some || has(leaf);
        all = all && has(leaf);
        sources_add(&sources, learn->seen[i]);
    }
    if (some != all && as_origin != NULL && there_as_origin(learn, has)) {
        learn_set(learn, as_origin, json_true(), &sources, NULL);
        return;
    }
    if (some != all) {
        learn_miss(learn, path, "some leaves have it and others do not");
        return;
    }
    learn_set(learn, path, json_boolean(all), &sources, NULL);
}

static bool has_ski(const struct cert_facts *facts) { return facts->ski != NULL; }

static bool has_aki(const struct cert_facts *facts) {
    CBS extension;
    return extension_of(facts, CERT_KNOB_EXTENSION_AUTHORITY_KEY_ID, &extension);
}

// has_aki_issuer looks for authorityCertIssuer, RFC 5280 section 4.2.1.1.
static bool has_aki_issuer(const struct cert_facts *facts) {
    enum { INSIDE = CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED };
    CBS element, extension, octets, value;
    return extension_of(facts, CERT_KNOB_EXTENSION_AUTHORITY_KEY_ID, &element) &&
           CBS_get_asn1(&element, &extension, CBS_ASN1_SEQUENCE) &&
           CBS_get_asn1(&extension, NULL, CBS_ASN1_OBJECT) &&
           CBS_get_optional_asn1(&extension, NULL, NULL, CBS_ASN1_BOOLEAN) &&
           CBS_get_asn1(&extension, &octets, CBS_ASN1_OCTETSTRING) &&
           CBS_get_asn1(&octets, &value, CBS_ASN1_SEQUENCE) &&
           CBS_get_optional_asn1(&value, NULL, NULL, CBS_ASN1_CONTEXT_SPECIFIC | 0) &&
           CBS_peek_asn1_tag(&value, INSIDE | 1);
}

static const struct cert_strings *urls_of(const struct cert_facts *facts,
                                          enum cert_knob_extension e) {
    return e == CERT_KNOB_EXTENSION_CRL ? &facts->crl_points : &facts->ocsp;
}

// learn_url turns `path` to none, copy, or own with `url_path` set to the URL of every leaf.
static void learn_url(struct learn *learn, const char *path, const char *url_path,
                      enum cert_knob_extension e) {
    struct sources sources = {.num = 0};
    bool copy = true, none = true, same = true, any = false;
    const char *url = NULL;
    for (size_t i = 0; i < learn->num; i++) {
        const struct cert_facts *leaf = learn_leaf(learn->seen[i]);
        if (leaf == NULL) {
            continue;
        }
        const struct cert_strings *urls = urls_of(leaf, e);
        const char *first = urls->num != 0 ? urls->items[0] : NULL;
        copy = copy && copied(learn->seen[i], e) != FIT_NO && learn->seen[i]->has_origin;
        none = none && first == NULL;
        same = same && first != NULL && urls->total == 1 && (!any || strcmp(url, first) == 0);
        url = first;
        any = true;
        sources_add(&sources, learn->seen[i]);
    }
    if (none || copy || same) {
        learn_set(learn, path,
                  json_string(none   ? "none"
                              : copy ? "copy"
                                     : "own"),
                  &sources, none && copy ? "no server had one to copy" : NULL);
    } else {
        learn_miss(learn, path, "the leaves have URLs that are neither the server's nor one");
    }
    if (same && !copy) {
        learn_set(learn, url_path, json_string(url), &sources, NULL);
    }
}

static void learn_scts(struct learn *learn) {
    struct sources sources = {.num = 0};
    bool copies = true, drops = true;
    for (size_t i = 0; i < learn->num; i++) {
        const struct cert_facts *leaf = learn_leaf(learn->seen[i]);
        if (leaf == NULL || !learn->seen[i]->has_origin || !learn->seen[i]->origin.has_scts) {
            continue;
        }
        copies = copies && copied(learn->seen[i], CERT_KNOB_EXTENSION_SCTS) == FIT_YES;
        drops = drops && !leaf->has_scts;
        sources_add(&sources, learn->seen[i]);
    }
    if (sources.num == 0 || (!copies && !drops)) {
        learn_miss(learn, "cert.copy_scts",
                   sources.num == 0 ? "no server's certificate with SCTs was seen"
                                    : "some leaves have the server's SCTs and others do not");
    } else {
        learn_set(learn, "cert.copy_scts", json_boolean(copies), &sources, NULL);
    }
}

// struct orders is which extension stands before which, in any leaf.
struct orders {
    bool before[CERT_KNOB_NUM_EXTENSIONS][CERT_KNOB_NUM_EXTENSIONS];
    bool there[CERT_KNOB_NUM_EXTENSIONS];
};

// orders_take adds the order in one leaf. What a profile cannot say at all is told.
static void orders_take(struct learn *learn, struct orders *orders, const struct cert_facts *leaf) {
    CBS extensions, element, oid;
    bool here[CERT_KNOB_NUM_EXTENSIONS] = {false};
    if (!box_origin_extensions(whole(leaf), &extensions)) {
        return;
    }
    while (CBS_get_asn1(&extensions, &element, CBS_ASN1_SEQUENCE) &&
           CBS_get_asn1(&element, &oid, CBS_ASN1_OBJECT)) {
        size_t e = 0;
        while (e < CERT_KNOB_NUM_EXTENSIONS &&
               !CBS_mem_equal(&oid, EXTENSIONS[e].der, EXTENSIONS[e].len)) {
            e++;
        }
        if (e == CERT_KNOB_NUM_EXTENSIONS) {
            learn_rough(learn, "The box's leaves have the extension %s, which no knob makes.",
                        cert_oid_name(cert_oid_ext_key_usages, oid, &learn->arena));
            continue;
        }
        for (size_t i = 0; i < CERT_KNOB_NUM_EXTENSIONS; i++) {
            orders->before[i][e] |= here[i];
        }
        here[e] = orders->there[e] = true;
    }
}

// orders_first returns the first extension that has none before it, of those that are left.
static size_t orders_first(const struct orders *orders) {
    for (size_t e = 0; e < CERT_KNOB_NUM_EXTENSIONS; e++) {
        bool first = orders->there[e];
        for (size_t i = 0; i < CERT_KNOB_NUM_EXTENSIONS; i++) {
            first = first && !(orders->there[i] && orders->before[i][e]);
        }
        if (first) {
            return e;
        }
    }
    return CERT_KNOB_NUM_EXTENSIONS;
}

// learn_order finds an order of the extensions that every leaf keeps.
static void learn_order(struct learn *learn) {
    struct sources sources = {.num = 0};
    struct orders orders = {.there = {false}};
    json_t *list = json_array();
    for (size_t i = 0; i < learn->num; i++) {
        const struct seen *seen = learn->seen[i];
        if (learn_leaf(seen) != NULL && !seen->again) {
            orders_take(learn, &orders, learn_leaf(seen));
            sources_add(&sources, seen);
        }
    }
    for (size_t e; (e = orders_first(&orders)) < CERT_KNOB_NUM_EXTENSIONS;) {
        CHECK(json_array_append_new(list, json_string(EXTENSIONS[e].name)) == 0);
        orders.there[e] = false;
    }
    bool left = false;
    for (size_t e = 0; e < CERT_KNOB_NUM_EXTENSIONS; e++) {
        left = left || orders.there[e];
    }
    if (!left && json_array_size(list) != 0) {
        learn_set(learn, "cert.extension_order", json_incref(list), &sources, NULL);
    } else {
        learn_miss(learn, "cert.extension_order",
                   left ? "the leaves have their extensions in different orders"
                        : "the leaves have none");
    }
    json_decref(list);
}

void learn_certificates(struct learn *learn) {
    learn_word(learn, "cert.key", knob_of_key, "key");
    learn_word(learn, "cert.digest", knob_of_digest, "signature");
    learn_usages(learn);
    learn_there(learn, "cert.subject_key_id", "cert.subject_key_id_if_there", has_ski);
    learn_there(learn, "cert.authority_key_id", "cert.authority_key_id_if_there", has_aki);
    learn_there(learn, "cert.authority_key_id_issuer", NULL, has_aki_issuer);
    learn_order(learn);
    learn_url(learn, "cert.crl", "cert.crl_url", CERT_KNOB_EXTENSION_CRL);
    learn_url(learn, "cert.ocsp", "cert.ocsp_url", CERT_KNOB_EXTENSION_OCSP);
    learn_scts(learn);
}
