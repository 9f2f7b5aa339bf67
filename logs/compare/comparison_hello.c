// What became of the ClientHello.
#include "logs/compare/internal.h"

#include <string.h>

// What became of a hello on the way from A to B.
enum hello_how {
    HELLO_UNSEEN,
    HELLO_MISSING_A,
    HELLO_MISSING_B,
    HELLO_IDENTICAL,
    HELLO_EDITED,
    HELLO_REGENERATED,
    HELLO_ALIKE,
};

static const struct {
    const char *name, *says;
    bool differs;
} HELLOS[] = {
    // clang-format off
    [HELLO_UNSEEN]      = {"not-seen",       "neither A nor B saw a ClientHello", false},
    [HELLO_MISSING_A]   = {"missing-a",      "B saw a ClientHello that A did not see", true},
    [HELLO_MISSING_B]   = {"missing-b",      "A saw a ClientHello that never came to B", true},
    [HELLO_IDENTICAL]   = {"identical",      "identical, byte for byte: nothing touched it on the way", false},
    [HELLO_EDITED]      = {"edited",         "edited on the way: it is the same client's hello, but its bytes were changed", true},
    [HELLO_REGENERATED] = {"re-generated",   NULL, true},
    [HELLO_ALIKE]       = {"alike",          "alike: another hello that offers the same, so two connections of one client, or a box that copies its client", false},
    // clang-format on
};

static bool spans_equal(struct span a, struct span b) {
    return a.len == b.len && a.len != 0 && memcmp(a.p, b.p, a.len) == 0;
}

bool comparison_same_random(const struct hello_parts *a, const struct hello_parts *b) {
    return spans_equal(a->random, b->random);
}

static bool share_a_key(const struct hello_parts *a, const struct hello_parts *b) {
    for (size_t i = 0; i < a->num_key_shares; i++) {
        for (size_t k = 0; k < b->num_key_shares; k++) {
            if (spans_equal(a->key_shares[i], b->key_shares[k])) {
                return true;
            }
        }
    }
    return false;
}

// random_copied: a box of its own keys has taken over the client's random.
static bool random_copied(const struct hello_parts *a, const struct hello_parts *b) {
    return comparison_same_random(a, b) && a->num_key_shares != 0 && b->num_key_shares != 0 &&
           !share_a_key(a, b);
}

static enum hello_how hello_find(const struct obj *out, const struct comparison_side *a,
                                 const struct comparison_side *b, enum pair_reason reason) {
    bool in_a = obj_has(a->leg, F_LEG_OFFER_CIPHERS), in_b = obj_has(b->leg, F_LEG_OFFER_CIPHERS);
    if (!in_a || !in_b) {
        return in_a ? HELLO_MISSING_B : in_b ? HELLO_MISSING_A : HELLO_UNSEEN;
    }
    if (spans_equal(a->hello.message, b->hello.message)) {
        return HELLO_IDENTICAL;
    }
    bool copied = random_copied(&a->hello, &b->hello);
    if (!copied &&
        (comparison_same_random(&a->hello, &b->hello) || share_a_key(&a->hello, &b->hello))) {
        return HELLO_EDITED;
    }
    bool same_offer = obj_num(out, F_COMPARISON_DIFFERENCES) == 0;
    bool re_signed = obj_str_is(out, F_COMPARISON_CERT, "re-signed");
    return pair_is_certain(reason) || !same_offer || re_signed ? HELLO_REGENERATED : HELLO_ALIKE;
}

// body_of returns the first extension of `type`, or NULL.
static const struct hello_extension *body_of(const struct hello_parts *hello, uint16_t type) {
    for (size_t i = 0; i < hello->num_extensions; i++) {
        if (hello->extensions[i].type == type) {
            return &hello->extensions[i];
        }
    }
    return NULL;
}

static void edited_add(struct obj *out, const char *part) {
    obj_add_str(out, F_COMPARISON_HELLO_EDITED, part, strlen(part));
}

