#include "policy/verdict/predicate.h"

#include "logs/base/check.h"
#include "policy/verdict/predicate_fn.h"

static const struct predicate_row rows[PREDICATE_COUNT] = {
#define PRED(n, f, w, c, yes, no, ...)                                                             \
    [P_##n] = {.fn = ask_##f,                                                                      \
               .name = #n,                                                                         \
               .word = (w),                                                                        \
               .codes = c,                                                                         \
               .because_yes = (yes),                                                               \
               .because_no = (no),                                                                 \
               .fields = __VA_ARGS__},
#include "policy/verdict/predicates.inc"
#undef PRED
};

const struct predicate_row *predicate_row(enum predicate predicate) {
    CHECK((unsigned)predicate < PREDICATE_COUNT);
    return &rows[predicate];
}

enum answer predicate_ask(const struct view *view, enum predicate predicate) {
    const struct predicate_row *row = predicate_row(predicate);
    return row->fn(view, row);
}
