// The names in a leaf: the subject and the alternative names.
#include "policy/learn/internal.h"

#include <string.h>
#include <strings.h>

#include "policy/ca/cert_knobs.h"
#include "policy/ca/cert_oid.h"
#include "policy/ca/cert_text.h"

enum { VALUE_MAX = 64 }; // RFC 5280 appendix A.1, ub-common-name and its like

// attribute_add appends one attribute as "CN=text".
static bool attribute_add(json_t *list, CBS rdn, struct arena *arena) {
    CBS attribute, oid, value;
    unsigned tag;
    if (!CBS_get_asn1(&rdn, &attribute, CBS_ASN1_SEQUENCE) || CBS_len(&rdn) != 0 ||
        !CBS_get_asn1(&attribute, &oid, CBS_ASN1_OBJECT) ||
        !CBS_get_any_asn1(&attribute, &value, &tag)) {
        return false;
    }
    json_t *text = json_sprintf("%s=%s", cert_oid_name(cert_oid_attributes, oid, arena),
                                cert_text_string(value, tag, arena));
    return text != NULL && json_array_append_new(list, text) == 0;
}

// name_texts returns a Name as a list of its attributes, NULL where it is malformed.
static json_t *name_texts(CBS name, struct arena *arena) {
    CBS rdns, rdn;
    json_t *list = json_array();
    bool ok = CBS_get_asn1(&name, &rdns, CBS_ASN1_SEQUENCE);
    while (ok && CBS_len(&rdns) != 0) {
        ok = CBS_get_asn1(&rdns, &rdn, CBS_ASN1_SET) && attribute_add(list, rdn, arena);
    }
    if (!ok) {
        json_decref(list);
        return NULL;
    }
    return list;
}

// are_sayable returns whether a profile can say each of `attributes`.
static bool are_sayable(const json_t *attributes) {
#define ATTRIBUTE_TEXT(name, kind) name "=",
    static const char *const names[] = {CERT_KNOB_ATTRIBUTES(ATTRIBUTE_TEXT)};
#undef ATTRIBUTE_TEXT
    for (size_t i = 0; i < json_array_size(attributes); i++) {
        const char *text = json_string_value(json_array_get(attributes, i));
        size_t n = 0;
        while (n < ARRAY_LEN(names) && strncmp(text, names[n], strlen(names[n])) != 0) {
            n++;
        }
        size_t len = n < ARRAY_LEN(names) ? strlen(text) - strlen(names[n]) : 0;
        if (len == 0 || len > VALUE_MAX) {
            return false;
        }
    }
    return true;
}

json_t *name_attributes(CBS name, struct arena *arena) {
    json_t *list = name_texts(name, arena);
    if (list != NULL && !are_sayable(list)) {
        json_decref(list);
        return NULL;
    }
    return list;
}

// What a subject begins with, by setting; NULL where the sighting does not tell.
enum subject { SUBJECT_CN, SUBJECT_COPY, SUBJECT_HOST };

static json_t *subject_begin(const struct seen *seen, enum subject subject, struct arena *arena) {
    switch (subject) {
    case SUBJECT_COPY:
        return seen->has_origin ? name_texts(seen->origin.raw.subject, arena) : NULL;
    case SUBJECT_CN:
        return seen->has_origin && seen->origin.subject_cn != NULL
                   ? json_pack("[s]", arena_printf(arena, "CN=%s", seen->origin.subject_cn))
                   : NULL;
    case SUBJECT_HOST:
        break;
    }
    return seen->host != NULL ? json_pack("[s]", arena_printf(arena, "CN=%s", seen->host)) : NULL;
}

// subject_rest returns what follows `begin` in `whole`, or NULL where that begins otherwise.
static json_t *subject_rest(const json_t *whole, const json_t *begin) {
    json_t *rest = json_array();
    for (size_t i = 0; i < json_array_size(whole) || i < json_array_size(begin); i++) {
        json_t *item = json_array_get(whole, i);
        bool begins = i < json_array_size(begin);
        if (begins ? item == NULL || !json_equal(item, json_array_get(begin, i))
                   : json_array_append(rest, item) != 0) {
            json_decref(rest);
            return NULL;
        }
    }
    return rest;
}

// subject_fits sets `*out_rest` to what every subject has behind its beginning, and returns it as
// NULL where they disagree.
static void subject_fits(struct learn *learn, enum subject subject, struct sources *sources,
                         json_t **out_rest) {
    *out_rest = NULL;
    for (size_t i = 0; i < learn->num; i++) {
        const struct seen *seen = learn->seen[i];
        const struct cert_facts *leaf = learn_leaf(seen);
        json_t *begin = leaf != NULL ? subject_begin(seen, subject, &learn->arena) : NULL;
        json_t *whole = begin != NULL ? name_texts(leaf->raw.subject, &learn->arena) : NULL;
        json_t *rest = whole != NULL ? subject_rest(whole, begin) : NULL;
        json_decref(whole);
        bool unknown = begin == NULL;
        json_decref(begin);
        if (unknown) {
            continue;
        }
        if (rest == NULL || (*out_rest != NULL && !json_equal(rest, *out_rest))) {
            json_decref(rest);
            json_decref(*out_rest);
            *out_rest = NULL;
            return;
        }
        json_decref(*out_rest);
        *out_rest = rest;
        sources_add(sources, seen);
    }
}

