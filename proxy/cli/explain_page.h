// The pages of `explain`: what a verdict knows, and the manual of causes, as text and as JSON.
#ifndef PROXY_CLI_EXPLAIN_PAGE_H_
#define PROXY_CLI_EXPLAIN_PAGE_H_

#include "logs/view/page.h"
#include "policy/verdict/manual.h"

// explain_record_page writes the verdict of a record, which must have one: evidence on each leg,
// what was ruled out, who says what the client said, what people see, who can do what, the next
// test.
void explain_record_page(struct page *page, const struct obj *root);

// explain_cause_page writes the manual page of a cause.
void explain_cause_page(struct page *page, enum cause cause);

// explain_list_page writes a line for every cause of the catalogue.
void explain_list_page(struct page *page);

// The same as one JSON object, without a newline; a list is an array. False when `out` is full.
WUNRES bool explain_record_json(struct buf *out, const struct obj *root);
WUNRES bool explain_cause_json(struct buf *out, enum cause cause);
WUNRES bool explain_list_json(struct buf *out);

#endif // PROXY_CLI_EXPLAIN_PAGE_H_
