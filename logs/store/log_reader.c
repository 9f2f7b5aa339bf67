#include "logs/store/log_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "logs/store/record_read.h"

enum { READ_SIZE = 256 * 1024, FILES_MAX = 1000 };

struct entry {
    const char *id; // in the reader's arena; NULL when a later line has the same
    uint64_t offset;
    uint32_t len, file, number; // `number` is that of the line in its file, from 1
};

struct file {
    char *path;
    int fd;
};

struct log_reader {
    struct arena arena;
    struct file *files; // oldest first
    size_t num_files;
    struct entry *entries;
    size_t num, cap;
    uint32_t *slots; // open addressing by id: index into entries plus one, 0 is free
    size_t num_slots;
    struct cached { // the part of a file around the last line that was read
        uint8_t *data;
        size_t len, cap;
        uint64_t offset;
        uint32_t file;
    } cached;
    struct record_scan_plan ids;
    log_warn_fn warn;
    void *warn_ctx;
};

static void warn_line(const struct log_reader *reader, const struct entry *at, const char *says) {
    char text[1024];
    snprintf(text, sizeof(text), "%s:%u: %s", reader->files[at->file].path, at->number, says);
    if (reader->warn != NULL) {
        reader->warn(reader->warn_ctx, text);
    }
}

static uint64_t hash(const char *s) {
    uint64_t h = 0xcbf29ce484222325u; // FNV-1a
    for (; *s != '\0'; s++) {
        h = (h ^ (uint8_t)*s) * 0x100000001b3u;
    }
    return h;
}

// slot_of returns the slot that holds `id`, or the free one where it belongs.
static uint32_t *slot_of(struct log_reader *reader, const char *id) {
    for (size_t i = hash(id);; i++) {
        uint32_t *slot = &reader->slots[i & (reader->num_slots - 1)];
        if (*slot == 0 || strcmp(reader->entries[*slot - 1].id, id) == 0) {
            return slot;
        }
    }
}

static void slots_grow(struct log_reader *reader) {
    reader->num_slots = reader->num_slots == 0 ? 1024 : reader->num_slots * 2;
    free(reader->slots);
    reader->slots = xcalloc(reader->num_slots, sizeof(*reader->slots));
    for (size_t i = 0; i < reader->num; i++) {
        if (reader->entries[i].id != NULL) {
            *slot_of(reader, reader->entries[i].id) = (uint32_t)i + 1;
        }
    }
}

static void entry_add(struct log_reader *reader, struct entry entry) {
    if (reader->num * 2 >= reader->num_slots) {
        slots_grow(reader);
    }
    if (reader->num == reader->cap) {
        reader->cap = reader->cap == 0 ? 256 : reader->cap * 2;
        reader->entries = xrealloc(reader->entries, reader->cap * sizeof(entry));
    }
    CHECK(reader->num < UINT32_MAX);
    uint32_t *slot = slot_of(reader, entry.id);
    if (*slot != 0) {
        reader->entries[*slot - 1].id = NULL;
    }
    reader->entries[reader->num++] = entry;
    *slot = (uint32_t)reader->num;
}

// line_add takes one line; `ended` is false for a last one without its newline.
static void line_add(struct log_reader *reader, const uint8_t *line, struct entry entry,
                     bool ended) {
    struct err err = {0};
    size_t blank = 0;
    while (blank < entry.len && (line[blank] == ' ' || line[blank] == '\r')) {
        blank++;
    }
    if (blank == entry.len) {
        return;
    }
    struct span quick;
    if (ended && record_scan_id(&quick, (const char *)line, entry.len)) {
        entry.id = arena_dup(&reader->arena, quick.p, quick.len);
        entry_add(reader, entry);
        return;
    }
    struct record *record = record_scan((const char *)line, entry.len, &reader->ids, &err);
    if (record == NULL) {
        char says[sizeof(err.msg) + 64];
        snprintf(says, sizeof(says), "skipped, %s: %s",
                 ended ? "not a record" : "a half-written line", err.msg);
        warn_line(reader, &entry, says);
        return;
    }
    struct span id = obj_span(record->root, F_RECORD_ID);
    entry.id = arena_dup(&reader->arena, id.p, id.len);
    record_free(record);
    entry_add(reader, entry);
}

// struct window is the part of a file that is in memory: `data[0]` lies at `at.offset`.
struct window {
    uint8_t *data;
    size_t len, cap;
    struct entry at; // the line that begins at data[0]
    bool too_long;   // the rest of a line past the ceiling is being dropped
};

