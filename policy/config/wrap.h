// Text for a terminal of 80 columns.
#ifndef POLICY_CONFIG_WRAP_H_
#define POLICY_CONFIG_WRAP_H_

#include "logs/base/buf.h"

// wrap_text appends `text` broken into lines of 80 columns: `label` and then text on the first,
// `indent` columns before the others. It returns false past the ceiling of `out`.
WUNRES bool wrap_text(struct buf *out, int indent, const char *label, const char *text);

#endif // POLICY_CONFIG_WRAP_H_
