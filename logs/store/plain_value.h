// Values of a line in the form that the writer gives them, without a tree.
#ifndef LOGS_STORE_PLAIN_VALUE_H_
#define LOGS_STORE_PLAIN_VALUE_H_

#include "logs/record/obj.h"

// plain_string makes the string in `text`, a value with its quotes; it returns false where it has
// escapes or anything but ASCII.
WUNRES bool plain_string(struct span *out, struct span text);

// plain_value sets `field` from the value `text`. It returns false, and may have set a part, for
// what is best left to record_read_field: other forms, other types, and what is wrong.
WUNRES bool plain_value(struct obj *obj, enum field field, struct span text);

#endif // LOGS_STORE_PLAIN_VALUE_H_
