// Pages held against files. samples.ndjson is a log of five connections; after a change that is
// meant, look at the new page and replace the file:
//
//     tlsblame show --log tests/unit/logs/view/samples.ndjson --width 80 ID > .../NAME.txt
#ifndef TESTS_UNIT_LOGS_VIEW_GOLDEN_H_
#define TESTS_UNIT_LOGS_VIEW_GOLDEN_H_

#include "logs/base/buf.h"
#include "logs/store/log_reader.h"

// golden_samples opens the samples.
WUNRES struct log_reader *golden_samples(void);

// golden_record reads the sample whose id begins with `id`. The caller frees it.
WUNRES struct record *golden_record(const char *id);

// golden_is returns whether the file `name` beside this one, or at a path from the tree's root,
// holds `page`, and says where it does not. It frees what `page` holds.
bool golden_is(struct buf *page, const char *name);

#endif // TESTS_UNIT_LOGS_VIEW_GOLDEN_H_