// attribute_of returns attribute number `at` of the leaf's subject as "CN={host}", "CN={cn}" or as
// it stands: `how` counts these. NULL: it is not of that kind.
static const char *attribute_of(struct learn *learn, const struct seen *seen, size_t at, int how) {
    json_t *whole = name_texts(seen->chain[0].raw.subject, &learn->arena);
    const char *text = json_string_value(json_array_get(whole, at));
    const char *value = text != NULL ? strchr(text, '=') : NULL;
    const char *same = how == 0                       ? seen->host
                       : how == 1 && seen->has_origin ? seen->origin.subject_cn
                                                      : NULL;
    const char *result = NULL;
    if (value != NULL && how == 2) {
        result = arena_dup(&learn->arena, text, strlen(text));
    } else if (value != NULL && same != NULL && strcasecmp(value + 1, same) == 0) {
        result = arena_printf(&learn->arena, "%.*s={%s}", (int)(value - text), text,
                              how == 0 ? "host" : "cn");
    }
    json_decref(whole);
    return result;
}

// attribute_for_all returns attribute number `at` in the one way that holds for every leaf, or
// NULL.
static const char *attribute_for_all(struct learn *learn, size_t at) {
    for (int how = 0; how < 3; how++) {
        const char *all = NULL;
        bool ok = true;
        for (size_t i = 0; i < learn->num && ok; i++) {
            if (learn_leaf(learn->seen[i]) != NULL) {
                const char *one = attribute_of(learn, learn->seen[i], at, how);
                ok = one != NULL && (all == NULL || strcmp(all, one) == 0);
                all = one;
            }
        }
        if (ok && all != NULL) {
            return all;
        }
    }
    return NULL;
}

// learn_attributes spells the subject out: what is the same everywhere, and where the names go.
static bool learn_attributes(struct learn *learn) {
    struct sources from = {.num = 0};
    json_t *list = json_array();
    size_t num = 0;
    bool ok = true;
    for (size_t i = 0; i < learn->num; i++) {
        const struct cert_facts *leaf = learn_leaf(learn->seen[i]);
        json_t *whole = leaf != NULL ? name_texts(leaf->raw.subject, &learn->arena) : NULL;
        ok = ok && (leaf == NULL || from.num == 0 || json_array_size(whole) == num);
        num = leaf != NULL ? json_array_size(whole) : num;
        json_decref(whole);
        leaf != NULL ? sources_add(&from, learn->seen[i]) : (void)0;
    }
    for (size_t at = 0; ok && at < num; at++) {
        const char *text = attribute_for_all(learn, at);
        ok = text != NULL && json_array_append_new(list, json_string(text)) == 0;
    }
    ok = ok && num != 0 && are_sayable(list);
    if (ok) {
        learn_set(learn, "cert.subject", json_string("attributes"), &from, NULL);
        learn_set(learn, "cert.subject_attributes", json_incref(list), &from, NULL);
    }
    json_decref(list);
    return ok;
}

static void learn_subject(struct learn *learn) {
    static const char *const words[] = {"cn", "copy", "host"};
    // Of those that fit: the one that leaves nothing over, and then the one that copies most.
    static const enum subject order[] = {SUBJECT_COPY, SUBJECT_CN, SUBJECT_HOST};
    json_t *best = NULL;
    struct sources from = {.num = 0};
    enum subject subject = SUBJECT_CN;
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        struct sources sources = {.num = 0};
        json_t *rest;
        subject_fits(learn, order[i], &sources, &rest);
        if (rest != NULL && (best == NULL || json_array_size(rest) < json_array_size(best))) {
            json_decref(best);
            best = rest;
            from = sources;
            subject = order[i];
        } else {
            json_decref(rest);
        }
    }
    if (best == NULL && learn_attributes(learn)) {
        return;
    }
    if (best == NULL) {
        learn_miss(learn, "cert.subject", "the subjects are of no one kind");
        return;
    }
    learn_set(learn, "cert.subject", json_string(words[subject]), &from, NULL);
    if (!are_sayable(best)) {
        learn_miss(learn, "cert.subject_add", "no profile can say what follows in the subject");
    } else if (json_array_size(best) != 0) {
        learn_set(learn, "cert.subject_add", json_incref(best), &from, NULL);
    }
    json_decref(best);
}

static bool same_strings(const struct cert_strings *a, const struct cert_strings *b) {
    for (size_t i = 0; i < a->num && i < b->num; i++) {
        if (strcasecmp(a->items[i], b->items[i]) != 0) {
            return false;
        }
    }
    return a->total == b->total;
}

