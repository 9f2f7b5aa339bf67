#include "proxy/probe/factor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/record/codepoint.h"
#include "proxy/probe/element.h"
#include "proxy/tls/client_hello.h"
#include "proxy/tls/hello_edit.h"

bool factor_set_has(const struct factor_set *set, size_t factor) {
    return factor < FACTORS_MAX && (set->bits[factor / 64] >> factor % 64 & 1) != 0;
}

void factor_set_add(struct factor_set *set, size_t factor) {
    CHECK(factor < FACTORS_MAX);
    set->bits[factor / 64] |= UINT64_C(1) << factor % 64;
}

void factor_set_remove(struct factor_set *set, size_t factor) {
    CHECK(factor < FACTORS_MAX);
    set->bits[factor / 64] &= ~(UINT64_C(1) << factor % 64);
}

size_t factor_set_num(const struct factor_set *set) {
    size_t num = 0;
    for (size_t i = 0; i < FACTORS_MAX; i++) {
        num += factor_set_has(set, i);
    }
    return num;
}

// What a list's elements are called; NULL: extensions inside which we don't look.
// clang-format off
static const struct {
    uint32_t list;
    enum registry registry;
    const char *noun, *order;
} nouns[] = {
    {FACTOR_LIST_CIPHERS,           REGISTRY_CIPHER,           "suite",                 "order of suites"},
    {FACTOR_LIST_EXTENSIONS,        REGISTRY_EXTENSION,        "extension",             "order of extensions"},
    {EXT_SUPPORTED_GROUPS,          REGISTRY_GROUP,            "group",                 "order of groups"},
    {EXT_KEY_SHARE,                 REGISTRY_GROUP,            "key share of",          "order of key shares"},
    {EXT_SUPPORTED_VERSIONS,        REGISTRY_VERSION,          "version",               "order of versions"},
    {EXT_SIGNATURE_ALGORITHMS,      REGISTRY_SIGNATURE_SCHEME, "signature algorithm",   "order of signature algorithms"},
    {EXT_SIGNATURE_ALGORITHMS_CERT, REGISTRY_SIGNATURE_SCHEME, "signature algorithm for certificates", "order of signature algorithms for certificates"},
    {EXT_DELEGATED_CREDENTIAL,      REGISTRY_SIGNATURE_SCHEME, "delegated credential with", "order of delegated credentials"},
    {EXT_COMPRESS_CERTIFICATE,      REGISTRY_CERT_COMPRESSION, "certificate compression", "order of certificate compressions"},
    {EXT_EC_POINT_FORMATS,          REGISTRY_POINT_FORMAT,     "point format",          "order of point formats"},
    {EXT_PSK_KEY_EXCHANGE_MODES,    REGISTRY_PSK_MODE,         "PSK mode",              "order of PSK modes"},
    {EXT_ALPN,                      REGISTRY_COUNT,            "ALPN protocol",         "order of ALPN protocols"},
};
// clang-format on

static size_t noun_find(uint32_t list) {
    size_t i = 0;
    while (i + 1 < ARRAY_LEN(nouns) && nouns[i].list != list) {
        i++;
    }
    return i;
}

// factor_new returns the next factor, or the last where there are too many.
PRINTF(5, 6)
static void factor_new(struct factors *factors, enum factor_kind kind, uint32_t list, uint32_t key,
                       const char *fmt, ...) {
    size_t i = factors->num < FACTORS_MAX ? factors->num++ : FACTORS_MAX - 1;
    struct factor *factor = &factors->factors[i];
    va_list ap;
    *factor = (struct factor){.kind = kind, .list = list, .key = key};
    va_start(ap, fmt);
    vsnprintf(factor->text, sizeof(factor->text), fmt, ap);
    va_end(ap);
}

// Text for people: what is not printable becomes a dot.
static void bytes_text(char *out, size_t out_len, const uint8_t *p, size_t p_len) {
    size_t len = p_len < out_len - 1 ? p_len : out_len - 1;
    for (size_t i = 0; i < len; i++) {
        out[i] = p[i] >= 0x20 && p[i] < 0x7f ? (char)p[i] : '.';
    }
    out[len] = '\0';
}

