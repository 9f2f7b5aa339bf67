// The verdict: who broke the handshake, from the record alone.
#ifndef POLICY_VERDICT_VERDICT_H_
#define POLICY_VERDICT_VERDICT_H_

#include "logs/record/record.h"

// verdict_decide fills RECORD.verdict of `root` from what was observed, replacing one that is
// there. It always gives one: `none` for a healthy connection, `undetermined` with the next test
// where the record cannot decide. It looks at nothing but the record, so the same record always
// gives the same verdict.
void verdict_decide(struct obj *root);

#endif // POLICY_VERDICT_VERDICT_H_
