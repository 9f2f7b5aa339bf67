// The record: everything observed about one connection, in one arena.
#ifndef LOGS_RECORD_RECORD_H_
#define LOGS_RECORD_RECORD_H_

#include "logs/record/obj.h"

// SCHEMA_VERSION is what RECORD.schema holds; schema.md tells what changed.
#define SCHEMA_VERSION "1.0"

struct record {
    struct arena arena;
    struct obj *root; // of KIND_RECORD
};

// record_new returns a record that holds only its schema version. The caller frees it with
// record_free, which takes everything in it along; record_free(NULL) does nothing.
WUNRES struct record *record_new(void);
void record_free(struct record *record);

// record_leg returns the client or the server leg, or NULL when it was not observed.
struct obj *record_leg(const struct obj *root, bool server);

// record_failed returns whether there is a verdict that names a party other than none.
bool record_failed(const struct obj *root);

// record_worked returns whether that verdict is about something found beside a connection that
// worked: a finding, and no failure.
bool record_worked(const struct obj *root);

#endif // LOGS_RECORD_RECORD_H_
