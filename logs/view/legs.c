#include "logs/view/legs.h"

#include <string.h>

#include "logs/record/difference.h"
#include "logs/record/text.h"
#include "logs/view/align.h"

// A column as wide as a SHA-256 in hex is wide enough: the eye must find its way across.
enum { LABEL_WIDTH = 17, COLUMN_MIN = 16, COLUMN_MAX = 64 };

static bool is_list(enum field field) {
    enum field_type type = field_row(field)->type;
    return type == TYPE_CODES || type == TYPE_STRS || type == TYPE_OBJS;
}

static void row(struct page *page, const char *label, struct span left, char mark,
                struct span right) {
    enum style style = mark == '<'   ? STYLE_CLIENT
                       : mark == '>' ? STYLE_SERVER
                       : mark == '~' ? STYLE_UNSURE
                                     : STYLE_PLAIN;
    size_t fixed = LABEL_WIDTH + 4;
    size_t column = page->width > fixed + 2 * COLUMN_MIN ? (page->width - fixed) / 2 : COLUMN_MIN;
    column = column < COLUMN_MAX ? column : COLUMN_MAX;
    const struct page_cell cells[] = {
        {LABEL_WIDTH, STYLE_DIM, page_span(label)},
        {column, style, left},
        {1, mark == '=' ? STYLE_DIM : style, {(const uint8_t *)&mark, mark != ' '}},
        {column, style, right},
    };
    page_row(page, cells, ARRAY_LEN(cells));
}

static void row_single(struct page *page, const char *label, struct span text) {
    const struct page_cell cells[] = {
        {LABEL_WIDTH, STYLE_DIM, page_span(label)},
        {0, STYLE_PLAIN, text},
    };
    page_row(page, cells, ARRAY_LEN(cells));
}

// list_single writes a list of the only leg: on one line, or an item a row where items hold commas
// themselves, as names of certificates do.
static void list_single(struct page *page, struct arena *arena, const struct obj *leg,
                        enum field field) {
    size_t num;
    const struct align_item *items = align_items(arena, &num, leg, field);
    bool commas = false;
    for (size_t i = 0; i < num; i++) {
        commas = commas || memmem(items[i].text.p, items[i].text.len, ", ", 2) != NULL;
    }
    if (!commas) {
        const char *text = text_dup(arena, leg, field);
        row_single(page, field_row(field)->label, page_span(*text != '\0' ? text : "(empty)"));
    }
    for (size_t i = 0; commas && i < num; i++) {
        row_single(page, i == 0 ? field_row(field)->label : "", items[i].text);
    }
}

static bool compared(const struct legs *legs, enum field field) {
    return legs->mark_all || (field_row(field)->flags & FLAG_COMPARE) != 0;
}

static void list_rows(struct page *page, struct arena *arena, const struct legs *legs,
                      enum field field) {
    // Items of a leg that did not get that far are not missing there.
    bool marks = compared(legs, field) &&
                 ((obj_has(legs->client, field) && obj_has(legs->server, field)) ||
                  difference_find(legs->client, legs->server, field) != DIFFERENCE_NONE);
    size_t num_left, num_right, num;
    const struct align_item *left = align_items(arena, &num_left, legs->client, field);
    const struct align_item *right = align_items(arena, &num_right, legs->server, field);
    bool set = (field_row(field)->flags & FLAG_SET) != 0;
    const struct align_row *rows = align_lists(arena, &num, left, num_left, right, num_right, set);
    for (size_t i = 0; i < num; i++) {
        row(page, i == 0 ? field_row(field)->label : "",
            rows[i].left < 0 ? page_span("") : left[rows[i].left].text, marks ? rows[i].mark : ' ',
            rows[i].right < 0 ? page_span("") : right[rows[i].right].text);
    }
    if (num == 0) {
        bool in_client = obj_has(legs->client, field), in_server = obj_has(legs->server, field);
        row(page, field_row(field)->label, page_span(in_client ? "(empty)" : ""),
            !marks                   ? ' '
            : in_client && in_server ? '='
            : in_client              ? '<'
                                     : '>',
            page_span(in_server ? "(empty)" : ""));
    }
}

static char value_mark(const struct legs *legs, enum field field) {
    if (!compared(legs, field)) {
        return ' ';
    }
    bool in_client = obj_has(legs->client, field), in_server = obj_has(legs->server, field);
    switch (difference_find(legs->client, legs->server, field)) {
    case DIFFERENCE_NONE:
        return in_client && in_server ? '=' : ' ';
    case DIFFERENCE_ABSENT:
        return in_client ? '<' : '>';
    default:
        return '~';
    }
}

bool legs_field(struct page *page, const struct legs *legs, enum field field) {
    if (!obj_has(legs->client, field) && !obj_has(legs->server, field)) {
        return false;
    }
    struct arena arena = {0};
    const char *label = field_row(field)->label;
    const struct obj *only = legs->client == NULL   ? legs->server
                             : legs->server == NULL ? legs->client
                                                    : NULL;
    if (only != NULL && is_list(field)) {
        list_single(page, &arena, only, field);
    } else if (only != NULL) {
        row_single(page, label, page_span(text_dup(&arena, only, field)));
    } else if (is_list(field)) {
        list_rows(page, &arena, legs, field);
    } else {
        row(page, label, page_span(text_dup(&arena, legs->client, field)), value_mark(legs, field),
            page_span(text_dup(&arena, legs->server, field)));
    }
    arena_cleanup(&arena);
    return true;
}

void legs_row(struct page *page, const struct legs *legs, const char *label, const char *client,
              const char *server) {
    if (legs->client != NULL && legs->server != NULL) {
        row(page, label, page_span(client), ' ', page_span(server));
    } else {
        row_single(page, label, page_span(legs->client != NULL ? client : server));
    }
}
