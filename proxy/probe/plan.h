// What to ask next: which probes, in which order, how often, within a budget. Pure.
//
//   base --> the factors, shuffled --> those that made a difference once more, with controls
#ifndef PROXY_PROBE_PLAN_H_
#define PROXY_PROBE_PLAN_H_

#include "proxy/probe/probe.h"

enum {
    PLAN_PICKS_MAX = 48,
    PLAN_BUDGET_FAILURE = 12, // connections for a failure that the proxy has met
};

// struct plan_entry is a probe with what came of it so far.
struct plan_entry {
    struct probe_pick pick;
    unsigned begun, answered, failed; // runs; of those that are over, by how they ended
    char failure[16];                 // how the first failed: EXPERIMENT.result
};

struct plan {
    struct plan_entry entries[PLAN_PICKS_MAX]; // the first is the base
    size_t num;
    unsigned round;
    unsigned budget, begun; // connections
    unsigned repeats;       // of what made a difference, and of the base
    uint64_t seed;
    bool (*can)(void *ctx, const struct probe_pick *pick); // whether there is such a hello here
    void *ctx;
};

// plan_init makes a plan of the base alone; `can` may be set after it. plan_add adds a probe,
// unless it cannot be, is there already, or the plan is full.
void plan_init(struct plan *plan, unsigned budget, unsigned repeats, uint64_t seed);
void plan_add(struct plan *plan, const struct probe_pick *pick);

// plan_add_usual adds the probes that tell most about a base that failed with `failure` (a word of
// EXPERIMENT.result, NULL: it was answered), by its fatal alert `alert` (-1: none).
void plan_add_usual(struct plan *plan, const char *failure, int alert);

// plan_next returns the entries of the next round in `out`, each as often as it is to be run, and
// how many they are: 0 when there is nothing more to ask. It counts them as begun.
size_t plan_next(struct plan *plan, size_t out[], size_t out_max);

// plan_result tells what came of one run.
void plan_result(struct plan *plan, size_t entry, const char *result);

// plan_differs returns whether an entry came out otherwise than the base did.
bool plan_differs(const struct plan *plan, size_t entry);

// plan_random is the next number of the sequence of `*seed`.
uint64_t plan_random(uint64_t *seed);

#endif // PROXY_PROBE_PLAN_H_
