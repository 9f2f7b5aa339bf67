// What differs between two legs, field by field, as the field table says.
#ifndef LOGS_RECORD_DIFFERENCE_H_
#define LOGS_RECORD_DIFFERENCE_H_

#include "logs/record/obj.h"

enum difference { DIFFERENCE_NONE, DIFFERENCE_ABSENT, DIFFERENCE_CHANGED, DIFFERENCE_REORDERED };

// difference_name returns "absent", "changed" or "reordered".
const char *difference_name(enum difference difference);

// difference_find holds `field` of `a` against `b`. A field absent on both sides is no difference;
// a field seen on one side only is `DIFFERENCE_ABSENT` when the other side was observed at all as
// far as its half goes (an offer or an answer); GREASE values count as equal to one another
// (RFC 8701), and the order of a SET carries no meaning.
enum difference difference_find(const struct obj *a, const struct obj *b, enum field field);

// difference_text appends the value of `field` of `leg` to STRS `to` of `row`, a list item by item.
// An absent field leaves `to` absent.
void difference_text(struct obj *row, enum field to, const struct obj *leg, enum field field);

// difference_record fills RECORD.differences from the two legs of `root`. With a leg missing it
// does nothing.
void difference_record(struct obj *root);

#endif // LOGS_RECORD_DIFFERENCE_H_
