#include "proxy/cli/list.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/view/one_line.h"
#include "proxy/cli/exit.h"
#include "proxy/cli/log_open.h"
#include "proxy/cli/options.h"
#include "proxy/cli/output.h"
#include "proxy/cli/terminal.h"
#include "proxy/cli/usage.h"

enum { ID_WIDTH_MAX = 32 };

static const char help[] =
    "usage: tlsblame list [OPTION]...\n"
    "\n"
    "Lists the connections of the log, the newest last: id, time (UTC), host and\n"
    "port, what the client offered, what was agreed on each leg (x: but not\n"
    "finished), and the verdict. 'tlsblame show ID' shows one of them.\n"
    "\n"
    "      --log FILE     read FILE, and what rotation left as FILE.1 and on (default\n"
    "                     ~/.local/state/tlsblame/log.ndjson)\n"
    "      --host GLOB    only hosts that match, such as '*.example.com'\n"
    "      --failed       only connections whose verdict names a party, not none\n"
    "      --limit N      only the last N\n"
    "      --json         the whole records as they are in the log, one a line\n"
    "      --color WHEN   auto, always or never; auto honours NO_COLOR\n"
    "  -h, --help         show this\n"
    "\n"
    "A line of the log that is no record is reported with its number and skipped.\n"
    "Exit status: 0; 1 when --failed lists anything; 2 for bad usage or a log that\n"
    "cannot be read; 3 when the output cannot be written.\n";

struct list {
    const char *log, *host, *color;
    bool failed, json;
    size_t limit; // 0: all
    struct record_scan_plan plan;
    struct log_reader *reader;
    size_t listed;
};

// arguments_read fills `list` and returns -1, or the exit status when there is nothing more to do.
static int arguments_read(struct list *list, int argc, char **argv) {
    const struct option_row rows[] = {
        {.name = "log", .kind = OPTION_TEXT, .out = &list->log},
        {.name = "host", .kind = OPTION_TEXT, .out = &list->host},
        {.name = "failed", .kind = OPTION_FLAG, .out = &list->failed},
        {.name = "limit", .kind = OPTION_NUMBER, .out = &list->limit, .min = 1},
        {.name = "json", .kind = OPTION_FLAG, .out = &list->json},
        {.name = "color", .kind = OPTION_TEXT, .out = &list->color},
    };
    int rest, status = options_read(&rest, "list", help, rows, ARRAY_LEN(rows), argc, argv);
    if (status != -1) {
        return status;
    }
    return rest == argc ? -1 : usage_error("list", "unexpected argument %s", argv[rest]);
}

static bool matches(const struct list *list, const struct obj *root) {
    const char *host = obj_str(root, F_RECORD_HOST);
    return (!list->failed || record_failed(root)) &&
           (list->host == NULL || (host != NULL && fnmatch(list->host, host, FNM_CASEFOLD) == 0));
}

// record_get reads record `i`, or returns NULL where it does not match or cannot be read: then it
// says so if it is `told`.
static struct record *record_get(struct list *list, size_t i, bool told) {
    struct err err = {0};
    struct record *record = log_reader_scan(list->reader, i, &list->plan, &err);
    if (record == NULL && told) {
        fprintf(stderr, "tlsblame list: %s\n", err.msg);
    } else if (record != NULL && !matches(list, record->root)) {
        record_free(record);
        record = NULL;
    }
    return record;
}

// first_of returns the record with which the last `limit` matching ones begin.
static size_t first_of(struct list *list) {
    size_t first = log_reader_num(list->reader), found = 0;
    if (list->limit == 0) {
        return 0;
    }
    while (first != 0 && found < list->limit) {
        struct record *record = record_get(list, --first, false);
        found += record != NULL;
        record_free(record);
    }
    return first;
}

static void print_json(struct list *list, size_t i) {
    struct err err = {0};
    struct span line;
    if (!log_reader_line(list->reader, &line, i, &err)) {
        fprintf(stderr, "tlsblame list: %s\n", err.msg);
        return;
    }
    fwrite(line.p, 1, line.len, stdout);
    putchar('\n');
}

static void print_page(struct page *page) {
    fwrite(buf_data(page->out), 1, page->out->len, stdout);
    buf_cleanup(page->out);
}

// id_width is that of the longest id, within reason.
static size_t id_width(const struct log_reader *reader) {
    size_t width = 2;
    for (size_t i = 0; i < log_reader_num(reader); i++) {
        size_t len = strlen(log_reader_id(reader, i));
        width = len > width && len <= ID_WIDTH_MAX ? len : width;
    }
    return width;
}

static void print_all(struct list *list, struct page *page) {
    struct one_line layout = {.page = page, .id_width = id_width(list->reader), .date = true};
    for (size_t i = first_of(list); i < log_reader_num(list->reader); i++) {
        struct record *record = record_get(list, i, true);
        if (record == NULL) {
            continue;
        }
        if (list->json) {
            print_json(list, i);
        } else {
            if (list->listed == 0) {
                one_line_head(&layout);
            }
            one_line_write(&layout, record->root);
            print_page(page);
        }
        list->listed++;
        record_free(record);
    }
}

int list_main(int argc, char **argv) {
    struct list list = {.color = "auto"};
    int status = arguments_read(&list, argc, argv);
    if (status != -1) {
        return status;
    }
    struct buf out;
    buf_init(&out, 64 * 1024);
    struct page page = {.out = &out, .width = terminal_width(stdout, 160)};
    if (!terminal_color(&page.color, list.color, stdout)) {
        return usage_error("list", "--color takes auto, always or never, not %s", list.color);
    }
    list.reader = log_open(&status, "list", list.log);
    if (list.reader == NULL) {
        return status;
    }
    record_scan_plan_init(&list.plan, one_line_fields, one_line_num_fields);
    print_all(&list, &page);
    log_reader_free(list.reader);
    status = output_finish("list");
    return status == 0 && list.failed && list.listed != 0 ? EXIT_FINDING : status;
}
