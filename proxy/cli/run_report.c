#include "proxy/cli/run_report.h"

#include <string.h>

#include "logs/record/record.h"
#include "logs/record/text.h"
#include "logs/view/one_line.h"
#include "logs/view/verdict_page.h"

enum { LINES_MAX = 1024 * 1024, VERDICTS_MAX = 1024 * 1024, PIECE_MAX = 64 * 1024 };

// A paragraph is read with more ease when it is not as wide as the terminal.
enum { PARAGRAPH_WIDTH = 100 };

void run_report_init(struct run_report *report) {
    buf_init(&report->lines, LINES_MAX);
    buf_init(&report->verdicts, VERDICTS_MAX);
    report->num = report->num_failed = report->num_found = report->num_left_out = 0;
}

void run_report_cleanup(struct run_report *report) {
    buf_cleanup(&report->lines);
    buf_cleanup(&report->verdicts);
}

static struct page page_on(const struct run_report *report, struct buf *out) {
    return (struct page){.out = out, .width = report->width, .color = report->color};
}

static void write_verdict(const struct run_report *report, struct buf *out,
                          const struct obj *root) {
    struct arena arena = {0};
    struct page page = page_on(report, out);
    page.width = page.width < PARAGRAPH_WIDTH ? page.width : PARAGRAPH_WIDTH;
    page_newline(&page);
    page_printf(&page, STYLE_TITLE, "%s:%s", text_or_empty(&arena, root, F_RECORD_HOST),
                text_or_empty(&arena, root, F_RECORD_PORT));
    page_newline(&page);
    verdict_page_write(&page, obj_get(root, F_RECORD_VERDICT), true);
    page_pad(&page, 2);
    page_puts(&page, STYLE_DIM, "more");
    page_pad(&page, VERDICT_PAGE_INDENT - 2 - strlen("more"));
    page_puts(&page, STYLE_PLAIN, // unbroken, to be copied
              arena_printf(&arena, "tlsblame show%s%s %s", report->log != NULL ? " --log " : "",
                           report->log != NULL ? report->log : "",
                           text_or_empty(&arena, root, F_RECORD_ID)));
    page_newline(&page);
    arena_cleanup(&arena);
}

void run_report_add(struct run_report *report, const struct obj *root) {
    bool failed = record_failed(root), worked = record_worked(root);
    report->num++;
    report->num_failed += failed && !worked;
    report->num_found += worked;
    struct buf line, verdict;
    buf_init(&line, PIECE_MAX);
    buf_init(&verdict, PIECE_MAX);
    struct page page = page_on(report, &line);
    const struct one_line layout = {.page = &page};
    if (!report->quiet || failed) {
        one_line_write(&layout, root);
    }
    if (failed) {
        write_verdict(report, &verdict, root);
    }
    if (line.len <= buf_room(&report->lines) && verdict.len <= buf_room(&report->verdicts)) {
        CHECK(buf_append(&report->lines, buf_data(&line), line.len) &&
              buf_append(&report->verdicts, buf_data(&verdict), verdict.len));
    } else {
        report->num_left_out++;
    }
    buf_cleanup(&line);
    buf_cleanup(&verdict);
}

static void write_none(struct page *page, const char *no_proxy) {
    static const char says[] =
        "tlsblame: no connection came through the proxy. Either the command made none, or it does "
        "not take its proxy from the environment ('tlsblame env --help' lists what does). Such a "
        "program may have an option or a setting for it: start 'tlsblame run', have the program "
        "use http://127.0.0.1:8080, and visit http://tlsblame.test/ for the CA.";
    page_paragraph(page, STYLE_PLAIN, 0, false, page_span(says));
    if (no_proxy != NULL && *no_proxy != '\0') {
        struct arena arena = {0};
        page_paragraph(
            page, STYLE_PLAIN, 0, false,
            page_span(arena_printf(&arena, "NO_PROXY is \"%s\": those hosts go around the proxy.",
                                   no_proxy)));
        arena_cleanup(&arena);
    }
}

void run_report_write(struct buf *out, const struct run_report *report, const char *no_proxy) {
    struct page page = page_on(report, out);
    const struct one_line layout = {.page = &page};
    if (report->quiet && report->num_failed + report->num_found == 0) {
        return;
    }
    page_newline(&page); // the command's own output ends somewhere above
    if (report->num == 0) {
        page.width = page.width < PARAGRAPH_WIDTH ? page.width : PARAGRAPH_WIDTH;
        write_none(&page, no_proxy);
        return;
    }
    page_printf(&page, STYLE_TITLE, "tlsblame: %zu connection%s, %zu failed", report->num,
                report->num == 1 ? "" : "s", report->num_failed);
    if (report->num_found != 0) {
        page_printf(&page, STYLE_TITLE, ", %zu finding%s", report->num_found,
                    report->num_found == 1 ? "" : "s");
    }
    page_newline(&page);
    one_line_head(&layout);
    (void)!buf_append(out, buf_data(&report->lines), report->lines.len);
    (void)!buf_append(out, buf_data(&report->verdicts), report->verdicts.len);
    if (report->num_left_out != 0) {
        page_printf(&page, STYLE_PLAIN, "and %zu more: tlsblame list", report->num_left_out);
        page_newline(&page);
    }
}
