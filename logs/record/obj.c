#include "logs/record/obj_inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { VALUES_MIN = 8 };

struct obj *obj_new(struct arena *arena, enum kind kind) {
    const struct kind_row *row = kind_row(kind);
    struct obj *obj = arena_alloc(arena, sizeof(*obj) + (size_t)(row->end - row->first));
    obj->arena = arena;
    obj->first = (uint16_t)row->first;
    obj->kind = (uint8_t)kind;
    return obj;
}

enum kind obj_kind(const struct obj *obj) { return obj->kind; }

struct arena *obj_arena(const struct obj *obj) {
    return obj->arena;
}

static size_t slot_index(const struct obj *obj, enum field field) {
    const struct field_row *row = field_row(field);
    CHECK(row->kind == obj->kind);
    return (size_t)row->held - obj->first;
}

static struct value *value_get(const struct obj *obj, enum field field) {
    if (obj == NULL) {
        return NULL;
    }
    uint8_t slot = obj->slot[slot_index(obj, field)];
    return slot == 0 ? NULL : &obj->values[slot - 1];
}

// cap_next begins with room for half of the fields, which is about what is seen of most objects.
// Small ones have nearly all.
static uint8_t cap_next(const struct obj *obj) {
    const struct kind_row *kind = kind_row(obj_kind(obj));
    unsigned num = (unsigned)(kind->end - kind->first), half = num / 2;
    unsigned cap = obj->cap != 0 ? obj->cap * 2u : half > VALUES_MIN ? half : VALUES_MIN;
    return (uint8_t)(cap < num ? cap : num);
}

static struct value *value_add(struct obj *obj, uint8_t *slot) {
    if (obj->num == obj->cap) {
        uint8_t cap = cap_next(obj);
        struct value *values = arena_alloc(obj->arena, cap * sizeof(*values));
        if (obj->num != 0) {
            memcpy(values, obj->values, obj->num * sizeof(*values));
        }
        obj->values = values;
        obj->cap = cap;
    }
    struct value *value = &obj->values[obj->num++];
    *value = (struct value){0};
    *slot = obj->num;
    return value;
}

static inline struct value *value_make(struct obj *obj, enum field field) {
    uint8_t *slot = &obj->slot[slot_index(obj, field)];
    return *slot != 0 ? &obj->values[*slot - 1] : value_add(obj, slot);
}

bool obj_has(const struct obj *obj, enum field field) { return value_get(obj, field) != NULL; }

enum field obj_next(const struct obj *obj, enum field field) {
    enum field end = kind_row(obj->kind)->end;
    CHECK(field >= (enum field)obj->first && field <= end);
    while (field < end && obj->slot[field_rows[field].held - obj->first] == 0) {
        field++;
    }
    return field;
}

void obj_unset(struct obj *obj, enum field field) {
    uint8_t *slot = &obj->slot[slot_index(obj, field)];
    if (*slot == 0) {
        return;
    }
    // The last value moves into the place that falls free, and whoever holds it is told.
    const struct kind_row *kind = kind_row(obj->kind);
    for (size_t i = 0; i < (size_t)(kind->end - kind->first); i++) {
        if (obj->slot[i] == obj->num) {
            obj->slot[i] = *slot;
            break;
        }
    }
    obj->values[*slot - 1] = obj->values[--obj->num];
    *slot = 0;
}

void obj_set_int(struct obj *obj, enum field field, int64_t value) {
    enum field_type type = field_row(field)->type;
    CHECK(type == TYPE_INT || type == TYPE_MS || type == TYPE_BOOL || type == TYPE_TIME ||
          type == TYPE_DATE || type == TYPE_CODE);
    value_make(obj, field)->i = value;
}

static void set_bytes(struct obj *obj, enum field field, const void *p, size_t p_len) {
    CHECK(p_len < UINT32_MAX);
    const void *copy = arena_dup(obj->arena, p, p_len);
    struct value *value = value_make(obj, field);
    value->p = copy;
    value->num = (uint32_t)p_len;
}

void obj_set_strn(struct obj *obj, enum field field, const void *s, size_t s_len) {
    CHECK(field_row(field)->type == TYPE_STR);
    set_bytes(obj, field, s, s_len);
}

void obj_set_str(struct obj *obj, enum field field, const char *s) {
    if (s != NULL) {
        obj_set_strn(obj, field, s, strlen(s));
    }
}

