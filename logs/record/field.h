// The observation model's fields, generated from fields.inc.
#ifndef LOGS_RECORD_FIELD_H_
#define LOGS_RECORD_FIELD_H_

#include <stddef.h>
#include <stdint.h>

#include "logs/base/check.h"
#include "logs/record/codepoint.h"

enum kind {
    KIND_RECORD,
    KIND_LEG,
    KIND_PIECE,
    KIND_SAMPLE,
    KIND_SYN,
    KIND_KEY_SHARE,
    KIND_CERT,
    KIND_SCT,
    KIND_STAPLE,
    KIND_VERIFICATION,
    KIND_TRY,
    KIND_FETCH,
    KIND_DEFECT,
    KIND_ALERT,
    KIND_TRIED,
    KIND_DIFFERENCE,
    KIND_NOTE,
    KIND_EXPERIMENT,
    KIND_PATH,
    KIND_HOP,
    KIND_CLAIM,
    KIND_MISFIT,
    KIND_HISTORY,
    KIND_VERDICT,
    KIND_EVIDENCE,
    KIND_RULED_OUT,
    KIND_COMPARISON,
    KIND_SIGHTING,
    KIND_CHANGE,
    KIND_COUNT
};

// Types of a field, with what JSON shows.
enum field_type {
    TYPE_STR,        // string
    TYPE_INT,        // number
    TYPE_MS,         // number with three decimals; held as microseconds
    TYPE_BOOL,       // true or false
    TYPE_TIME,       // "2026-11-20T21:19:03.120Z"; held as milliseconds since 1970
    TYPE_DATE,       // "2026-11-20T21:19:03Z"; held as seconds since 1970
    TYPE_CODE,       // name of a code point
    TYPE_CODES,      // array of names of code points
    TYPE_STRS,       // array of strings
    TYPE_BYTES,      // base64
    TYPE_BYTES_LIST, // array of base64
    TYPE_OBJ,        // object
    TYPE_OBJS,       // array of objects
};

enum field_flag {
    FLAG_ECS = 1,
    FLAG_COMPARE = 2,
    FLAG_SET = 4,
    FLAG_OFFER = 8,
    FLAG_ANSWER = 16,
};

// enum field names every field of every kind: F_LEG_TLS_CIPHER and so on. Fields of a kind stand
// together, in the table's order.
enum field {
#define BEGIN(kind, name, doc) F_##kind##_FIRST, F_##kind##_FIRST_ = F_##kind##_FIRST - 1,
#define ROW(kind, id, path, type, extra, flags, label, doc) F_##kind##_##id,
#define ALIAS(kind, id, path, type, extra, flags, label, doc, of) F_##kind##_##id,
#define END(kind) F_##kind##_END, F_##kind##_END_ = F_##kind##_END - 1,
#include "logs/record/fields.inc"
#undef BEGIN
#undef ROW
#undef ALIAS
#undef END
    FIELD_COUNT
};

struct field_row {
    const char *path; // JSON path inside its object, components separated by dots
    const char *label, *doc;
    uint8_t path_len;
    uint8_t type;  // enum field_type
    uint8_t kind;  // enum kind that it belongs to
    uint8_t extra; // enum registry of CODE and CODES, enum kind of OBJ and OBJS
    uint8_t flags; // enum field_flag
    uint16_t held; // enum field that holds its value: itself, or that of which it is an alias
};

struct kind_row {
    const char *name, *doc;
    enum field first, end; // its fields: first <= f < end
};

extern const struct field_row field_rows[FIELD_COUNT];
extern const struct kind_row field_kinds[KIND_COUNT];

// field_row returns the row of `field`; kind_row that of `kind`. Both live forever. They stand here
// because every access to a record goes through them, some thousand for each connection.
static inline const struct field_row *field_row(enum field field) {
    CHECK((unsigned)field < FIELD_COUNT);
    return &field_rows[field];
}

static inline const struct kind_row *kind_row(enum kind kind) {
    CHECK((unsigned)kind < KIND_COUNT);
    return &field_kinds[kind];
}

// field_find returns the field of `kind` with the JSON path `path`, or FIELD_COUNT.
enum field field_find(enum kind kind, const char *path);

#endif // LOGS_RECORD_FIELD_H_