// is_names returns whether the alternative names are those of `names`, NULL where it ends.
static bool is_names(const struct cert_facts *leaf, const char *const names[2]) {
    size_t num = names[1] != NULL ? 2 : 1;
    if (leaf->dns.num + leaf->ip.num != num) {
        return false;
    }
    for (size_t i = 0; i < num; i++) {
        const char *name =
            i < leaf->dns.num ? leaf->dns.items[i] : leaf->ip.items[i - leaf->dns.num];
        if (strcasecmp(name, names[i]) != 0) {
            return false;
        }
    }
    return true;
}

static enum fit fit_of(bool fits) { return fits ? FIT_YES : FIT_NO; }

static enum fit san_copy(const struct seen *seen) {
    const struct cert_facts *leaf = learn_leaf(seen), *origin = &seen->origin;
    return !seen->has_origin ? FIT_UNKNOWN
                             : fit_of(same_strings(&leaf->dns, &origin->dns) &&
                                      same_strings(&leaf->ip, &origin->ip));
}

static enum fit san_host(const struct seen *seen) {
    const char *names[2] = {seen->host, NULL};
    return seen->host == NULL ? FIT_UNKNOWN : fit_of(is_names(learn_leaf(seen), names));
}

static enum fit san_none(const struct seen *seen) { return fit_of(!learn_leaf(seen)->has_san); }

static enum fit san_wildcard(const struct seen *seen) {
    char wildcard[260];
    const char *dot = seen->host != NULL ? strchr(seen->host, '.') : NULL;
    if (dot == NULL || strchr(dot + 1, '.') == NULL || strlen(dot) >= sizeof(wildcard) - 1) {
        return FIT_UNKNOWN; // an emulation names the host then, too
    }
    snprintf(wildcard, sizeof(wildcard), "*%s", dot);
    return fit_of(is_names(learn_leaf(seen), (const char *const[2]){wildcard, dot + 1}));
}

static enum fit san_copy_and_host(const struct seen *seen) {
    const struct cert_strings *dns = &learn_leaf(seen)->dns, *origin = &seen->origin.dns;
    if (!seen->has_origin || seen->host == NULL) {
        return FIT_UNKNOWN;
    }
    if (!(seen->flaws & FLAW_HOST)) {
        return san_copy(seen);
    }
    struct cert_strings front = *dns;
    bool last =
        dns->num == origin->num + 1 && strcasecmp(dns->items[dns->num - 1], seen->host) == 0;
    front.num -= last;
    front.total -= last;
    return fit_of(last && same_strings(&front, origin));
}

// names_take returns whether the next name of the leaf is `name`, or whether that came before.
static bool names_take(const struct cert_strings *dns, size_t *at, const char *name) {
    for (size_t i = 0; i < *at; i++) {
        if (strcasecmp(dns->items[i], name) == 0) {
            return true;
        }
    }
    return *at < dns->num && strcasecmp(dns->items[(*at)++], name) == 0;
}

static enum fit san_all(const struct seen *seen) {
    const struct cert_strings *dns = &learn_leaf(seen)->dns, *origin = &seen->origin.dns;
    size_t at = 0;
    if (!seen->has_origin || seen->host == NULL) {
        return FIT_UNKNOWN;
    }
    bool fits = seen->origin.subject_cn == NULL || names_take(dns, &at, seen->origin.subject_cn);
    for (size_t i = 0; fits && i < origin->num; i++) {
        fits = names_take(dns, &at, origin->items[i]);
    }
    return fit_of(fits && names_take(dns, &at, seen->host) && at == dns->num);
}

// learn_own_names is for names that are the same in every leaf.
static bool learn_own_names(struct learn *learn) {
    struct sources sources = {.num = 0};
    const struct cert_facts *first = NULL;
    json_t *list = json_array();
    bool ok = true;
    for (size_t i = 0; i < learn->num && ok; i++) {
        const struct cert_facts *leaf = learn_leaf(learn->seen[i]);
        if (leaf != NULL) {
            first = first == NULL ? leaf : first;
            ok = same_strings(&leaf->dns, &first->dns) && same_strings(&leaf->ip, &first->ip);
            sources_add(&sources, learn->seen[i]);
        }
    }
    ok = ok && first != NULL && first->dns.num == first->dns.total &&
         first->ip.num == first->ip.total;
    for (size_t i = 0; ok && i < first->dns.num + first->ip.num; i++) {
        const char *name =
            i < first->dns.num ? first->dns.items[i] : first->ip.items[i - first->dns.num];
        ok = json_array_append_new(list, json_string(name)) == 0;
    }
    ok = ok && json_array_size(list) != 0;
    if (ok) {
        learn_set(learn, "cert.san", json_string("own"), &sources, NULL);
        learn_set(learn, "cert.san_names", json_incref(list), &sources, NULL);
    }
    json_decref(list);
    return ok;
}

void learn_names(struct learn *learn) {
    static const struct choice sans[] = {
        {"copy", san_copy},         {"host", san_host},
        {"wildcard", san_wildcard}, {"copy_and_host", san_copy_and_host},
        {"all", san_all},           {"none", san_none},
    };
    learn_subject(learn);
    if (learn_fits(learn, sans, ARRAY_LEN(sans)) || !learn_own_names(learn)) {
        (void)learn_choose(learn, "cert.san", sans, ARRAY_LEN(sans));
    }
}