void obj_set_strf(struct obj *obj, enum field field, const char *fmt, ...) {
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    obj_set_str(obj, field, text);
}

void obj_set_bytes(struct obj *obj, enum field field, const void *p, size_t p_len) {
    CHECK(field_row(field)->type == TYPE_BYTES);
    set_bytes(obj, field, p, p_len);
}

void obj_set_codes(struct obj *obj, enum field field, const uint16_t *codes, size_t num) {
    CHECK(field_row(field)->type == TYPE_CODES && num < UINT32_MAX / sizeof(*codes));
    struct value *value = value_make(obj, field);
    value->p = arena_dup(obj->arena, codes, num * sizeof(*codes));
    value->num = value->cap = (uint32_t)num;
}

// list_grow makes room for one more item of `size` bytes and returns its place.
static void *list_grow(struct obj *obj, struct value *value, size_t size) {
    if (value->num == value->cap) {
        uint32_t cap = value->cap == 0 ? 4 : value->cap * 2;
        void *items = arena_alloc(obj->arena, cap * size);
        if (value->num != 0) {
            memcpy(items, value->p, value->num * size);
        }
        value->p = items;
        value->cap = cap;
    }
    return (uint8_t *)(uintptr_t)value->p + size * value->num++;
}

void obj_add_code(struct obj *obj, enum field field, uint16_t code) {
    CHECK(field_row(field)->type == TYPE_CODES);
    *(uint16_t *)list_grow(obj, value_make(obj, field), sizeof(code)) = code;
}

static void add_span(struct obj *obj, enum field field, const void *p, size_t p_len) {
    struct span span = {arena_dup(obj->arena, p, p_len), p_len};
    *(struct span *)list_grow(obj, value_make(obj, field), sizeof(span)) = span;
}

void obj_add_ref(struct obj *obj, enum field field, const void *p, size_t p_len) {
    CHECK(field_row(field)->type == TYPE_BYTES_LIST);
    struct span span = {p, p_len};
    *(struct span *)list_grow(obj, value_make(obj, field), sizeof(span)) = span;
}

void obj_add_str(struct obj *obj, enum field field, const void *s, size_t s_len) {
    CHECK(field_row(field)->type == TYPE_STRS);
    add_span(obj, field, s, s_len);
}

void obj_add_bytes(struct obj *obj, enum field field, const void *p, size_t p_len) {
    CHECK(field_row(field)->type == TYPE_BYTES_LIST);
    add_span(obj, field, p, p_len);
}

void obj_touch(struct obj *obj, enum field field) {
    enum field_type type = field_row(field)->type;
    CHECK(type == TYPE_CODES || type == TYPE_STRS || type == TYPE_BYTES_LIST || type == TYPE_OBJS);
    value_make(obj, field);
}

struct obj *obj_sub(struct obj *obj, enum field field) {
    CHECK(field_row(field)->type == TYPE_OBJ);
    struct value *value = value_make(obj, field);
    if (value->obj == NULL) {
        value->obj = obj_new(obj->arena, field_row(field)->extra);
    }
    return value->obj;
}

struct obj *obj_add(struct obj *obj, enum field field) {
    CHECK(field_row(field)->type == TYPE_OBJS);
    struct obj *item = obj_new(obj->arena, field_row(field)->extra);
    *(struct obj **)list_grow(obj, value_make(obj, field), sizeof(item)) = item;
    return item;
}

void obj_add_obj_ref(struct obj *obj, enum field field, const struct obj *item) {
    CHECK(field_row(field)->type == TYPE_OBJS && field_row(field)->extra == item->kind);
    *(const struct obj **)list_grow(obj, value_make(obj, field), sizeof(item)) = item;
}

void obj_set_json(struct obj *obj, struct span json) {
    struct span *kept = arena_alloc(obj->arena, sizeof(*kept));
    *kept = json;
    obj->json = kept;
}

struct span obj_json(const struct obj *obj) {
    return obj->json != NULL ? *obj->json : (struct span){NULL, 0};
}

bool obj_int(const struct obj *obj, enum field field, int64_t *out) {
    const struct value *value = value_get(obj, field);
    if (value == NULL) {
        return false;
    }
    *out = value->i;
    return true;
}

bool obj_is(const struct obj *obj, enum field field, int64_t value) {
    int64_t seen;
    return obj_int(obj, field, &seen) && seen == value;
}

