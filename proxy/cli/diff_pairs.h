// Which records `diff` holds against each other.
#ifndef PROXY_CLI_DIFF_PAIRS_H_
#define PROXY_CLI_DIFF_PAIRS_H_

#include "proxy/cli/diff_side.h"

// DIFF_NONE stands for the other side of a record that was seen on one side only.
#define DIFF_NONE UINT32_MAX

// struct diff_pairs is in the order of A; what B alone has comes last. Its owner ends it with
// diff_pairs_cleanup.
struct diff_pairs {
    struct pair *pairs;
    size_t num;
    struct pair_clock clock; // of two lists
};

// diff_pairs_make scans the sides and pairs them, or `sides[0]` with itself without `two`. Two
// single records belong together whatever they hold; of a list, what belongs to no single record of
// the other side is left out. It fails where one side alone holds no two legs that belong together.
bool diff_pairs_make(struct diff_pairs *out, struct diff_side sides[2], bool two, int64_t window_us,
                     struct err *err);
void diff_pairs_cleanup(struct diff_pairs *pairs);

#endif // PROXY_CLI_DIFF_PAIRS_H_