static void element_new(struct factors *factors, enum factor_kind kind, uint32_t list,
                        const struct element *element) {
    char name[FACTOR_TEXT_MAX / 2], buffer[CODEPOINT_NAME_MAX];
    size_t i = noun_find(list);
    if (nouns[i].registry != REGISTRY_COUNT) {
        snprintf(name, sizeof(name), "%s",
                 codepoint_name(nouns[i].registry, element->code, buffer));
    } else {
        bytes_text(name, sizeof(name), element->p + 1, element->len - 1);
    }
    factor_new(factors, kind, list, element->key, "%s %s %s", kind == FACTOR_ADDED ? "the" : "no",
               nouns[i].noun, name);
}

static void elements_compare(struct factors *factors, uint32_t list, const struct elements *passing,
                             const struct elements *failing) {
    for (size_t i = 0; i < failing->num; i++) {
        if (elements_find(passing, failing->all[i].key) == passing->num) {
            element_new(factors, FACTOR_ADDED, list, &failing->all[i]);
        }
    }
    for (size_t i = 0; i < passing->num; i++) {
        if (elements_find(failing, passing->all[i].key) == failing->num) {
            element_new(factors, FACTOR_REMOVED, list, &passing->all[i]);
        }
    }
    if (!elements_same_order(passing, failing)) {
        factor_new(factors, FACTOR_ORDER, list, 0, "that %s", nouns[noun_find(list)].order);
    }
}

static bool bytes_equal(const struct hello_bytes *a, const struct hello_bytes *b) {
    return a->len == b->len && (a->len == 0 || memcmp(a->p, b->p, a->len) == 0);
}

// Bodies that are random, but for their length.
static bool is_random(uint16_t type) {
    return type == EXT_ECH || type == EXT_PRE_SHARED_KEY || type == EXT_SESSION_TICKET ||
           codepoint_is_grease(REGISTRY_EXTENSION, type);
}

static void body_new(struct factors *factors, uint32_t key, const struct hello_extension *failing) {
    char name[CODEPOINT_NAME_MAX], host[80];
    const char *text = codepoint_name(REGISTRY_EXTENSION, failing->type, name);
    if (failing->type == EXT_SERVER_NAME && failing->body.len > 5) {
        bytes_text(host, sizeof(host), failing->body.p + 5, failing->body.len - 5);
        factor_new(factors, FACTOR_BODY, FACTOR_LIST_EXTENSIONS, key, "the server name %s", host);
    } else {
        factor_new(factors, FACTOR_BODY, FACTOR_LIST_EXTENSIONS, key,
                   "that body of %zu bytes of the extension %s", failing->body.len, text);
    }
}

static bool is_twice(const struct hello_draft *draft, uint16_t type) {
    size_t num = 0;
    for (size_t i = 0; i < draft->num_extensions; i++) {
        num += draft->extensions[i].type == type;
    }
    return num > 1;
}

// list_view sets `*out` to the elements inside `extension`. It returns false when there are none,
// or when a hello has two of these extensions: whose elements they are would be open.
static bool list_view(struct elements *out, const struct factors *factors,
                      const struct hello_extension *extension) {
    return elements_inner(out, extension->type, &extension->body) && out->num != 0 &&
           !is_twice(&factors->passing, extension->type) &&
           !is_twice(&factors->failing, extension->type);
}

// An extension that both have: the elements of its list, or its body.
static void extension_compare(struct factors *factors, uint32_t key,
                              const struct hello_extension *passing,
                              const struct hello_extension *failing) {
    struct elements p, f;
    if (list_view(&p, factors, passing) && list_view(&f, factors, failing)) {
        elements_compare(factors, failing->type, &p, &f);
    } else if (!bytes_equal(&passing->body, &failing->body) &&
               !(is_random(failing->type) && passing->body.len == failing->body.len)) {
        body_new(factors, key, failing);
    }
}

