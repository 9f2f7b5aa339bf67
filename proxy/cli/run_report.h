// What `run -- COMMAND` says at its end: the connections, and why some failed.
#ifndef PROXY_CLI_RUN_REPORT_H_
#define PROXY_CLI_RUN_REPORT_H_

#include <stddef.h>

#include "logs/base/buf.h"
#include "logs/record/obj.h"

// struct run_report collects. The caller sets what stands first and owns it.
struct run_report {
    const char *log; // as the user named it: `show` needs the option; NULL for the default log
    bool quiet;      // failures alone
    bool color;
    size_t width;

    struct buf lines, verdicts;
    size_t num, num_failed;
    size_t num_found;    // worked, and the verdict names a party all the same
    size_t num_left_out; // did not fit
};

// run_report_init and run_report_cleanup leave what the caller set as it is.
void run_report_init(struct run_report *report);
void run_report_cleanup(struct run_report *report);

// run_report_add takes the complete record of a connection.
void run_report_add(struct run_report *report, const struct obj *root);

// run_report_write appends the report to `out`, which cuts it at its ceiling: a line for each
// connection, then each failed one's verdict in brief. `no_proxy`, the user's variable or NULL, may
// be why there was no connection; a quiet report has nothing to say then.
void run_report_write(struct buf *out, const struct run_report *report, const char *no_proxy);

#endif // PROXY_CLI_RUN_REPORT_H_
