#include "proxy/cli/export.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "logs/store/paths.h"
#include "proxy/cli/exit.h"
#include "proxy/cli/export_case.h"
#include "proxy/cli/export_output.h"
#include "proxy/cli/log_open.h"
#include "proxy/cli/options.h"
#include "proxy/cli/usage.h"

static const char help[] =
    "usage: tlsblame export [OPTION]... [ID | LOG | LOG#N]...\n"
    "       tlsblame export --case DIR [--no-redact] [ID | LOG#N]...\n"
    "\n"
    "Writes connections of the log for other programs: one by its ID, all of a LOG,\n"
    "or the Nth of it; the last connection without any. Formats can be combined.\n"
    "\n"
    "      --pcapng FILE  a capture for Wireshark, with the secrets that decrypt it\n"
    "      --keylog FILE  the secrets alone, as SSLKEYLOGFILE has them\n"
    "      --json FILE    the records as they are in the log, one a line\n"
    "  -o, --output FILE  the format that the ending says: .pcapng; .keylog, .keys or\n"
    "                     .txt; .json or .ndjson\n"
    "      --case DIR     a kit for a bug report in a new folder: redacted records, a\n"
    "                     capture, the hello, the policy, the profile of an emulated\n"
    "                     box, a README with the verdict, and run.sh, which plays it\n"
    "      --no-redact    leave names, addresses and secrets in the kit\n"
    "      --log FILE     the log that IDs are looked up in (default\n"
    "                     ~/.local/state/tlsblame/log.ndjson)\n"
    "  -h, --help         show this\n"
    "\n"
    "FILE may be - for standard output; without any option a capture goes there,\n"
    "unless it is a terminal. Files are made for their owner alone.\n"
    "\n"
    "The capture is what one on the proxy's machine would have shown of the\n"
    "handshake: both legs as connections of their own, the client's with its CONNECT.\n"
    "TLS is exactly as it was on the wire; TCP around it is made up, with real\n"
    "addresses, ports and times. Through a tunnel both legs carry the same bytes, and\n"
    "the client leg is written. Application data is left out, and in the capture\n"
    "missing, unless policy had it kept. What is kept at all, and which secrets, is\n"
    "said by \"record\" in the policy ('tlsblame policy keys').\n"
    "\n"
    "Exit status: 0; 1 when the records held nothing of what was asked for; 2 for bad\n"
    "usage, an unknown ID or a log that cannot be read; 3 when the output cannot be\n"
    "written.\n";

enum { CASE_MAX = 100 }; // records of a kit

// struct chosen is some records of a log: `num` from `first` on.
struct chosen {
    struct log_reader *reader;
    char *path;
    size_t first, num;
};

struct export {
    const char *log, *output, *dir;
    bool plain; // nothing is redacted in `dir`
    struct export_output to;
    struct chosen *chosen; // one for each argument
    size_t num_chosen;
};

static int refuse_output(const char *path) {
    size_t len = strlen(path);
    if (len > 5 && strcmp(path + len - 5, ".pcap") == 0) {
        return usage_error("export", "a .pcap file has no room for the secrets; name it %sng",
                           path);
    }
    return usage_error("export",
                       "the ending of %s says no format; use --pcapng, --keylog or --json", path);
}

// formats_choose fills in what -o and the lack of any option mean.
static int formats_choose(struct export *export) {
    const char **paths = export->to.paths;
    if (export->output != NULL) {
        enum export_format format;
        if (!export_format_of(&format, export->output)) {
            return refuse_output(export->output);
        }
        if (paths[format] != NULL) {
            return usage_error("export", "%s and %s are for the same format", paths[format],
                               export->output);
        }
        paths[format] = export->output;
    }
    size_t num = 0, dashes = 0;
    for (int i = 0; i < EXPORT_FORMATS; i++) {
        num += paths[i] != NULL;
        dashes += paths[i] != NULL && strcmp(paths[i], "-") == 0;
        for (int j = 0; j < i && paths[i] != NULL; j++) {
            if (paths[j] != NULL && strcmp(paths[i], paths[j]) == 0 && dashes == 0) {
                return usage_error("export", "%s is named twice", paths[i]);
            }
        }
    }
    if (num == 0) {
        paths[EXPORT_PCAPNG] = "-";
    }
    return dashes <= 1 ? -1 : usage_error("export", "only one format can go to standard output");
}

