// A valve on what is written to a side: pieces with pauses between, a bound beyond which bytes
// vanish, nothing at all for a while.
#ifndef PROXY_SESSION_VALVE_H_
#define PROXY_SESSION_VALVE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct valve {
    uint64_t left;   // bytes that still pass; what comes after them vanishes. UINT64_MAX: no bound
    uint64_t flight; // what `left` becomes when the other side has spoken; 0: it stays
    uint32_t piece;  // bytes that pass at once; 0: any number
    uint32_t piece_left;
    int64_t delay_us; // between pieces
    int64_t open_us;  // nothing passes before
};

// valve_init makes an open valve.
void valve_init(struct valve *valve);

// valve_cut lets pieces of `piece` bytes pass, `delay_us` apart; 0 lets all pass again.
void valve_cut(struct valve *valve, uint32_t piece, int64_t delay_us);

// valve_room returns how many of `waiting` bytes pass now.
size_t valve_room(const struct valve *valve, size_t waiting, int64_t now_us);

// valve_passed tells that `len` bytes have passed.
void valve_passed(struct valve *valve, size_t len, int64_t now_us);

// valve_swallows returns whether what waits now vanishes.
bool valve_swallows(const struct valve *valve);

// valve_other_spoke tells that the other side's bytes have come: what follows is another flight.
void valve_other_spoke(struct valve *valve);

// valve_deadline is when more of `waiting` bytes can pass, INT64_MAX for no wait.
int64_t valve_deadline(const struct valve *valve, size_t waiting, int64_t now_us);

#endif // PROXY_SESSION_VALVE_H_
