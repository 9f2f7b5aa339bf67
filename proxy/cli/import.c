#include "proxy/cli/import.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "logs/record/json.h"
#include "logs/store/log_writer.h"
#include "logs/store/paths.h"
#include "logs/view/one_line.h"
#include "policy/verdict/claim.h"
#include "policy/verdict/history.h"
#include "proxy/cli/exit.h"
#include "proxy/cli/import_file.h"
#include "proxy/cli/key_file.h"
#include "proxy/cli/options.h"
#include "proxy/cli/output.h"
#include "proxy/cli/terminal.h"
#include "proxy/cli/usage.h"

enum {
    ID_WIDTH = 16,
    LINE_MAX_BYTES = 64 * 1024,
    QUEUE_MAX = 32 * 1024 * 1024,
    BROKEN_KEYS_TOLD = 10,
    HISTORY_SEED = 1, // importing a file again gives the same verdicts
};

static const char help[] =
    "usage: tlsblame import [OPTION]... FILE...\n"
    "\n"
    "Reads captures (pcap and pcapng; - is standard input) and writes a record for\n"
    "each TLS connection in them, on any port, also behind CONNECT, SOCKS and\n"
    "STARTTLS. One line is printed for each, as 'tlsblame list' does; 'tlsblame show\n"
    "--log LOG ID' shows one of them.\n"
    "\n"
    "      --log FILE     append the records to FILE instead of a new log,\n"
    "                     $XDG_STATE_HOME/tlsblame/import-TIME.ndjson\n"
    "                     (~/.local/state/...)\n"
    "      --keylog FILE  decrypt with the secrets of FILE, an NSS key log as\n"
    "                     SSLKEYLOGFILE makes one; those inside a pcapng are used in\n"
    "                     any case\n"
    "      --user-agent UA  who the clients are where the capture does not show it:\n"
    "                     a User-Agent, or a browser and its version, such as\n"
    "                     'Chrome 131'; a ClientHello that this one does not send\n"
    "                     tells of a box that terminates TLS in front\n"
    "      --json         write the records to standard output, one a line, and to\n"
    "                     no log unless --log names one\n"
    "  -q, --quiet        print neither connections nor the summary\n"
    "      --color WHEN   auto, always or never; auto honours NO_COLOR\n"
    "  -h, --help         show this\n"
    "\n"
    "A capture that ends inside a packet is read to there. Files are read one after\n"
    "the other, each by itself: a connection does not go on in the next file.\n"
    "Importing a file again gives its connections the same ids.\n"
    "\n"
    "Exit status: 0 when no verdict names a party; 1 when one does; 2 for bad usage\n"
    "or a file that cannot be read to its end; 3 when the records cannot be written.\n";

struct import {
    const char *log, *color, *keylog, *user_agent;
    bool json, quiet;
    char *log_path; // of the log in use, or NULL
    struct log_writer *writer;
    struct key_log *keys;
    struct history *history;
    size_t broken_keys;
    struct page page;
    struct buf text; // of the page, or of a record as JSON
    bool progress;   // a line of it may be on the terminal
    uint64_t listed, findings;
    bool failed; // a record could not be written
    struct import_counts counts;
};

// arguments_read fills `import` and returns -1, or the exit status when there is no more to do.
static int arguments_read(struct import *import, int *out_rest, int argc, char **argv) {
    const struct option_row rows[] = {
        {.name = "log", .kind = OPTION_TEXT, .out = &import->log},
        {.name = "keylog", .kind = OPTION_TEXT, .out = &import->keylog},
        {.name = "user-agent", .kind = OPTION_TEXT, .out = &import->user_agent},
        {.name = "json", .kind = OPTION_FLAG, .out = &import->json},
        {.name = "quiet", .letter = 'q', .kind = OPTION_FLAG, .out = &import->quiet},
        {.name = "color", .kind = OPTION_TEXT, .out = &import->color},
    };
    int status = options_read(out_rest, "import", help, rows, ARRAY_LEN(rows), argc, argv);
    if (status != -1) {
        return status;
    }
    struct claim claim;
    if (import->user_agent != NULL && !claim_read(&claim, import->user_agent)) {
        fprintf(stderr,
                "tlsblame import: nothing is known of the hellos of \"%s\": they are held against "
                "no browser's\n",
                import->user_agent);
    }
    return *out_rest < argc ? -1 : usage_error("import", "a capture file is expected");
}

