// A field's value in words, as the terminal, the verdict's evidence and the differences show it.
#ifndef LOGS_RECORD_TEXT_H_
#define LOGS_RECORD_TEXT_H_

#include "logs/base/buf.h"
#include "logs/record/obj.h"

// text_write appends the value of `field`: lists joined with ", ", code points by name, yes and no,
// durations as "12.3 ms", bytes as their number. An absent field appends nothing. Control
// characters, bytes that are not UTF-8 and marks that reorder text come out as "\x07" or "\u202e",
// so that a peer's bytes cannot steer the terminal. Text past the
// ceiling of `out` is cut.
void text_write(struct buf *out, const struct obj *obj, enum field field);

// text_write_item appends item `i` of a list field.
void text_write_item(struct buf *out, const struct obj *obj, enum field field, size_t i);

// text_write_plain appends `s` with the same escapes.
void text_write_plain(struct buf *out, const void *s, size_t s_len);

// text_dup returns the value of `field` as a string in the arena of `into`, or NULL when absent;
// text_or_empty "" then.
const char *text_dup(struct arena *into, const struct obj *obj, enum field field);
const char *text_or_empty(struct arena *into, const struct obj *obj, enum field field);

#endif // LOGS_RECORD_TEXT_H_
