// Two legs held against each other, on a page: what `diff` prints.
#ifndef LOGS_VIEW_COMPARISON_PAGE_H_
#define LOGS_VIEW_COMPARISON_PAGE_H_

#include "logs/view/page.h"

// comparison_page_line writes `comparison`, an object of KIND_COMPARISON, on a line: how it came
// out, the host, where A and B come from, and what became of hello and certificate.
void comparison_page_line(struct page *page, const struct obj *comparison);

// comparison_page_write writes all of it, with the fields of the legs `a` and `b` that differ: side
// by side with ~ between them, or < for what A alone has and > for what B alone has. Of lists there
// are only the items that differ, ~ marking those that stand elsewhere.
void comparison_page_write(struct page *page, const struct obj *comparison, const struct obj *a,
                           const struct obj *b);

#endif // LOGS_VIEW_COMPARISON_PAGE_H_
