#include "proxy/cli/diff_side.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "logs/record/json.h"
#include "proxy/cli/exit.h"
#include "proxy/cli/hello_parts.h"
#include "proxy/cli/import_file.h"
#include "proxy/cli/log_open.h"

enum { NAME_MAX_LEN = 255, PLACE_MAX = 128 };

static void say(const char *says) { fprintf(stderr, "tlsblame diff: %s\n", says); }

// is_capture returns whether the file begins as pcap (either byte order, micro- or nanoseconds, the
// modified form) or pcapng.
static bool is_capture(const char *path) {
    static const uint8_t magics[][4] = {
        {0xa1, 0xb2, 0xc3, 0xd4}, {0xd4, 0xc3, 0xb2, 0xa1}, {0xa1, 0xb2, 0x3c, 0x4d},
        {0x4d, 0x3c, 0xb2, 0xa1}, {0xa1, 0xb2, 0xcd, 0x34}, {0x34, 0xcd, 0xb2, 0xa1},
        {0x0a, 0x0d, 0x0d, 0x0a},
    };
    uint8_t head[4];
    FILE *f = fopen(path, "rb");
    bool whole = f != NULL && fread(head, sizeof(head), 1, f) == 1, found = false;
    for (size_t i = 0; whole && i < ARRAY_LEN(magics); i++) {
        found = found || memcmp(head, magics[i], sizeof(head)) == 0;
    }
    if (f != NULL) {
        fclose(f);
    }
    return found;
}

// struct spill is the records of a capture on their way to a file.
struct spill {
    FILE *f;
    bool ok;
};

static void spill_record(void *ctx, struct record *record) {
    struct spill *spill = ctx;
    struct buf line;
    buf_init(&line, LOG_LINE_MAX);
    spill->ok = spill->ok && json_write(&line, record->root) && buf_append(&line, "\n", 1) &&
                fwrite(buf_data(&line), 1, line.len, spill->f) == line.len;
    buf_cleanup(&line);
    record_free(record);
}

// capture_spill imports the capture `path` into the empty file `spill`.
static bool capture_spill(const char *path, int fd, struct key_log *keys, int *out_status) {
    struct err err = {0};
    struct import_counts counts = {0};
    struct spill spill = {.f = fdopen(fd, "w"), .ok = true};
    CHECK(spill.f != NULL);
    const struct import_reader reader = {.ctx = &spill, .keys = keys, .on_record = spill_record};
    bool read = import_file(&counts, &reader, path, &err);
    if (err.msg[0] != '\0') {
        say(err.msg);
    }
    bool written = fclose(spill.f) == 0 && spill.ok;
    if (read && !written) {
        say("cannot write to the folder for temporary files, $TMPDIR or /tmp");
    }
    *out_status = read ? EXIT_ENVIRONMENT : EXIT_USAGE;
    return read && written;
}

static struct log_reader *capture_import(const char *path, struct key_log *keys, int *out_status) {
    const char *folder = getenv("TMPDIR");
    char *spill = NULL;
    struct log_reader *reader = NULL;
    CHECK(asprintf(&spill, "%s/tlsblame-diff-XXXXXX",
                   folder != NULL && *folder != '\0' ? folder : "/tmp") >= 0);
    int fd = mkstemp(spill);
    if (fd < 0) {
        fprintf(stderr, "tlsblame diff: cannot make %s: %s\n", spill, strerror(errno));
        *out_status = EXIT_ENVIRONMENT;
    } else {
        if (capture_spill(path, fd, keys, out_status)) {
            reader = log_open(out_status, "diff", spill);
        }
        unlink(spill);
    }
    free(spill);
    return reader;
}

// file_open opens the log or capture `path`, which the side takes over.
static bool file_open(struct diff_side *side, int *out_status, char *path,
                      const struct diff_sources *from) {
    side->file = path;
    side->reader = is_capture(path) ? capture_import(path, from->keys, out_status)
                                    : log_open(out_status, "diff", path);
    if (side->reader != NULL) {
        side->num = log_reader_num(side->reader);
    }
    return side->reader != NULL;
}

static bool is_there(const char *path) {
    struct stat st;
    return stat(path, &st) == 0;
}

// number_open opens "FILE#N", whose "#" is at `hash`.
static bool number_open(struct diff_side *side, int *out_status, const char *arg, const char *hash,
                        const struct diff_sources *from) {
    char *end;
    unsigned long n = strtoul(hash + 1, &end, 10);
    if (!isdigit((unsigned char)hash[1]) || *end != '\0' || n == 0) {
        fprintf(stderr, "tlsblame diff: a number from 1 is expected after # in %s\n", arg);
        *out_status = EXIT_USAGE;
        return false;
    }
    if (!file_open(side, out_status, xmemdup(arg, (size_t)(hash - arg)), from)) {
        return false;
    }
    if (n > side->num) {
        fprintf(stderr, "tlsblame diff: %s holds %zu records, there is no #%lu\n", side->file,
                side->num, n);
        *out_status = EXIT_USAGE;
        return false;
    }
    side->single = true;
    side->first = n - 1;
    side->num = 1;
    return true;
}

