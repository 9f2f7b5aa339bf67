// What became of the server's certificate.
#include "logs/compare/internal.h"

#include <string.h>

#include "logs/record/difference.h"
#include "logs/record/text.h"
#include "logs/record/time.h"

static const struct obj *leaf_of(const struct obj *leg) {
    return obj_num(leg, F_LEG_CHAIN) != 0 ? obj_at(leg, F_LEG_CHAIN, 0) : NULL;
}

static bool same(const struct obj *a, const struct obj *b, enum field field) {
    return obj_has(a, field) && obj_has(b, field) &&
           difference_find(a, b, field) == DIFFERENCE_NONE;
}

static bool shares_a_name(const struct obj *a, const struct obj *b) {
    for (size_t i = 0; i < obj_num(a, F_CERT_SANS); i++) {
        for (size_t k = 0; k < obj_num(b, F_CERT_SANS); k++) {
            struct span x = obj_item(a, F_CERT_SANS, i), y = obj_item(b, F_CERT_SANS, k);
            if (x.len == y.len && x.len != 0 && memcmp(x.p, y.p, x.len) == 0) {
                return true;
            }
        }
    }
    return false;
}

// re_signed returns whether one of two leaves was made after the other. A box may copy the issuer's
// name, but not its key.
static bool re_signed(const struct obj *a, const struct obj *b) {
    bool signer =
        !same(a, b, F_CERT_ISSUER) || difference_find(a, b, F_CERT_AKI) != DIFFERENCE_NONE;
    size_t subject = obj_span(a, F_CERT_SUBJECT).len;
    return signer && ((subject != 0 && same(a, b, F_CERT_SUBJECT)) || shares_a_name(a, b) ||
                      same(a, b, F_CERT_SERIAL));
}

static void fields_write(struct obj *out, const struct obj *a, const struct obj *b) {
    for (enum field field = F_CERT_FIRST; field < F_CERT_END; field++) {
        if (field == F_CERT_SHA256) {
            continue;
        }
        if (same(a, b, field)) {
            const char *label = field_row(field)->label;
            obj_add_str(out, F_COMPARISON_CERT_KEPT, label, strlen(label));
        }
        comparison_change(out, F_COMPARISON_CERT_CHANGED, a, b, field);
    }
}

// Each returns whether `leaf` has a defect at `seconds` since 1970, and since or until when.
static bool expired(const struct obj *leaf, int64_t seconds, int64_t *out_when) {
    return obj_int(leaf, F_CERT_NOT_AFTER, out_when) && *out_when < seconds;
}

static bool not_yet_valid(const struct obj *leaf, int64_t seconds, int64_t *out_when) {
    return obj_int(leaf, F_CERT_NOT_BEFORE, out_when) && *out_when > seconds;
}

static bool self_signed(const struct obj *leaf, int64_t seconds, int64_t *out_when) {
    (void)seconds;
    *out_when = 0;
    return obj_is(leaf, F_CERT_SELF_SIGNED, 1);
}

// Defects of the certificate at B that the one at A does not have.
static const struct {
    const char *id, *says;
    bool (*has)(const struct obj *leaf, int64_t seconds, int64_t *out_when);
} HIDDEN[] = {
    // clang-format off
    {"hidden-expiry",        "expired at ",          expired},
    {"hidden-not-yet-valid", "is not valid before ", not_yet_valid},
    {"hidden-self-signed",   "is self-signed",       self_signed},
    // clang-format on
};

static void hidden_write(struct obj *out, const struct comparison_side *a,
                         const struct comparison_side *b) {
    for (size_t i = 0; i < ARRAY_LEN(HIDDEN); i++) {
        int64_t when, unused;
        if (!HIDDEN[i].has(leaf_of(b->leg), b->time_ms / 1000, &when) ||
            HIDDEN[i].has(leaf_of(a->leg), a->time_ms / 1000, &unused)) {
            continue;
        }
        char text[TIME_TEXT_MAX] = "";
        if (when != 0) {
            time_format(text, when, -1);
        }
        comparison_find(out, HIDDEN[i].id,
                        arena_printf(obj_arena(out),
                                     "The certificate at B %s%s; the one that A is shown hides it.",
                                     HIDDEN[i].says, text));
    }
}

static void chain_write(struct obj *out, const struct obj *a, const struct obj *b) {
    size_t num_a = obj_num(a, F_LEG_CHAIN), num_b = obj_num(b, F_LEG_CHAIN);
    bool equal = num_a == num_b;
    for (size_t i = 1; equal && i < num_a; i++) {
        equal = same(obj_at(a, F_LEG_CHAIN, i), obj_at(b, F_LEG_CHAIN, i), F_CERT_SHA256);
    }
    if (!equal) {
        comparison_find(out, "chain-changed",
                        arena_printf(obj_arena(out),
                                     "The leaf is the same, but other certificates follow it: %zu "
                                     "certificates at A, %zu at B.",
                                     num_a, num_b));
    }
}

static void unseen_write(struct obj *out, const struct obj *a, const struct obj *b) {
    bool in_a = leaf_of(a) != NULL, in_b = leaf_of(b) != NULL;
    bool encrypted = obj_str_is(in_a ? b : a, F_LEG_TLS_VERSION, "1.3");
    obj_set_str(out, F_COMPARISON_CERT, in_a ? "missing-b" : in_b ? "missing-a" : "not-seen");
    obj_set_str(
        out, F_COMPARISON_CERT_SAYS,
        arena_printf(obj_arena(out), "not seen %s%s",
                     in_a   ? "at B"
                     : in_b ? "at A"
                            : "on either side",
                     encrypted ? ": TLS 1.3 encrypts it, and a key log would show it" : ""));
}

bool comparison_certificate(struct obj *out, const struct comparison_side *a,
                            const struct comparison_side *b) {
    const struct obj *x = leaf_of(a->leg), *y = leaf_of(b->leg);
    if (x == NULL || y == NULL) {
        unseen_write(out, a->leg, b->leg);
        return false;
    }
    if (same(x, y, F_CERT_SHA256)) {
        obj_set_str(out, F_COMPARISON_CERT, "same");
        obj_set_str(out, F_COMPARISON_CERT_SAYS, "the same on both sides");
        chain_write(out, a->leg, b->leg);
        return false;
    }
    bool made = re_signed(x, y);
    obj_set_str(out, F_COMPARISON_CERT, made ? "re-signed" : "other");
    obj_set_str(out, F_COMPARISON_CERT_SAYS,
                made ? "re-signed: A is shown a certificate made after the one at B"
                     : "another one: it has neither the subject nor a name of the one at B");
    fields_write(out, x, y);
    if (made) {
        hidden_write(out, a, b);
    }
    return true;
}
