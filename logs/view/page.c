#include "logs/view/page.h"

#include <locale.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "logs/record/utf8.h"

enum { CELLS_MAX = 8 };

// The C library knows how wide a character is, in a locale of UTF-8; the program's own may be "C".
static locale_t utf8_locale;
static pthread_once_t utf8_once = PTHREAD_ONCE_INIT;

static void utf8_make(void) { utf8_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0); }

static size_t code_width(uint32_t code) {
    if (code < 0x300) {
        return 1;
    }
    pthread_once(&utf8_once, utf8_make);
    if (utf8_locale == (locale_t)0) {
        return 1;
    }
    locale_t before = uselocale(utf8_locale);
    int width = wcwidth((wchar_t)code);
    uselocale(before);
    return width < 0 ? 1 : (size_t)width;
}

// next_char returns the length of the character at `p` and sets the columns that it takes.
static size_t next_char(size_t *out_width, const uint8_t *p, size_t len) {
    uint32_t code = 0;
    size_t n = utf8_decode(&code, p, len);
    *out_width = n != 0 ? code_width(code) : 1;
    return n != 0 ? n : 1;
}

struct span page_span(const char *s) {
    return s != NULL ? (struct span){(const uint8_t *)s, strlen(s)} : (struct span){NULL, 0};
}

size_t page_width(const char *s, size_t s_len) {
    size_t sum = 0, width;
    for (size_t i = 0; i < s_len; sum += width) {
        i += next_char(&width, (const uint8_t *)s + i, s_len - i);
    }
    return sum;
}

static void put(struct page *page, const char *s, size_t s_len) {
    size_t room = buf_room(page->out);
    CHECK(buf_append(page->out, s, s_len < room ? s_len : room));
}

void page_print(struct page *page, enum style style, const char *s, size_t s_len) {
    static const char *const escapes[] = {
        [STYLE_PLAIN] = "",          [STYLE_TITLE] = "\x1b[1m",   [STYLE_DIM] = "\x1b[2m",
        [STYLE_GOOD] = "\x1b[32m",   [STYLE_BAD] = "\x1b[1;31m",  [STYLE_UNSURE] = "\x1b[33m",
        [STYLE_CLIENT] = "\x1b[36m", [STYLE_SERVER] = "\x1b[35m",
    };
    if (s_len == 0) {
        return;
    }
    bool color = page->color && style != STYLE_PLAIN;
    if (color) {
        put(page, escapes[style], strlen(escapes[style]));
    }
    put(page, s, s_len);
    if (color) {
        put(page, "\x1b[0m", 4);
    }
}

void page_puts(struct page *page, enum style style, const char *s) {
    page_print(page, style, s, strlen(s));
}

void page_printf(struct page *page, enum style style, const char *fmt, ...) {
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    page_puts(page, style, text);
}

void page_pad(struct page *page, size_t num) {
    for (; num != 0; num--) {
        put(page, " ", 1);
    }
}

void page_newline(struct page *page) { put(page, "\n", 1); }

void page_title(struct page *page, const char *says) {
    page_newline(page);
    page_puts(page, STYLE_TITLE, says);
    page_newline(page);
}

struct span page_wrap(struct span *text, size_t width) {
    size_t i = 0, columns = 0, space = 0, soft = 0, space_columns = 0;
    while (i < text->len) {
        size_t char_width, n = next_char(&char_width, text->p + i, text->len - i);
        if (text->p[i] == ' ') {
            space = i;
            space_columns = columns;
        }
        if (columns + char_width > width && i != 0) {
            break;
        }
        columns += char_width;
        i += n;
        if (n == 1 && strchr("_,-/.", text->p[i - 1]) != NULL) {
            soft = i;
        }
    }
    size_t len = i, taken = i;
    if (i != text->len && (space_columns * 2 >= width || (space != 0 && soft < space))) {
        len = space;
        taken = space + 1;
    } else if (i != text->len && soft != 0) {
        len = taken = soft;
    }
    struct span line = {text->p, len};
    if (taken != 0) {
        *text = (struct span){text->p + taken, text->len - taken};
    }
    return line;
}

void page_paragraph(struct page *page, enum style style, size_t indent, bool hang,
                    struct span text) {
    size_t width = page->width > indent + 20 ? page->width - indent : 20;
    do {
        struct span line = page_wrap(&text, width);
        page_pad(page, hang ? 0 : indent);
        page_print(page, style, (const char *)line.p, line.len);
        page_newline(page);
        hang = false;
    } while (text.len != 0);
}

void page_row(struct page *page, const struct page_cell *cells, size_t num) {
    CHECK(num <= CELLS_MAX);
    struct span rest[CELLS_MAX];
    size_t widths[CELLS_MAX], used = 0;
    for (size_t i = 0; i < num; i++) {
        rest[i] = cells[i].text;
        widths[i] = cells[i].width;
        if (widths[i] == 0) {
            widths[i] = page->width > used + 10 ? page->width - used : 10;
        }
        used += widths[i] + 1;
    }
    bool more;
    do {
        size_t owed = 0; // spaces, written only before text, so that no line ends in them
        more = false;
        for (size_t i = 0; i < num; i++) {
            struct span line = page_wrap(&rest[i], widths[i]);
            size_t width = page_width((const char *)line.p, line.len);
            if (width != 0) {
                page_pad(page, owed);
                page_print(page, cells[i].style, (const char *)line.p, line.len);
                owed = 0;
            }
            owed += widths[i] - (width < widths[i] ? width : widths[i]) + 1;
            more = more || rest[i].len != 0;
        }
        page_newline(page);
    } while (more);
}
