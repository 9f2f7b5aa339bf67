#include "logs/store/log_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "logs/base/buf.h"
#include "logs/record/json.h"

enum {
    TYPICAL_LINE = 24 * 1024,
    PIECE_MAX = 1024 * 1024, // of one write, unless a line is longer
    KEPT_MAX = 1024 * 1024,  // memory that an empty queue keeps
    ENOUGH = 256 * 1024,     // is written without waiting for more
    SETTLE = 1024 * 1024,    // the disk is given so many bytes at a time
    CACHED = 4,              // and so many of these stay in the page cache
    // How long the thread waits for more once there is something to write. Connections end in
    // bursts, waking a thread for each costs as much as making the line, and what is written at
    // once costs the kernel half of what it costs line by line.
    GATHER_NS = 20 * 1000 * 1000,
};

// struct lines is whole lines, each with its newline, one behind the other.
struct lines {
    uint8_t *p;
    size_t len, cap, num;
};

struct log_writer {
    char *path;
    uint64_t max_file;
    unsigned max_files;
    size_t max_queue;
    void (*warn)(void *ctx, const char *says);
    void *warn_ctx;
    pthread_t thread;

    pthread_mutex_t mutex; // guards what follows, up to the thread's own part
    pthread_cond_t work, idle;
    struct lines lines; // that wait
    size_t queued;      // bytes that wait or are being written
    bool busy, stop, reopen;
    struct log_writer_counts counts;

    // The thread's own.
    struct lines batch; // being written; its memory and that of `lines` change places
    int fd;
    bool regular;          // a file, which can be cut and rotated, and no pipe or device
    bool half_line;        // the file does not end in a newline
    uint64_t size;         // of the file, as far as we wrote it
    uint64_t told_dropped; // what the last warning said
    uint64_t failing;      // records lost since the file last took one
    bool rotate_failed;
};