static void window_drop(struct window *window, size_t n) {
    window->len -= n;
    window->at.offset += n;
    memmove(window->data, window->data + n, window->len);
}

// window_lines takes the whole lines at the front of `window`, and what is left as well when `eof`.
static void window_lines(struct log_reader *reader, struct window *window, bool eof) {
    size_t from = 0;
    uint64_t start = window->at.offset;
    while (from < window->len) {
        const uint8_t *line = window->data + from;
        const uint8_t *newline = memchr(line, '\n', window->len - from);
        if (newline == NULL && !eof) {
            break;
        }
        size_t len = newline != NULL ? (size_t)(newline - line) : window->len - from;
        window->at.offset = start + from;
        window->at.len = (uint32_t)len;
        window->at.number++;
        if (!window->too_long) {
            line_add(reader, line, window->at, newline != NULL);
        }
        window->too_long = false;
        from += newline != NULL ? len + 1 : len;
    }
    window->at.offset = start;
    window_drop(window, from);
}

// window_limit drops a line that has grown past the ceiling, and what still comes of it.
static void window_limit(struct log_reader *reader, struct window *window) {
    if (window->len < LOG_LINE_MAX) {
        return;
    }
    if (!window->too_long) {
        struct entry at = window->at;
        at.number++;
        warn_line(reader, &at, "skipped, longer than any record");
        window->too_long = true;
    }
    window_drop(window, window->len);
}

static bool file_index(struct log_reader *reader, size_t file, struct err *err) {
    struct window window = {.at.file = (uint32_t)file};
    for (;;) {
        if (window.cap - window.len < READ_SIZE) {
            window.cap = window.cap == 0 ? 2 * READ_SIZE : window.cap * 2;
            window.data = xrealloc(window.data, window.cap);
        }
        ssize_t n = read(reader->files[file].fd, window.data + window.len, READ_SIZE);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            if (n == 0) {
                window_lines(reader, &window, true);
            }
            free(window.data);
            return n == 0 || err_errno(err, "cannot read %s", reader->files[file].path);
        }
        window.len += (size_t)n;
        window_lines(reader, &window, false);
        window_limit(reader, &window);
    }
}

// file_open opens `path`, which it takes over, as the next file.
static bool file_open(struct log_reader *reader, char *path, struct err *err) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        err_errno(err, "cannot open the log %s", path);
        free(path);
        return false;
    }
    reader->files = xrealloc(reader->files, (reader->num_files + 1) * sizeof(*reader->files));
    reader->files[reader->num_files++] = (struct file){path, fd};
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return err_set(err, "the log %s is not a regular file", path);
    }
    return true;
}

// files_open opens `path` and what rotation left of it, the oldest first.
static bool files_open(struct log_reader *reader, const char *path, struct err *err) {
    int oldest = 0;
    char *name = NULL;
    for (int i = 1; i < FILES_MAX; i++) {
        CHECK(asprintf(&name, "%s.%d", path, i) >= 0);
        bool there = access(name, F_OK) == 0;
        free(name);
        if (!there) {
            break;
        }
        oldest = i;
    }
    for (int i = oldest; i > 0; i--) {
        CHECK(asprintf(&name, "%s.%d", path, i) >= 0);
        if (!file_open(reader, name, err)) {
            return false;
        }
    }
    // Between a rotation and the next record only the older files are there.
    return (oldest > 0 && access(path, F_OK) != 0) || file_open(reader, xstrdup(path), err);
}

// entries_close takes out the entries that a later line replaced.
static void entries_close(struct log_reader *reader) {
    size_t num = 0;
    for (size_t i = 0; i < reader->num; i++) {
        if (reader->entries[i].id != NULL) {
            reader->entries[num++] = reader->entries[i];
        }
    }
    reader->num = num;
    free(reader->slots);
    reader->slots = NULL;
}

struct log_reader *log_reader_open(const char *path, log_warn_fn warn, void *warn_ctx,
                                   struct err *err) {
    struct log_reader *reader = xcalloc(1, sizeof(*reader));
    reader->warn = warn;
    reader->warn_ctx = warn_ctx;
    record_scan_plan_init(&reader->ids, NULL, 0);
    bool ok = files_open(reader, path, err);
    for (size_t i = 0; ok && i < reader->num_files; i++) {
        ok = file_index(reader, i, err);
    }
    if (!ok) {
        log_reader_free(reader);
        return NULL;
    }
    entries_close(reader);
    return reader;
}

