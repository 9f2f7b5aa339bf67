// The schema documents, generated from the field table.
#ifndef LOGS_RECORD_SCHEMA_H_
#define LOGS_RECORD_SCHEMA_H_

#include "logs/base/buf.h"

// schema_write_json appends schema.json, a JSON Schema (draft 2020-12) of one record.
// schema_write_markdown appends schema.md, the same for people. Both are committed beside this file
// and a test holds them against these functions; `schema_gen` writes them. False at the ceiling.
WUNRES bool schema_write_json(struct buf *out);
WUNRES bool schema_write_markdown(struct buf *out);

#endif // LOGS_RECORD_SCHEMA_H_
