// Text on a terminal: columns that wrap, widths as the terminal counts them, colour where wanted.
#ifndef LOGS_VIEW_PAGE_H_
#define LOGS_VIEW_PAGE_H_

#include <stdbool.h>
#include <stddef.h>

#include "logs/base/buf.h"
#include "logs/record/obj.h"

enum style {
    STYLE_PLAIN,
    STYLE_TITLE,
    STYLE_DIM,
    STYLE_GOOD,
    STYLE_BAD,
    STYLE_UNSURE,
    STYLE_CLIENT, // what only the client leg has
    STYLE_SERVER, // what only the server leg has
};

// struct page is where a view writes: `out`, which the caller owns and whose ceiling cuts the page,
// with `width` columns. Nothing is drawn without colour that cannot be read without it.
struct page {
    struct buf *out;
    size_t width;
    bool color;
};

// page_span views a string; NULL is nothing.
struct span page_span(const char *s);

// page_width returns how many columns the UTF-8 text takes; page_print writes it in `style`.
// The text comes from text.h, which leaves no control characters in it.
size_t page_width(const char *s, size_t s_len);
void page_print(struct page *page, enum style style, const char *s, size_t s_len);

// page_printf is page_print of formatted text, at most 1 KiB of it; page_puts of a string.
PRINTF(3, 4) void page_printf(struct page *page, enum style style, const char *fmt, ...);
void page_puts(struct page *page, enum style style, const char *s);

// page_pad writes `num` spaces, page_newline ends the line.
void page_pad(struct page *page, size_t num);
void page_newline(struct page *page);

// page_title writes the title of a section, with an empty line before it.
void page_title(struct page *page, const char *says);

// page_wrap takes the next line of at most `width` columns off the front of `*text` and returns it.
// It breaks at a space in its latter half, which is dropped, or else behind the last of "_,-/.", or
// else anywhere.
struct span page_wrap(struct span *text, size_t width);

// page_paragraph writes `text` wrapped, every line `indent` columns in. Where `hang` says so the
// caller has already written what stands before the first line.
void page_paragraph(struct page *page, enum style style, size_t indent, bool hang,
                    struct span text);

// struct page_cell is one column of a row.
struct page_cell {
    size_t width; // without the gap of one column that follows; 0 takes the rest of the page
    enum style style;
    struct span text;
};

// page_row writes `num` cells side by side, each wrapped within its own width.
void page_row(struct page *page, const struct page_cell *cells, size_t num);

#endif // LOGS_VIEW_PAGE_H_