// An extension that only the failing hello has is there as soon as an element of its list is.
static void extension_added(struct factors *factors, const struct element *element,
                            const struct hello_extension *failing) {
    struct elements none = {.num = 0}, inner;
    if (list_view(&inner, factors, failing)) {
        elements_compare(factors, failing->type, &none, &inner);
    } else if (failing->type == EXT_SERVER_NAME) {
        element_new(factors, FACTOR_ADDED, FACTOR_LIST_EXTENSIONS, element);
        char host[80];
        bytes_text(host, sizeof(host), failing->body.p + 5,
                   failing->body.len > 5 ? failing->body.len - 5 : 0);
        snprintf(factors->factors[factors->num - 1].text, FACTOR_TEXT_MAX, "the server name %s",
                 host);
    } else {
        element_new(factors, FACTOR_ADDED, FACTOR_LIST_EXTENSIONS, element);
    }
}

static void extensions_compare(struct factors *factors) {
    struct elements p, f;
    CHECK(elements_extensions(&p, &factors->passing) && elements_extensions(&f, &factors->failing));
    for (size_t i = 0; i < f.num; i++) {
        const struct hello_extension *failing = &factors->failing.extensions[i];
        size_t place = elements_find(&p, f.all[i].key);
        if (place < p.num) {
            extension_compare(factors, f.all[i].key, &factors->passing.extensions[place], failing);
        } else {
            extension_added(factors, &f.all[i], failing);
        }
    }
    for (size_t i = 0; i < p.num; i++) {
        if (elements_find(&f, p.all[i].key) == f.num) {
            element_new(factors, FACTOR_REMOVED, FACTOR_LIST_EXTENSIONS, &p.all[i]);
        }
    }
    if (!elements_same_order(&p, &f)) {
        factor_new(factors, FACTOR_ORDER, FACTOR_LIST_EXTENSIONS, 0, "that order of extensions");
    }
}

static bool cuts_equal(const struct hello_draft *a, const struct hello_draft *b) {
    bool equal = a->num_record_cuts == b->num_record_cuts;
    for (size_t i = 0; equal && i < a->num_record_cuts; i++) {
        equal = a->record_cuts[i].offset == b->record_cuts[i].offset &&
                a->record_cuts[i].version == b->record_cuts[i].version;
    }
    return equal;
}

static bool segments_equal(const struct hello_draft *a, const struct hello_draft *b) {
    bool equal = a->num_segment_cuts == b->num_segment_cuts;
    for (size_t i = 0; equal && i < a->num_segment_cuts; i++) {
        equal = a->segment_cuts[i].offset == b->segment_cuts[i].offset &&
                a->segment_cuts[i].pause_ms == b->segment_cuts[i].pause_ms;
    }
    return equal;
}

static bool tails_equal(const struct hello_draft *a, const struct hello_draft *b) {
    return bytes_equal(&a->partial, &b->partial) && bytes_equal(&a->trailing, &b->trailing) &&
           a->message_excess == b->message_excess && a->extensions_excess == b->extensions_excess &&
           (a->has_extensions == b->has_extensions || a->num_extensions + b->num_extensions != 0);
}

static void fields_compare(struct factors *factors) {
    const struct hello_draft *p = &factors->passing, *f = &factors->failing;
    if (p->record_version != f->record_version) {
        factor_new(factors, FACTOR_RECORD_VERSION, 0, 0, "the record version 0x%04x",
                   f->record_version);
    }
    if (p->legacy_version != f->legacy_version) {
        factor_new(factors, FACTOR_LEGACY_VERSION, 0, 0, "the legacy version 0x%04x",
                   f->legacy_version);
    }
    if (p->session_id.len != f->session_id.len) {
        factor_new(factors, FACTOR_SESSION_ID, 0, 0, "a session id of %zu bytes",
                   f->session_id.len);
    }
    if (!bytes_equal(&p->compressions, &f->compressions)) {
        factor_new(factors, FACTOR_COMPRESSIONS, 0, 0, "those compression methods");
    }
    if (!tails_equal(p, f)) {
        factor_new(factors, FACTOR_TAIL, 0, 0, "those bytes and lengths at its end");
    }
    if (!cuts_equal(p, f)) {
        factor_new(factors, FACTOR_RECORD_CUTS, 0, 0, "its split over %zu records",
                   f->num_record_cuts + 1);
    }
    if (!segments_equal(p, f)) {
        factor_new(factors, FACTOR_SEGMENT_CUTS, 0, 0, "its split over %zu segments",
                   f->num_segment_cuts + 1);
    }
}

