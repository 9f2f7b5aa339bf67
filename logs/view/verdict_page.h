// A verdict on a page.
#ifndef LOGS_VIEW_VERDICT_PAGE_H_
#define LOGS_VIEW_VERDICT_PAGE_H_

#include "logs/view/page.h"

// The column in which the text of a verdict stands, behind its labels.
enum { VERDICT_PAGE_INDENT = 12 };

// verdict_page_write writes the verdict: party, cause and confidence, what it says, the evidence,
// what was ruled out and why, the remedy, the next test. A brief one leaves out evidence and what
// was ruled out.
void verdict_page_write(struct page *page, const struct obj *verdict, bool brief);

#endif // LOGS_VIEW_VERDICT_PAGE_H_