// case_check refuses what does not go with a kit.
static int case_check(const struct export *export) {
    if (export->dir == NULL) {
        return usage_error("export", "--no-redact is for --case");
    }
    for (int i = 0; i < EXPORT_FORMATS; i++) {
        if (export->to.paths[i] != NULL || export->output != NULL) {
            return usage_error("export", "--case writes a folder of its own, and no other file");
        }
    }
    return -1;
}

// arguments_read fills `export` and returns -1, or the exit status when there is no more to do.
static int arguments_read(struct export *export, int *out_rest, int argc, char **argv) {
    const struct option_row rows[] = {
        {.name = "pcapng", .kind = OPTION_TEXT, .out = &export->to.paths[EXPORT_PCAPNG]},
        {.name = "keylog", .kind = OPTION_TEXT, .out = &export->to.paths[EXPORT_KEYLOG]},
        {.name = "json", .kind = OPTION_TEXT, .out = &export->to.paths[EXPORT_JSON]},
        {.name = "output", .letter = 'o', .kind = OPTION_TEXT, .out = &export->output},
        {.name = "case", .kind = OPTION_TEXT, .out = &export->dir},
        {.name = "no-redact", .kind = OPTION_FLAG, .out = &export->plain},
        {.name = "log", .kind = OPTION_TEXT, .out = &export->log},
    };
    int status = options_read(out_rest, "export", help, rows, ARRAY_LEN(rows), argc, argv);
    if (status != -1) {
        return status;
    }
    return export->dir != NULL || export->plain ? case_check(export) : formats_choose(export);
}

static bool is_file(const char *path) {
    struct stat st;
    return stat(path, &st) == 0;
}

static bool choose_number(struct chosen *out, int *out_status, const char *number) {
    char *end;
    unsigned long n = strtoul(number, &end, 10);
    if (!isdigit((unsigned char)*number) || *end != '\0' || n == 0) {
        *out_status =
            usage_error("export", "a number from 1 is expected after # and not %s", number);
        return false;
    }
    out->reader = log_open(out_status, "export", out->path);
    if (out->reader == NULL) {
        return false;
    }
    if (n > log_reader_num(out->reader)) {
        fprintf(stderr, "tlsblame export: %s holds %zu records, there is no #%lu\n", out->path,
                log_reader_num(out->reader), n);
        *out_status = EXIT_USAGE;
        return false;
    }
    out->first = n - 1;
    out->num = 1;
    return true;
}

static bool choose_id(struct chosen *out, int *out_status, const char *id, const char *log) {
    struct err err = {0};
    out->path = log != NULL ? xstrdup(log) : paths_state("log.ndjson", &err);
    out->reader = log_open(out_status, "export", log);
    if (out->reader == NULL) {
        return false;
    }
    if (!log_reader_find(out->reader, &out->first, id, &err)) {
        fprintf(stderr, "tlsblame export: %s\n", err.msg);
        *out_status = EXIT_USAGE;
        return false;
    }
    out->num = 1;
    return true;
}

// choose finds the records that `arg` names; NULL is the last one. On false `*out_status` is the
// exit status; what was opened is the caller's in any case.
static bool choose(struct chosen *out, int *out_status, const char *arg, const char *log) {
    const char *hash = arg != NULL ? strrchr(arg, '#') : NULL;
    if (arg != NULL && is_file(arg)) {
        out->path = xstrdup(arg);
        out->reader = log_open(out_status, "export", arg);
        out->num = out->reader != NULL ? log_reader_num(out->reader) : 0;
        return out->reader != NULL;
    }
    if (hash != NULL) {
        out->path = xmemdup(arg, (size_t)(hash - arg));
        return choose_number(out, out_status, hash + 1);
    }
    return choose_id(out, out_status, arg, log);
}

// choose_all returns 0, or the exit status when one of the arguments names nothing.
static int choose_all(struct export *export, char **args, size_t num_args) {
    int status = 0;
    export->num_chosen = num_args != 0 ? num_args : 1;
    export->chosen = xcalloc(export->num_chosen, sizeof(*export->chosen));
    for (size_t i = 0; i < export->num_chosen && status == 0; i++) {
        if (!choose(&export->chosen[i], &status, num_args != 0 ? args[i] : NULL, export->log)) {
            CHECK(status != 0);
        }
    }
    return status;
}

static void chosen_free(struct export *export) {
    for (size_t i = 0; i < export->num_chosen; i++) {
        log_reader_free(export->chosen[i].reader);
        free(export->chosen[i].path);
    }
    free(export->chosen);
}

