// The verdict: who broke the handshake, from the record alone.
#ifndef POLICY_VERDICT_VERDICT_H_
#define POLICY_VERDICT_VERDICT_H_

#include "logs/record/record.h"
#include "policy/verdict/history.h"

// verdict_decide fills RECORD.verdict and RECORD.claim of `root` from what was observed, replacing
// those that are there. It always gives one: `none` for a healthy connection, `undetermined` with
// the next test where the record cannot decide. It looks at nothing but the record, so the same
// record always gives the same verdict.
void verdict_decide(struct obj *root);

// verdict_decide_within is verdict_decide with what `history`, which may be NULL, tells of other
// connections: it fills RECORD.history first.
void verdict_decide_within(struct obj *root, struct history *history);

#endif // POLICY_VERDICT_VERDICT_H_
