// Fields of two objects side by side: label, client leg, mark, server leg.
#ifndef LOGS_VIEW_LEGS_H_
#define LOGS_VIEW_LEGS_H_

#include "logs/view/page.h"

// struct legs is what stands side by side: two objects of one kind. One of them may be NULL: then
// the other has the whole width. With `mark_all` every field is held against its other, not only
// those that the field table compares.
struct legs {
    const struct obj *client, *server;
    bool mark_all;
};

// legs_field writes `field` and returns true when one of the legs has it. A list that both legs can
// have gets a row for each item, aligned like a diff. The mark stands between the columns and reads
// without colour: '=' the same, '<' on the client leg alone, '>' on the server leg alone, '~' other
// or elsewhere, and nothing where the field table compares nothing or a leg did not get that far.
bool legs_field(struct page *page, const struct legs *legs, enum field field);

// legs_row writes a row of plain text, without a mark.
void legs_row(struct page *page, const struct legs *legs, const char *label, const char *client,
              const char *server);

#endif // LOGS_VIEW_LEGS_H_
