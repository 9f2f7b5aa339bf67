// A few fields of a line of the log, without a tree of the rest.
#ifndef LOGS_STORE_RECORD_SCAN_H_
#define LOGS_STORE_RECORD_SCAN_H_

#include "logs/base/err.h"
#include "logs/record/record.h"

enum { RECORD_SCAN_FIELDS_MAX = 48 };

// struct record_scan_plan is a choice of fields, made once for many lines.
struct record_scan_plan {
    struct record_scan_step {
        const char *path;
        size_t path_len;
        enum field field;
        enum kind kind;
        bool enter; // an object that is only passed through on the way to a wanted field
    } steps[RECORD_SCAN_FIELDS_MAX]; // by kind
    size_t num_steps;
    struct record_scan_range {
        uint8_t first, end; // steps of a kind
    } kinds[KIND_COUNT];
};

// record_scan_plan_init chooses `fields`; the schema and the id come along always. Fields of an
// object inside the record are found in every object of their kind that hangs in a field which is
// not a list: F_LEG_TLS_VERSION stands for that of both legs.
void record_scan_plan_init(struct record_scan_plan *plan, const enum field *fields,
                           size_t num_fields);

// record_scan_id finds the id of a line that begins and ends as those of the writer do, in a small
// part of the time of record_scan; what is between is not looked at. Other lines may be records all
// the same. `*out_id` lies inside the line.
WUNRES bool record_scan_id(struct span *out_id, const char *line, size_t line_len);

// record_scan reads the planned fields of one line and steps over everything else, which takes a
// small part of the time of record_read. Up to the last of them the line is checked as far as its
// brackets and quotes go. Where it begins and ends as those of the writer do, for which
// record_scan_id asks, keys are taken to come in the table's order, and what lies behind the last
// is not looked at; any other line is checked as a whole. What it returns and the errors are those
// of record_read.
WUNRES struct record *record_scan(const char *line, size_t line_len,
                                  const struct record_scan_plan *plan, struct err *err);

#endif // LOGS_STORE_RECORD_SCAN_H_
