// The record as the rules look at it: who stood where, how far each leg came, who said no first.
#ifndef POLICY_VERDICT_VIEW_H_
#define POLICY_VERDICT_VIEW_H_

#include <stdbool.h>
#include <stdint.h>

#include "logs/record/obj.h"

// What a question about a record can be answered with. What was not seen is UNKNOWN, never NO.
enum answer { UNKNOWN, NO, YES };

enum mode { MODE_UNKNOWN, MODE_INTERCEPT, MODE_WIRE, MODE_PLAIN, MODE_PROBE };

// The steps of a leg, in time: the words of LEG.end.at and ALERT.after.
enum leg_step {
    LEG_UNKNOWN,
    LEG_DNS,
    LEG_CONNECT,
    LEG_FRONT,
    LEG_HELLO,
    LEG_ANSWER,
    LEG_CERTIFICATE,
    LEG_FINISHED,
    LEG_DATA,
};

// struct alert_seen is the first error alert that one peer sent on one leg. `obj` is NULL where
// there is none to be seen; `doubt` says that an alert came first whose sender the record does not
// tell. `sent` is whether there was one: without one in the ledger the way the leg ended tells; the
// ledger's absence alone does not.
struct alert_seen {
    const struct obj *obj;
    bool doubt;
    enum leg_step after;
    enum answer sent;
};

// struct view borrows the record, which must outlive it. Any object may be NULL: every getter of
// obj.h then sees nothing.
struct view {
    const struct obj *root, *client, *server, *claim, *history;
    enum mode mode;
    const struct obj *up;             // leg on which the real server answers
    const struct obj *down;           // leg on which the real client reacts
    const struct obj *offer;          // leg with the hello of the real client; for probes our own
    const struct obj *dial;           // leg that tells of DNS and TCP
    enum leg_step up_step, down_step; // how far they came, for certain
    struct alert_seen server_alert, client_alert;       // of the two real peers
    struct alert_seen proxy_alert_up, proxy_alert_down; // ours; never on the wire
    enum answer chain_ok;                               // what the proxy's verification found
};

// view_init takes the record apart. It allocates nothing.
void view_init(struct view *view, const struct obj *root);

// view_reached returns whether `leg`, which came at least to `known`, completed `step`.
enum answer view_reached(const struct obj *leg, enum leg_step known, enum leg_step step);

// address_loopback returns whether an address of a record is this machine's own.
bool address_loopback(const char *address);

// answer_not turns YES and NO round; answer_and is NO with one NO, YES with all YES.
static inline enum answer answer_not(enum answer answer) {
    return answer == UNKNOWN ? UNKNOWN : answer == YES ? NO : YES;
}

static inline enum answer answer_and(enum answer a, enum answer b) {
    if (a == NO || b == NO) {
        return NO;
    }
    return a == YES && b == YES ? YES : UNKNOWN;
}

static inline enum answer answer_or(enum answer a, enum answer b) {
    return answer_not(answer_and(answer_not(a), answer_not(b)));
}

static inline enum answer answer_from(bool yes) { return yes ? YES : NO; }

#endif // POLICY_VERDICT_VIEW_H_