const char *obj_str(const struct obj *obj, enum field field) {
    CHECK(field_row(field)->type == TYPE_STR);
    const struct value *value = value_get(obj, field);
    return value == NULL ? NULL : value->p;
}

bool obj_str_is(const struct obj *obj, enum field field, const char *value) {
    const char *seen = obj_str(obj, field);
    return seen != NULL && strcmp(seen, value) == 0;
}

struct span obj_span(const struct obj *obj, enum field field) {
    enum field_type type = field_row(field)->type;
    CHECK(type == TYPE_STR || type == TYPE_BYTES);
    const struct value *value = value_get(obj, field);
    return value == NULL ? (struct span){NULL, 0} : (struct span){value->p, value->num};
}

size_t obj_num(const struct obj *obj, enum field field) {
    const struct value *value = value_get(obj, field);
    return value == NULL ? 0 : value->num;
}

static const struct value *list_at(const struct obj *obj, enum field field, size_t i) {
    const struct value *value = value_get(obj, field);
    CHECK(value != NULL && i < value->num);
    return value;
}

uint16_t obj_code(const struct obj *obj, enum field field, size_t i) {
    CHECK(field_row(field)->type == TYPE_CODES);
    return list_at(obj, field, i)->codes[i];
}

const uint16_t *obj_codes(const struct obj *obj, enum field field) {
    CHECK(field_row(field)->type == TYPE_CODES);
    const struct value *value = value_get(obj, field);
    return value == NULL ? NULL : value->codes;
}

struct span obj_item(const struct obj *obj, enum field field, size_t i) {
    enum field_type type = field_row(field)->type;
    CHECK(type == TYPE_STRS || type == TYPE_BYTES_LIST);
    return list_at(obj, field, i)->spans[i];
}

struct obj *obj_at(const struct obj *obj, enum field field, size_t i) {
    CHECK(field_row(field)->type == TYPE_OBJS);
    return list_at(obj, field, i)->objs[i];
}

bool obj_has_code(const struct obj *obj, enum field field, uint16_t code) {
    for (size_t i = 0; i < obj_num(obj, field); i++) {
        if (obj_code(obj, field, i) == code) {
            return true;
        }
    }
    return false;
}

bool obj_has_str(const struct obj *obj, enum field field, const char *s) {
    size_t len = strlen(s);
    for (size_t i = 0; i < obj_num(obj, field); i++) {
        struct span item = obj_item(obj, field, i);
        if (item.len == len && memcmp(item.p, s, len) == 0) {
            return true;
        }
    }
    return false;
}

struct obj *obj_get(const struct obj *obj, enum field field) {
    CHECK(field_row(field)->type == TYPE_OBJ);
    const struct value *value = value_get(obj, field);
    return value == NULL ? NULL : value->obj;
}

static void field_copy(struct obj *to, const struct obj *from, enum field field) {
    size_t num = 0;
    switch ((enum field_type)field_row(field)->type) {
    case TYPE_INT:
    case TYPE_MS:
    case TYPE_BOOL:
    case TYPE_TIME:
    case TYPE_DATE:
    case TYPE_CODE:
        obj_set_int(to, field, value_get(from, field)->i);
        return;
    case TYPE_STR:
    case TYPE_BYTES:
        set_bytes(to, field, value_get(from, field)->p, value_get(from, field)->num);
        return;
    case TYPE_CODES:
        obj_set_codes(to, field, value_get(from, field)->codes, value_get(from, field)->num);
        return;
    case TYPE_OBJ:
        obj_copy(obj_sub(to, field), obj_get(from, field));
        return;
    case TYPE_STRS:
    case TYPE_BYTES_LIST:
    case TYPE_OBJS:
        num = obj_num(from, field);
        obj_touch(to, field);
        break;
    }
    for (size_t i = 0; i < num; i++) {
        if (field_row(field)->type == TYPE_OBJS) {
            obj_copy(obj_add(to, field), obj_at(from, field, i));
        } else {
            struct span item = obj_item(from, field, i);
            add_span(to, field, item.p, item.len);
        }
    }
}

void obj_copy(struct obj *to, const struct obj *from) {
    CHECK(to->kind == from->kind);
    enum field end = kind_row(from->kind)->end;
    for (enum field field = obj_next(from, kind_row(from->kind)->first); field < end;
         field = obj_next(from, field + 1)) {
        field_copy(to, from, field);
    }
}