static void ciphers_compare(struct factors *factors) {
    struct elements p, f;
    if (elements_ciphers(&p, &factors->passing) && elements_ciphers(&f, &factors->failing)) {
        elements_compare(factors, FACTOR_LIST_CIPHERS, &p, &f);
    } else if (!bytes_equal(&factors->passing.ciphers, &factors->failing.ciphers)) {
        factor_new(factors, FACTOR_BODY, FACTOR_LIST_CIPHERS, 0, "that list of suites");
    }
}

// The hello stays one that servers take as factors are added in this order: TLS 1.3 is offered once
// all that it needs is there, and what is replaced goes after what replaces it.
static int rank(const struct factor *factor) {
    enum { LIST_LAST = 6, REST = 7 };
    bool added = factor->kind == FACTOR_ADDED, removed = factor->kind == FACTOR_REMOVED;
    if (factor->kind == FACTOR_ORDER) {
        return REST;
    }
    switch (factor->list) {
    case EXT_SUPPORTED_VERSIONS:
        return added ? 5 : 0;
    case FACTOR_LIST_EXTENSIONS:
    case EXT_ALPN:
        return removed ? 1 : 2;
    case FACTOR_LIST_CIPHERS:
    case EXT_KEY_SHARE:
        return added ? 4 : LIST_LAST;
    case 0:
        return factor->kind == FACTOR_LEGACY_VERSION || factor->kind == FACTOR_SESSION_ID ? 4
                                                                                          : REST;
    default:
        return added ? 3 : LIST_LAST;
    }
}

static void factors_sort(struct factors *factors) {
    for (size_t i = 1; i < factors->num; i++) {
        struct factor moved = factors->factors[i];
        size_t to = i;
        for (; to > 0 && rank(&factors->factors[to - 1]) > rank(&moved); to--) {
            factors->factors[to] = factors->factors[to - 1];
        }
        factors->factors[to] = moved;
    }
}

void factors_init(struct factors *factors, const struct hello_draft *passing,
                  const struct hello_draft *failing) {
    struct elements elements;
    factors->num = 0;
    hello_draft_init(&factors->passing);
    hello_draft_init(&factors->failing);
    hello_draft_copy(&factors->passing, passing);
    hello_draft_copy(&factors->failing, failing);
    bool whole = passing->format != HELLO_FORMAT_TLS || failing->format != HELLO_FORMAT_TLS ||
                 !elements_extensions(&elements, passing) ||
                 !elements_extensions(&elements, failing);
    if (whole) {
        if (!hello_draft_equal(passing, failing)) {
            factor_new(factors, FACTOR_FORMAT, 0, 0, "the form of the whole");
        }
        return;
    }
    ciphers_compare(factors);
    extensions_compare(factors);
    fields_compare(factors);
    factors_sort(factors);
}

void factors_cleanup(struct factors *factors) {
    hello_draft_cleanup(&factors->passing);
    hello_draft_cleanup(&factors->failing);
}

// factors_find returns the factor's number, or `num` where there is none: then nothing depends on
// it.
static size_t factors_find(const struct factors *factors, enum factor_kind kind, uint32_t list,
                           uint32_t key) {
    size_t i = 0;
    while (i < factors->num &&
           (factors->factors[i].kind != kind || factors->factors[i].list != list ||
            factors->factors[i].key != key)) {
        i++;
    }
    return i;
}

struct application {
    const struct factors *factors;
    const struct factor_set *set;
    uint32_t list;
};

static bool applies(const struct application *at, enum factor_kind kind, uint32_t list,
                    uint32_t key) {
    size_t i = factors_find(at->factors, kind, list, key);
    if (i == at->factors->num && at->factors->num == FACTORS_MAX) {
        i = FACTORS_MAX - 1; // it belongs to the last
    }
    return i < at->factors->num && factor_set_has(at->set, i);
}

