// What happened when, on both legs: the time line and the ledger of alerts.
#ifndef LOGS_VIEW_STEPS_H_
#define LOGS_VIEW_STEPS_H_

#include "logs/view/page.h"

// steps_time_line writes every step of both legs of `root` in order of time, each with a bar from
// the leg's step before. steps_alerts writes every alert: when, on which leg, from whom to whom.
// Where there is nothing to show they write nothing, not even their title.
void steps_time_line(struct page *page, const struct obj *root);
void steps_alerts(struct page *page, const struct obj *root);

#endif // LOGS_VIEW_STEPS_H_
