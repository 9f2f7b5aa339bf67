// What the files of a comparison share.
#ifndef LOGS_COMPARE_INTERNAL_H_
#define LOGS_COMPARE_INTERNAL_H_

#include "logs/compare/comparison.h"

// comparison_find adds a finding to `out`; comparison_change a row to `list` when `field` differs.
void comparison_find(struct obj *out, const char *id, const char *says);
void comparison_change(struct obj *out, enum field list, const struct obj *a, const struct obj *b,
                       enum field field);

// comparison_certificate, comparison_hello and comparison_findings fill their part of `out`, in
// this order and after DIFFERENCES. The first two return whether it is a difference.
bool comparison_certificate(struct obj *out, const struct comparison_side *a,
                            const struct comparison_side *b);
bool comparison_hello(struct obj *out, const struct comparison_side *a,
                      const struct comparison_side *b, enum pair_reason reason);
void comparison_findings(struct obj *out, const struct comparison_side *a,
                         const struct comparison_side *b);

#endif // LOGS_COMPARE_INTERNAL_H_