static bool has_factor(const struct application *at, enum factor_kind kind, uint32_t list,
                       uint32_t key) {
    return factors_find(at->factors, kind, list, key) < at->factors->num;
}

// An element of both is kept; so is one that was not removed, and one that was added.
static bool element_kept(const void *ctx, uint32_t key) {
    const struct application *at = ctx;
    if (has_factor(at, FACTOR_ADDED, at->list, key)) {
        return applies(at, FACTOR_ADDED, at->list, key);
    }
    return !(has_factor(at, FACTOR_REMOVED, at->list, key) &&
             applies(at, FACTOR_REMOVED, at->list, key));
}

static void elements_apply(struct elements *out, const struct application *at,
                           const struct elements *passing, const struct elements *failing) {
    bool failing_order =
        !has_factor(at, FACTOR_ORDER, at->list, 0) || applies(at, FACTOR_ORDER, at->list, 0);
    elements_merge(out, failing_order ? failing : passing, failing_order ? passing : failing,
                   failing, element_kept, at);
}

static void bytes_join(struct hello_bytes *out, const struct elements *elements, size_t prefix) {
    size_t len = prefix;
    for (size_t i = 0; i < elements->num; i++) {
        len += elements->all[i].len;
    }
    uint8_t *bytes = xmalloc(len + 1), *at = bytes + prefix;
    for (size_t i = 0; i < prefix; i++) {
        bytes[i] = (uint8_t)((len - prefix) >> (8 * (prefix - 1 - i)));
    }
    for (size_t i = 0; i < elements->num; i++) {
        if (elements->all[i].len != 0) {
            memcpy(at, elements->all[i].p, elements->all[i].len);
            at += elements->all[i].len;
        }
    }
    hello_bytes_set(out, bytes, len);
    free(bytes);
}

static const struct hello_extension *extension_of(const struct hello_draft *draft,
                                                  const struct elements *elements, uint32_t key) {
    size_t place = elements_find(elements, key);
    return place < elements->num ? &draft->extensions[place] : NULL;
}

// The body of an extension of either or both. It returns false where a list becomes empty: then the
// extension is left out.
static bool body_apply(struct hello_bytes *out, const struct application *at, uint32_t key,
                       const struct hello_extension *passing,
                       const struct hello_extension *failing) {
    struct elements p = {.num = 0}, f = {.num = 0}, merged;
    const struct hello_extension *one = failing != NULL ? failing : passing;
    struct application inner = {at->factors, at->set, one->type};
    bool lists = failing != NULL && list_view(&f, at->factors, failing) &&
                 (passing == NULL || list_view(&p, at->factors, passing));
    if (lists) {
        elements_apply(&merged, &inner, &p, &f);
        bytes_join(out, &merged, elements_prefix(one->type));
        return merged.num != 0;
    }
    bool differ = has_factor(at, FACTOR_BODY, FACTOR_LIST_EXTENSIONS, key);
    if (passing != NULL && failing != NULL && differ &&
        !applies(at, FACTOR_BODY, FACTOR_LIST_EXTENSIONS, key)) {
        one = passing;
    }
    hello_bytes_set(out, one->body.p, one->body.len);
    return true;
}

static void extensions_apply(struct hello_draft *out, const struct application *at) {
    const struct factors *factors = at->factors;
    struct elements p, f, merged;
    CHECK(elements_extensions(&p, &factors->passing) && elements_extensions(&f, &factors->failing));
    elements_apply(&merged, at, &p, &f);
    while (out->num_extensions != 0) {
        hello_edit_remove_at(out, out->num_extensions - 1);
    }
    for (size_t i = 0; i < merged.num; i++) {
        uint32_t key = merged.all[i].key;
        struct hello_bytes body = {0};
        if (body_apply(&body, at, key, extension_of(&factors->passing, &p, key),
                       extension_of(&factors->failing, &f, key))) {
            hello_edit_insert(out, out->num_extensions, merged.all[i].code, body.p, body.len);
        }
        hello_bytes_set(&body, NULL, 0);
    }
}