static void warn(void *ctx, const char *says) {
    (void)ctx;
    fprintf(stderr, "tlsblame import: %s\n", says);
}

// path_new returns the default path of a new log.
static char *path_new(struct err *err) {
    char name[64];
    struct tm tm;
    time_t now = time(NULL);
    if (gmtime_r(&now, &tm) == NULL ||
        strftime(name, sizeof(name), "import-%Y%m%dT%H%M%SZ.ndjson", &tm) == 0) {
        err_set(err, "the clock shows no date that a file could be named after");
        return NULL;
    }
    return paths_state(name, err);
}

static bool log_begin(struct import *import, struct err *err) {
    if (import->json && import->log == NULL) {
        return true;
    }
    import->log_path = import->log != NULL ? xstrdup(import->log) : path_new(err);
    if (import->log_path == NULL ||
        (import->log == NULL && !paths_make_parent(import->log_path, err))) {
        return false;
    }
    // All of an import stays together: the log is not rotated.
    const struct log_writer_options options = {
        .path = import->log_path, .max_file = INT64_MAX, .max_queue = QUEUE_MAX, .warn = warn};
    import->writer = log_writer_open(&options, err);
    return import->writer != NULL;
}

static void progress_clear(struct import *import) {
    if (import->progress) {
        fputs("\r\033[K", stderr);
        import->progress = false;
    }
}

static void print_text(struct import *import) {
    fwrite(buf_data(&import->text), 1, import->text.len, stdout);
    buf_cleanup(&import->text);
}

static void print_json(struct import *import, const struct obj *root) {
    bool ok = json_write(&import->text, root) && buf_append(&import->text, "\n", 1);
    import->failed |= !ok;
    if (ok) {
        print_text(import);
    }
    buf_cleanup(&import->text);
}

static void print_line(struct import *import, const struct obj *root) {
    const struct one_line layout = {.page = &import->page, .id_width = ID_WIDTH, .date = true};
    if (import->listed == 0) {
        one_line_head(&layout);
    }
    one_line_write(&layout, root);
    print_text(import);
    import->listed++;
}

// A queue that is full is waited for: nothing of an import is dropped.
static void log_put(struct import *import, const struct obj *root) {
    if (!log_writer_put(import->writer, root)) {
        log_writer_flush(import->writer);
        import->failed |= !log_writer_put(import->writer, root);
    }
}

static void on_record(void *ctx, struct record *record) {
    struct import *import = ctx;
    const struct obj *verdict = obj_get(record->root, F_RECORD_VERDICT);
    import->findings +=
        obj_has(verdict, F_VERDICT_PARTY) && !obj_str_is(verdict, F_VERDICT_PARTY, "none");
    progress_clear(import);
    if (import->writer != NULL) {
        log_put(import, record->root);
    }
    if (import->json) {
        print_json(import, record->root);
    } else if (!import->quiet) {
        print_line(import, record->root);
    }
    record_free(record);
}

static void on_progress(void *ctx, const char *path, uint64_t offset, uint64_t size) {
    struct import *import = ctx;
    import->progress = true;
    if (size != 0) {
        fprintf(stderr, "\r\033[K%s: %d%%, %" PRIu64 " TLS connections", path,
                (int)((double)offset * 100 / (double)size), import->counts.tls);
    } else {
        fprintf(stderr, "\r\033[K%s: %" PRIu64 " MB, %" PRIu64 " TLS connections", path,
                offset / 1000000, import->counts.tls);
    }
}

static void print_count(uint64_t num, const char *says) {
    if (num != 0) {
        fprintf(stderr, "  %" PRIu64 " %s\n", num, says);
    }
}

static void print_summary(const struct import *import) {
    const struct import_counts *counts = &import->counts;
    const struct flow_counts *flow = &counts->flow;
    fprintf(stderr, "%" PRIu64 " packets, %" PRIu64 " TCP connections, %" PRIu64 " with TLS\n",
            flow->packets, flow->streams, counts->tls);
    print_count(counts->under_way, "began before the capture, and show no handshake");
    print_count(counts->refused, "asked a proxy or STARTTLS for TLS, and none came");
    print_count(counts->other, "spoke something else");
    print_count(counts->empty, "carried no data");
    print_count(counts->broken_secrets, "lines of decryption secrets are broken");
    print_count(flow->gap_bytes, "bytes are missing from the capture");
    print_count(flow->cut, "TCP segments were captured in part");
    print_count(flow->malformed, "packets are too short or malformed");
    print_count(flow->fragments_lost, "packets lack some of their fragments");
    print_count(flow->evicted, "connections were ended early: too many were open");
    if (flow->unknown_link != 0) {
        fprintf(stderr, "  %" PRIu64 " packets have a link type that is not read (%u)\n",
                flow->unknown_link, flow->last_unknown_link);
    }
    if (import->log_path != NULL) {
        fprintf(stderr, "Log: %s\n", import->log_path);
    }
}

