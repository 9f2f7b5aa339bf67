// Sentences with values of the record filled in.
#ifndef POLICY_VERDICT_TEMPLATE_H_
#define POLICY_VERDICT_TEMPLATE_H_

#include "logs/base/buf.h"
#include "policy/verdict/view.h"

// TEMPLATE_MAX is the longest filled sentence, in bytes; more is cut.
enum { TEMPLATE_MAX = 1024 };

// template_fill appends `text` to `out` with each {name} replaced by what the record holds, or by
// words such as "the server" where it holds nothing. Control characters of a peer are escaped.
void template_fill(struct buf *out, const struct view *view, const char *text);

// template_check returns whether every {name} in `text` is known, for the test of the tables.
bool template_check(const char *text);

#endif // POLICY_VERDICT_TEMPLATE_H_
