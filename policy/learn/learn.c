#include "policy/learn/internal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "policy/ca/host_name.h"
#include "policy/profiles/profile.h"

enum { TEXT_MAX = 512 };

struct learn *learn_new(const char *name) {
    struct learn *learn = xcalloc(1, sizeof(*learn));
    learn->name = arena_dup(&learn->arena, name, strlen(name));
    return learn;
}

void learn_free(struct learn *learn) {
    if (learn != NULL) {
        arena_cleanup(&learn->arena);
        free(learn);
    }
}

static const struct obj *leg_copy(struct learn *learn, const struct obj *leg) {
    struct obj *copy = obj_new(&learn->arena, KIND_LEG);
    if (leg != NULL) {
        obj_copy(copy, leg);
    }
    return copy;
}

static bool same_bytes(struct span a, struct span b) {
    return a.len == b.len && a.len != 0 && memcmp(a.p, b.p, a.len) == 0;
}

static unsigned flaws_of(const struct seen *seen) {
    const struct cert_facts *origin = &seen->origin;
    struct host_name host;
    unsigned flaws = 0;
    if (!seen->has_origin) {
        return 0;
    }
    if ((origin->has_not_after && origin->not_after < seen->time) ||
        (origin->has_not_before && origin->not_before > seen->time)) {
        flaws |= FLAW_DATES;
    }
    if (seen->host != NULL && host_name_init(&host, seen->host) &&
        !host_name_in_san(&host, origin->raw.san, NULL)) {
        flaws |= FLAW_HOST;
    }
    return cert_facts_self_signed(origin) ? flaws | FLAW_SELF_SIGNED : flaws;
}

// has_left returns whether the box broke the handshake off when it had the certificate.
static bool has_left(const struct seen *seen) {
    return seen->has_origin && !seen->passed && !obj_is(seen->behind, F_LEG_TLS_ESTABLISHED, 1) &&
           obj_str_is(seen->behind, F_LEG_END_AT, "certificate");
}

static void seen_certificates(struct seen *seen, struct arena *arena) {
    size_t num = obj_num(seen->front, F_LEG_CERTIFICATE_CHAIN);
    for (size_t i = 0; i < num && i < SEEN_CHAIN_MAX; i++) {
        struct span der = obj_item(seen->front, F_LEG_CERTIFICATE_CHAIN, i);
        (void)cert_facts_parse(&seen->chain[seen->num_chain++], arena, der.p, der.len);
    }
    if (obj_num(seen->behind, F_LEG_CERTIFICATE_CHAIN) != 0) {
        struct span der = obj_item(seen->behind, F_LEG_CERTIFICATE_CHAIN, 0);
        (void)cert_facts_parse(&seen->origin, arena, der.p, der.len);
        seen->has_origin = true;
    }
    seen->flaws = flaws_of(seen);
}

bool learn_add(struct learn *learn, const struct learn_sighting *sighting) {
    if (learn->num == LEARN_MAX_SIGHTINGS) {
        return false;
    }
    struct seen *seen = arena_alloc(&learn->arena, sizeof(*seen));
    *seen = (struct seen){
        .id = arena_dup(&learn->arena, sighting->id, strlen(sighting->id)),
        .host = sighting->host == NULL
                    ? NULL
                    : arena_dup(&learn->arena, sighting->host, strlen(sighting->host)),
        .time = sighting->time,
        .front = leg_copy(learn, sighting->front),
        .behind = leg_copy(learn, sighting->behind),
    };
    seen->passed =
        same_bytes(obj_span(seen->front, F_LEG_OFFER_RAW), obj_span(seen->behind, F_LEG_OFFER_RAW));
    seen_certificates(seen, &learn->arena);
    seen->left = has_left(seen);
    seen->minded = seen->left && seen->num_chain != 0;
    learn->seen[learn->num++] = seen;
    return true;
}

static bool same_issuer(const struct cert_facts *a, const struct cert_facts *b) {
    return CBS_mem_equal(&a->raw.issuer, CBS_data(&b->raw.issuer), CBS_len(&b->raw.issuer));
}

static bool same_certificate(const struct cert_facts *a, const struct cert_facts *b) {
    return memcmp(a->sha256, b->sha256, sizeof(a->sha256)) == 0;
}

// votes counts the leaves of the issuer of `leaf`; one for a sound server counts more than all that
// are for bad ones.
static size_t votes(const struct learn *learn, const struct cert_facts *leaf) {
    size_t num = 0;
    for (size_t i = 0; i < learn->num; i++) {
        const struct seen *seen = learn->seen[i];
        if (!seen->passed && seen->num_chain != 0 && same_issuer(&seen->chain[0], leaf)) {
            num += seen->flaws == 0 ? LEARN_MAX_SIGHTINGS : 1;
        }
    }
    return num;
}