static void ciphers_apply(struct hello_draft *out, const struct application *at) {
    const struct factors *factors = at->factors;
    struct elements p, f, merged;
    if (elements_ciphers(&p, &factors->passing) && elements_ciphers(&f, &factors->failing)) {
        elements_apply(&merged, at, &p, &f);
        bytes_join(&out->ciphers, &merged, 0);
    } else if (!applies(at, FACTOR_BODY, FACTOR_LIST_CIPHERS, 0)) {
        hello_bytes_set(&out->ciphers, factors->passing.ciphers.p, factors->passing.ciphers.len);
    }
}

// Fields that are not lists: `out` has those of the failing hello.
static void fields_apply(struct hello_draft *out, const struct application *at) {
    const struct hello_draft *p = &at->factors->passing;
    if (!applies(at, FACTOR_RECORD_VERSION, 0, 0)) {
        out->record_version = p->record_version;
    }
    if (!applies(at, FACTOR_LEGACY_VERSION, 0, 0)) {
        out->legacy_version = p->legacy_version;
    }
    if (has_factor(at, FACTOR_SESSION_ID, 0, 0) && !applies(at, FACTOR_SESSION_ID, 0, 0)) {
        hello_bytes_set(&out->session_id, p->session_id.p, p->session_id.len);
    }
    if (!applies(at, FACTOR_COMPRESSIONS, 0, 0)) {
        hello_bytes_set(&out->compressions, p->compressions.p, p->compressions.len);
    }
    if (!applies(at, FACTOR_TAIL, 0, 0)) {
        hello_bytes_set(&out->partial, p->partial.p, p->partial.len);
        hello_bytes_set(&out->trailing, p->trailing.p, p->trailing.len);
        out->message_excess = p->message_excess;
        out->extensions_excess = p->extensions_excess;
    }
    if (!applies(at, FACTOR_RECORD_CUTS, 0, 0)) {
        memcpy(out->record_cuts, p->record_cuts, sizeof(out->record_cuts));
        out->num_record_cuts = p->num_record_cuts;
    }
    if (!applies(at, FACTOR_SEGMENT_CUTS, 0, 0)) {
        memcpy(out->segment_cuts, p->segment_cuts, sizeof(out->segment_cuts));
        out->num_segment_cuts = p->num_segment_cuts;
    }
}

void factors_apply(const struct factors *factors, struct hello_draft *out,
                   const struct factor_set *set) {
    struct application at = {factors, set, FACTOR_LIST_EXTENSIONS};
    if (factors->num == 1 && factors->factors[0].kind == FACTOR_FORMAT) {
        hello_draft_copy(out, factor_set_has(set, 0) ? &factors->failing : &factors->passing);
        return;
    }
    hello_draft_copy(out, &factors->failing);
    extensions_apply(out, &at);
    if (out->num_extensions == 0) {
        bool passing = factors->passing.num_extensions == 0 && !applies(&at, FACTOR_TAIL, 0, 0);
        out->has_extensions = (passing ? &factors->passing : &factors->failing)->has_extensions;
    }
    at.list = FACTOR_LIST_CIPHERS;
    ciphers_apply(out, &at);
    fields_apply(out, &at);
}

static bool are_alike(const struct factor *a, const struct factor *b,
                      enum factor_likeness likeness) {
    if (a->kind != b->kind || (a->kind != FACTOR_ADDED && a->kind != FACTOR_REMOVED)) {
        return false;
    }
    if (likeness == FACTOR_LIKE_GREASE) {
        return element_key_is_grease(a->key) && element_key_is_grease(b->key);
    }
    return a->list == b->list && a->list != FACTOR_LIST_EXTENSIONS;
}

void factors_group(const struct factors *factors, struct factor_set *out, size_t factor,
                   enum factor_likeness likeness) {
    CHECK(factor < factors->num);
    *out = (struct factor_set){0};
    for (size_t i = 0; i < factors->num; i++) {
        if (i == factor || are_alike(&factors->factors[factor], &factors->factors[i], likeness)) {
            factor_set_add(out, i);
        }
    }
}