static bool id_open(struct diff_side *side, int *out_status, const char *arg, const char *log) {
    struct err err = {0};
    side->reader = log_open(out_status, "diff", log);
    if (side->reader == NULL) {
        return false;
    }
    side->file = xstrdup(log != NULL ? log : "the log");
    side->single = true;
    side->num = 1;
    if (!log_reader_find(side->reader, &side->first, arg, &err)) {
        fprintf(stderr, "tlsblame diff: %s, and there is no file %s\n", err.msg, arg);
        *out_status = EXIT_USAGE;
        return false;
    }
    return true;
}

bool diff_side_open(struct diff_side *side, int *out_status, const char *arg,
                    const struct diff_sources *from) {
    *side = (struct diff_side){.reader = NULL};
    const char *hash = strrchr(arg, '#');
    bool ok = is_there(arg)  ? file_open(side, out_status, xstrdup(arg), from)
              : hash != NULL ? number_open(side, out_status, arg, hash, from)
                             : id_open(side, out_status, arg, from->log);
    if (!ok) {
        diff_side_cleanup(side);
    }
    return ok;
}

void diff_side_cleanup(struct diff_side *side) {
    log_reader_free(side->reader);
    free(side->file);
    free(side->records);
    *side = (struct diff_side){.reader = NULL};
}

static void hello_scan(struct pair_hello *out, struct arena *arena, const struct obj *leg) {
    struct hello_parts parts;
    hello_parts_read(&parts, arena, obj_span(leg, F_LEG_OFFER_RAW));
    out->random = pair_key(parts.random.p, parts.random.len);
    out->session_id = pair_key(parts.session_id.p, parts.session_id.len);
    for (size_t i = 0; i < PAIR_SHARES && i < parts.num_key_shares; i++) {
        out->key_shares[i] = pair_key(parts.key_shares[i].p, parts.key_shares[i].len);
    }
}

// name_scan takes the server name, or the host where none was sent, in lower case.
static void name_scan(struct pair_record *out, const struct obj *root) {
    struct span name = obj_span(record_leg(root, false), F_LEG_SERVER_NAME);
    char lower[NAME_MAX_LEN];
    name = name.len == 0 ? obj_span(root, F_RECORD_HOST) : name;
    size_t len = name.len < sizeof(lower) ? name.len : sizeof(lower);
    for (size_t i = 0; i < len; i++) {
        lower[i] = (char)tolower(name.p[i]);
    }
    out->name = pair_key(lower, len);
    out->nonce = pair_key(lower, pair_nonce_len(lower, len));
}

static void record_scan_keys(struct pair_record *out, struct arena *arena, const struct obj *root) {
    const struct obj *client = record_leg(root, false);
    char service[PLACE_MAX];
    int64_t ms = 0, hello_us = 0, answer_us = -1, port = 0;
    (void)obj_int(root, F_RECORD_TIMESTAMP, &ms);
    (void)obj_int(client, F_LEG_MS_HELLO, &hello_us);
    (void)obj_int(root, F_RECORD_PORT, &port);
    (void)obj_int(client, F_LEG_MS_ANSWER, &answer_us);
    out->start_us = ms * 1000 + hello_us;
    out->answer_us = answer_us < 0 ? INT64_MIN : ms * 1000 + answer_us;
    for (size_t i = 0; i < ARRAY_LEN(out->hellos); i++) {
        hello_scan(&out->hellos[i], arena, record_leg(root, i != 0));
    }
    name_scan(out, root);
    const char *front = obj_str(root, F_RECORD_FRONT);
    struct span address = obj_span(client, F_LEG_ADDRESS);
    snprintf(service, sizeof(service), "%lld %s", (long long)port, front != NULL ? front : "");
    out->place.client = pair_key(address.p, address.len);
    out->place.service = pair_key(service, strlen(service));
}

void diff_side_scan(struct diff_side *side) {
    static const enum field fields[] = {
        F_RECORD_TIMESTAMP, F_RECORD_HOST,     F_RECORD_PORT,  F_RECORD_FRONT,  F_LEG_ADDRESS,
        F_LEG_OFFER_RAW,    F_LEG_SERVER_NAME, F_LEG_MS_HELLO, F_LEG_MS_ANSWER,
    };
    struct record_scan_plan plan;
    record_scan_plan_init(&plan, fields, ARRAY_LEN(fields));
    side->records = xcalloc(side->num + 1, sizeof(*side->records));
    for (size_t i = 0; i < side->num; i++) {
        struct err err = {0};
        struct arena arena = {0};
        struct record *record = log_reader_scan(side->reader, side->first + i, &plan, &err);
        if (record != NULL) {
            record_scan_keys(&side->records[i], &arena, record->root);
        } else {
            say(err.msg);
        }
        arena_cleanup(&arena);
        record_free(record);
    }
}

struct record *diff_side_read(const struct diff_side *side, size_t i) {
    struct err err = {0};
    struct record *record = log_reader_read(side->reader, side->first + i, &err);
    if (record == NULL) {
        say(err.msg);
    }
    return record;
}
