// Delta debugging (Zeller and Hildebrandt, 2002) of ClientHellos, sans I/O: given one that passes
// and one that fails, which of their differences matter? The caller tries the hellos that it is
// given, each on a connection of its own, and tells how that went.
//
//     while (ddmin_next(dd, &hello)) {
//         ddmin_tell(dd, passed, kind);
//     }
#ifndef PROXY_PROBE_DDMIN_H_
#define PROXY_PROBE_DDMIN_H_

#include "logs/base/buf.h"
#include "proxy/probe/factor.h"

enum {
    DDMIN_CONNECTIONS_MAX = 64, // after which the search ends without a result
};

enum ddmin_end {
    DDMIN_FOUND,      // the handshake fails where all of `needed`, and `context`, are there
    DDMIN_SIZE,       // it fails from a length on
    DDMIN_FLAKY,      // one and the same hello failed and passed
    DDMIN_PASSES,     // the failing hello passes now
    DDMIN_FAILS,      // the passing hello fails now
    DDMIN_SAME,       // the hellos do not differ
    DDMIN_UNFINISHED, // the connections were used up
};

struct ddmin_result {
    enum ddmin_end end;
    struct factor_set needed; // 1-minimal: without any of these it passes
    size_t num_needed;
    struct factor_set context; // without these it fails in another way: they carry the others
    struct factor_set
        any[FACTOR_LIKENESSES]; // those of `needed` for which one like it does as well
    bool only;      // without any of `needed`, the failing hello passes: nothing else makes it fail
    bool otherwise; // without one, it still fails: something else does, too
    size_t longest_passing; // DDMIN_SIZE: bytes of the message that still pass
    size_t shortest_failing;
    size_t num_connections;
    size_t flaky_failed, flaky_tried; // DDMIN_FLAKY: how often that hello failed, of how many
};

struct ddmin;

// ddmin_new begins a search that tries at most `max_connections` hellos, DDMIN_CONNECTIONS_MAX at
// most. Both are copied. The hellos to try have the shares of `failing`: where these are to be
// ours, it is one that hello_keys made.
struct ddmin *ddmin_new(const struct hello_draft *passing, const struct hello_draft *failing,
                        size_t max_connections);
void ddmin_free(struct ddmin *dd);

// ddmin_next sets `out`, which is initialised, to the hello to try next. It returns false when
// there is none: the result is there. It is not called again before ddmin_tell.
WUNRES bool ddmin_next(struct ddmin *dd, struct hello_draft *out);

// ddmin_tell tells how the hello of ddmin_next fared. `kind` tells failures apart, as an alert from
// a reset or silence: one of another kind than the failing hello's is no answer to the question.
void ddmin_tell(struct ddmin *dd, bool passed, uint32_t kind);

// ddmin_result is valid once ddmin_next has returned false, as long as `dd`. ddmin_factors are what
// its numbers mean.
const struct ddmin_result *ddmin_result(const struct ddmin *dd);
const struct factors *ddmin_factors(const struct ddmin *dd);

// ddmin_says appends the result as a sentence: "The handshake fails if and only if …". It returns
// false when `out` has no room for it.
bool ddmin_says(const struct ddmin *dd, struct buf *out);

#endif // PROXY_PROBE_DDMIN_H_
