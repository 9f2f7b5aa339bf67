#include "logs/view/one_line.h"

#include <stdio.h>
#include <string.h>

#include "logs/record/record.h"
#include "logs/record/text.h"
#include "logs/record/time.h"

enum { CELL_MAX = 512, VERDICT_WIDTH = 28 };

const enum field one_line_fields[] = {
    F_RECORD_TIMESTAMP, F_RECORD_ID,           F_RECORD_HOST,           F_RECORD_PORT,
    F_RECORD_MODE,      F_VERDICT_PARTY,       F_VERDICT_CAUSE,         F_VERDICT_CONFIDENCE,
    F_VERDICT_WORKED,   F_LEG_OFFER_VERSIONS,  F_LEG_OFFER_ALPN,        F_LEG_TLS_VERSION,
    F_LEG_TLS_CIPHER,   F_LEG_TLS_ESTABLISHED, F_LEG_TLS_NEXT_PROTOCOL,
};
const size_t one_line_num_fields = ARRAY_LEN(one_line_fields);

// cell writes `text` and space up to `width` columns, at least one.
static void cell(struct page *page, enum style style, const struct buf *text, size_t width) {
    const char *s = (const char *)buf_data(text);
    size_t taken = page_width(s, text->len);
    page_print(page, style, s, text->len);
    page_pad(page, taken < width ? width - taken + 1 : 1);
}

static void add(struct buf *text, const char *s) {
    (void)buf_printf(text, "%s%s", text->len != 0 ? " " : "", s);
}

// version_short makes "1.3" of "TLS 1.3" and leaves other names alone.
static const char *version_short(const char *name) {
    return strncmp(name, "TLS ", 4) == 0 ? name + 4 : name;
}

// suite_write adds a suite without what its version or its key exchange says anyway: "AES_128_GCM".
static void suite_write(struct buf *text, uint16_t suite) {
    char name[CODEPOINT_NAME_MAX];
    const char *s = codepoint_name(REGISTRY_CIPHER, suite, name);
    const char *with = strstr(s, "_WITH_");
    s = with != NULL ? with + 6 : strncmp(s, "TLS_", 4) == 0 ? s + 4 : s;
    const char *hash = strstr(s, "_SHA");
    (void)buf_printf(text, " %.*s", (int)(hash != NULL ? (size_t)(hash - s) : strlen(s)), s);
}

// offered_write says the highest version that the client offered, GREASE aside, and its first ALPN.
static void offered_write(struct buf *text, const struct obj *leg) {
    uint16_t best = 0;
    for (size_t i = 0; i < obj_num(leg, F_LEG_OFFER_VERSIONS); i++) {
        uint16_t code = obj_code(leg, F_LEG_OFFER_VERSIONS, i);
        // Drafts count by the version that they became.
        bool known = code >= 0x0300 && code <= 0x0304;
        best = known && code > best ? code : best;
    }
    if (best != 0) {
        char name[CODEPOINT_NAME_MAX];
        add(text, version_short(codepoint_name(REGISTRY_VERSION, best, name)));
    }
    if (obj_num(leg, F_LEG_OFFER_ALPN) != 0) {
        add(text, "");
        text_write_item(text, leg, F_LEG_OFFER_ALPN, 0);
    }
    if (text->len == 0) {
        add(text, "-");
    }
}

// is_broken returns whether the handshake of `leg` was not finished.
static bool is_broken(const struct obj *leg) { return !obj_is(leg, F_LEG_TLS_ESTABLISHED, true); }

static void agreed_write(struct buf *text, const struct obj *leg, bool wide) {
    int64_t suite;
    if (!obj_has(leg, F_LEG_TLS_VERSION)) {
        add(text, "-");
        return;
    }
    text_write(text, leg, F_LEG_TLS_VERSION);
    if (wide && obj_int(leg, F_LEG_TLS_CIPHER, &suite)) {
        suite_write(text, (uint16_t)suite);
    }
    if (obj_has(leg, F_LEG_TLS_NEXT_PROTOCOL)) {
        add(text, "");
        text_write(text, leg, F_LEG_TLS_NEXT_PROTOCOL);
    }
    if (is_broken(leg)) {
        add(text, "x");
    }
}

