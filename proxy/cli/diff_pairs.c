#include "proxy/cli/diff_pairs.h"

#include <stdlib.h>

static void pair_add(struct diff_pairs *pairs, uint32_t a, uint32_t b, enum pair_reason reason) {
    pairs->pairs[pairs->num++] = (struct pair){a, b, reason};
}

static int pair_cmp(const void *a, const void *b) {
    const struct pair *x = a, *y = b;
    return x->a != y->a ? (x->a > y->a) - (x->a < y->a) : (x->b > y->b) - (x->b < y->b);
}

// alone_add adds the records of side A, or of side B, that no pair has yet.
static void alone_add(struct diff_pairs *pairs, size_t num, bool side_b) {
    bool *paired = xcalloc(num + 1, sizeof(*paired));
    for (size_t i = 0; i < pairs->num; i++) {
        uint32_t index = side_b ? pairs->pairs[i].b : pairs->pairs[i].a;
        if (index != DIFF_NONE) {
            paired[index] = true;
        }
    }
    for (uint32_t i = 0; i < num; i++) {
        if (!paired[i]) {
            pair_add(pairs, side_b ? DIFF_NONE : i, side_b ? i : DIFF_NONE, PAIR_NAMED);
        }
    }
    free(paired);
}

static void across(struct diff_pairs *pairs, const struct diff_side *a, const struct diff_side *b,
                   int64_t window_us) {
    pairs->num =
        pair_lists(pairs->pairs, &pairs->clock, a->records, a->num, b->records, b->num, window_us);
    if (a->single && b->single) {
        bool certain = pairs->num == 1 && pair_is_certain(pairs->pairs[0].reason);
        enum pair_reason reason = certain ? pairs->pairs[0].reason : PAIR_NAMED;
        pairs->num = 0;
        pair_add(pairs, 0, 0, reason);
        return;
    }
    if (!b->single) {
        alone_add(pairs, a->num, false);
    }
    if (!a->single) {
        alone_add(pairs, b->num, true);
    }
}

static bool has_hello(const struct pair_record *record, size_t leg) {
    return record->hellos[leg].random != 0;
}

// within pairs a list with itself: a record that holds both legs is a pair of its own.
static void within(struct diff_pairs *pairs, const struct diff_side *side, int64_t window_us) {
    struct pair_record *single = xmemdup(side->records, side->num * sizeof(*single));
    bool *done = xcalloc(side->num + 1, sizeof(*done));
    for (size_t i = 0; i < side->num; i++) {
        bool both = has_hello(&single[i], 0) && has_hello(&single[i], 1);
        done[i] = both || !has_hello(&single[i], 0);
        if (done[i]) {
            single[i] = (struct pair_record){.nonce = 0};
        }
    }
    pairs->num = pair_within(pairs->pairs, single, side->num, window_us);
    for (size_t i = 0; i < pairs->num; i++) {
        done[pairs->pairs[i].a] = done[pairs->pairs[i].b] = true;
    }
    size_t num_paired = pairs->num;
    for (uint32_t i = 0; i < side->num; i++) {
        const struct pair_record *record = &side->records[i];
        if (has_hello(record, 0) && has_hello(record, 1)) {
            pair_add(pairs, i, i, PAIR_LEGS);
            num_paired++;
        } else if (!done[i]) {
            pair_add(pairs, i, DIFF_NONE, PAIR_NAMED);
        }
    }
    pairs->num = num_paired != 0 ? pairs->num : 0;
    free(single);
    free(done);
}

bool diff_pairs_make(struct diff_pairs *out, struct diff_side sides[2], bool two, int64_t window_us,
                     struct err *err) {
    size_t num = sides[0].num + (two ? sides[1].num : 0);
    *out = (struct diff_pairs){.pairs = xcalloc(num + 1, sizeof(*out->pairs))};
    diff_side_scan(&sides[0]);
    if (two) {
        diff_side_scan(&sides[1]);
        across(out, &sides[0], &sides[1], window_us);
    } else {
        within(out, &sides[0], window_us);
    }
    if (out->num != 0) {
        qsort(out->pairs, out->num, sizeof(*out->pairs), pair_cmp);
    }
    return two || out->num != 0 ||
           err_set(err, "%s holds no two legs of one connection; name a second record or file",
                   sides[0].file);
}

void diff_pairs_cleanup(struct diff_pairs *pairs) {
    free(pairs->pairs);
    *pairs = (struct diff_pairs){.pairs = NULL};
}
