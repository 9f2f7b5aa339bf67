// Two legs with a hello each, for the tests of comparisons.
#ifndef TESTS_UNIT_LOGS_COMPARE_LEGS_H_
#define TESTS_UNIT_LOGS_COMPARE_LEGS_H_

#include "logs/compare/comparison.h"

struct legs_pair {
    struct arena arena;
    struct obj *a, *b; // the legs, which may be changed
    struct comparison_side sides[2];
    struct obj *out; // the comparison
};

// legs_pair_begin makes two legs that are the same in everything: offer, answer and a leaf, with
// the same hello of a client random, a session id, a key share and two extensions.
// legs_pair_end frees it all.
void legs_pair_begin(struct legs_pair *pair);
void legs_pair_end(struct legs_pair *pair);

// legs_pair_other_hello gives B a hello with another random, session id and key share.
void legs_pair_other_hello(struct legs_pair *pair);

// legs_pair_compare makes `out` anew.
void legs_pair_compare(struct legs_pair *pair, enum pair_reason reason);

// legs_pair_is returns whether string `field` of the comparison is `value`; legs_pair_found whether
// it has the finding `id`.
bool legs_pair_is(const struct legs_pair *pair, enum field field, const char *value);
bool legs_pair_found(const struct legs_pair *pair, const char *id);

// legs_pair_differs returns whether `field` of a leg is among the differences, or of a leaf among
// what changed in it.
bool legs_pair_differs(const struct legs_pair *pair, enum field field);

#endif // TESTS_UNIT_LOGS_COMPARE_LEGS_H_
