// Which legs of two records `diff` holds against each other.
#ifndef PROXY_CLI_DIFF_LEGS_H_
#define PROXY_CLI_DIFF_LEGS_H_

#include "logs/compare/comparison.h"
#include "logs/record/record.h"

// How the places A and B lie, where both are proxies of ours with two legs each.
enum diff_order {
    DIFF_AUTO,    // as the records tell
    DIFF_IN_LINE, // what A sends comes to B: A's server leg against B's client leg
    DIFF_APART,   // two places that know nothing of each other: leg against leg
};

// struct diff_choice is a pair of legs; true is the server leg.
struct diff_choice {
    bool a, b;
};

enum { DIFF_CHOICES = 2 };

// diff_legs_choose writes the legs of `a` and `b` that are to be compared to `out` and returns how
// many pairs they are, 1 or 2. Legs with the same client random are the same hello, and then the
// only choice. `near` says that the records began at about the same time, in different logs: two
// proxies whose certificates do not tell are then taken to be in line.
size_t diff_legs_choose(struct diff_choice out[DIFF_CHOICES], const struct obj *a,
                        const struct obj *b, enum diff_order order, bool near);

// diff_leg makes the side of a comparison from a leg of `root`, an empty one where there is none.
// The parts of the hello are copies in `arena`.
void diff_leg(struct comparison_side *out, struct arena *arena, const struct obj *root,
              bool server);

#endif // PROXY_CLI_DIFF_LEGS_H_