// outputs_open makes the files, unless one of them is a log that is being read.
static bool outputs_open(struct export *export, struct err *err) {
    for (size_t i = 0; i < export->num_chosen; i++) {
        if (!export_output_spares(&export->to, export->chosen[i].path, err)) {
            return false;
        }
    }
    return export_output_open(&export->to, err);
}

static int chosen_write(struct export *export, const struct chosen *chosen) {
    int status = 0;
    for (size_t i = chosen->first; i < chosen->first + chosen->num; i++) {
        struct err err = {0};
        struct span line;
        struct record *record = log_reader_read(chosen->reader, i, &err);
        if (record == NULL || !log_reader_line(chosen->reader, &line, i, &err)) {
            fprintf(stderr, "tlsblame export: %s\n", err.msg);
            status = EXIT_USAGE;
        } else {
            export_output_record(&export->to, record->root, line);
        }
        record_free(record);
    }
    return status;
}

// tell says what the records lacked, and returns the exit status for that.
static int tell(const struct export_output *to) {
    int status = 0;
    if (to->bare != 0) {
        fprintf(stderr,
                "tlsblame export: %zu of %zu legs are a ClientHello alone: more was not kept\n",
                to->bare, to->legs);
    }
    if (to->capture != NULL && to->legs == 0) {
        fputs("tlsblame export: there is no handshake that a capture could show\n", stderr);
        status = EXIT_FINDING;
    }
    if (to->files[EXPORT_KEYLOG] != NULL && to->secrets == 0) {
        fputs("tlsblame export: there are no secrets\n", stderr);
        status = EXIT_FINDING;
    }
    return status;
}

static int export_write(struct export *export) {
    struct err err = {0};
    int status = 0;
    if (outputs_open(export, &err)) {
        for (size_t i = 0; i < export->num_chosen; i++) {
            int bad = chosen_write(export, &export->chosen[i]);
            status = bad != 0 ? bad : status;
        }
        int lacks = tell(&export->to);
        status = status != 0 ? status : lacks;
    } else {
        fprintf(stderr, "tlsblame export: %s\n", err.msg);
        status = EXIT_USAGE;
    }
    if (!export_output_close(&export->to, &err)) {
        fprintf(stderr, "tlsblame export: %s\n", err.msg);
        status = EXIT_ENVIRONMENT;
    }
    return status;
}

// case_tell says what was written, and what to do with it.
static void case_tell(const struct export *export, size_t num, size_t num_played) {
    printf("Wrote %s: %zu connection%s, %s. README.md says what is in it.\n", export->dir, num,
           num == 1 ? "" : "s", export->plain ? "not redacted" : "redacted");
    if (num_played == num) {
        printf("Next: %s/run.sh plays it; then look it through and attach it.\n", export->dir);
    } else {
        printf("Next: look it through and attach it. run.sh can play %zu of %zu: README.md says "
               "why.\n",
               num_played, num);
    }
}

// case_export writes the kit of the chosen records.
static int case_export(const struct export *export) {
    struct record *records[CASE_MAX];
    const struct obj *roots[CASE_MAX];
    size_t num = 0, num_played = 0;
    struct err err = {0};
    bool ok = true;
    for (size_t i = 0; i < export->num_chosen && ok; i++) {
        const struct chosen *chosen = &export->chosen[i];
        for (size_t j = chosen->first; j < chosen->first + chosen->num && ok; j++) {
            ok = num < CASE_MAX || err_set(&err, "a case has at most %d records", CASE_MAX);
            ok = ok && (records[num] = log_reader_read(chosen->reader, j, &err)) != NULL;
            num += ok;
        }
    }
    ok = ok && (num != 0 || err_set(&err, "there is no record"));
    int status = ok ? 0 : EXIT_USAGE;
    for (size_t i = 0; i < num; i++) {
        roots[i] = records[i]->root;
    }
    if (ok && !export_case_write(export->dir, &num_played, roots, num, export->plain, &err)) {
        status = EXIT_ENVIRONMENT;
    }
    if (status != 0) {
        fprintf(stderr, "tlsblame export: %s\n", err.msg);
    } else {
        case_tell(export, num, num_played);
    }
    for (size_t i = 0; i < num; i++) {
        record_free(records[i]);
    }
    return status;
}

int export_main(int argc, char **argv) {
    struct export export = {.log = NULL};
    int rest, status = arguments_read(&export, &rest, argc, argv);
    if (status != -1) {
        return status;
    }
    status = choose_all(&export, argv + rest, (size_t)(argc - rest));
    if (status == 0) {
        status = export.dir != NULL ? case_export(&export) : export_write(&export);
    }
    chosen_free(&export);
    return status;
}
