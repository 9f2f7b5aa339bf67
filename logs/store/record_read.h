// A line of the log back into a record, as the field table says.
#ifndef LOGS_STORE_RECORD_READ_H_
#define LOGS_STORE_RECORD_READ_H_

#include <jansson.h>

#include "logs/base/err.h"
#include "logs/record/record.h"

// record_read parses one line without its newline. Keys that the field table does not know are
// ignored. It returns NULL and an error that names the JSON path when the line is no JSON, a value
// has the wrong type, the schema has another major version, or the record has no id. The caller
// frees the record.
WUNRES struct record *record_read(const char *line, size_t line_len, struct err *err);

// record_read_field sets `field` of `obj` from `json`; record_read_done checks what every record
// must have. They serve those who read only a part of a line. Errors name the path inside `obj`.
WUNRES bool record_read_field(struct obj *obj, enum field field, const json_t *json,
                              struct err *err);
WUNRES bool record_read_done(const struct obj *root, struct err *err);

#endif // LOGS_STORE_RECORD_READ_H_