static void on_broken_key(void *ctx, const struct err *err) {
    struct import *import = ctx;
    if (import->broken_keys++ < BROKEN_KEYS_TOLD) {
        fprintf(stderr, "tlsblame import: %s: %s\n", import->keylog, err->msg);
    }
}

// keys_read reads the key log that was named, if any.
static bool keys_read(struct import *import, struct err *err) {
    size_t num_broken = 0;
    import->keys = key_log_new(0);
    if (import->keylog != NULL &&
        !key_file_read(import->keys, &num_broken, import->keylog, on_broken_key, import, err)) {
        return false;
    }
    if (num_broken > BROKEN_KEYS_TOLD) {
        fprintf(stderr, "tlsblame import: %s: %zu lines more are passed over\n", import->keylog,
                num_broken - BROKEN_KEYS_TOLD);
    }
    return true;
}

static void files_read(struct import *import, char **paths, int num_paths) {
    bool progress = !import->quiet && isatty(STDERR_FILENO);
    const struct import_reader reader = {.ctx = import,
                                         .history = import->history,
                                         .user_agent = import->user_agent,
                                         .keys = import->keys,
                                         .on_record = on_record,
                                         .on_progress = progress ? on_progress : NULL};
    for (int i = 0; i < num_paths; i++) {
        struct err err;
        bool ok = import_file(&import->counts, &reader, paths[i], &err);
        progress_clear(import);
        if (!ok || err.msg[0] != '\0') {
            fprintf(stderr, "tlsblame import: %s%s\n", err.msg, ok ? "; read up to there" : "");
        }
    }
}

// log_end returns whether all records are in the log. One that was named here and stayed empty, as
// no file held TLS, is removed.
static bool log_end(struct import *import) {
    struct stat st;
    if (import->writer == NULL) {
        return true;
    }
    log_writer_flush(import->writer);
    struct log_writer_counts counts = log_writer_counts(import->writer);
    log_writer_close(import->writer);
    if (import->log == NULL && stat(import->log_path, &st) == 0 && st.st_size == 0) {
        unlink(import->log_path);
        free(import->log_path);
        import->log_path = NULL;
    }
    return counts.failed == 0;
}

int import_main(int argc, char **argv) {
    struct import import = {.color = "auto"};
    struct err err;
    int rest, status = arguments_read(&import, &rest, argc, argv);
    if (status != -1) {
        return status;
    }
    buf_init(&import.text, import.json ? LOG_RECORD_MAX + 1 : LINE_MAX_BYTES);
    import.page = (struct page){.out = &import.text, .width = terminal_width(stdout, 160)};
    if (!terminal_color(&import.page.color, import.color, stdout)) {
        return usage_error("import", "--color takes auto, always or never, not %s", import.color);
    }
    bool keys = keys_read(&import, &err);
    if (!keys || !log_begin(&import, &err)) {
        fprintf(stderr, "tlsblame import: %s\n", err.msg);
        free(import.log_path);
        key_log_free(import.keys);
        return keys ? EXIT_ENVIRONMENT : EXIT_USAGE;
    }
    import.history = history_new(HISTORY_SEED);
    files_read(&import, argv + rest, argc - rest);
    bool written = log_end(&import) && !import.failed;
    if (!import.quiet) {
        print_summary(&import);
    }
    free(import.log_path);
    key_log_free(import.keys);
    history_free(import.history);
    buf_cleanup(&import.text);
    if (!written) {
        fputs("tlsblame import: not all records could be written\n", stderr);
        return EXIT_ENVIRONMENT;
    }
    status = output_finish("import");
    if (status == 0 && import.findings != 0) {
        status = EXIT_FINDING;
    }
    return status != EXIT_ENVIRONMENT && import.counts.bad_files != 0 ? EXIT_USAGE : status;
}
