#include "logs/record/field.h"

#include <string.h>

#include "logs/base/check.h"

#define ECS FLAG_ECS
#define COMPARE FLAG_COMPARE
#define SET FLAG_SET
#define OFFER FLAG_OFFER
#define ANSWER FLAG_ANSWER

const struct field_row field_rows[FIELD_COUNT] = {
#define BEGIN(kind, name, doc)
#define ROW(k, id, p, t, x, f, l, d) ALIAS(k, id, p, t, x, f, l, d, id)
#define ALIAS(k, id, p, t, x, f, l, d, of)                                                         \
    [F_##k##_##id] = {.path = (p),                                                                 \
                      .path_len = sizeof(p) - 1,                                                   \
                      .label = (l),                                                                \
                      .doc = (d),                                                                  \
                      .type = TYPE_##t,                                                            \
                      .kind = KIND_##k,                                                            \
                      .extra = (x),                                                                \
                      .flags = (f),                                                                \
                      .held = F_##k##_##of},
#define END(kind)
#include "logs/record/fields.inc"
#undef BEGIN
#undef ROW
#undef ALIAS
#undef END
};

const struct kind_row field_kinds[KIND_COUNT] = {
#define BEGIN(k, n, d)                                                                             \
    [KIND_##k] = {.name = (n), .doc = (d), .first = F_##k##_FIRST, .end = F_##k##_END},
#define ROW(k, id, p, t, x, f, l, d)
#define ALIAS(k, id, p, t, x, f, l, d, of)
#define END(kind)
#include "logs/record/fields.inc"
#undef BEGIN
#undef ROW
#undef ALIAS
#undef END
};

enum field field_find(enum kind kind, const char *path) {
    const struct kind_row *row = kind_row(kind);
    for (enum field f = row->first; f < row->end; f++) {
        if (strcmp(field_rows[f].path, path) == 0) {
            return f;
        }
    }
    return FIELD_COUNT;
}
