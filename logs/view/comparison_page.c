#include "logs/view/comparison_page.h"

#include <string.h>

#include "logs/record/difference.h"
#include "logs/record/text.h"
#include "logs/view/align.h"
#include "logs/view/legs.h"

enum { INDENT = 13, LIST_INDENT = 20 };

// place says in words where a leg comes from: "home.ndjson#3, server leg".
static const char *place(struct arena *arena, const struct obj *sighting) {
    const char *file = text_or_empty(arena, sighting, F_SIGHTING_FILE);
    const char *base = strrchr(file, '/');
    const char *leg = text_or_empty(arena, sighting, F_SIGHTING_LEG);
    return arena_printf(arena, "%s#%s%s%s%s", base != NULL ? base + 1 : file,
                        text_or_empty(arena, sighting, F_SIGHTING_NUMBER), *leg != '\0' ? ", " : "",
                        leg, *leg != '\0' ? " leg" : "");
}

static enum style result_style(const struct obj *comparison) {
    return obj_str_is(comparison, F_COMPARISON_RESULT, "same") ? STYLE_GOOD : STYLE_UNSURE;
}

static bool has_host(const struct obj *comparison) {
    return obj_span(comparison, F_COMPARISON_HOST).len != 0;
}

// host is what a line or a block begins with.
static const char *host(struct arena *arena, const struct obj *comparison) {
    return has_host(comparison) ? text_dup(arena, comparison, F_COMPARISON_HOST) : "(no name)";
}

void comparison_page_line(struct page *page, const struct obj *comparison) {
    struct arena arena = {0};
    const struct obj *a = obj_get(comparison, F_COMPARISON_A),
                     *b = obj_get(comparison, F_COMPARISON_B);
    const char *result = text_or_empty(&arena, comparison, F_COMPARISON_RESULT);
    page_printf(page, result_style(comparison), "%-9s", result);
    const char *text = arena_printf(
        &arena, " %s: %s%s%s", host(&arena, comparison), a != NULL ? place(&arena, a) : "",
        a != NULL && b != NULL ? " = " : "", b != NULL ? place(&arena, b) : "");
    if (obj_has(comparison, F_COMPARISON_HELLO)) {
        text = arena_printf(&arena, "%s; hello %s (%s), certificate %s", text,
                            text_or_empty(&arena, comparison, F_COMPARISON_HELLO),
                            text_or_empty(&arena, comparison, F_COMPARISON_PAIRED_BY),
                            text_or_empty(&arena, comparison, F_COMPARISON_CERT));
    }
    page_paragraph(page, STYLE_PLAIN, 10, true, page_span(text));
    arena_cleanup(&arena);
}

static void item(struct page *page, const char *label, const char *text) {
    if (*text != '\0') {
        page_printf(page, STYLE_DIM, "%-*s", INDENT, label);
        page_paragraph(page, STYLE_PLAIN, INDENT, true, page_span(text));
    }
}

static void sighting(struct page *page, struct arena *arena, const char *label,
                     const struct obj *from) {
    item(page, label,
         arena_printf(arena, "%s, %s, id %s", place(arena, from),
                      text_or_empty(arena, from, F_SIGHTING_TIME),
                      text_or_empty(arena, from, F_SIGHTING_ID)));
}

static void write_findings(struct page *page, struct arena *arena, const struct obj *comparison) {
    for (size_t i = 0; i < obj_num(comparison, F_COMPARISON_FINDINGS); i++) {
        const struct obj *finding = obj_at(comparison, F_COMPARISON_FINDINGS, i);
        page_printf(page, STYLE_DIM, "%-*s", INDENT, i == 0 ? "FINDINGS" : "");
        page_paragraph(
            page, STYLE_BAD, INDENT, true,
            page_span(arena_printf(arena, "%s: %s", text_or_empty(arena, finding, F_NOTE_ID),
                                   text_or_empty(arena, finding, F_NOTE_SAYS))));
    }
}

