// The log as a sequence of records: which line of which file holds each of them.
#ifndef LOGS_STORE_LOG_READER_H_
#define LOGS_STORE_LOG_READER_H_

#include "logs/base/err.h"
#include "logs/record/record.h"
#include "logs/store/record_scan.h"

// LOG_LINE_MAX is the longest line that is taken for a record.
enum { LOG_LINE_MAX = 16 * 1024 * 1024 };

struct log_reader;

// log_warn_fn is told of each line that is no record: "FILE:12: …". It may be NULL.
typedef void (*log_warn_fn)(void *ctx, const char *says);

// log_reader_open goes through the file `path` and the files that rotation left beside it ("PATH.1"
// and on, which are older) and notes where each record is: some 60 bytes for each of them. A line
// that is no record is reported to `warn` and left out, but of one that begins and ends as those of
// the writer do it is only found when it is read that something between is broken. Of several lines
// with one id the last counts and keeps its place. Returns NULL when `path` cannot be opened, is no
// regular file or, where rotation left others, when none of them can. The caller frees it with
// log_reader_free; log_reader_free(NULL) does nothing.
WUNRES struct log_reader *log_reader_open(const char *path, log_warn_fn warn, void *warn_ctx,
                                          struct err *err);
void log_reader_free(struct log_reader *reader);

// log_reader_num is how many records there are, the oldest first. log_reader_id returns the id of
// record `i`, which lives as long as the reader.
size_t log_reader_num(const struct log_reader *reader);
const char *log_reader_id(const struct log_reader *reader, size_t i);

// log_reader_line reads the line of record `i`, without its newline; it lives until the next call
// with this reader. log_reader_scan and log_reader_read make a record of it, as record_scan and
// record_read do, with the line's place before the error; the caller frees it.
WUNRES bool log_reader_line(struct log_reader *reader, struct span *out, size_t i, struct err *err);
WUNRES struct record *log_reader_scan(struct log_reader *reader, size_t i,
                                      const struct record_scan_plan *plan, struct err *err);
WUNRES struct record *log_reader_read(struct log_reader *reader, size_t i, struct err *err);

// log_reader_find sets `*out_i` to the record whose id is `id` or is the only one to begin with it.
// NULL asks for the newest.
WUNRES bool log_reader_find(const struct log_reader *reader, size_t *out_i, const char *id,
                            struct err *err);

#endif // LOGS_STORE_LOG_READER_H_