static int seen_cmp(const void *a, const void *b) {
    const struct seen *x = *(struct seen *const *)a, *y = *(struct seen *const *)b;
    return (x->time > y->time) - (x->time < y->time);
}

// sightings_sort finds out which leaves are the usual ones, and which came before.
static void sightings_sort(struct learn *learn) {
    const struct cert_facts *most = NULL;
    if (learn->num != 0) {
        qsort(learn->seen, learn->num, sizeof(learn->seen[0]), seen_cmp);
    }
    for (size_t i = 0; i < learn->num; i++) {
        const struct seen *seen = learn->seen[i];
        if (!seen->passed && seen->num_chain != 0 &&
            (most == NULL || votes(learn, &seen->chain[0]) > votes(learn, most))) {
            most = &seen->chain[0];
        }
    }
    for (size_t i = 0; i < learn->num; i++) {
        struct seen *seen = learn->seen[i];
        seen->usual = most != NULL && !seen->passed && seen->num_chain != 0 &&
                      same_issuer(&seen->chain[0], most);
        for (size_t j = 0; j < i && seen->num_chain != 0; j++) {
            seen->again |= learn->seen[j]->num_chain != 0 &&
                           same_certificate(&learn->seen[j]->chain[0], &seen->chain[0]);
        }
    }
}

// samples_take takes the usual leaves; of those for servers that the box minds only where there are
// no others.
static void samples_take(struct learn *learn) {
    bool any = false;
    for (size_t i = 0; i < learn->num; i++) {
        any = any || (learn->seen[i]->usual && !learn->seen[i]->minded);
    }
    for (size_t i = 0; i < learn->num; i++) {
        struct seen *seen = learn->seen[i];
        seen->sample = seen->usual && !(any && seen->minded);
    }
}

const struct cert_facts *learn_leaf(const struct seen *seen) {
    return seen->sample ? &seen->chain[0] : NULL;
}

void sources_add(struct sources *sources, const struct seen *seen) {
    if (sources->num < ARRAY_LEN(sources->ids)) {
        sources->ids[sources->num] = seen->id;
    }
    sources->num++;
}

static void sources_text(char out[TEXT_MAX], const struct sources *sources) {
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sources->num && i < ARRAY_LEN(sources->ids); i++) {
        len += (size_t)snprintf(out + len, TEXT_MAX - len, "%s%.100s", i == 0 ? "" : ", ",
                                sources->ids[i]);
    }
    if (sources->num > ARRAY_LEN(sources->ids)) {
        snprintf(out + len, TEXT_MAX - len, " and %zu more",
                 sources->num - ARRAY_LEN(sources->ids));
    }
}

static void add_text(json_t *list, const char *text) {
    CHECK(json_array_append_new(list, json_string(text)) == 0);
}

void learn_set(struct learn *learn, const char *path, json_t *value, const struct sources *sources,
               const char *beside) {
    char ids[TEXT_MAX];
    json_t *object = learn->root;
    const char *name = path, *dot;
    while ((dot = strchr(name, '.')) != NULL) {
        char *key = xmemdup(name, (size_t)(dot - name));
        json_t *inside = json_object_get(object, key);
        if (inside == NULL) {
            CHECK(json_object_set_new(object, key, inside = json_object()) == 0);
        }
        free(key);
        object = inside;
        name = dot + 1;
    }
    sources_text(ids, sources);
    json_t *text = json_sprintf("%s, from %zu record%s: %s%s%s", path, sources->num,
                                sources->num == 1 ? "" : "s", ids, beside != NULL ? "; " : "",
                                beside != NULL ? beside : "");
    CHECK(value != NULL && text != NULL && json_object_set_new(object, name, value) == 0 &&
          json_array_append_new(learn->learned, text) == 0);
}