static void verdict_write(struct page *page, const struct obj *verdict) {
    struct buf text;
    buf_init(&text, CELL_MAX);
    bool none = obj_str_is(verdict, F_VERDICT_PARTY, "none");
    bool worked = obj_is(verdict, F_VERDICT_WORKED, true);
    bool unsure = worked || obj_str_is(verdict, F_VERDICT_PARTY, "undetermined");
    if (verdict == NULL) {
        add(&text, "-");
    } else {
        (void)buf_printf(&text, worked ? "worked; " : "");
        text_write(&text, verdict, F_VERDICT_PARTY);
        (void)buf_printf(&text, ": ");
        text_write(&text, verdict, F_VERDICT_CAUSE);
    }
    page_print(page,
               none                        ? STYLE_GOOD
               : unsure || verdict == NULL ? STYLE_UNSURE
                                           : STYLE_BAD,
               (const char *)buf_data(&text), text.len);
    buf_cleanup(&text);
    if (obj_has(verdict, F_VERDICT_CONFIDENCE) &&
        !obj_str_is(verdict, F_VERDICT_CONFIDENCE, "certain")) {
        text_write(&text, verdict, F_VERDICT_CONFIDENCE);
        page_printf(page, STYLE_PLAIN, " (%.*s)", (int)text.len, (const char *)buf_data(&text));
        buf_cleanup(&text);
    }
}

// The columns from left to right.
enum column {
    COLUMN_ID,
    COLUMN_TIME,
    COLUMN_HOST,
    COLUMN_OFFERED,
    COLUMN_CLIENT,
    COLUMN_SERVER,
    COLUMN_COUNT
};

// clang-format off
static const struct {
    const char *name;
    uint8_t narrow, wide;
} columns[COLUMN_COUNT] = {
    [COLUMN_ID]      = {"id",          0,  0}, // as the caller says
    [COLUMN_TIME]    = {"time (UTC)", 10, 10},
    [COLUMN_HOST]    = {"host",       24, 30},
    [COLUMN_OFFERED] = {"offered",     8, 10},
    [COLUMN_CLIENT]  = {"client leg", 10, 22},
    [COLUMN_SERVER]  = {"server leg", 10, 22},
};
// clang-format on

static size_t column_width(const struct one_line *line, enum column column, bool wide) {
    if (column == COLUMN_ID) {
        return line->id_width;
    }
    if (column == COLUMN_TIME && line->date) {
        return strlen("2026-11-20 21:19:03");
    }
    return wide ? columns[column].wide : columns[column].narrow;
}

static bool is_wide(const struct one_line *line) {
    size_t sum = VERDICT_WIDTH;
    for (enum column column = 0; column < COLUMN_COUNT; column++) {
        sum += column_width(line, column, true) + 1;
    }
    return sum <= line->page->width;
}

static void column_write(struct buf *text, const struct one_line *line, enum column column,
                         const struct obj *root) {
    int64_t ms;
    char time[TIME_TEXT_MAX];
    switch (column) {
    case COLUMN_ID:
        text_write(text, root, F_RECORD_ID);
        break;
    case COLUMN_TIME:
        if (obj_int(root, F_RECORD_TIMESTAMP, &ms)) {
            time_format_ms(time, ms);
            time[10] = ' ';
            (void)buf_printf(text, "%.*s", line->date ? 19 : 8, line->date ? time : time + 11);
        }
        break;
    case COLUMN_HOST:
        text_write(text, root, F_RECORD_HOST);
        (void)buf_printf(text, ":");
        text_write(text, root, F_RECORD_PORT);
        break;
    case COLUMN_OFFERED:
        offered_write(text, record_leg(root, false));
        break;
    default:
        agreed_write(text, record_leg(root, column == COLUMN_SERVER), is_wide(line));
    }
}

void one_line_head(const struct one_line *line) {
    for (enum column column = 0; column < COLUMN_COUNT; column++) {
        size_t width = column_width(line, column, is_wide(line)),
               len = strlen(columns[column].name);
        if (width != 0) {
            page_puts(line->page, STYLE_DIM, columns[column].name);
            page_pad(line->page, len < width ? width - len + 1 : 1);
        }
    }
    page_puts(line->page, STYLE_DIM, "verdict");
    page_newline(line->page);
}

void one_line_write(const struct one_line *line, const struct obj *root) {
    for (enum column column = 0; column < COLUMN_COUNT; column++) {
        size_t width = column_width(line, column, is_wide(line));
        if (width != 0) {
            struct buf text;
            buf_init(&text, CELL_MAX);
            column_write(&text, line, column, root);
            cell(line->page, column == COLUMN_ID ? STYLE_DIM : STYLE_PLAIN, &text, width);
            buf_cleanup(&text);
        }
    }
    verdict_write(line->page, obj_get(root, F_RECORD_VERDICT));
    page_newline(line->page);
}
