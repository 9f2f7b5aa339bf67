// One connection on one line: what `run` prints as it ends and `list` prints of a log.
#ifndef LOGS_VIEW_ONE_LINE_H_
#define LOGS_VIEW_ONE_LINE_H_

#include "logs/view/page.h"

// struct one_line is how lines are laid out on `page`: with the id first, in `id_width` columns,
// unless that is 0, and with the day before the time. Both are for logs.
struct one_line {
    struct page *page;
    size_t id_width;
    bool date;
};

// one_line_fields are the fields that a line is made of, for readers who read no others.
extern const enum field one_line_fields[];
extern const size_t one_line_num_fields;

// one_line_head writes the names of the columns, one_line_write the line of `root`, both with a
// newline: time (UTC), host and port, what the client offered, what was agreed on each leg, the
// verdict. A page that is wide enough has the cipher suites too. An "x" is behind what was agreed
// on but not finished. Values that are longer than their column push the rest to the right; nothing
// is cut.
void one_line_head(const struct one_line *line);
void one_line_write(const struct one_line *line, const struct obj *root);

#endif // LOGS_VIEW_ONE_LINE_H_