void learn_miss(struct learn *learn, const char *path, const char *fmt, ...) {
    char why[TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(why, sizeof(why), fmt, args);
    va_end(args);
    json_t *text = json_sprintf("%s: %s", path, why);
    CHECK(text != NULL && json_array_append_new(learn->missed, text) == 0);
}

void learn_rough(struct learn *learn, const char *fmt, ...) {
    char text[TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    add_text(learn->rough, text);
}

// choice_fits returns NO where a sighting disagrees, YES where one agrees and none does not.
static enum fit choice_fits(const struct learn *learn, const struct choice *choice,
                            struct sources *sources) {
    enum fit all = FIT_UNKNOWN;
    for (size_t i = 0; i < learn->num; i++) {
        enum fit fit =
            learn_leaf(learn->seen[i]) != NULL ? choice->fits(learn->seen[i]) : FIT_UNKNOWN;
        if (fit == FIT_NO) {
            return FIT_NO;
        }
        if (fit == FIT_YES) {
            sources_add(sources, learn->seen[i]);
            all = FIT_YES;
        }
    }
    return all;
}

bool learn_fits(const struct learn *learn, const struct choice *choices, size_t num_choices) {
    for (size_t i = 0; i < num_choices; i++) {
        struct sources sources = {.num = 0};
        if (choice_fits(learn, &choices[i], &sources) == FIT_YES) {
            return true;
        }
    }
    return false;
}

int learn_choose(struct learn *learn, const char *path, const struct choice *choices,
                 size_t num_choices) {
    struct sources sources = {.num = 0}, other;
    char beside[TEXT_MAX] = "";
    size_t len = 0;
    int chosen = -1;
    for (size_t i = 0; i < num_choices; i++) {
        other = (struct sources){.num = 0};
        if (choice_fits(learn, &choices[i], &other) != FIT_YES) {
            continue;
        }
        if (chosen == -1) {
            chosen = (int)i;
            sources = other;
        } else if (len < sizeof(beside)) {
            len += (size_t)snprintf(beside + len, sizeof(beside) - len, "%s\"%s\"",
                                    len == 0 ? "they fit as well: " : ", ", choices[i].word);
        }
    }
    if (chosen == -1) {
        learn_miss(learn, path, "the leaves fit none of its settings");
    } else {
        learn_set(learn, path, json_string(choices[chosen].word), &sources,
                  len != 0 ? beside : NULL);
    }
    return chosen;
}

static bool any_between(const struct learn *learn) {
    for (size_t i = 0; i < learn->num; i++) {
        if (!learn->seen[i]->passed) {
            return true;
        }
    }
    return false;
}

static bool any_leaf(const struct learn *learn) {
    for (size_t i = 0; i < learn->num; i++) {
        if (learn_leaf(learn->seen[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static void learn_all(struct learn *learn) {
    learn_hellos(learn);
    learn_invalid(learn);
    if (!any_leaf(learn)) {
        learn_miss(learn, "cert",
                   "no certificate that the box made was seen: it was encrypted "
                   "(TLS 1.3 without its secrets), or the session was resumed");
        return;
    }
    learn_names(learn);
    learn_certificates(learn);
    learn_issues(learn);
    learn_authority(learn);
}

// drop_nameless takes back what is known of a CA whose name is not.
static void drop_nameless(struct learn *learn) {
    json_t *cert = json_object_get(learn->root, "cert");
    json_t *ca = json_object_get(cert, "ca");
    if (ca != NULL && json_object_get(ca, "subject") == NULL) {
        json_object_del(cert, "ca");
    }
}

// learn_checked appends the profile where it can be read back, which it must.
static bool learn_checked(const struct learn *learn, struct buf *out, struct err *err) {
    char *text = json_dumps(learn->root, JSON_INDENT(2));
    CHECK(text != NULL);
    struct profile *profile = profile_parse("the learned profile", text, strlen(text), err);
    bool ok = profile != NULL &&
              (buf_printf(out, "%s\n", text) || err_set(err, "the learned profile is too long"));
    profile_unref(profile);
    free(text);
    return ok;
}

bool learn_print(struct learn *learn, struct buf *out, struct err *err) {
    if (!any_between(learn)) {
        return err_set(err, learn->num == 0 ? "no connection was seen on both sides of a box"
                                            : "the hellos are the same on both sides: nobody "
                                              "stood in between");
    }
    sightings_sort(learn);
    samples_take(learn);
    learn->root = json_pack("{s:s, s:s, s:s}", "name", learn->name, "line", "learned from records",
                            "confidence", "measured");
    learn->learned = json_array();
    learn->missed = json_array();
    learn->rough = json_array();
    CHECK(learn->root != NULL);
    learn_all(learn);
    drop_nameless(learn);
    CHECK(json_object_set_new(learn->root, "approximations", learn->rough) == 0 &&
          json_object_set_new(learn->root, "learned", learn->learned) == 0 &&
          json_object_set_new(learn->root, "not_learned", learn->missed) == 0);
    bool ok = learn_checked(learn, out, err);
    json_decref(learn->root);
    learn->root = NULL;
    return ok;
}
