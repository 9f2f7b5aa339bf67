// How an object is held: for obj.c, and for json.c, which walks through some hundred values for
// each connection.
#ifndef LOGS_RECORD_OBJ_INSIDE_H_
#define LOGS_RECORD_OBJ_INSIDE_H_

#include "logs/record/obj.h"

// A value is one word and a length. Lists keep a pointer to items with their capacity in `cap`.
struct value {
    union {
        int64_t i;
        const void *p;
        struct obj *obj;
        struct span *spans;
        struct obj **objs;
        uint16_t *codes;
    };
    uint32_t num, cap;
};

// Most fields of most objects are absent, so an object holds a byte per field, the index of its
// value, and only as many values as were seen.
struct obj {
    struct arena *arena;
    struct value *values;
    const struct span *json; // its text, where that is kept
    uint16_t first;          // first field of its kind
    uint8_t kind, num, cap;  // values used, values there is room for
    uint8_t slot[];          // per field: 0 absent, else index into values plus one
};

_Static_assert(F_LEG_END - F_LEG_FIRST < 255, "a slot is a byte");

#endif // LOGS_RECORD_OBJ_INSIDE_H_
