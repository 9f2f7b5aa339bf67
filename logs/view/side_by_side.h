// One connection on a page: the verdict on top, then the two legs side by side.
#ifndef LOGS_VIEW_SIDE_BY_SIDE_H_
#define LOGS_VIEW_SIDE_BY_SIDE_H_

#include "logs/view/page.h"

// side_by_side_write writes everything that the record `root` holds for the eye: the verdict with
// what it rests on, the offers and the answers of both legs field by field, the certificates, how
// the legs ended, alerts, the time line and notes. A record with one leg gets one column. What
// comes next is for the machine and stays in `show --json`: raw bytes and fingerprint strings.
void side_by_side_write(struct page *page, const struct obj *root);

#endif // LOGS_VIEW_SIDE_BY_SIDE_H_
