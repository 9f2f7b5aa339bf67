// The log being written: records in, whole lines out, one thread that does all the I/O.
#ifndef LOGS_STORE_LOG_WRITER_H_
#define LOGS_STORE_LOG_WRITER_H_

#include "logs/base/err.h"
#include "logs/record/record.h"

struct log_writer;

// struct log_writer_options says where and how much. `warn`, which may be NULL, is told in one
// sentence without a newline what went wrong; it runs in the writer's thread. Zero takes the
// default of a number.
struct log_writer_options {
    const char *path;
    uint64_t max_file;  // bytes after which the file is rotated, 64 MiB
    unsigned max_files; // rotated files that are kept: PATH.1 is the newest; 5
    size_t max_queue;   // bytes that may wait for the disk, 64 MiB; records beyond are dropped
    void (*warn)(void *ctx, const char *says);
    void *warn_ctx;
};

// struct log_writer_counts tells what became of the records.
struct log_writer_counts {
    uint64_t written;
    uint64_t dropped; // the queue was full, or the record longer than LOG_RECORD_MAX
    uint64_t failed;  // the file took no more
};

// LOG_RECORD_MAX is the longest line that is written; a reader refuses longer ones.
enum { LOG_RECORD_MAX = 16 * 1024 * 1024 - 1 };

// log_writer_open opens the log for appending, makes it with mode 0600 where it is missing, and
// starts the thread. A last line that an earlier crash left half-written is ended first, so that
// every line before and after it stays whole. It returns NULL when the file cannot be opened. The
// caller ends it with log_writer_close.
WUNRES struct log_writer *log_writer_open(const struct log_writer_options *options,
                                          struct err *err);

// log_writer_put hands over `root` as a line. It makes the line in the caller's thread and waits
// for nothing but a mutex. The line is in the file some milliseconds later, with those that came
// meanwhile. It returns false when the record was dropped.
bool log_writer_put(struct log_writer *writer, const struct obj *root);

// log_writer_reopen makes the thread open the path again before its next line, as after SIGHUP. If
// that fails the old file stays in use.
void log_writer_reopen(struct log_writer *writer);

// log_writer_counts returns the numbers so far.
struct log_writer_counts log_writer_counts(struct log_writer *writer);

// log_writer_flush waits until everything handed over before has been written or has failed.
void log_writer_flush(struct log_writer *writer);

// log_writer_close writes what waits, ends the thread and frees the writer. NULL does nothing.
void log_writer_close(struct log_writer *writer);

#endif // LOGS_STORE_LOG_WRITER_H_
