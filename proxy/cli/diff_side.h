// What `diff` is given: records of a log or a capture.
#ifndef PROXY_CLI_DIFF_SIDE_H_
#define PROXY_CLI_DIFF_SIDE_H_

#include "logs/compare/pair.h"
#include "logs/store/log_reader.h"
#include "proxy/tls/key_log.h"

// struct diff_side is the records that one argument stands for. Its owner ends it with
// diff_side_cleanup. What is held of each record is its place in the log and the keys that pair it;
// a capture is imported into a file without a name, which goes away by itself.
struct diff_side {
    struct log_reader *reader;
    char *file;                  // the log or capture, as it is to be shown
    bool single;                 // one record was chosen
    size_t first, num;           // records of the reader that are meant
    struct pair_record *records; // `num` of them, after diff_side_scan
};

// struct diff_sources is where records come from: ids are those of `log`, NULL for the default log,
// and captures are decrypted with `keys`, to which secrets come that a capture holds.
struct diff_sources {
    const char *log;
    struct key_log *keys;
};

// diff_side_open reads `arg`: a log, a capture, "FILE#N" for the N-th record of one, or a record by
// its id or the beginning of it. It returns false after saying why on standard error; `*out_status`
// is then the exit status.
bool diff_side_open(struct diff_side *side, int *out_status, const char *arg,
                    const struct diff_sources *from);
void diff_side_cleanup(struct diff_side *side);

// diff_side_scan makes `records`. One that cannot be read is said on standard error and has no
// keys.
void diff_side_scan(struct diff_side *side);

// diff_side_read reads record `i < num` in full, or says on standard error why not and returns
// NULL. The caller frees it.
WUNRES struct record *diff_side_read(const struct diff_side *side, size_t i);

#endif // PROXY_CLI_DIFF_SIDE_H_
