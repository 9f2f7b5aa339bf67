#include "proxy/cli/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config/closest.h"
#include "policy/verdict/verdict.h"
#include "proxy/cli/exit.h"
#include "proxy/cli/explain_history.h"
#include "proxy/cli/explain_page.h"
#include "proxy/cli/log_open.h"
#include "proxy/cli/options.h"
#include "proxy/cli/output.h"
#include "proxy/cli/terminal.h"
#include "proxy/cli/usage.h"

enum { PAGE_MAX = 16 * 1024 * 1024 };

static const char help[] =
    "usage: tlsblame explain [OPTION]... [ID | CAUSE]\n"
    "\n"
    "Explains the verdict of a connection of the log, the last one without an ID:\n"
    "what it rests on and why that matters, what was ruled out, which clients say\n"
    "what this one said, what people see, who can do what about it, and the next\n"
    "test. Connections around it in the log count as evidence, later ones, too.\n"
    "With the name of a CAUSE it is the manual page of that cause.\n"
    "\n"
    "      --list         all causes: who is usually at fault, and whether the\n"
    "                     record alone can tell\n"
    "      --log FILE     read FILE, and what rotation left as FILE.1 and on,\n"
    "                     instead of $XDG_STATE_HOME/tlsblame/log.ndjson\n"
    "                     (~/.local/state/...)\n"
    "      --json         the same as JSON\n"
    "      --width N      columns to use, from 60 (default: those of the terminal,\n"
    "                     or 80)\n"
    "      --color WHEN   auto, always or never; auto honours NO_COLOR\n"
    "  -h, --help         show this\n"
    "\n"
    "Exit status: 0 when the verdict blames nobody, or for a manual page; 1 when the\n"
    "verdict names a party; 2 for bad usage, an unknown ID or CAUSE, or a log that\n"
    "cannot be read; 3 when the output cannot be written.\n";

struct explain {
    const char *log, *what, *color;
    bool list, json;
    size_t width; // 0: as the terminal is
};

// arguments_read fills `explain` and returns -1, or the exit status when there is no more to do.
static int arguments_read(struct explain *explain, int argc, char **argv) {
    const struct option_row rows[] = {
        {.name = "log", .kind = OPTION_TEXT, .out = &explain->log},
        {.name = "list", .kind = OPTION_FLAG, .out = &explain->list},
        {.name = "json", .kind = OPTION_FLAG, .out = &explain->json},
        {.name = "width", .kind = OPTION_NUMBER, .out = &explain->width, .min = 60, .max = 1000},
        {.name = "color", .kind = OPTION_TEXT, .out = &explain->color},
    };
    int rest, status = options_read(&rest, "explain", help, rows, ARRAY_LEN(rows), argc, argv);
    if (status != -1) {
        return status;
    }
    explain->what = rest < argc && !explain->list ? argv[rest++] : NULL;
    return rest == argc ? -1 : usage_error("explain", "unexpected argument %s", argv[rest]);
}

// finish writes out what the page holds; JSON ends in a newline that the page has already.
static int finish(const struct explain *explain, struct page *page, bool whole) {
    if (!whole || (explain->json && !buf_append(page->out, "\n", 1))) {
        fprintf(stderr, "tlsblame explain: there is more to say than fits\n");
        buf_cleanup(page->out);
        return EXIT_ENVIRONMENT;
    }
    return output_write("explain", page->out);
}

static int explain_list(const struct explain *explain, struct page *page) {
    bool whole = true;
    if (explain->json) {
        whole = explain_list_json(page->out);
    } else {
        explain_list_page(page);
    }
    return finish(explain, page, whole);
}

static int explain_cause(const struct explain *explain, struct page *page, enum cause cause) {
    bool whole = true;
    if (explain->json) {
        whole = explain_cause_json(page->out, cause);
    } else {
        explain_cause_page(page, cause);
    }
    return finish(explain, page, whole);
}

static int explain_record(const struct explain *explain, struct page *page, struct obj *root) {
    bool whole = true;
    if (!obj_has(root, F_RECORD_VERDICT)) {
        verdict_decide(root);
    }
    if (explain->json) {
        whole = explain_record_json(page->out, root);
    } else {
        explain_record_page(page, root);
    }
    int status = finish(explain, page, whole);
    return status == 0 && record_failed(root) ? EXIT_FINDING : status;
}

// suggestion returns the cause that `what` is close to, or NULL.
static const char *suggestion(const char *what) {
    struct closest closest = {.word = what};
    for (enum cause cause = 0; cause < CAUSE_COUNT; cause++) {
        closest_offer(&closest, cause_row(cause)->id);
    }
    return closest.name;
}

// look_around returns `record`, or in its place one whose verdict rests on the log around it; then
// it says so.
static struct record *look_around(const struct explain *explain, struct page *page,
                                  struct log_reader *reader, size_t i, struct record *record) {
    struct record *judged = explain_history(reader, i);
    if (judged == NULL) {
        return record;
    }
    const struct obj *was = obj_get(record->root, F_RECORD_VERDICT);
    const char *cause = obj_str(was, F_VERDICT_CAUSE), *sure = obj_str(was, F_VERDICT_CONFIDENCE);
    if (!explain->json && cause != NULL && sure != NULL) {
        const char *says = arena_printf(&record->arena,
                                        "The log around this connection tells more than was known "
                                        "when it ended; the verdict was %s (%s) then.",
                                        cause, sure);
        page_paragraph(page, STYLE_DIM, 0, false, page_span(says));
        page_newline(page);
    }
    record_free(record);
    return judged;
}

static int explain_logged(const struct explain *explain, struct page *page) {
    int status;
    struct err err = {0};
    size_t i = 0;
    struct log_reader *reader = log_open(&status, "explain", explain->log);
    if (reader == NULL) {
        return status;
    }
    struct record *record = NULL;
    if (log_reader_find(reader, &i, explain->what, &err)) {
        record = log_reader_read(reader, i, &err);
    }
    if (record != NULL) {
        record = look_around(explain, page, reader, i, record);
        status = explain_record(explain, page, record->root);
    } else {
        fprintf(stderr, "tlsblame explain: %s\n", err.msg);
        status = explain->what != NULL ? usage_hint("explain") : EXIT_USAGE;
    }
    record_free(record);
    log_reader_free(reader);
    return status;
}

int explain_main(int argc, char **argv) {
    struct explain explain = {.color = "auto"};
    int status = arguments_read(&explain, argc, argv);
    if (status != -1) {
        return status;
    }
    struct buf out;
    buf_init(&out, PAGE_MAX);
    struct page page = {.out = &out,
                        .width = explain.width != 0 ? explain.width : terminal_width(stdout, 80)};
    if (!terminal_color(&page.color, explain.color, stdout)) {
        return usage_error("explain", "--color takes auto, always or never, not %s", explain.color);
    }
    if (explain.list) {
        return explain_list(&explain, &page);
    }
    enum cause cause = explain.what != NULL ? cause_find(explain.what) : CAUSE_COUNT;
    if (cause != CAUSE_COUNT) {
        return explain_cause(&explain, &page, cause);
    }
    // Ids have no hyphens, and are close to no cause.
    const char *meant = explain.what != NULL ? suggestion(explain.what) : NULL;
    if (meant != NULL) {
        return usage_error("explain", "there is no cause \"%s\"; did you mean \"%s\"?",
                           explain.what, meant);
    }
    if (explain.what != NULL && strchr(explain.what, '-') != NULL) {
        return usage_error("explain", "there is no cause \"%s\"; 'tlsblame explain --list' has all",
                           explain.what);
    }
    return explain_logged(&explain, &page);
}