static void write_summary(struct page *page, struct arena *arena, const struct obj *comparison) {
    static const struct {
        const char *label;
        enum field field;
    } rows[] = {
        // clang-format off
        {"PAIRED",      F_COMPARISON_PAIRED_SAYS},
        {"HELLO",       F_COMPARISON_HELLO_SAYS},
        {"  at B, JA4", F_COMPARISON_HELLO_JA4},
        {"  at B, JA3", F_COMPARISON_HELLO_JA3},
        {"  edited",    F_COMPARISON_HELLO_EDITED},
        {"CERTIFICATE", F_COMPARISON_CERT_SAYS},
        {"  kept",      F_COMPARISON_CERT_KEPT},
        // clang-format on
    };
    page_paragraph(page, STYLE_TITLE, 0, false, page_span(host(arena, comparison)));
    sighting(page, arena, "A", obj_get(comparison, F_COMPARISON_A));
    sighting(page, arena, "B", obj_get(comparison, F_COMPARISON_B));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        item(page, rows[i].label, text_or_empty(arena, comparison, rows[i].field));
    }
    write_findings(page, arena, comparison);
}

// write_marked writes the items of a list that have `mark`, if there are any, on as many lines as
// they take, one that stands elsewhere once. It returns the label that the next ones get.
static const char *write_marked(struct page *page, struct arena *arena, const char *label,
                                const struct align_row *rows, size_t num, char mark,
                                const struct align_item *left, const struct align_item *right) {
    const char *text = "";
    for (size_t i = 0; i < num; i++) {
        if (rows[i].mark == mark && (mark != '~' || rows[i].left >= 0)) {
            struct span item =
                rows[i].left >= 0 ? left[rows[i].left].text : right[rows[i].right].text;
            text = arena_printf(arena, "%s%s%.*s", text, *text != '\0' ? ", " : "", (int)item.len,
                                (const char *)item.p);
        }
    }
    if (*text == '\0') {
        return label;
    }
    page_printf(page, STYLE_DIM, "%-*s", LIST_INDENT - 2, label);
    page_printf(page, STYLE_PLAIN, "%c ", mark);
    page_paragraph(page,
                   mark == '<'   ? STYLE_CLIENT
                   : mark == '>' ? STYLE_SERVER
                                 : STYLE_UNSURE,
                   LIST_INDENT, true, page_span(text));
    return "";
}

// write_list writes what the lists have not in common.
static void write_list(struct page *page, struct arena *arena, const struct legs *legs,
                       enum field field) {
    size_t num_left, num_right, num;
    const struct align_item *left = align_items(arena, &num_left, legs->client, field);
    const struct align_item *right = align_items(arena, &num_right, legs->server, field);
    bool set = (field_row(field)->flags & FLAG_SET) != 0;
    const struct align_row *rows = align_lists(arena, &num, left, num_left, right, num_right, set);
    const char *label = field_row(field)->label;
    for (const char *mark = "<>~"; *mark != '\0'; mark++) {
        label = write_marked(page, arena, label, rows, num, *mark, left, right);
    }
}

static bool is_list(enum field field) {
    enum field_type type = field_row(field)->type;
    return type == TYPE_CODES || type == TYPE_STRS || type == TYPE_OBJS;
}

// write_fields writes the fields first <= f < end that differ, below `title`.
static void write_fields(struct page *page, struct arena *arena, const struct legs *legs,
                         const char *title, enum field first, enum field end, unsigned flag) {
    bool titled = false;
    for (enum field field = first; field < end; field++) {
        bool shown = (field_row(field)->flags & flag) == flag;
        if (!shown || difference_find(legs->client, legs->server, field) == DIFFERENCE_NONE) {
            continue;
        }
        if (!titled) {
            page_title(page, title);
            titled = true;
        }
        if (is_list(field)) {
            write_list(page, arena, legs, field);
        } else {
            legs_field(page, legs, field);
        }
    }
}

static const struct obj *leaf_of(const struct obj *leg) {
    return obj_num(leg, F_LEG_CHAIN) != 0 ? obj_at(leg, F_LEG_CHAIN, 0) : NULL;
}

void comparison_page_write(struct page *page, const struct obj *comparison, const struct obj *a,
                           const struct obj *b) {
    struct arena arena = {0};
    struct legs legs = {.client = a, .server = b};
    struct legs leaves = {.client = leaf_of(a), .server = leaf_of(b), .mark_all = true};
    write_summary(page, &arena, comparison);
    write_fields(page, &arena, &legs, "OFFER AND ANSWER: < A, > B", F_LEG_FIRST, F_LEG_END,
                 FLAG_COMPARE);
    if (leaves.client != NULL && leaves.server != NULL &&
        obj_num(comparison, F_COMPARISON_CERT_CHANGED) != 0) {
        write_fields(page, &arena, &leaves, "CERTIFICATE (leaf): < A, > B", F_CERT_FIRST,
                     F_CERT_SHA256, 0);
    }
    arena_cleanup(&arena);
}
