#include "proxy/cli/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/view/side_by_side.h"
#include "proxy/cli/exit.h"
#include "proxy/cli/log_open.h"
#include "proxy/cli/options.h"
#include "proxy/cli/output.h"
#include "proxy/cli/terminal.h"
#include "proxy/cli/usage.h"

enum { PAGE_MAX = 64 * 1024 * 1024 };

static const char help[] =
    "usage: tlsblame show [OPTION]... [ID]\n"
    "\n"
    "Shows one connection of the log, the last one without an ID: the verdict and\n"
    "what it rests on, then the client leg and the server leg side by side,\n"
    "certificates, alerts and the time line. ID is an id that 'tlsblame list' shows,\n"
    "or the beginning of one that no other id shares.\n"
    "\n"
    "Between the legs: = the same, < on the client leg alone, > on the server leg\n"
    "alone, ~ other, or elsewhere in the list; nothing where nothing is compared.\n"
    "\n"
    "      --log FILE     read FILE, and what rotation left as FILE.1 and on (default\n"
    "                     ~/.local/state/tlsblame/log.ndjson)\n"
    "      --json         the whole record as it is in the log\n"
    "      --width N      columns to use, from 60 (default: the terminal's, or 80)\n"
    "      --color WHEN   auto, always or never; auto honours NO_COLOR\n"
    "  -h, --help         show this\n"
    "\n"
    "Exit status: 0 when the verdict blames nobody; 1 when it names a party; 2 for\n"
    "bad usage, an unknown ID or a log that cannot be read; 3 when the output cannot\n"
    "be written.\n";

struct show {
    const char *log, *id, *color;
    bool json;
    size_t width; // 0: as the terminal is
};

// arguments_read fills `show` and returns -1, or the exit status when there is nothing more to do.
static int arguments_read(struct show *show, int argc, char **argv) {
    const struct option_row rows[] = {
        {.name = "log", .kind = OPTION_TEXT, .out = &show->log},
        {.name = "json", .kind = OPTION_FLAG, .out = &show->json},
        {.name = "width", .kind = OPTION_NUMBER, .out = &show->width, .min = 60, .max = 1000},
        {.name = "color", .kind = OPTION_TEXT, .out = &show->color},
    };
    int rest, status = options_read(&rest, "show", help, rows, ARRAY_LEN(rows), argc, argv);
    if (status != -1) {
        return status;
    }
    show->id = rest < argc ? argv[rest++] : NULL;
    return rest == argc ? -1 : usage_error("show", "unexpected argument %s", argv[rest]);
}

// show_record writes record `i` and returns the exit status.
static int show_record(const struct show *show, struct page *page, struct log_reader *reader,
                       size_t i) {
    struct err err = {0};
    struct span line;
    struct record *record = log_reader_read(reader, i, &err);
    if (record == NULL || (show->json && !log_reader_line(reader, &line, i, &err))) {
        fprintf(stderr, "tlsblame show: %s\n", err.msg);
        record_free(record);
        return EXIT_USAGE;
    }
    if (show->json) {
        fwrite(line.p, 1, line.len, stdout);
        putchar('\n');
    } else {
        side_by_side_write(page, record->root);
        fwrite(buf_data(page->out), 1, page->out->len, stdout);
        buf_cleanup(page->out);
    }
    bool finding = record_failed(record->root);
    record_free(record);
    int status = output_finish("show");
    return status == 0 && finding ? EXIT_FINDING : status;
}

int show_main(int argc, char **argv) {
    struct show show = {.color = "auto"};
    int status = arguments_read(&show, argc, argv);
    if (status != -1) {
        return status;
    }
    struct buf out;
    buf_init(&out, PAGE_MAX);
    struct page page = {.out = &out,
                        .width = show.width != 0 ? show.width : terminal_width(stdout, 80)};
    if (!terminal_color(&page.color, show.color, stdout)) {
        return usage_error("show", "--color takes auto, always or never, not %s", show.color);
    }
    struct log_reader *reader = log_open(&status, "show", show.log);
    if (reader == NULL) {
        return status;
    }
    struct err err = {0};
    size_t i = 0;
    if (log_reader_find(reader, &i, show.id, &err)) {
        status = show_record(&show, &page, reader, i);
    } else {
        fprintf(stderr, "tlsblame show: %s\n", err.msg);
        status = EXIT_USAGE;
    }
    log_reader_free(reader);
    return status;
}
