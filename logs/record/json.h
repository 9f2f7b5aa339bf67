// An object as one line of JSON, straight from the field table: no tree is built.
#ifndef LOGS_RECORD_JSON_H_
#define LOGS_RECORD_JSON_H_

#include "logs/base/buf.h"
#include "logs/record/obj.h"

// json_write appends `obj` as JSON without a newline. Strings that are not UTF-8 are written with
// U+FFFD in place of each wrong byte. It returns false when `out` reaches its ceiling; what was
// appended until then stays and is of no use.
WUNRES bool json_write(struct buf *out, const struct obj *obj);

// json_write_string appends `s` as a JSON string with its quotes.
WUNRES bool json_write_string(struct buf *out, const void *s, size_t s_len);

#endif // LOGS_RECORD_JSON_H_