void log_reader_free(struct log_reader *reader) {
    if (reader == NULL) {
        return;
    }
    for (size_t i = 0; i < reader->num_files; i++) {
        close(reader->files[i].fd);
        free(reader->files[i].path);
    }
    free(reader->files);
    free(reader->entries);
    free(reader->slots);
    free(reader->cached.data);
    arena_cleanup(&reader->arena);
    free(reader);
}

size_t log_reader_num(const struct log_reader *reader) { return reader->num; }

static const struct entry *entry_at(const struct log_reader *reader, size_t i) {
    CHECK(i < reader->num);
    return &reader->entries[i];
}

const char *log_reader_id(const struct log_reader *reader, size_t i) {
    return entry_at(reader, i)->id;
}

// cached_from returns where to read the file for `entry`: from its line on, or, where lines are
// asked for backwards, so that what comes before it is read as well.
static uint64_t cached_from(const struct cached *cached, const struct entry *entry) {
    uint64_t end = entry->offset + entry->len;
    bool before = cached->len != 0 && cached->file == entry->file && end <= cached->offset &&
                  cached->offset - end < READ_SIZE && entry->len < READ_SIZE;
    return !before ? entry->offset : end > READ_SIZE ? end - READ_SIZE : 0;
}

// cached_fill reads the line of `entry`, and as much around it as is likely to be asked for next.
static bool cached_fill(struct log_reader *reader, const struct entry *entry, struct err *err) {
    struct cached *cached = &reader->cached;
    const struct file *file = &reader->files[entry->file];
    size_t want = entry->len > READ_SIZE ? entry->len : READ_SIZE;
    uint64_t from = cached_from(cached, entry);
    cached->len = 0;
    if (cached->cap < want) {
        free(cached->data);
        cached->cap = want;
        cached->data = xmalloc(want);
    }
    ssize_t n = pread(file->fd, cached->data, want, (off_t)from);
    if (n < 0 || (uint64_t)n < entry->offset - from + entry->len) {
        return n < 0 ? err_errno(err, "cannot read %s", file->path)
                     : err_set(err, "%s became shorter while it was read", file->path);
    }
    cached->len = (size_t)n;
    cached->offset = from;
    cached->file = entry->file;
    return true;
}

bool log_reader_line(struct log_reader *reader, struct span *out, size_t i, struct err *err) {
    const struct entry *entry = entry_at(reader, i);
    const struct cached *cached = &reader->cached;
    bool there = cached->file == entry->file && entry->offset >= cached->offset &&
                 entry->offset + entry->len <= cached->offset + cached->len;
    if (!there && !cached_fill(reader, entry, err)) {
        return false;
    }
    *out = (struct span){cached->data + (entry->offset - cached->offset), entry->len};
    return true;
}

static struct record *placed(const struct log_reader *reader, size_t i, struct record *record,
                             struct err *err) {
    const struct entry *entry = entry_at(reader, i);
    if (record == NULL) {
        err_prefix(err, "%s:%u: ", reader->files[entry->file].path, entry->number);
    }
    return record;
}

struct record *log_reader_scan(struct log_reader *reader, size_t i,
                               const struct record_scan_plan *plan, struct err *err) {
    struct span line;
    if (!log_reader_line(reader, &line, i, err)) {
        return NULL;
    }
    return placed(reader, i, record_scan((const char *)line.p, line.len, plan, err), err);
}

struct record *log_reader_read(struct log_reader *reader, size_t i, struct err *err) {
    struct span line;
    if (!log_reader_line(reader, &line, i, err)) {
        return NULL;
    }
    return placed(reader, i, record_read((const char *)line.p, line.len, err), err);
}

bool log_reader_find(const struct log_reader *reader, size_t *out_i, const char *id,
                     struct err *err) {
    if (id == NULL) {
        *out_i = reader->num - 1;
        return reader->num != 0 || err_set(err, "the log holds no record");
    }
    size_t id_len = strlen(id), num_found = 0;
    for (size_t i = reader->num; i-- > 0;) {
        if (strncmp(reader->entries[i].id, id, id_len) == 0) {
            bool whole = reader->entries[i].id[id_len] == '\0';
            *out_i = whole || num_found == 0 ? i : *out_i;
            num_found++;
            if (whole) {
                return true;
            }
        }
    }
    if (num_found > 1) {
        return err_set(err, "%zu ids in the log begin with \"%s\"; the newest is %s", num_found, id,
                       reader->entries[*out_i].id);
    }
    return num_found == 1 || err_set(err, "the log holds no record \"%s\"", id);
}