PRINTF(2, 3) static void warn(struct log_writer *writer, const char *fmt, ...) {
    char says[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(says, sizeof(says), fmt, ap);
    va_end(ap);
    if (writer->warn != NULL) {
        writer->warn(writer->warn_ctx, says);
    }
}

// file_open opens the path and looks at how it ends. On failure what was open stays.
static bool file_open(struct log_writer *writer, struct err *err) {
    // Reading is for the last byte alone; a file that may only be appended to does as well.
    int fd = open(writer->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0 && errno == EACCES) {
        fd = open(writer->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
    }
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        err_errno(err, "cannot open the log %s for writing", writer->path);
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    char last = '\n';
    writer->regular = S_ISREG(st.st_mode);
    writer->size = writer->regular ? (uint64_t)st.st_size : 0;
    if (writer->size != 0 && pread(fd, &last, 1, st.st_size - 1) != 1) {
        last = '\n';
    }
    writer->half_line = last != '\n';
    if (writer->fd >= 0) {
        close(writer->fd);
    }
    writer->fd = fd;
    return true;
}

// file_moved returns whether the path no longer names the file that is open.
static bool file_moved(const struct log_writer *writer) {
    struct stat by_path, by_fd;
    return stat(writer->path, &by_path) != 0 || fstat(writer->fd, &by_fd) != 0 ||
           by_path.st_ino != by_fd.st_ino || by_path.st_dev != by_fd.st_dev;
}

static bool rename_numbered(const struct log_writer *writer, unsigned from) {
    char *old = NULL, *new = NULL;
    CHECK(asprintf(&old, from == 0 ? "%s" : "%s.%u", writer->path, from) >= 0);
    CHECK(asprintf(&new, "%s.%u", writer->path, from + 1) >= 0);
    bool ok = rename(old, new) == 0 || (errno == ENOENT && from != 0);
    free(old);
    free(new);
    return ok;
}

// file_rotate moves PATH to PATH.1, that to PATH.2 and so on; the oldest is overwritten.
static void file_rotate(struct log_writer *writer) {
    struct err err = {0};
    bool ok = true;
    // Another process that writes the same log may have been first.
    if (!file_moved(writer)) {
        for (unsigned i = writer->max_files; ok && i-- > 0;) {
            ok = rename_numbered(writer, i);
        }
        if (!ok) {
            err_errno(&err, "cannot rotate the log %s", writer->path);
        }
    }
    ok = ok && file_open(writer, &err);
    if (!ok && !writer->rotate_failed) {
        warn(writer, "%s; it grows on", err.msg);
    }
    writer->rotate_failed = !ok;
}

// write_all writes `len` bytes, or as many as the file takes; errno says why not all.
static size_t write_all(int fd, const uint8_t *p, size_t len) {
    size_t done = 0;
    while (done < len) {
        ssize_t n = write(fd, p + done, len - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        done += (size_t)n;
    }
    return done;
}

// cut_back takes away the beginning of a line that did not fit. Where something of another process
// stands behind it, the line stays as it is and is ended before the next.
static void cut_back(struct log_writer *writer, size_t wrote) {
    struct stat st;
    bool ours = writer->regular && fstat(writer->fd, &st) == 0 && st.st_size >= (off_t)wrote &&
                writer->size + wrote == (uint64_t)st.st_size;
    if (!ours || ftruncate(writer->fd, (off_t)writer->size) != 0) {
        writer->size += wrote;
        writer->half_line = true;
    }
}

// lines_end returns the length of the whole lines at the front of `p` that fit in `max` bytes, but
// at least that of the first line, and sets `*out_num` to their number.
static size_t lines_end(const uint8_t *p, size_t len, size_t max, size_t *out_num) {
    size_t end = 0;
    for (*out_num = 0; end < len; ++*out_num) {
        const uint8_t *newline = memchr(p + end, '\n', len - end);
        CHECK(newline != NULL);
        size_t next = (size_t)(newline - p) + 1;
        if (end != 0 && next > max) {
            break;
        }
        end = next;
    }
    return end;
}

// half_line_end ends a line that an earlier failure left half-written.
static bool half_line_end(struct log_writer *writer) {
    if (writer->half_line) {
        if (write_all(writer->fd, (const uint8_t *)"\n", 1) != 1) {
            return false;
        }
        writer->half_line = false;
        writer->size++;
    }
    return true;
}

// line_done tells of the first failure, and of the end of a series of them.
static void line_done(struct log_writer *writer, bool ok) {
    if (!ok && writer->failing++ == 0) {
        warn(writer, "cannot write to the log %s: %s; records are lost until it takes them again",
             writer->path, strerror(errno));
    }
    if (ok && writer->failing != 0) {
        warn(writer, "the log %s takes records again; %" PRIu64 " were lost", writer->path,
             writer->failing);
        writer->failing = 0;
    }
}

static void tell_dropped(struct log_writer *writer, uint64_t dropped) {
    if (dropped != writer->told_dropped) {
        warn(writer,
             "%" PRIu64
             " records were dropped: too many waited for the log %s, or one was too long",
             dropped - writer->told_dropped, writer->path);
        writer->told_dropped = dropped;
    }
}

static void count(struct log_writer *writer, size_t len, size_t written, size_t failed) {
    pthread_mutex_lock(&writer->mutex);
    writer->queued -= len;
    writer->counts.written += written;
    writer->counts.failed += failed;
    pthread_mutex_unlock(&writer->mutex);
}

// settle gives each full SETTLE bytes of the file to the disk, and back to the kernel what has been
// there for a while: a log is read seldom, and pages that are used again cost a tenth of fresh
// ones. It waits for nothing.
static void settle(const struct log_writer *writer, uint64_t before) {
    for (uint64_t i = before / SETTLE; writer->regular && i < writer->size / SETTLE; i++) {
        (void)sync_file_range(writer->fd, (off_t)(i * SETTLE), SETTLE, SYNC_FILE_RANGE_WRITE);
        if (i >= CACHED) {
            off_t old = (off_t)((i - CACHED) * SETTLE);
            (void)posix_fadvise(writer->fd, old, SETTLE, POSIX_FADV_DONTNEED);
        }
    }
}

// piece_end returns the length of the lines at the front of `p` that go to the file at once, after
// rotating it where the first no longer fits, and sets `*out_num` to their number. `num` is that of
// all lines in `len`.
static size_t piece_end(struct log_writer *writer, const uint8_t *p, size_t len, size_t num,
                        size_t *out_num) {
    uint64_t max = PIECE_MAX;
    *out_num = num;
    if (writer->regular && writer->size + len > writer->max_file) {
        size_t one, first = lines_end(p, len, 0, &one);
        if (writer->size != 0 && writer->size + first > writer->max_file) {
            file_rotate(writer);
        }
        uint64_t room = writer->max_file > writer->size ? writer->max_file - writer->size : 0;
        max = room < max ? room : max;
    }
    return len <= max ? len : lines_end(p, len, (size_t)max, out_num);
}

// piece_failed keeps the whole ones of the lines at `p` of which `wrote` bytes are in the file,
// gives up the next one, and returns the length of them all.
static size_t piece_failed(struct log_writer *writer, const uint8_t *p, size_t len, size_t wrote,
                           size_t *out_num) {
    int why = errno;
    const uint8_t *newline = wrote == 0 ? NULL : memrchr(p, '\n', wrote);
    size_t whole = newline == NULL ? 0 : (size_t)(newline - p) + 1, num = 0, one;
    if (whole != 0) {
        (void)lines_end(p, whole, whole, &num);
        line_done(writer, true);
    }
    writer->size += whole;
    if (wrote != whole) {
        cut_back(writer, wrote - whole);
    }
    errno = why;
    line_done(writer, false);
    size_t done = whole + lines_end(p + whole, len - whole, 0, &one);
    count(writer, done, num, 1);
    *out_num = num + 1;
    return done;
}

// piece_write writes as many of the `num` lines at `p` as go to one file at once. It returns the
// length of those that it is done with and sets `*out_num` to their number.
static size_t piece_write(struct log_writer *writer, const uint8_t *p, size_t len, size_t num,
                          size_t *out_num) {
    size_t end = piece_end(writer, p, len, num, out_num);
    size_t wrote = half_line_end(writer) ? write_all(writer->fd, p, end) : 0;
    if (wrote != end) {
        return piece_failed(writer, p, end, wrote, out_num);
    }
    writer->size += wrote;
    settle(writer, writer->size - wrote);
    line_done(writer, true);
    count(writer, end, *out_num, 0);
    return end;
}

static void batch_write(struct log_writer *writer) {
    struct lines *batch = &writer->batch;
    for (size_t done = 0, num; done < batch->len; batch->num -= num) {
        done += piece_write(writer, batch->p + done, batch->len - done, batch->num, &num);
    }
    CHECK(batch->num == 0);
    batch->len = 0;
    if (batch->cap > KEPT_MAX) {
        free(batch->p);
        *batch = (struct lines){0};
    }
}

static void lines_append(struct lines *lines, const void *p, size_t len) {
    if (lines->cap - lines->len < len) {
        size_t cap = lines->cap * 2 > lines->len + len ? lines->cap * 2 : lines->len + len;
        lines->p = xrealloc(lines->p, cap);
        lines->cap = cap;
    }
    memcpy(lines->p + lines->len, p, len);
    lines->len += len;
    lines->num++;
}

// gather waits for what else there is to write, so long as it stays in memory that is kept: fresh
// pages cost more than another write. The caller holds the mutex.
static void gather(struct log_writer *writer) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += GATHER_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (!writer->stop && writer->lines.len < ENOUGH &&
           pthread_cond_timedwait(&writer->work, &writer->mutex, &until) != ETIMEDOUT) {
    }
}

static void reopen(struct log_writer *writer) {
    struct err err = {0};
    if (!file_open(writer, &err)) {
        warn(writer, "%s; the old file stays in use", err.msg);
    }
}

static void *thread_main(void *arg) {
    struct log_writer *writer = arg;
    pthread_mutex_lock(&writer->mutex);
    for (;;) {
        bool slept = false;
        while (writer->lines.len == 0 && !writer->reopen && !writer->stop &&
               writer->counts.dropped == writer->told_dropped) {
            writer->busy = false;
            pthread_cond_broadcast(&writer->idle);
            pthread_cond_wait(&writer->work, &writer->mutex);
            slept = true;
        }
        if (slept) {
            gather(writer);
        }
        struct lines batch = writer->lines;
        writer->lines = writer->batch;
        writer->batch = batch;
        bool wants_reopen = writer->reopen, stop = writer->stop && batch.len == 0;
        uint64_t dropped = writer->counts.dropped;
        writer->reopen = false;
        writer->busy = true;
        pthread_mutex_unlock(&writer->mutex);
        if (wants_reopen) {
            reopen(writer);
        }
        batch_write(writer);
        tell_dropped(writer, dropped);
        if (stop) {
            break;
        }
        pthread_mutex_lock(&writer->mutex);
    }
    if (writer->failing != 0) {
        warn(writer, "%" PRIu64 " records at the end of the log %s were lost", writer->failing,
             writer->path);
    }
    return NULL;
}

struct log_writer *log_writer_open(const struct log_writer_options *options, struct err *err) {
    struct log_writer *writer = xcalloc(1, sizeof(*writer));
    *writer = (struct log_writer){
        .path = xstrdup(options->path),
        .max_file = options->max_file != 0 ? options->max_file : 64 * 1024 * 1024,
        .max_files = options->max_files != 0 ? options->max_files : 5,
        .max_queue = options->max_queue != 0 ? options->max_queue : 64 * 1024 * 1024,
        .warn = options->warn,
        .warn_ctx = options->warn_ctx,
        .fd = -1,
    };
    if (!file_open(writer, err)) {
        free(writer->path);
        free(writer);
        return NULL;
    }
    CHECK(pthread_mutex_init(&writer->mutex, NULL) == 0);
    CHECK(pthread_cond_init(&writer->work, NULL) == 0);
    CHECK(pthread_cond_init(&writer->idle, NULL) == 0);
    // Signals belong to the event loop; a file past its limit is an error like any other.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&writer->thread, NULL, thread_main, writer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    CHECK(failed == 0);
    return writer;
}

bool log_writer_put(struct log_writer *writer, const struct obj *root) {
    struct buf line;
    buf_init(&line, LOG_RECORD_MAX + 1);
    bool ok = buf_reserve(&line, TYPICAL_LINE) != NULL && json_write(&line, root) &&
              buf_append(&line, "\n", 1);
    pthread_mutex_lock(&writer->mutex);
    ok = ok && line.len <= writer->max_queue - writer->queued;
    if (ok) {
        lines_append(&writer->lines, buf_data(&line), line.len);
        writer->queued += line.len;
    } else {
        writer->counts.dropped++;
    }
    bool enough = ok && writer->lines.len >= ENOUGH && writer->lines.len - line.len < ENOUGH;
    bool wake = !writer->busy || enough;
    writer->busy = true;
    pthread_mutex_unlock(&writer->mutex);
    if (wake) {
        pthread_cond_signal(&writer->work);
    }
    buf_cleanup(&line);
    return ok;
}

void log_writer_reopen(struct log_writer *writer) {
    pthread_mutex_lock(&writer->mutex);
    writer->reopen = writer->busy = true;
    pthread_cond_signal(&writer->work);
    pthread_mutex_unlock(&writer->mutex);
}

struct log_writer_counts log_writer_counts(struct log_writer *writer) {
    pthread_mutex_lock(&writer->mutex);
    struct log_writer_counts counts = writer->counts;
    pthread_mutex_unlock(&writer->mutex);
    return counts;
}

void log_writer_flush(struct log_writer *writer) {
    pthread_mutex_lock(&writer->mutex);
    while (writer->busy) {
        pthread_cond_wait(&writer->idle, &writer->mutex);
    }
    pthread_mutex_unlock(&writer->mutex);
}

void log_writer_close(struct log_writer *writer) {
    if (writer == NULL) {
        return;
    }
    pthread_mutex_lock(&writer->mutex);
    writer->stop = true;
    pthread_cond_signal(&writer->work);
    pthread_mutex_unlock(&writer->mutex);
    CHECK(pthread_join(writer->thread, NULL) == 0);
    close(writer->fd);
    pthread_cond_destroy(&writer->work);
    pthread_cond_destroy(&writer->idle);
    pthread_mutex_destroy(&writer->mutex);
    free(writer->lines.p);
    free(writer->batch.p);
    free(writer->path);
    free(writer);
}