// edited_extensions tells of extensions that both hellos have: other bytes, another order.
static void edited_extensions(struct obj *out, const struct hello_parts *a,
                              const struct hello_parts *b) {
    char name[CODEPOINT_NAME_MAX];
    const struct hello_extension *last = NULL;
    bool moved = false;
    for (size_t i = 0; i < a->num_extensions; i++) {
        const struct hello_extension *x = &a->extensions[i], *y = body_of(b, x->type);
        if (y == NULL) {
            continue;
        }
        moved = moved || (last != NULL && y < last);
        last = y;
        if (x->body.len != y->body.len ||
            (x->body.len != 0 && memcmp(x->body.p, y->body.p, x->body.len) != 0)) {
            edited_add(out, codepoint_name(REGISTRY_EXTENSION, x->type, name));
        }
    }
    if (moved) {
        edited_add(out, "the order of extensions");
    }
}

// edited_offset is for bytes that have no name.
static void edited_offset(struct obj *out, struct span a, struct span b) {
    size_t i = 0;
    while (i < a.len && i < b.len && a.p[i] == b.p[i]) {
        i++;
    }
    edited_add(out, arena_printf(obj_arena(out), "bytes from offset %zu on", i));
}

static void edited_write(struct obj *out, const struct hello_parts *a,
                         const struct hello_parts *b) {
    if (!comparison_same_random(a, b)) {
        edited_add(out, "the client random");
    }
    if (!spans_equal(a->session_id, b->session_id) && a->session_id.len + b->session_id.len != 0) {
        edited_add(out, "the session id");
    }
    edited_extensions(out, a, b);
    if (obj_num(out, F_COMPARISON_HELLO_EDITED) == 0 &&
        obj_num(out, F_COMPARISON_DIFFERENCES) == 0) {
        edited_offset(out, a->message, b->message);
    }
}

static const char *regenerated_says(struct obj *out, enum pair_reason reason) {
    const char *same = obj_num(out, F_COMPARISON_DIFFERENCES) == 0 ? ", with the same offer" : "";
    if (reason == PAIR_LEGS) {
        return arena_printf(obj_arena(out), "re-generated%s: the proxy ended TLS and began it anew",
                            same);
    }
    return arena_printf(obj_arena(out),
                        "re-generated%s: %ssomebody between A and B ended TLS and began it anew",
                        same, pair_is_certain(reason) ? "" : "if they are one connection, ");
}

static void regenerated_write(struct obj *out, const struct comparison_side *a,
                              const struct comparison_side *b, enum pair_reason reason) {
    obj_set_str(out, F_COMPARISON_HELLO_SAYS, regenerated_says(out, reason));
    obj_set_str(out, F_COMPARISON_HELLO_JA3, obj_str(b->leg, F_LEG_JA3));
    obj_set_str(out, F_COMPARISON_HELLO_JA4, obj_str(b->leg, F_LEG_JA4));
    bool unseen = obj_str_is(out, F_COMPARISON_CERT, "not-seen") ||
                  obj_str_is(out, F_COMPARISON_CERT, "missing-a");
    if (reason != PAIR_LEGS && unseen) {
        obj_set_strf(out, F_COMPARISON_CERT_SAYS,
                     "%s. Who ends TLS shows a certificate of its own: re-signed, unless it has "
                     "the server's own key",
                     obj_str(out, F_COMPARISON_CERT_SAYS));
    }
    if (random_copied(&a->hello, &b->hello)) {
        comparison_find(out, "random-copied",
                        "The hello at B has the client random of the one at A, but other keys: "
                        "a box that copies randoms.");
    }
}

bool comparison_hello(struct obj *out, const struct comparison_side *a,
                      const struct comparison_side *b, enum pair_reason reason) {
    enum hello_how how = hello_find(out, a, b, reason);
    obj_set_str(out, F_COMPARISON_HELLO, HELLOS[how].name);
    obj_set_str(out, F_COMPARISON_HELLO_SAYS, HELLOS[how].says);
    int64_t records;
    if (how == HELLO_EDITED) {
        edited_write(out, &a->hello, &b->hello);
    } else if (how == HELLO_REGENERATED) {
        regenerated_write(out, a, b, reason);
    } else if (how == HELLO_IDENTICAL && obj_int(a->leg, F_LEG_OFFER_RECORDS, &records) &&
               obj_has(b->leg, F_LEG_OFFER_RECORDS) &&
               !obj_is(b->leg, F_LEG_OFFER_RECORDS, records)) {
        comparison_find(out, "hello-recut", "The hello was cut into other TLS records on the way.");
    }
    return HELLOS[how].differs;
}
