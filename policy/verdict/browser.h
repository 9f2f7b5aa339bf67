// The ClientHello against the client that is claimed: what does not fit, and whose it looks like.
#ifndef POLICY_VERDICT_BROWSER_H_
#define POLICY_VERDICT_BROWSER_H_

#include "logs/record/obj.h"

// browser_judge fills RECORD.claim of `root` from its User-Agent and the client's ClientHello,
// replacing one that is there. Nothing is said of a client that is not known, or without a hello.
void browser_judge(struct obj *root);

#endif // POLICY_VERDICT_BROWSER_H_
