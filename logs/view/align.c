#include "logs/view/align.h"

#include <string.h>

#include "logs/record/text.h"

enum { CELLS_MAX = 1024 * 1024, ITEM_TEXT_MAX = 4096 };

// struct rows is the result as it grows; it never exceeds the two lists together.
struct rows {
    struct align_row *rows;
    size_t num;
};

static void rows_add(struct rows *rows, int left, int right, char mark) {
    rows->rows[rows->num++] = (struct align_row){left, right, mark};
}

// is_grease returns whether item `i` is a GREASE code, or an object that is about one.
static bool is_grease(const struct obj *obj, enum field field, size_t i) {
    const struct field_row *row = field_row(field);
    if (row->type == TYPE_CODES) {
        return codepoint_is_grease(row->extra, obj_code(obj, field, i));
    }
    if (row->type != TYPE_OBJS) {
        return false;
    }
    const struct obj *item = obj_at(obj, field, i);
    enum field first = kind_row(obj_kind(item))->first;
    int64_t code;
    return field_row(first)->type == TYPE_CODE && obj_int(item, first, &code) &&
           codepoint_is_grease(field_row(first)->extra, (uint16_t)code);
}

struct align_item *align_items(struct arena *arena, size_t *out_num, const struct obj *obj,
                               enum field field) {
    *out_num = obj_num(obj, field);
    struct align_item *items = arena_alloc(arena, *out_num * sizeof(*items));
    for (size_t i = 0; i < *out_num; i++) {
        struct buf text;
        buf_init(&text, ITEM_TEXT_MAX);
        text_write_item(&text, obj, field, i);
        items[i].text.len = text.len;
        items[i].text.p = arena_dup(arena, buf_data(&text), text.len);
        items[i].grease = is_grease(obj, field, i);
        buf_cleanup(&text);
    }
    return items;
}

static bool equal(const struct align_item *a, const struct align_item *b) {
    return (a->grease && b->grease) ||
           (a->text.len == b->text.len && memcmp(a->text.p, b->text.p, a->text.len) == 0);
}

// take_equal returns the first item of `items` that equals `item` and is not taken yet, and takes
// it; -1 when there is none.
static int take_equal(const struct align_item *item, const struct align_item *items, size_t num,
                      bool *taken) {
    for (size_t i = 0; i < num; i++) {
        if (!taken[i] && equal(item, &items[i])) {
            taken[i] = true;
            return (int)i;
        }
    }
    return -1;
}

static void align_set(struct arena *arena, struct rows *rows, const struct align_item *left,
                      size_t num_left, const struct align_item *right, size_t num_right) {
    bool *taken = arena_alloc(arena, num_right);
    for (size_t i = 0; i < num_left; i++) {
        int j = take_equal(&left[i], right, num_right, taken);
        rows_add(rows, (int)i, j, j < 0 ? '<' : '=');
    }
    for (size_t j = 0; j < num_right; j++) {
        if (!taken[j]) {
            rows_add(rows, -1, (int)j, '>');
        }
    }
}

static void align_by_place(struct rows *rows, const struct align_item *left, size_t num_left,
                           const struct align_item *right, size_t num_right) {
    for (size_t i = 0; i < num_left || i < num_right; i++) {
        bool both = i < num_left && i < num_right;
        char mark = !both ? (i < num_left ? '<' : '>') : equal(&left[i], &right[i]) ? '=' : '~';
        rows_add(rows, i < num_left ? (int)i : -1, i < num_right ? (int)i : -1, mark);
    }
}

// common fills a table whose cell (i, j) is the length of the longest common subsequence of what
// follows left[i] and right[j].
static uint16_t *common(struct arena *arena, const struct align_item *left, size_t num_left,
                        const struct align_item *right, size_t num_right) {
    size_t line = num_right + 1;
    uint16_t *cells = arena_alloc(arena, (num_left + 1) * line * sizeof(*cells));
    for (size_t i = num_left; i-- > 0;) {
        for (size_t j = num_right; j-- > 0;) {
            uint16_t down = cells[(i + 1) * line + j], across = cells[i * line + j + 1];
            cells[i * line + j] = equal(&left[i], &right[j])
                                      ? (uint16_t)(cells[(i + 1) * line + j + 1] + 1)
                                  : down > across ? down
                                                  : across;
        }
    }
    return cells;
}

// mark_moved turns '<' and '>' into '~' where the other list has the item in another place.
static void mark_moved(struct arena *arena, struct rows *rows, const struct align_item *left,
                       const struct align_item *right) {
    struct align_row **only_right = arena_alloc(arena, rows->num * sizeof(*only_right));
    size_t num_right = 0;
    for (size_t i = 0; i < rows->num; i++) {
        if (rows->rows[i].mark == '>') {
            only_right[num_right++] = &rows->rows[i];
        }
    }
    for (size_t i = 0; i < rows->num; i++) {
        struct align_row *row = &rows->rows[i];
        for (size_t j = 0; row->mark == '<' && j < num_right; j++) {
            if (only_right[j]->mark == '>' &&
                equal(&left[row->left], &right[only_right[j]->right])) {
                row->mark = only_right[j]->mark = '~';
            }
        }
    }
}

static void align_ordered(struct arena *arena, struct rows *rows, const struct align_item *left,
                          size_t num_left, const struct align_item *right, size_t num_right) {
    uint16_t *cells = common(arena, left, num_left, right, num_right);
    size_t i = 0, j = 0, line = num_right + 1;
    while (i < num_left || j < num_right) {
        if (i < num_left && j < num_right && equal(&left[i], &right[j])) {
            rows_add(rows, (int)i++, (int)j++, '=');
        } else if (j == num_right ||
                   (i < num_left && cells[(i + 1) * line + j] >= cells[i * line + j + 1])) {
            rows_add(rows, (int)i++, -1, '<');
        } else {
            rows_add(rows, -1, (int)j++, '>');
        }
    }
    mark_moved(arena, rows, left, right);
}

struct align_row *align_lists(struct arena *arena, size_t *out_num, const struct align_item *left,
                              size_t num_left, const struct align_item *right, size_t num_right,
                              bool set) {
    struct rows rows = {arena_alloc(arena, (num_left + num_right) * sizeof(*rows.rows)), 0};
    if ((num_left + 1) * (num_right + 1) > CELLS_MAX) {
        align_by_place(&rows, left, num_left, right, num_right);
    } else if (set) {
        align_set(arena, &rows, left, num_left, right, num_right);
    } else {
        align_ordered(arena, &rows, left, num_left, right, num_right);
    }
    *out_num = rows.num;
    return rows.rows;
}
