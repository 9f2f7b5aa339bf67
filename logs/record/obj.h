// Observations: objects whose fields are those of fields.inc. What was not seen is absent, which is
// not the same as false, zero or empty.
#ifndef LOGS_RECORD_OBJ_H_
#define LOGS_RECORD_OBJ_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/arena.h"
#include "logs/record/field.h"

// struct obj is one object of one kind: the record, a leg, an alert. It lives in an arena, as does
// everything it points to; nothing is freed one by one. Setters copy what they are given. A setter
// or getter used on a field of another kind or type is a CHECK.
struct obj;

// struct span is bytes that belong to somebody else.
struct span {
    const uint8_t *p;
    size_t len;
};

// obj_new returns an empty object of `kind` in `arena`.
WUNRES struct obj *obj_new(struct arena *arena, enum kind kind);

enum kind obj_kind(const struct obj *obj);
struct arena *obj_arena(const struct obj *obj);

// obj_has returns whether `field` was seen. A NULL `obj` has nothing, here and in every getter.
bool obj_has(const struct obj *obj, enum field field);

// obj_next returns the first field from `field` on, in the table's order, that was seen, or the end
// of the kind.
enum field obj_next(const struct obj *obj, enum field field);

// obj_unset makes `field` absent again.
void obj_unset(struct obj *obj, enum field field);

// obj_set_int serves INT, MS (microseconds), BOOL, TIME (milliseconds), DATE (seconds) and CODE.
void obj_set_int(struct obj *obj, enum field field, int64_t value);

// obj_set_str copies the NUL-terminated `s` (NULL: nothing happens); obj_set_strn copies `s_len`
// bytes, which may hold anything; obj_set_strf formats.
void obj_set_str(struct obj *obj, enum field field, const char *s);
void obj_set_strn(struct obj *obj, enum field field, const void *s, size_t s_len);
PRINTF(3, 4) void obj_set_strf(struct obj *obj, enum field field, const char *fmt, ...);

// obj_set_bytes copies `p_len` bytes.
void obj_set_bytes(struct obj *obj, enum field field, const void *p, size_t p_len);

// obj_set_codes copies `num` code points.
void obj_set_codes(struct obj *obj, enum field field, const uint16_t *codes, size_t num);

// obj_add_code appends one code point to CODES; obj_add_str one string to STRS; obj_add_bytes one
// item to BYTES_LIST. obj_touch makes an empty list of a list field that is absent.
void obj_add_code(struct obj *obj, enum field field, uint16_t code);
void obj_add_str(struct obj *obj, enum field field, const void *s, size_t s_len);
void obj_add_bytes(struct obj *obj, enum field field, const void *p, size_t p_len);
void obj_touch(struct obj *obj, enum field field);

// obj_sub returns the object in OBJ `field`, made empty when it is absent. obj_add appends a new
// empty object to OBJS `field` and returns it.
struct obj *obj_sub(struct obj *obj, enum field field);
struct obj *obj_add(struct obj *obj, enum field field);

// obj_add_ref appends to BYTES_LIST, and obj_add_obj_ref to OBJS, what is not copied: it lives at
// least as long as the arena and changes no more.
void obj_add_ref(struct obj *obj, enum field field, const void *p, size_t p_len);
void obj_add_obj_ref(struct obj *obj, enum field field, const struct obj *item);

// obj_set_json keeps the object's JSON text, which lives as long as the object; from then on the
// object must not change. obj_json returns it, or `{NULL, 0}`.
void obj_set_json(struct obj *obj, struct span json);
struct span obj_json(const struct obj *obj);
// obj_copy sets every field that `from` has in `to`, an empty object of the same kind, all the way
// down.
void obj_copy(struct obj *to, const struct obj *from);

// obj_int returns whether the field was seen and stores its value. obj_is is true only when the
// field was seen and equals `value`.
bool obj_int(const struct obj *obj, enum field field, int64_t *out);
bool obj_is(const struct obj *obj, enum field field, int64_t value);

// obj_str returns the string, NUL-terminated, or NULL when absent. obj_str_is compares.
const char *obj_str(const struct obj *obj, enum field field);
bool obj_str_is(const struct obj *obj, enum field field, const char *value);

// obj_span returns the bytes of STR or BYTES; `{NULL, 0}` when absent.
struct span obj_span(const struct obj *obj, enum field field);

// obj_num returns how many items CODES, STRS, BYTES_LIST or OBJS holds; 0 when absent.
// obj_code, obj_item and obj_at return item `i < obj_num`.
size_t obj_num(const struct obj *obj, enum field field);
uint16_t obj_code(const struct obj *obj, enum field field, size_t i);
struct span obj_item(const struct obj *obj, enum field field, size_t i);
struct obj *obj_at(const struct obj *obj, enum field field, size_t i);

// obj_codes returns the obj_num items of CODES; NULL when absent.
const uint16_t *obj_codes(const struct obj *obj, enum field field);

// obj_has_code returns whether CODES holds `code`; obj_has_str whether STRS holds `s`.
bool obj_has_code(const struct obj *obj, enum field field, uint16_t code);
bool obj_has_str(const struct obj *obj, enum field field, const char *s);

// obj_get returns the object in OBJ `field`, or NULL when absent.
struct obj *obj_get(const struct obj *obj, enum field field);

#endif // LOGS_RECORD_OBJ_H_
