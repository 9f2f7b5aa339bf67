#include "proxy/cli/diff_legs.h"

#include "proxy/cli/hello_parts.h"

void diff_leg(struct comparison_side *out, struct arena *arena, const struct obj *root,
              bool server) {
    const struct obj *leg = record_leg(root, server);
    *out = (struct comparison_side){.leg = leg != NULL ? leg : obj_new(arena, KIND_LEG)};
    hello_parts_read(&out->hello, arena, obj_span(leg, F_LEG_OFFER_RAW));
    (void)obj_int(root, F_RECORD_TIMESTAMP, &out->time_ms);
}

// ends_tls: a tunnel has a server leg as well, but the TLS in it is that of the client leg.
static bool ends_tls(const struct obj *root) {
    return obj_has(record_leg(root, true), F_LEG_OFFER_CIPHERS);
}

// same_hello sets `*out` to the legs that have the same client random.
static bool same_hello(struct diff_choice *out, const struct obj *a, const struct obj *b) {
    static const struct diff_choice choices[] = {
        {true, false}, {false, false}, {true, true}, {false, true}};
    struct arena arena = {0};
    bool found = false;
    for (size_t i = 0; !found && i < ARRAY_LEN(choices); i++) {
        struct comparison_side x, y;
        diff_leg(&x, &arena, a, choices[i].a);
        diff_leg(&y, &arena, b, choices[i].b);
        found = comparison_same_random(&x.hello, &y.hello);
        *out = choices[i];
    }
    arena_cleanup(&arena);
    return found;
}

static bool same_leaf(const struct obj *a, bool server_a, const struct obj *b, bool server_b) {
    const char *leaf = obj_str(record_leg(a, server_a), F_LEG_LEAF_SHA256);
    return leaf != NULL && obj_str_is(record_leg(b, server_b), F_LEG_LEAF_SHA256, leaf);
}

// in_line: a certificate that B minted, seen by A, says that A stands before B; the server's own,
// seen by both, that neither does.
static bool in_line(const struct obj *a, const struct obj *b, enum diff_order order, bool near) {
    if (order != DIFF_AUTO || !ends_tls(a) || !ends_tls(b)) {
        return order != DIFF_APART;
    }
    return same_leaf(a, true, b, false) || (!same_leaf(a, true, b, true) && near);
}

size_t diff_legs_choose(struct diff_choice out[DIFF_CHOICES], const struct obj *a,
                        const struct obj *b, enum diff_order order, bool near) {
    if (order == DIFF_AUTO && same_hello(&out[0], a, b)) {
        return 1;
    }
    if (in_line(a, b, order, near)) {
        out[0] = (struct diff_choice){ends_tls(a), false};
        return 1;
    }
    out[0] = (struct diff_choice){false, false};
    out[1] = (struct diff_choice){true, true};
    return ends_tls(a) && ends_tls(b) ? 2 : 1;
}
