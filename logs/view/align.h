// Two lists laid side by side, item by item, like a diff.
#ifndef LOGS_VIEW_ALIGN_H_
#define LOGS_VIEW_ALIGN_H_

#include "logs/record/obj.h"

// struct align_item is an item as it is shown. GREASE items equal one another whatever they say.
struct align_item {
    struct span text;
    bool grease;
};

// struct align_row pairs item `left` of one list with item `right` of the other; -1 is none.
// `mark` is '=' for equal items, '<' and '>' for what one list alone has, '~' for what both have in
// another place.
struct align_row {
    int left, right;
    char mark;
};

// align_items returns the items of list field `field` of `obj`, in `arena`, and their number.
struct align_item *align_items(struct arena *arena, size_t *out_num, const struct obj *obj,
                               enum field field);

// align_lists returns the rows of the two lists, in `arena`, and their number. With `set` the order
// means nothing: the left one is kept. Otherwise as many items as possible stand beside their
// equals. Lists so long that this would take long are paired by place.
struct align_row *align_lists(struct arena *arena, size_t *out_num, const struct align_item *left,
                              size_t num_left, const struct align_item *right, size_t num_right,
                              bool set);

#endif // LOGS_VIEW_ALIGN_H_
